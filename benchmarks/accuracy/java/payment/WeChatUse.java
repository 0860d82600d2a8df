package com.example.host;

import android.app.Activity;
import android.os.Bundle;
import com.tencent.mm.opensdk.modelpay.PayReq;
import com.tencent.mm.opensdk.openapi.IWXAPI;
import com.tencent.mm.opensdk.openapi.WXAPIFactory;

/** Pays an order. */
final class WeChatUse {
  static Object run(Activity host, Bundle extras) {
    IWXAPI api = WXAPIFactory.createWXAPI(host, extras.getString("app"));
    PayReq request = new PayReq();
    request.appId = extras.getString("app");
    request.partnerId = extras.getString("partner");
    request.prepayId = extras.getString("prepay");
    request.nonceStr = extras.getString("nonce");
    request.timeStamp = extras.getString("time");
    request.packageValue = extras.getString("package");
    request.sign = extras.getString("sign");
    request.extData = extras.getString("more");
    return api.sendReq(request);
  }
}
