package com.example.host;

import android.app.Activity;
import android.os.Bundle;
import com.alipay.sdk.app.PayTask;

/** Pays an order. */
final class AlipayUse {
  static Object run(final Activity host, final Bundle extras) {
    Thread thread =
        new Thread() {
          @Override
          public void run() {
            MainActivity.kept = new PayTask(host).pay(extras.getString("order"), extras.getBoolean("loading"));
          }
        };
    thread.start();
    return thread;
  }
}
