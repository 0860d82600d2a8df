package com.example.host.wxapi;

import android.app.Activity;

/** Declared because the protocol demands it; does nothing. */
public class WXEntryActivity extends Activity {}
