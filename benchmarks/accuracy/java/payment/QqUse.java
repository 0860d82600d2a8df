package com.example.host;

import android.app.Activity;
import android.content.Intent;
import android.os.Bundle;
import com.tencent.tauth.IUiListener;
import com.tencent.tauth.Tencent;
import com.tencent.tauth.UiError;

/** Shares the order; this SDK has no call for payment. */
final class QqUse {
  static Object run(Activity host, Bundle extras) {
    Tencent tencent = Tencent.createInstance(extras.getString("app"), host);
    tencent.shareToQQ(host, extras, new Listener());
    return tencent;
  }

  static void answer(int request, int result, Intent data) {
    Tencent.onActivityResultData(request, result, data, new Listener());
  }

  static final class Listener implements IUiListener {
    @Override
    public void onComplete(Object answer) {
      MainActivity.kept = answer;
    }

    @Override
    public void onError(UiError error) {
      MainActivity.kept = error.errorMessage;
    }

    @Override
    public void onCancel() {
      MainActivity.kept = null;
    }
  }
}
