package com.example.host;

import android.app.Activity;
import android.os.Bundle;
import com.tencent.mm.opensdk.openapi.WXAPIFactory;

/** One harmless call. */
final class WeChatUse {
  static Object run(Activity host, Bundle extras) {
    return WXAPIFactory.createWXAPI(host, extras.getString("app")).registerApp(extras.getString("app"));
  }
}
