package com.example.host;

import android.app.Activity;
import android.os.Bundle;
import com.tencent.mm.opensdk.modelmsg.SendAuth;
import com.tencent.mm.opensdk.modelmsg.SendMessageToWX;
import com.tencent.mm.opensdk.modelmsg.WXImageObject;
import com.tencent.mm.opensdk.modelmsg.WXMediaMessage;
import com.tencent.mm.opensdk.modelmsg.WXTextObject;
import com.tencent.mm.opensdk.modelmsg.WXWebpageObject;
import com.tencent.mm.opensdk.modelpay.PayReq;
import com.tencent.mm.opensdk.openapi.IWXAPI;
import com.tencent.mm.opensdk.openapi.WXAPIFactory;

/** Registers, pays, logs in, shares text, pages and pictures. */
final class WeChatUse {
  static Object run(Activity host, Bundle extras) {
    IWXAPI api = WXAPIFactory.createWXAPI(host, extras.getString("app"), extras.getBoolean("check"));
    boolean done = api.registerApp(extras.getString("app"));
    done |= api.isWXAppInstalled() && api.getWXAppSupportAPI() > extras.getInt("least");
    done |= api.sendReq(pay(extras)) | api.sendReq(login(extras));
    done |= api.sendReq(share(extras, new WXTextObject(extras.getString("text"))));
    done |= api.sendReq(share(extras, new WXWebpageObject(extras.getString("url"))));
    done |= api.sendReq(share(extras, new WXImageObject(extras.getByteArray("picture"))));
    return done;
  }

  private static PayReq pay(Bundle extras) {
    PayReq request = new PayReq();
    request.appId = extras.getString("app");
    request.partnerId = extras.getString("partner");
    request.prepayId = extras.getString("prepay");
    request.nonceStr = extras.getString("nonce");
    request.timeStamp = extras.getString("time");
    request.packageValue = extras.getString("package");
    request.sign = extras.getString("sign");
    request.extData = extras.getString("more");
    return request;
  }

  private static SendAuth.Req login(Bundle extras) {
    SendAuth.Req request = new SendAuth.Req();
    request.scope = extras.getString("scope");
    request.state = extras.getString("state");
    return request;
  }

  private static SendMessageToWX.Req share(Bundle extras, WXMediaMessage.IMediaObject object) {
    WXMediaMessage message = new WXMediaMessage(object);
    message.title = extras.getString("title");
    message.description = extras.getString("text");
    message.thumbData = extras.getByteArray("thumb");
    SendMessageToWX.Req request = new SendMessageToWX.Req();
    request.transaction = extras.getString("transaction");
    request.message = message;
    request.scene = extras.getInt("scene");
    return request;
  }
}
