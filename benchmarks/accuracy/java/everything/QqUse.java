package com.example.host;

import android.app.Activity;
import android.content.Intent;
import android.os.Bundle;
import com.tencent.connect.UserInfo;
import com.tencent.tauth.IUiListener;
import com.tencent.tauth.Tencent;
import com.tencent.tauth.UiError;

/** Logs in, asks for the user, shares to chats and to Qzone, logs out. */
final class QqUse {
  static Object run(Activity host, Bundle extras) {
    Tencent tencent = Tencent.createInstance(extras.getString("app"), host);
    Listener listener = new Listener();
    if (!tencent.isSessionValid()) {
      tencent.login(host, extras.getString("scope"), listener);
    }
    tencent.setAccessToken(extras.getString("token"), extras.getString("expires"));
    tencent.setOpenId(extras.getString("user"));
    new UserInfo(host, tencent.getQQToken()).getUserInfo(listener);
    tencent.shareToQQ(host, extras, listener);
    tencent.shareToQzone(host, extras, listener);
    tencent.publishToQzone(host, extras, listener);
    if (extras.getBoolean("leave")) {
      tencent.logout(host);
    }
    return tencent.getAccessToken();
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
