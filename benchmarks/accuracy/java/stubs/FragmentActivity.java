package android.support.v4.app;

/** Stands for the support library's class, which one SDK names in its methods. */
public class FragmentActivity extends android.app.Activity {}
