"""The shrinkers of the matrix and what each is told to keep, as app developers tell it."""

from __future__ import annotations

from dataclasses import dataclass

HOST = "com.example.host"

DEFAULT_RULES = """
-dontwarn **
-ignorewarnings
-keepattributes *Annotation*,Signature,InnerClasses,EnclosingMethod
-keepclasseswithmembernames,includedescriptorclasses class * { native <methods>; }
-keepclassmembers enum * { public static **[] values(); public static ** valueOf(java.lang.String); }
-keepclassmembers class * implements android.os.Parcelable { public static final ** CREATOR; }
-keepclassmembers class * { @android.webkit.JavascriptInterface <methods>; }
"""
"""What the build tools of the platform add to every app."""

VENDOR_RULES = """
-keep class com.alipay.android.app.IAlixPay { *; }
-keep class com.alipay.android.app.IAlixPay$Stub { *; }
-keep class com.alipay.android.app.IRemoteServiceCallback { *; }
-keep class com.alipay.android.app.IRemoteServiceCallback$Stub { *; }
-keep class com.alipay.sdk.app.PayTask { public *; }
-keep class com.alipay.sdk.app.AuthTask { public *; }
-keep class com.alipay.sdk.app.H5PayCallback { <fields>; <methods>; }
-keep class com.alipay.android.phone.mrpc.core.** { *; }
-keep class com.alipay.apmobilesecuritysdk.** { *; }
-keep class com.alipay.mobile.framework.service.annotation.** { *; }
-keep class com.alipay.mobilesecuritysdk.face.** { *; }
-keep class com.alipay.tscenter.** { *; }
-keep class org.json.alipay.** { *; }
-keep class com.ta.utdid2.** { *; }
-keep class com.ut.device.** { *; }
-keep class com.tencent.mm.opensdk.** { *; }
-keep class com.tencent.mm.sdk.** { *; }
-keep class com.tencent.wxop.** { *; }
-keep class com.tencent.open.TDialog$* { *; }
-keep class com.tencent.open.PKDialog { *; }
-keep class com.tencent.open.PKDialog$* { *; }
"""
"""What the three vendors ask developers to keep; Alipay's archives bring theirs along."""

AAR_RULES = "".join(line for line in VENDOR_RULES.splitlines(keepends=True) if "com.tencent" not in line)
"""What the build tools take from Alipay's archive without anybody asking."""

REPACKAGE = "-repackageclasses ''\n-allowaccessmodification\n"
PROGUARD = "-android\n-dontpreverify\n-dontnote **\n"


def component_rules(components: tuple[str, ...]) -> str:
    """Keep what the manifest names, as the platform's packaging tool asks of a shrinker."""
    return "".join(f"-keep class {name} {{ <init>(); }}\n" for name in components)


@dataclass(frozen=True, slots=True)
class Style:
    """One way to shrink an app."""

    name: str
    tool: str
    """d8 (no shrinking), r8 or proguard."""
    rules: str = ""
    """Beyond the default rules and those of the components."""
    compat: bool = False
    """R8 only: behave as ProGuard did."""
    components_kept: bool = True
    """Whether the SDK components of the manifest have rules; the launcher activity always has."""
    declared: bool = True
    """Whether the manifest declares the components that the vendors ask for."""

    def config(self, components: tuple[str, ...]) -> str:
        """The whole configuration of R8 or ProGuard, input and output apart."""
        launcher = (f"{HOST}.MainActivity",)
        kept = launcher + (components if self.components_kept and self.declared else ())
        return DEFAULT_RULES + component_rules(kept) + self.rules


UNSHRUNK = Style("d8", "d8")

SHRINKERS = (
    Style("proguard-keep", "proguard", PROGUARD + "-dontoptimize\n" + VENDOR_RULES),
    Style("proguard-repackage", "proguard", PROGUARD + "-dontoptimize\n" + REPACKAGE),
    Style("proguard-flatten", "proguard", PROGUARD + "-dontoptimize\n-flattenpackagehierarchy\n"),
    Style("proguard-optimise", "proguard", PROGUARD + "-optimizationpasses 3\n" + REPACKAGE),
    Style("r8-compat", "r8", compat=True),
    Style("r8-full", "r8"),
    Style("r8-full-repackage", "r8", REPACKAGE),
    Style("r8-aar-rules", "r8", AAR_RULES),
    Style("r8-vendor-rules", "r8", VENDOR_RULES),
    Style("r8-nothing-kept", "r8", components_kept=False),
)

BARE = (
    Style("proguard-optimise-bare", "proguard", PROGUARD + "-optimizationpasses 3\n" + REPACKAGE, declared=False),
    Style("r8-full-bare", "r8", declared=False),
    Style("r8-full-repackage-bare", "r8", REPACKAGE, declared=False),
)
"""Apps that leave out every declaration the vendors ask for: no component gives the SDK away."""

STYLES = {style.name: style for style in (UNSHRUNK, *SHRINKERS, *BARE)}
