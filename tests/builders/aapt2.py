"""APKs and app bundle modules compiled by Android's own tool, and what that tool says about them."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.builders.axml import ANDROID, Attr, Node, Plain, Ref, Typed

FRAMEWORK = Path("/usr/share/android-framework-res/framework-res.apk")

needs_aapt2 = pytest.mark.skipif(
    shutil.which("aapt2") is None or not FRAMEWORK.exists(),
    reason="needs aapt2 and android-framework-res",
)


def run(*arguments: object) -> str:
    done = subprocess.run(["aapt2", *map(str, arguments)], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode("utf-8", "replace")


def link(folder: Path, manifest: str, values: dict[str, str], *options: str, name: str = "app.apk") -> Path:
    """Compile ``res/values<qualifier>/values.xml`` files and link them with a manifest."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "AndroidManifest.xml").write_text(manifest, encoding="utf-8")
    for qualifier, content in values.items():
        place = folder / "res" / f"values{qualifier}"
        place.mkdir(parents=True, exist_ok=True)
        (place / "values.xml").write_text(f"<resources>{content}</resources>", encoding="utf-8")
    compiled = []
    if values:
        compiled = [folder / "compiled.zip"]
        run("compile", "--dir", folder / "res", "-o", compiled[0])
    out = folder / name
    run(
        "link",
        "--warn-manifest-validation",
        "-I",
        FRAMEWORK,
        "--manifest",
        folder / "AndroidManifest.xml",
        "-o",
        out,
        *options,
        *compiled,
    )
    return out


_ELEMENT = re.compile(r"( *)E: (\S+) \(line=\d+\)")
_ATTRIBUTE = re.compile(r" *A: (.*?)(?:\((0x[0-9a-f]{8})\))?=(.*)", re.DOTALL)


def xmltree(apk: Path) -> Node:
    """The manifest as ``aapt2 dump xmltree`` shows it."""
    root: Node | None = None
    opened: list[tuple[int, Node]] = []
    for line in run("dump", "xmltree", "--file", "AndroidManifest.xml", apk).splitlines():
        element = _ELEMENT.fullmatch(line)
        if element is not None:
            depth, node = len(element[1]), Node(element[2])
            while opened and opened[-1][0] >= depth:
                opened.pop()
            if opened:
                opened[-1][1].children.append(node)
            else:
                root = node
            opened.append((depth, node))
        elif line.lstrip().startswith("A: "):
            found = _ATTRIBUTE.fullmatch(line)
            assert found is not None, line
            opened[-1][1].attributes.append(_attribute(found))
    assert root is not None
    return root


def _attribute(found: re.Match[str]) -> Attr:
    namespace, separator, name = found[1].rpartition(":")
    resource_id = int(found[2], 16) if found[2] else 0
    return Attr(name, _value(found[3]), resource_id, namespace if separator else None)


def _value(shown: str) -> Plain:
    if shown.startswith('"'):
        return re.sub(r'" \(Raw: ".*"\)$', "", shown[1:], flags=re.DOTALL)
    if shown.startswith("@0x"):
        return Ref(int(shown[1:], 16))
    if shown in ("true", "false"):
        return shown == "true"
    if re.fullmatch(r"-?\d+", shown):
        return int(shown)
    if re.fullmatch(r"0x[0-9a-f]+", shown):
        return Typed(0x11, int(shown, 16))
    return Typed(-1, 0)


def badging(apk: Path) -> dict[str, list[str]]:
    """Lines of ``aapt2 dump badging`` by what stands before the first colon."""
    lines: dict[str, list[str]] = {}
    for line in run("dump", "badging", apk).splitlines():
        key, _, rest = line.partition(":")
        lines.setdefault(key.strip(), []).append(rest.strip())
    return lines


_RESOURCE = re.compile(r"^    resource (0x[0-9a-f]{8}) (\S+)", re.MULTILINE)
_TEXT = re.compile(
    r'^      \(([^)\n]*)\) (?:\(styled string\) )?"(.*?)"(?: \S+:\d+,\d+)*$(?=\n {6}\(|\n {2,4}\S|\Z)', re.M | re.S
)


_LOCALE = re.compile(r"|[a-z]{2,3}(-r[A-Z]{2})?|b\+[A-Za-z0-9+]+")


def dumped_strings(apk: Path) -> dict[int, dict[str, str]]:
    """Strings as ``aapt2 dump resources`` shows them: by id, then by language tag.

    Left out are those with a reference among their values or a qualifier that is no locale.
    """
    shown = run("dump", "resources", apk)
    heads = list(_RESOURCE.finditer(shown))
    found: dict[int, dict[str, str]] = {}
    for head, after in zip(heads, [*heads[1:], None], strict=True):
        body = shown[head.end() : after.start() if after is not None else len(shown)]
        texts = _TEXT.findall(body.rstrip("\n"))
        plain = all(_LOCALE.fullmatch(qualifier) for qualifier, _ in texts)
        if head[2].startswith("string/") and plain and not re.search(r"^      \(.*\) @", body, re.M):
            found[int(head[1], 16)] = {tag(qualifier): text.replace("\n      ", "\n") for qualifier, text in texts}
    return found


def tag(qualifier: str) -> str:
    """BCP 47 tag of a locale qualifier."""
    if qualifier.startswith("b+"):
        return qualifier[2:].replace("+", "-")
    return qualifier.replace("-r", "-")


MANIFEST = f"""<manifest xmlns:android="{ANDROID}" package="com.example.tool" android:versionCode="12"
    android:versionCodeMajor="3" android:versionName="@string/version" android:installLocation="auto">
  <uses-sdk android:minSdkVersion="21" android:targetSdkVersion="29"/>
  <uses-permission android:name="android.permission.INTERNET"/>
  <uses-permission-sdk-23 android:name="android.permission.CAMERA"/>
  <permission android:name="com.example.tool.P"/>
  <queries>
    <package android:name="com.tencent.mm"/>
    <intent><action android:name="android.intent.action.VIEW"/><data android:scheme="weixin"/></intent>
    <provider android:authorities="one.provider;two.provider"/>
  </queries>
  <application android:label="@string/alias" android:name=".App" android:debuggable="true">
    <uses-library android:name="org.apache.http.legacy" android:required="false"/>
    <meta-data android:name="KEY" android:value="@string/emoji"/>
    <meta-data android:name="COUNT" android:value="-5"/>
    <meta-data android:name="RATIO" android:value="0.5"/>
    <activity android:name=".Main" android:label="@string/launcher" android:exported="@bool/yes">
      <intent-filter>
        <action android:name="android.intent.action.MAIN"/><category android:name="android.intent.category.LAUNCHER"/>
      </intent-filter>
    </activity>
    <activity android:name="com.example.tool.wxapi.WXPayEntryActivity" android:exported="true"/>
    <activity-alias android:name=".Alias" android:targetActivity=".Main" android:enabled="false">
      <intent-filter>
        <action android:name="android.intent.action.VIEW"/>
        <data android:scheme="wx01" android:host="a.example"/><data android:scheme="https"/>
      </intent-filter>
    </activity-alias>
    <service android:name="Plain" android:process=":remote"/>
    <receiver android:name="org.other.R" android:process="a.b" android:permission="com.example.tool.P"/>
    <provider android:name=".Files" android:authorities="com.example.tool.files;x.y" android:exported="false"/>
  </application>
</manifest>"""

VALUES = {
    "": '<string name="app_name">My App</string><string name="alias">@string/app_name</string>'
    '<string name="launcher">Start</string><string name="emoji">Hi 😀</string><string name="version">4.5</string>'
    '<bool name="yes">true</bool><integer name="n">7</integer>',
    "-de": '<string name="app_name">Meine App</string>',
    "-zh-rCN": '<string name="app_name">我的应用</string>',
    "-b+zh+Hant+TW": '<string name="app_name">我的應用</string><string name="launcher">開始</string>',
    "-fil": '<string name="app_name">Aking App</string>',
    "-b+es+419": '<string name="alias">@string/launcher</string>',
    "-land": '<string name="app_name">Wide App</string>',
}
