package com.example.host;

import android.app.Activity;
import android.content.Intent;
import android.os.Bundle;
import com.tencent.tauth.Tencent;

/** An instance, and whether its session is valid. */
final class QqUse {
  static Object run(Activity host, Bundle extras) {
    return Tencent.createInstance(extras.getString("app"), host).isSessionValid();
  }

  static void answer(int request, int result, Intent data) {}
}
