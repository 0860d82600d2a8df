"""Android apps for one tier each: what literals, libraries, structure, calls or files tell where names do not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from recipes import apk, literals, native
from recipes.apk import AndroidApp
from recipes.sample import Expect, Proof, Sample, Seen, android, code_hidden, has_sdk

ALIPAY, QQ, WECHAT = "alipay-sdk-android", "qq-connect-android", "wechat-opensdk-android"
JNI_CLASS = "com.tencent.open.web.security.JniInterface"
JNI = "Java_com_tencent_open_web_security_JniInterface_"
QQ_EXPORTS = native.functions(f"{JNI}clearAllPWD", f"{JNI}insetTextToArray")
NEAR_EXPORTS = native.functions(
    "Java_com_tencent_open_web_security_Jni_clear",
    "Java_com_tencent_opensource_JniInterface_clearAllPWD",
    "Java_com_example_Native_run",
)
REGISTERS = (
    native.functions("JNI_OnLoad")
    + '__attribute__((used)) const char name[] = "com/tencent/mmkv/MMKV";\n'
    + '__attribute__((used)) const char version[] = "storage 1.3.9 of the sample";\n'
)
REGISTERS_BUILD_ID = "1669cdb01f370480715bec7bb52c6a7b4acaabc0"
"""Stands in the file; the linker computes it from what it writes."""
PAY_TASK = """package com.alipay.sdk.app; public class PayTask {
  public PayTask(Object activity) {}
  public String pay(String order, boolean loading) { return "js://wappay" + order; }
  public String tid() { return "alipay_tid_storage"; }
}
"""
CHECKOUT = """package com.example.used; public class Checkout {
  public static String run(Object activity, String order) {
    return new com.alipay.sdk.app.PayTask(activity).pay(order, true);
  }
}
"""
PAY_SDK = {
    "Client": """package P; public class Client implements Runnable {
  Thread thread; java.util.List<String> list = new java.util.ArrayList<>();
  public void run() { list.add(Thread.currentThread().getName()); thread.interrupt(); list.clear(); }
  public Thread start(String name) { thread = new Thread(this, name); thread.start(); thread.setDaemon(true);
    return thread; }
  public java.util.List<String> seen(Integer most) { return list.subList(0, most.intValue()); }
}
""",
    "Order": """package P; public class Order implements Comparable<Order> {
  java.util.Map<String, Integer> lines = new java.util.TreeMap<>();
  public Integer add(String name, Integer count) { Integer old = lines.get(name); lines.put(name, count);
    return old == null ? Integer.valueOf(0) : old; }
  public int compareTo(Order other) { return Integer.compare(lines.size(), other.lines.size()); }
  public String text(java.util.Locale locale) { return lines.keySet().toString().toUpperCase(locale).trim(); }
}
""",
    "Wire": """package P; public class Wire extends java.io.FilterInputStream {
  public Wire(java.io.InputStream in) { super(in); }
  public byte[] whole(java.io.ByteArrayOutputStream out) throws java.io.IOException {
    for (int one = in.read(); one >= 0; one = in.read()) { out.write(one); }
    out.flush(); in.close(); return out.toByteArray(); }
  public String header(String name) throws java.io.IOException { in.mark(64); in.skip(name.length()); in.reset();
    return name.trim(); }
}
""",
}
"""Our own little SDK, whose class profiles the signature in test-catalog/ lists; P stands for its package."""
OTHER_SDK = """package b.b; public class Client implements Runnable {
  public void run() { System.gc(); Thread.yield(); System.runFinalization(); }
  public String start(Integer name) { return name.toString().intern().trim().concat("x"); }
  public Long seen(Long most) { return Long.valueOf(most.longValue()); }
}
"""


def _sample(stem: str, app: AndroidApp, about: str, *seen: Seen, catalog: str = "") -> Sample:
    return Sample(f"android/{stem}.apk", about, lambda: apk.signed(app), seen, catalog=catalog)


def _strings(stem: str, package: str, values: tuple[str, ...], about: str, subject: str, proof: Proof | None) -> Sample:
    app = AndroidApp(package, strings=values)
    if proof is None:
        return _sample(stem, app, about, android(package))
    return _sample(stem, app, about, android(package, has_sdk(subject, proof.grade), proofs=(proof,)))


def literal_tier() -> Iterator[Sample]:
    """Literals alone: whose code it is, and which builds hold all of them."""
    wechat, qq = literals.WECHAT_PROTOCOL, literals.QQ_PROTOCOL
    yield _strings(
        "reimplemented-wechat",
        "com.example.aggregator",
        wechat,
        "Keys of WeChat's protocol and no literal of its SDK: code of another's that speaks it.",
        "wechat",
        Proof(WECHAT, "reimplemented", ("protocol-literals",), ("some-code-literals", "pay-literals")),
    )
    yield _strings(
        "renamed-wechat-one-code-literal",
        "com.example.oneliteral",
        (*wechat, "MicroMsg.SDK.MMessageAct"),
        "The same keys with one literal of the SDK's own code.",
        "wechat",
        Proof(WECHAT, "renamed", ("protocol-literals", "some-code-literals"), ("code-literals", "many-literals")),
    )
    yield _strings(
        "reimplemented-qq-connect",
        "com.example.qqaggregator",
        qq,
        "Addresses of QQ's protocol and no literal of its SDK: code of another's that speaks it.",
        "tencent-qq",
        Proof(QQ, "reimplemented", ("protocol-literals",), ("code-literals", "many-literals")),
    )
    yield _strings(
        "renamed-qq-connect-code-literals",
        "com.example.qqliterals",
        (*qq, *literals.QQ_LOG_TAGS),
        "The same addresses with five log tags of the SDK's own code.",
        "tencent-qq",
        Proof(QQ, "renamed", ("code-literals", "protocol-literals")),
    )
    yield _strings(
        "renamed-alipay-plain-literals",
        "com.example.plainali",
        (*literals.ALIPAY_PLAIN, "has_alipay"),
        "Twenty literals of the Alipay SDK that do not name their maker, and a single one that does.",
        "alipay",
        Proof(ALIPAY, "renamed", ("many-literals",), ("code-literals",)),
    )
    yield _strings(
        "near-sdk-plain-literals",
        "com.example.plainwords",
        (*literals.ALIPAY_PLAIN[:14], *literals.WECHAT_PLAIN),
        "Words of the Alipay and the WeChat SDK that do not name their maker, as others may use them.",
        "alipay",
        None,
    )
    yield _strings(
        "renamed-alipay-version-range",
        "com.example.rangeali",
        literals.ALIPAY_TWO_BUILDS,
        "Literals of the Alipay SDK that only two known builds hold together, and no version.",
        "alipay",
        Proof(ALIPAY, "renamed", ("code-literals",), version="between 15.5.5 and 15.7.5", basis="inferred"),
    )


def _native(
    stem: str, file: str, build: Callable[[], bytes], about: str, package: str, *expect: Expect, **more: object
) -> Sample:
    """An app with one library; listing the samples builds none.

    Where the library is an SDK's, the class that its entry points are named after is there: else nothing could run it.
    """
    app = AndroidApp(package, classes=(JNI_CLASS,) if expect else ())

    def make() -> bytes:
        return apk.signed(replace(app, files=((file, build()),)))

    return Sample(f"android/{stem}.apk", about, make, (android(package, *expect, **more),))


def native_tier() -> Iterator[Sample]:
    """Libraries under names of their own: soname, exports, class strings."""
    yield _native(
        "sdk-qq-connect-soname",
        "assets/model.bin",
        lambda: native.library(native.functions("JNI_OnLoad"), "libwbsafeedit.so"),
        "An ELF file under another name whose soname is that of the QQ SDK's library.",
        "com.example.soname",
        has_sdk("tencent-qq"),
        facts=("native.library libwbsafeedit.so", "native.library model.bin", "native.export JNI_OnLoad"),
        proofs=(Proof(QQ, "embedded", ("library",), ("classes", "exports")),),
    )
    yield _native(
        "sdk-qq-connect-exports",
        "lib/arm64-v8a/libedit.so",
        lambda: native.library(QQ_EXPORTS),
        "A library without a soname that exports the entry points of the QQ SDK's library.",
        "com.example.exports",
        has_sdk("tencent-qq"),
        facts=(f"native.export {JNI}clearAllPWD", "native.library libedit.so"),
        proofs=(Proof(QQ, "embedded", ("exports",), ("classes", "library")),),
    )
    yield _native(
        "near-sdk-native-names",
        "lib/arm64-v8a/libwbsafe.so",
        lambda: native.library(NEAR_EXPORTS, "libwbsafe.so"),
        "A library with a soname and entry points close to those of the QQ SDK.",
        "com.example.nearexports",
        facts=("native.library libwbsafe.so", "native.export Java_com_tencent_open_web_security_Jni_clear"),
    )
    yield _native(
        "vendor-mmkv-registers-natives",
        "lib/arm64-v8a/libkv.so",
        lambda: native.library(REGISTERS),
        "A library that registers its functions with a class of MMKV and exports JNI_OnLoad alone.",
        "com.example.registers",
        facts=(
            "native.class-string com.tencent.mmkv.MMKV",
            "native.version storage 1.3.9 of the sample",
            f"native.build-id {REGISTERS_BUILD_ID}",
        ),
        proofs=(Proof("tencent-mmkv-android", "referenced", ("native-classes",)),),
    )


def _renamed_sources(package: str) -> tuple[tuple[str, str], ...]:
    return tuple(
        (f"{package}.{name}", text.replace("package P;", f"package {package};")) for name, text in PAY_SDK.items()
    )


def deep_tier() -> Iterator[Sample]:
    """What only ``--deep`` tells: who calls the SDK, and whose structure a class has."""
    task = ("com.alipay.sdk.app.PayTask", PAY_TASK)
    package = "com.example.used"
    call = f"{package}.Checkout#run -> com.alipay.sdk.app.PayTask#pay"
    yield _sample(
        "sdk-alipay-used",
        AndroidApp(package, sources=(task, (f"{package}.Checkout", CHECKOUT))),
        "The app's own code calls pay of the Alipay SDK's class.",
        android(
            package,
            has_sdk("alipay"),
            proofs=(Proof(ALIPAY, "embedded", ("classes",), ("called-by",)),),
            deep=(Proof(ALIPAY, "embedded", ("classes", "called-by"), calls=(call,)),),
        ),
    )
    package = "com.example.lying"
    yield _sample(
        "sdk-alipay-bundled",
        AndroidApp(package, sources=(task,)),
        "The same class of the Alipay SDK, which nothing calls.",
        android(
            package,
            has_sdk("alipay"),
            deep=(Proof(ALIPAY, "embedded", ("classes",), ("called-by",), detail="no code outside the SDK calls it"),),
        ),
    )
    package = "com.example.structure"
    yield _sample(
        "deep-renamed-test-sdk",
        AndroidApp(package, sources=_renamed_sources("a.c")),
        "Classes of our own SDK under other names: only --deep knows them, by their structure.",
        android(package, deep=(Proof("test-sdk-android", "renamed", ("profiles",), ("classes",)),)),
        catalog="test-catalog",
    )
    package = "com.example.otherstructure"
    yield _sample(
        "near-deep-other-structure",
        AndroidApp(package, sources=(("b.b.Client", OTHER_SDK),)),
        "A class with the names of our own SDK's methods and another structure.",
        android(package, deep=(Proof("test-sdk-android", ""),)),
        catalog="test-catalog",
    )


def stated_versions() -> Iterator[Sample]:
    """Files that state the version of a library."""
    package = "com.example.versions"
    properties = b"groupId=com.example.library\nartifactId=printing\nversion=2.4.1\n"
    files = (
        ("META-INF/androidx.core_core.version", b"1.9.0\n"),
        ("META-INF/maven/com.example.library/printing/pom.properties", properties),
        ("play-services-sample.properties", b"version=18.1.0\nclient=play-services-sample\n"),
        ("META-INF/notes.version", b"no version here\n"),
    )
    stated = ("androidx.core_core 1.9.0", "com.example.library:printing 2.4.1", "play-services-sample 18.1.0")
    yield _sample(
        "near-sdk-stated-versions",
        AndroidApp(package, files=files),
        "Files below META-INF/ and beside it state the versions of three libraries.",
        android(package, facts=tuple(f"file.version {text}" for text in stated)),
    )


def pinned() -> Iterator[Sample]:
    """Apps that know a vendor's key: they check who signed the app they hand over to."""
    package = "com.example.pins"
    app = AndroidApp(package, strings=(literals.ALIPAY_MODULUS, literals.WECHAT_CERTIFICATE_MD5))
    yield Sample(
        "android/near-sdk-pinned-keys.apk",
        "The RSA modulus of Alipay's key and a digest of WeChat's certificate as strings: integration, no SDK.",
        lambda: apk.unsigned(app),
        (
            android(
                package,
                has_sdk("alipay", "referenced"),
                has_sdk("wechat", "mentioned"),
                proofs=(
                    Proof(ALIPAY, "referenced", ("pinned-key",)),
                    Proof(WECHAT, "mentioned", ("pinned-digests",)),
                ),
            ),
        ),
    )


def packed() -> Iterator[Sample]:
    """A loader of 360 Jiagu by name, and an app with names near it."""
    loader = AndroidApp(
        "com.example.jiagu", application_class="com.stub.StubApp", declared_only=(".HomeActivity",), launcher=False
    )

    def make() -> bytes:
        library = native.library(native.functions("JNI_OnLoad"), "libjiagu.so")
        return apk.unsigned(replace(loader, files=(("assets/core.dat", library),)))

    seen = code_hidden("android", loader.package, problems=("code-packed",), facts=("native.library libjiagu.so",))
    about = "Packed: the application class and the soname of a library are those of 360 Jiagu's loader."
    yield Sample("damaged/packed-jiagu.apk", about, make, (seen,))
    near = AndroidApp(
        "com.example.nearjiagu", application_class="com.stubs.StubApp", files=(("assets/jiagu.txt", b"a note\n"),)
    )
    about = "An application class and a file with names near those of 360 Jiagu: everything was readable."
    yield Sample("android/near-packed-jiagu.apk", about, lambda: apk.unsigned(near), (android(near.package),))


FAMILIES = (literal_tier, native_tier, deep_tier, stated_versions, pinned, packed)
