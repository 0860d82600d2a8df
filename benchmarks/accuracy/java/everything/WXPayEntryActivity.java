package com.example.host.wxapi;

import android.app.Activity;
import android.content.Intent;
import android.os.Bundle;
import com.tencent.mm.opensdk.modelbase.BaseReq;
import com.tencent.mm.opensdk.modelbase.BaseResp;
import com.tencent.mm.opensdk.openapi.IWXAPI;
import com.tencent.mm.opensdk.openapi.IWXAPIEventHandler;
import com.tencent.mm.opensdk.openapi.WXAPIFactory;

/** Takes the answer to a payment. */
public class WXPayEntryActivity extends Activity implements IWXAPIEventHandler {
  private IWXAPI api;
  static int code;

  @Override
  protected void onCreate(Bundle state) {
    super.onCreate(state);
    api = WXAPIFactory.createWXAPI(this, getIntent().getStringExtra("app"));
    api.handleIntent(getIntent(), this);
  }

  @Override
  protected void onNewIntent(Intent intent) {
    super.onNewIntent(intent);
    api.handleIntent(intent, this);
  }

  @Override
  public void onReq(BaseReq request) {
    code = request.getType();
  }

  @Override
  public void onResp(BaseResp answer) {
    code = answer.errCode;
  }
}
