"""What a manifest says is the same in binary, protobuf and plain text, and follows the platform's lookups."""

from __future__ import annotations

import contextlib
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from xml.sax.saxutils import quoteattr

import pytest

from auditor.errors import FormatError, LimitError
from auditor.formats.android_manifest import Component, Manifest, Text, read_manifest, read_root
from auditor.formats.arsc import Resources, parse_resources
from auditor.formats.proto_xml import parse_proto_resources
from tests.builders import aapt2
from tests.builders.axml import ANDROID, IDS, Attr, Node, Plain, Ref, Typed, axml, chunk, el, manifest
from tests.builders.mangle import mutations, prefixes
from tests.builders.protobuf import proto_xml

MAIN, LAUNCHER = "android.intent.action.MAIN", "android.intent.category.LAUNCHER"


def text_xml(root: Node) -> bytes:
    """The same tree as plain text."""

    def value(plain: Plain) -> str:
        return str(plain).lower() if isinstance(plain, bool) else str(plain)

    def element(each: Node) -> str:
        attributes = "".join(
            f" {'android:' if attr.namespace else ''}{attr.name}={quoteattr(value(attr.value))}"
            for attr in each.attributes
        )
        return f"<{each.name}{attributes}>{''.join(map(element, each.children))}</{each.name}>"

    written = element(root).replace("<manifest", f'<manifest xmlns:android="{ANDROID}"', 1)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{written}'.encode()


FORMS: dict[str, Callable[[Node], bytes]] = {
    "binary": axml,
    "binary-utf8": lambda root: axml(root, utf8=True),
    "protobuf": proto_xml,
    "text": text_xml,
}
every_form = pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)


def main_filter(*more: Node) -> Node:
    return el("intent-filter", el("action", name=MAIN), el("category", name=LAUNCHER), *more)


FULL = manifest(
    el("uses-sdk", minSdkVersion=21, targetSdkVersion=34, maxSdkVersion=40),
    el("uses-permission", name="android.permission.INTERNET"),
    el("uses-permission", name="android.permission.INTERNET"),
    el("uses-permission-sdk-23", name="android.permission.CAMERA"),
    el("permission", name="com.example.app.SIGNATURE"),
    el(
        "queries",
        el("package", name="com.tencent.mm"),
        el("package", name="com.eg.android.AlipayGphone"),
        el("intent", el("action", name="android.intent.action.VIEW"), el("data", scheme="weixin", host="pay")),
        el("provider", authorities="a.provider;b.provider"),
    ),
    el("instrumentation", name=".Test", targetPackage="com.example.tested"),
    el(
        "application",
        el("meta-data", name="APP_KEY", value="secret"),
        el("meta-data", name="NUMBER", value=42),
        el("uses-library", name="org.apache.http.legacy"),
        el("uses-native-library", name="libOpenCL.so"),
        el("activity", main_filter(), name=".Main", label="Start", exported=True),
        el(
            "activity",
            el(
                "intent-filter",
                el("action", name="android.intent.action.VIEW"),
                el("category", name="android.intent.category.BROWSABLE"),
                el("data", scheme="wx0123456789abcdef"),
                el("data", scheme="https", host="example.com"),
            ),
            el("meta-data", name="inner", value="x"),
            name="com.example.app.wxapi.WXEntryActivity",
            permission="com.example.app.SIGNATURE",
            process=":remote",
        ),
        el("activity-alias", name="Alias", targetActivity=".Main", enabled=False),
        el("service", name="Plain", exported=False, process="other.process"),
        el("receiver", el("intent-filter", el("action", name="x.BOOT")), name="org.other.Receiver"),
        el("provider", name=".Files", authorities="com.example.app.files; com.example.app.more"),
        label="Example",
        name=".App",
        debuggable=True,
        process=":app",
        appComponentFactory="androidx.core.app.CoreComponentFactory",
    ),
    versionCode=7,
    versionName="1.2.3",
    compileSdkVersion=34,
    sharedUserId="com.example.shared",
    installLocation=2,
)


@every_form
def test_identity(form: Callable[[Node], bytes]) -> None:
    read = read_manifest(form(FULL))
    assert read.package == "com.example.app"
    assert (read.split, read.config_for_split, read.is_feature_split) == ("", "", False)
    assert (read.version_code, read.version_name) == ("7", Text("1.2.3"))
    assert (read.min_sdk, read.target_sdk, read.max_sdk, read.compile_sdk) == ("21", "34", "40", "34")
    assert (read.label, read.launcher_label) == (Text("Example"), Text("Start"))
    assert (read.shared_user_id, read.install_location) == ("com.example.shared", "preferExternal")
    assert (read.has_application, read.has_code, read.debuggable) == (True, True, True)
    assert (read.application_class, read.application_process) == ("com.example.app.App", "com.example.app:app")
    assert read.app_component_factory == "androidx.core.app.CoreComponentFactory"
    assert (read.references, read.anomalies) == ((), ())


@every_form
def test_declarations(form: Callable[[Node], bytes]) -> None:
    read = read_manifest(form(FULL))
    assert read.permissions == ("android.permission.INTERNET", "android.permission.CAMERA")
    assert read.declared_permissions == ("com.example.app.SIGNATURE",)
    assert read.query_packages == ("com.tencent.mm", "com.eg.android.AlipayGphone")
    assert read.query_actions == ("android.intent.action.VIEW",)
    assert read.query_schemes == ("weixin",)
    assert read.query_authorities == ("a.provider", "b.provider")
    assert read.meta_data == (("APP_KEY", Text("secret")), ("NUMBER", Text("42")))
    assert read.uses_libraries == ("org.apache.http.legacy", "libOpenCL.so")
    assert read.instrumentation_targets == ("com.example.tested",)


@every_form
def test_components(form: Callable[[Node], bytes]) -> None:
    assert read_manifest(form(FULL)).components == (
        Component(
            "activity",
            "com.example.app.Main",
            exported=True,
            actions=(MAIN,),
            categories=(LAUNCHER,),
            label=Text("Start"),
            launcher=True,
        ),
        Component(
            "activity",
            "com.example.app.wxapi.WXEntryActivity",
            process="com.example.app:remote",
            permission="com.example.app.SIGNATURE",
            actions=("android.intent.action.VIEW",),
            categories=("android.intent.category.BROWSABLE",),
            schemes=("wx0123456789abcdef", "https"),
            hosts=("example.com",),
            meta_data=("inner",),
        ),
        Component("activity-alias", "com.example.app.Alias", target="com.example.app.Main", enabled=False),
        Component("service", "com.example.app.Plain", exported=False, process="other.process"),
        Component("receiver", "org.other.Receiver", actions=("x.BOOT",)),
        Component("provider", "com.example.app.Files", authorities=("com.example.app.files", "com.example.app.more")),
    )


def test_components_by_kind() -> None:
    assert [each.name for each in read_manifest(axml(FULL)).of("service")] == ["com.example.app.Plain"]


def application(*children: Node, **attributes: Plain) -> Manifest:
    return read_manifest(axml(manifest(el("application", *children, **attributes))))


@pytest.mark.parametrize(
    ("declared", "qualified"),
    [(".A", "com.example.app.A"), ("A", "com.example.app.A"), ("a.B", "a.B"), (".a.B", "com.example.app.a.B")],
)
def test_class_names_are_qualified_like_the_platform_does(declared: str, qualified: str) -> None:
    assert application(el("activity", name=declared)).components[0].name == qualified


@pytest.mark.parametrize(
    ("attributes", "code"),
    [
        ({}, ""),
        ({"versionCode": 0}, "0"),
        ({"versionCode": 12}, "12"),
        ({"versionCode": -1}, "4294967295"),
        ({"versionCode": "0x10"}, "16"),
        ({"versionCode": "rubbish"}, ""),
        ({"versionCode": 5, "versionCodeMajor": 1}, "4294967301"),
        ({"versionCodeMajor": 2}, "8589934592"),
    ],
)
def test_version_code_joins_both_halves(attributes: dict[str, Plain], code: str) -> None:
    assert read_manifest(axml(manifest(**attributes))).version_code == code


@pytest.mark.parametrize(
    ("value", "exported"),
    [(True, True), (False, False), (1, True), (0, False), ("true", True), ("false", False), ("maybe", None)],
)
def test_flags_come_as_booleans_numbers_or_strings(value: Plain, exported: bool | None) -> None:
    assert application(el("service", name=".S", exported=value)).components[0].exported is exported


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("text", Text("text")),
        ("", Text("")),
        (42, Text("42")),
        (-3, Text("-3")),
        (True, Text("true")),
        (1.5, Text("1.5")),
        (Ref(0x7F0A0001), Text(None, 0x7F0A0001)),
        (Ref(0), Text()),
        (Typed(0x00, 1), Text("")),
        (Typed(0x00, 0), Text()),
        (Typed(0x02, 0x7F010000), Text()),
    ],
)
def test_values_of_meta_data(value: Plain, text: Text) -> None:
    assert application(el("meta-data", name="k", value=value)).meta_data == (("k", text),)


def test_meta_data_may_name_a_resource() -> None:
    assert application(el("meta-data", name="k", resource=Ref(0x7F040000))).meta_data == (
        ("k", Text(None, 0x7F040000)),
    )


@pytest.mark.parametrize(
    ("attributes", "split", "of", "feature"),
    [
        ({"split_": "config.xxhdpi"}, "config.xxhdpi", "", False),
        ({"split_": "feature.config.de", "configForSplit_": "feature"}, "feature.config.de", "feature", False),
        ({"split_": "feature", "isFeatureSplit": True}, "feature", "", True),
    ],
)
def test_splits(attributes: dict[str, Plain], split: str, of: str, feature: bool) -> None:
    read = read_manifest(axml(manifest(el("application", hasCode=False), **attributes)))
    assert (read.split, read.config_for_split, read.is_feature_split, read.has_code) == (split, of, feature, False)


@pytest.mark.parametrize(
    ("root", "required"),
    [
        (manifest(el("application")), False),
        (manifest(isSplitRequired=True), True),
        (manifest(el("application", isSplitRequired=True)), True),
        (manifest(el("application", el("meta-data", name="com.android.vending.splits.required", value=True))), True),
        (manifest(el("application", el("meta-data", name="com.android.vending.splits.required", value="true"))), True),
        (manifest(el("application", el("meta-data", name="com.android.vending.splits.required", value=False))), False),
        (manifest(el("application", el("meta-data", name="com.android.vending.splits", value=True))), False),
    ],
)
def test_whether_splits_are_required(root: Node, required: bool) -> None:
    assert read_manifest(axml(root)).requires_splits is required


def test_split_types() -> None:
    read = read_manifest(axml(manifest(requiredSplitTypes="base__abi,base__density", splitTypes="base__abi")))
    assert read.required_split_types == ("base__abi", "base__density")
    assert read.split_types == ("base__abi",)


def test_launcher_label_is_that_of_an_enabled_launcher() -> None:
    read = application(
        el("activity", main_filter(), name=".Off", label="off", enabled=False),
        el("activity", el("intent-filter", el("action", name=MAIN)), name=".NoLauncher", label="no"),
        el(
            "activity",
            el("intent-filter", el("action", name=MAIN)),
            el("intent-filter", el("category", name=LAUNCHER)),
            name=".Apart",
            label="apart",
        ),
        el("activity-alias", main_filter(), name=".On", targetActivity=".Off", label=Ref(0x7F010001)),
    )
    assert read.launcher_label == Text(None, 0x7F010001)


class TestWhatThePlatformDoesNotSee:
    def test_a_second_application(self) -> None:
        decoy = el("application", el("activity", name=".Decoy"), label="decoy")
        read = read_manifest(axml(manifest(el("application", el("activity", name=".Real"), label="real"), decoy)))
        assert (read.label, [each.name for each in read.components]) == (Text("real"), ["com.example.app.Real"])
        assert read.anomalies == ("several application elements",)

    def test_components_elsewhere(self) -> None:
        hidden = el("activity", name=".Hidden")
        read = read_manifest(axml(manifest(hidden, el("unknown", hidden), el("application", el("unknown", hidden)))))
        assert read.components == ()

    def test_permissions_inside_the_application(self) -> None:
        assert application(el("uses-permission", name="p")).permissions == ()

    def test_attributes_with_the_right_name_and_another_id(self) -> None:
        fake = Node("activity", [Attr("name", "a.Fake", 0x01010024), Attr("name", "a.Real", IDS["name"])])
        assert [each.name for each in application(fake).components] == ["a.Real"]
        alone = Node("activity", [Attr("name", "a.Fake", 0x7F010000)])
        read = application(alone)
        assert (read.components, read.anomalies) == ((), ("components without a name",))

    def test_a_package_with_a_namespace(self) -> None:
        root = Node("manifest", [Attr("package", "a.fake"), Attr("package", "a.real", 0, None)])
        assert read_manifest(axml(root)).package == "a.real"


def test_names_without_any_resource_id_are_believed() -> None:
    read = read_manifest(axml(FULL, blank_names=True))
    assert read.components == read_manifest(axml(FULL)).components
    nameless = Node("activity", [Attr("name", ".Main", 0)])
    assert application(nameless).components[0].name == "com.example.app.Main"


class Table:
    """Stands for an app's resources."""

    def resolve(self, resource_id: int) -> tuple[tuple[str, str], ...]:
        return {0x7F010001: (("", ".Real"), ("de", ".Echt")), 0x7F010002: (("", "33"),)}.get(resource_id, ())

    def resolve_name(self, name: str) -> tuple[tuple[str, str], ...]:
        return (("", "by name"),) if name == "string/app_name" else ()


class TestReferences:
    ROOT = manifest(
        el("uses-sdk", minSdkVersion=Ref(0x7F010002)),
        el("application", el("activity", name=Ref(0x7F010001)), el("service", name=Ref(0x7F010009))),
    )

    def test_stay_visible_without_resources(self) -> None:
        read = read_manifest(axml(self.ROOT))
        assert [each.name for each in read.components] == ["@0x7f010001", "@0x7f010009"]
        assert read.references == (0x7F010001, 0x7F010002, 0x7F010009)
        assert read.min_sdk == "@0x7f010002"

    def test_are_resolved_with_resources(self) -> None:
        read = read_manifest(axml(self.ROOT), resources=Table())
        assert [each.name for each in read.components] == ["com.example.app.Real", "@0x7f010009"]
        assert (read.min_sdk, read.references) == ("33", (0x7F010009,))

    @pytest.mark.parametrize(
        ("text", "values"),
        [
            (Text(), ()),
            (Text("x"), (("", "x"),)),
            (Text(None, 0x7F010001), (("", ".Real"), ("de", ".Echt"))),
            (Text(None, 0x7F0100FF), ()),
            (Text(None, None, "string/app_name"), (("", "by name"),)),
            (Text(None, 0x7F0100FF, "string/app_name"), (("", "by name"),)),
        ],
    )
    def test_values_of_a_text(self, text: Text, values: tuple[tuple[str, str], ...]) -> None:
        assert text.values(Table()) == values
        assert text.values() == (values if text.literal is not None else ())


@pytest.mark.parametrize(
    "root",
    [
        el("manifest", el("application")),
        manifest(package=""),
        Node("manifest", [Attr("package", "with.namespace")]),
        el("application", package_="com.example.app"),
        el("", package_="com.example.app"),
    ],
    ids=["no package", "empty package", "package of another namespace", "another root", "nameless root"],
)
@every_form
def test_a_manifest_without_identity_is_a_format_error(root: Node, form: Callable[[Node], bytes]) -> None:
    with pytest.raises(FormatError):
        read_manifest(form(root))


@pytest.mark.parametrize("root", [FULL, manifest(split_="config.zh", versionCode=9, versionCodeMajor=1)])
@every_form
def test_the_root_alone_tells_the_set_like_the_whole_does(root: Node, form: Callable[[Node], bytes]) -> None:
    data = form(root)
    short, whole = read_root(data), read_manifest(data)
    assert (short.package, short.version_code, short.split) == (whole.package, whole.version_code, whole.split)


def test_the_root_of_a_binary_manifest_is_read_although_the_rest_is_cut_off() -> None:
    data = bytearray(axml(FULL))
    start = data.find(b"\x02\x01\x10\x00")
    second = data.find(b"\x02\x01\x10\x00", start + 4)
    data[second : second + 8] = b"\xff" * 8
    assert read_root(bytes(data)).package == "com.example.app"
    with pytest.raises(FormatError):
        read_manifest(bytes(data))


@every_form
def test_a_root_without_identity_is_a_format_error(form: Callable[[Node], bytes]) -> None:
    for root in (manifest(package=""), el("resources", package_="com.example.app")):
        with pytest.raises(FormatError):
            read_root(form(root))
    for data in (b"", axml(FULL)[:40], b"PK\3\4"):
        with pytest.raises(FormatError):
            read_root(data)


def test_an_endless_package_name_is_refused() -> None:
    with pytest.raises(LimitError):
        read_manifest(axml(manifest(package="a." * 200)))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0" * 64,
        b"PK\3\4 no manifest",
        b"<manifest",
        b"<manifest package='a'><manifest>",
        b"<!DOCTYPE manifest><manifest package='a'/>",
        b"<!DOCTYPE m [<!ENTITY a 'b'>]><manifest package='&a;'/>",
        b"<?xml version='1.0' encoding='no-such'?><manifest package='a'/>",
        b"\x0a\xff\xff\xff\xff\x0f",
    ],
)
def test_what_is_no_manifest_is_a_format_error(data: bytes) -> None:
    with pytest.raises(FormatError):
        read_manifest(data)


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (axml(FULL), "binary"),
        (axml(FULL, type=0x0A), "binary"),
        (axml(FULL, type=0x3C), "binary"),
        (proto_xml(FULL), "protobuf"),
        (text_xml(FULL), "text"),
        (b"\xef\xbb\xbf" + text_xml(FULL), "text"),
        (text_xml(FULL).replace(b"utf-8", b"utf-16").decode().encode("utf-16"), "text"),
    ],
)
def test_the_form_is_told_by_the_bytes(data: bytes, encoding: str) -> None:
    read = read_manifest(data)
    assert (read.encoding, read.package) == (encoding, "com.example.app")


def test_any_blob_is_taken() -> None:
    data = axml(FULL)
    assert read_manifest(memoryview(data)) == read_manifest(bytearray(data)) == read_manifest(data)


def test_androguard_is_asked_where_our_reader_gives_up() -> None:
    """A node whose header is too short: the platform stops, androguard passes over it."""
    data = axml(FULL, between_nodes=chunk(0x0555, b"", b"abcd"))
    read = read_manifest(data)
    assert read.components == read_manifest(axml(FULL)).components
    assert read.anomalies == ("read by androguard only",)


@every_form
def test_every_prefix_is_a_format_error_or_a_manifest(form: Callable[[Node], bytes]) -> None:
    for part in prefixes(form(FULL), 300):
        with contextlib.suppress(FormatError):
            assert read_manifest(part).package


@every_form
def test_flipped_bits_give_a_manifest_or_a_format_error(form: Callable[[Node], bytes]) -> None:
    for data in mutations(form(FULL), 300):
        with contextlib.suppress(FormatError):
            assert read_manifest(data).package


@pytest.mark.tools
@pytest.mark.slow
@aapt2.needs_aapt2
class TestAgainstTheToolsOfThePlatform:
    def read(self, apk: Path) -> tuple[Manifest, Resources]:
        with zipfile.ZipFile(apk) as archive:
            resources = parse_resources(archive.read("resources.arsc"))
            return read_manifest(archive.read("AndroidManifest.xml"), resources=resources), resources

    def labels(self, shown: dict[str, list[str]]) -> dict[str, str]:
        return {
            key.removeprefix("application-label").lstrip("-"): lines[0][1:-1]
            for key, lines in shown.items()
            if key.startswith("application-label")
        }

    def names(self, lines: list[str]) -> list[str]:
        return [line.split("'")[1] for line in lines]

    def test_badging_of_an_app(self, tmp_path: Path) -> None:
        apk = aapt2.link(tmp_path, aapt2.MANIFEST, aapt2.VALUES)
        read, resources = self.read(apk)
        shown = aapt2.badging(apk)
        assert self.names(shown["package"]) == [read.package] == ["com.example.tool"]
        assert self.names(shown["sdkVersion"]) + self.names(shown["targetSdkVersion"]) == [
            read.min_sdk,
            read.target_sdk,
        ]
        assert set(self.names(shown["uses-permission"])) <= set(read.permissions)
        assert self.names(shown["launchable-activity"]) == [each.name for each in read.components if each.launcher]
        theirs = self.labels(shown)
        ours = dict(read.label.values(resources))
        # The tool resolves no reference for a single locale (es-419) as the platform does; its default does.
        assert {each: theirs[each] for each in ours if each != "es-419"} == {
            each: text for each, text in ours.items() if each != "es-419"
        }
        assert ours["es-419"] == "Start"
        assert (read.version_code, read.version_name.values(resources)) == (str(3 << 32 | 12), (("", "4.5"),))
        assert dict(read.launcher_label.values(resources)) == {"": "Start", "zh-Hant-TW": "開始"}

    def test_badging_of_the_framework(self) -> None:
        read, resources = self.read(aapt2.FRAMEWORK)
        shown = aapt2.badging(aapt2.FRAMEWORK)
        assert (self.names(shown["package"]), read.package) == (["android"], "android")
        assert sorted(self.names(shown["uses-permission"])) == sorted(read.permissions)
        theirs = self.labels(shown)
        ours = dict(read.label.values(resources))
        assert len(ours) > 80
        assert {each: theirs[each] for each in ours} == ours

    def test_androguard_sees_the_same_app(self, tmp_path: Path) -> None:
        from androguard.core.apk import APK
        from loguru import logger

        logger.disable("androguard")
        path = aapt2.link(tmp_path, aapt2.MANIFEST, aapt2.VALUES)
        read, resources = self.read(path)
        apk = APK(str(path))
        assert apk.get_package() == read.package
        assert (apk.get_min_sdk_version(), apk.get_target_sdk_version()) == (read.min_sdk, read.target_sdk)
        assert apk.get_app_name() == dict(read.label.values(resources))[""]
        # androguard leaves out uses-permission-sdk-23.
        assert set(apk.get_permissions()) == set(read.permissions) - {"android.permission.CAMERA"}
        assert set(apk.get_activities()) == {each.name for each in read.of("activity")}
        assert set(apk.get_services()) == {each.name for each in read.of("service")}
        assert set(apk.get_receivers()) == {each.name for each in read.of("receiver")}
        assert set(apk.get_providers()) == {each.name for each in read.of("provider")}
        assert set(apk.get_libraries()) == set(read.uses_libraries)

    def test_an_app_bundle_module_says_the_same_as_the_apk(self, tmp_path: Path) -> None:
        read, resources = self.read(aapt2.link(tmp_path / "apk", aapt2.MANIFEST, aapt2.VALUES))
        module = aapt2.link(tmp_path / "aab", aapt2.MANIFEST, aapt2.VALUES, "--proto-format")
        with zipfile.ZipFile(module) as archive:
            table = parse_proto_resources(archive.read("resources.pb"))
            other = read_manifest(archive.read("AndroidManifest.xml"), resources=table)
        assert other.encoding == "protobuf"
        assert other.label.values(table) == read.label.values(resources)
        assert table.resolve_name(other.label.reference) == read.label.values(resources)
        assert [(name, text.values(table)) for name, text in other.meta_data] == [
            (name, text.values(resources)) for name, text in read.meta_data
        ]
        assert [replace(each, label=Text()) for each in other.components] == [
            replace(each, label=Text()) for each in read.components
        ]
        for attribute in ("package", "version_code", "min_sdk", "target_sdk", "permissions", "query_packages"):
            assert getattr(other, attribute) == getattr(read, attribute)

    def test_the_source_says_the_same_as_the_apk(self, tmp_path: Path) -> None:
        read, _ = self.read(aapt2.link(tmp_path, aapt2.MANIFEST, aapt2.VALUES))
        source = read_manifest(aapt2.MANIFEST.encode())
        assert [each.name for each in source.components] == [each.name for each in read.components]
        assert source.label == Text(None, None, "string/alias")

    @pytest.mark.parametrize("name", ["config.de", "feature"])
    def test_a_split(self, tmp_path: Path, name: str) -> None:
        manifest_text = (
            f'<manifest xmlns:android="{ANDROID}" package="a.b" split="{name}" android:versionCode="1">'
            '<application android:hasCode="false"/></manifest>'
        )
        apk = aapt2.link(tmp_path, manifest_text, {})
        with zipfile.ZipFile(apk) as archive:
            read = read_manifest(archive.read("AndroidManifest.xml"))
        assert (read.package, read.split, read.has_code, read.components) == ("a.b", name, False, ())
