package com.example.host;

import android.app.Activity;
import android.os.Bundle;
import com.alipay.sdk.app.PayTask;

/** One harmless call. */
final class AlipayUse {
  static Object run(Activity host, Bundle extras) {
    return new PayTask(host).getVersion();
  }
}
