package com.example.host;

import android.app.Activity;
import android.content.Intent;
import android.os.Bundle;

/** Starts every SDK with arguments from outside, so that no shrinker can compute them. */
public class MainActivity extends Activity {
  static Object kept;

  @Override
  protected void onCreate(Bundle state) {
    super.onCreate(state);
    Intent intent = getIntent();
    Bundle extras = intent.getExtras();
    if (extras == null) {
      return;
    }
    kept = new Object[] {AlipayUse.run(this, extras), WeChatUse.run(this, extras), QqUse.run(this, extras)};
  }

  @Override
  protected void onActivityResult(int request, int result, Intent data) {
    super.onActivityResult(request, result, data);
    QqUse.answer(request, result, data);
  }
}
