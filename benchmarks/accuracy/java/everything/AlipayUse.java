package com.example.host;

import android.app.Activity;
import android.os.Bundle;
import com.alipay.sdk.app.AuthTask;
import com.alipay.sdk.app.PayTask;

/** Pays, logs in, takes over web payments. */
final class AlipayUse {
  static Object run(final Activity host, final Bundle extras) {
    Thread thread =
        new Thread() {
          @Override
          public void run() {
            boolean loading = extras.getBoolean("loading");
            PayTask task = new PayTask(host);
            MainActivity.kept =
                new Object[] {
                  task.pay(extras.getString("order"), loading),
                  task.fetchOrderInfoFromH5PayUrl(extras.getString("url")),
                  task.getVersion(),
                  new AuthTask(host).auth(extras.getString("login"), loading),
                };
          }
        };
    thread.start();
    return thread;
  }
}
