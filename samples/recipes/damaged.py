"""Damaged, tampered, packed and hostile files: what Android still installs is read, the rest is said to be unread."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace

from recipes import android_sdks, apk, archive, ios_sdks, ipa, signing
from recipes.apk import AndroidApp
from recipes.bundles import native_library
from recipes.sample import Sample, Seen, android, code_hidden, has_sdk, ios, is_app
from recipes.zipedit import Entry, join_zip, split_zip

WECHAT_STUB = AndroidApp("com.tencent.mm", label="WeChat", label_zh="微信")
LOGIN = replace(android_sdks.WECHAT_LOGIN, package="com.example.tampered")
MANIFEST = "AndroidManifest.xml"
TAMPERED = ("archive-tampered",)
LOGIN_SEEN = android(LOGIN.package, has_sdk("wechat"), problems=TAMPERED)
XML_START_NAMESPACE = 0x0100
LEGU = AndroidApp(
    "com.example.packed",
    label="Packed",
    application_class="com.tencent.StubShell.TxAppEntry",
    declared_only=(".HomeActivity", ".PayActivity"),
    launcher=False,
)


def _rewrite(app: AndroidApp, change: Callable[[list[Entry]], list[Entry]]) -> bytes:
    """Build an app, change its archive below any packing tool, and sign the result as it is."""
    return signing.sign_as_is(join_zip(change(split_zip(apk.unsigned(app)))))


def _on(name: str, change: Callable[[Entry], Entry]) -> Callable[[list[Entry]], list[Entry]]:
    return lambda entries: [change(item) if item.name == name.encode() else item for item in entries]


def _with_manifest(app: AndroidApp, change: Callable[[bytes], bytes]) -> bytes:
    members = apk.members(app)
    return apk.sign(apk.align(archive.pack({**members, MANIFEST: change(members[MANIFEST])}, stored=(".arsc",))))


def _with_dex(app: AndroidApp, change: Callable[[bytes], bytes]) -> bytes:
    members = apk.members(app)
    changed = {**members, "classes.dex": change(members["classes.dex"])}
    return apk.sign(apk.align(archive.pack(changed, stored=(".arsc",))))


def _first_node(xml: bytes) -> int:
    offset = 8
    while struct.unpack_from("<H", xml, offset)[0] != XML_START_NAMESPACE:
        offset += struct.unpack_from("<I", xml, offset + 4)[0]
    return offset


def _junk_chunk(xml: bytes) -> bytes:
    """Insert a chunk of an unknown type before the first node, as Android skips it."""
    offset = _first_node(xml)
    out = xml[:offset] + struct.pack("<HHI8s", 0x0999, 8, 16, b"junkjunk") + xml[offset:]
    return out[:4] + struct.pack("<I", len(out)) + out[8:]


def _wrong_styles(xml: bytes) -> bytes:
    """Claim styles the string pool does not have."""
    return xml[:20] + struct.pack("<I", 0x7FFFFFFF) + xml[24:]


def _wrong_type(xml: bytes) -> bytes:
    """Give the document another chunk type; Android does not look at it."""
    return struct.pack("<H", 0) + xml[2:]


def _broken_class(dex: bytes) -> bytes:
    """Point the first class definition at a type that does not exist."""
    start = struct.unpack_from("<I", dex, 0x64)[0]
    return dex[:start] + struct.pack("<I", 0xFFFF) + dex[start + 4 :]


def _bomb() -> bytes:
    """Make classes.dex claim two gibibytes of zeros in 42 kB."""
    packed = zlib.compressobj(9, zlib.DEFLATED, -15)
    zeros = packed.compress(bytes(42_000 * 1024)) + packed.flush()

    def change(entries: list[Entry]) -> list[Entry]:
        other = [item for item in entries if item.name != b"classes.dex"]
        return [*other, Entry(b"classes.dex", zeros, method=8, size=2 << 30, crc=0)]

    return _rewrite(AndroidApp("com.example.bomb"), change)


def cut_short() -> Iterator[Sample]:
    """Files that end too early, or hold something else."""
    hosts = {stem: app for stem, app, _, _ in android_sdks.HOSTS}
    whole = hosts["wechat-pay"]
    text = b"This is a text file, whatever its name says.\n"
    cases: tuple[tuple[str, str, Callable[[], bytes], tuple[str, ...], int], ...] = (
        ("truncated.apk", "An APK without its end.", lambda: apk.signed(whole)[:5000], ("archive-damaged",), 3),
        (
            "truncated.ipa",
            "An IPA without its end.",
            lambda: ipa.ipa(ios_sdks.WECHAT_PAY)[:3000],
            ("archive-damaged",),
            3,
        ),
        ("empty.apk", "A file without bytes.", lambda: b"", ("empty",), 3),
        ("text.apk", "A text file under the name of an APK.", lambda: text, ("unsupported-format",), 3),
        (
            "zip-without-apps.zip",
            "A zip that holds no app.",
            lambda: archive.pack({"readme.txt": text, "folder/": b""}),
            (),
            4,
        ),
    )
    for name, about, make, problems, exit_code in cases:
        yield Sample(f"damaged/{name}", about, make, problems=problems, exit_code=exit_code)


def tampered_archives() -> Iterator[Sample]:
    """Archives that lie to tools while Android installs them."""
    cases: tuple[tuple[str, str, Callable[[], bytes], Seen], ...] = (
        (
            "encryption-flag",
            "The manifest and the DEX claim to be encrypted, and are not.",
            lambda: _rewrite(
                LOGIN,
                lambda entries: [
                    replace(item, flags=item.flags | 1) if item.name != b"resources.arsc" else item for item in entries
                ],
            ),
            LOGIN_SEEN,
        ),
        (
            "unknown-method",
            "The manifest is stored under an unknown compression method.",
            lambda: _rewrite(LOGIN, _on(MANIFEST, lambda item: replace(item.stored(), method=0x2222))),
            LOGIN_SEEN,
        ),
        (
            "local-header-lies",
            "The local header of the manifest has another name, size, checksum and method.",
            lambda: _rewrite(
                LOGIN, _on(MANIFEST, lambda item: replace(item, local=(b"XndroidManifest.xml", 0, 7, 9, 0xDEAD)))
            ),
            LOGIN_SEEN,
        ),
        (
            "duplicate-manifest",
            "Two members are called AndroidManifest.xml; the first one is that of a WeChat stub.",
            lambda: _rewrite(LOGIN, lambda entries: [Entry.of(MANIFEST, apk.members(WECHAT_STUB)[MANIFEST]), *entries]),
            android(
                "com.tencent.mm",
                is_app("wechat", "impostor"),
                is_app("wechat-pay", "impostor"),
                absent=("vmate", "alipay"),
                problems=TAMPERED,
            ),
        ),
    )
    for stem, about, make, seen in cases:
        yield Sample(f"damaged/{stem}.apk", about, make, (seen,))


def odd_archives() -> Iterator[Sample]:
    """Archives with odd names, with other data before them, and one that would fill a disk."""
    cases: tuple[tuple[str, str, Callable[[], bytes], Seen], ...] = (
        (
            "non-utf8-names",
            "Member names that are not UTF-8.",
            lambda: _rewrite(
                LOGIN, lambda entries: [*entries, Entry.of("x", b"one", name_bytes=b"assets/\xff\xfe\x80.bin")]
            ),
            replace(LOGIN_SEEN, problems=()),
        ),
        (
            "prefix-data",
            "Data before the archive, with offsets that count it.",
            lambda: signing.sign_as_is(join_zip(split_zip(apk.unsigned(LOGIN)), prefix=b"#!/bin/sh\nexit 0\n" * 8)),
            replace(LOGIN_SEEN, problems=()),
        ),
        (
            "bomb",
            "A DEX file of 42 kB that claims to unpack to two gibibytes.",
            _bomb,
            code_hidden("android", "com.example.bomb", problems=("member-unreadable",)),
        ),
    )
    for stem, about, make, seen in cases:
        yield Sample(f"damaged/{stem}.apk", about, make, (seen,))


def tampered_manifests() -> Iterator[Sample]:
    """Manifests that are broken, or only look so."""
    odd = replace(LOGIN, package="com.example.oddxml")
    odd_seen = android(odd.package, has_sdk("wechat"))
    broken = replace(android_sdks.WECHAT_LOGIN, package="com.example.broken")
    no_manifest = Seen("android", "", absent=(), problems=("manifest-damaged",))
    cases: tuple[tuple[str, str, Callable[[], bytes], Seen, int | None], ...] = (
        (
            "axml-junk-chunk",
            "A chunk of unknown type inside the manifest, which Android skips.",
            lambda: signing.sign_as_is(_with_raw_manifest(odd, _junk_chunk)),
            odd_seen,
            None,
        ),
        (
            "axml-wrong-type",
            "The manifest has another chunk type, which Android does not look at.",
            lambda: signing.sign_as_is(_with_raw_manifest(odd, _wrong_type)),
            odd_seen,
            None,
        ),
        (
            "axml-wrong-styles",
            "The string pool of the manifest claims styles it does not have.",
            lambda: signing.sign_as_is(_with_raw_manifest(odd, _wrong_styles)),
            replace(odd_seen, absent=("vmate",)),
            None,
        ),
        (
            "axml-truncated",
            "The manifest ends in the middle of its string pool.",
            lambda: signing.sign_as_is(_with_raw_manifest(broken, lambda xml: xml[:200])),
            replace(no_manifest, expect=(has_sdk("wechat"),)),
            1,
        ),
    )
    for stem, about, make, seen, exit_code in cases:
        yield Sample(f"damaged/{stem}.apk", about, make, (seen,), exit_code=exit_code)


def tampered_code() -> Iterator[Sample]:
    """DEX files that are broken, packed or not there."""
    broken = replace(android_sdks.WECHAT_LOGIN, package="com.example.broken")
    hidden = code_hidden("android", broken.package, problems=("dex-damaged",))
    cases: tuple[tuple[str, str, Callable[[], bytes], Seen, int | None], ...] = (
        ("dex-truncated", "The DEX file lacks its second half.", lambda: _with_dex(broken, _half), hidden, None),
        (
            "dex-wrong-class",
            "A class definition names a type that does not exist.",
            lambda: _with_dex(broken, _broken_class),
            android(broken.package, has_sdk("wechat"), absent=("vmate",), problems=("dex-damaged",)),
            None,
        ),
        (
            "dex-compact",
            "A compact DEX file, which only the runtime of a device writes.",
            lambda: _with_dex(broken, lambda dex: b"cdex001\0" + dex[8:]),
            replace(hidden, problems=("dex-unsupported",)),
            None,
        ),
        (
            "code-absent",
            "The app declares code and carries none.",
            lambda: apk.sign(apk.align(archive.pack(apk.link(broken), stored=(".arsc",)))),
            replace(hidden, problems=("code-absent",)),
            None,
        ),
        (
            "resources-only",
            "The app says that it has no code: nothing is missing.",
            lambda: apk.signed(AndroidApp("com.example.theme", has_code=False, launcher=False)),
            android("com.example.theme"),
            None,
        ),
        (
            "packed-legu",
            "Packed: a loader under the names of Tencent Legu, the declared activities are in no DEX file.",
            lambda: apk.signed(
                replace(
                    LEGU,
                    files=(
                        ("assets/0OO00l111l1l", bytes(range(256))),
                        ("lib/arm64-v8a/libshell-super.2019.so", native_library("libshell-super.2019.so")),
                    ),
                )
            ),
            code_hidden("android", LEGU.package, problems=("code-packed",), vendor=("tencent-legu-android",)),
            None,
        ),
    )
    for stem, about, make, seen, exit_code in cases:
        yield Sample(f"damaged/{stem}.apk", about, make, (seen,), exit_code=exit_code)


def _half(dex: bytes) -> bytes:
    return dex[: len(dex) // 2]


def _with_raw_manifest(app: AndroidApp, change: Callable[[bytes], bytes]) -> bytes:
    members = apk.members(app)
    return apk.align(archive.pack({**members, MANIFEST: change(members[MANIFEST])}, stored=(".arsc",)))


def broken_ios() -> Iterator[Sample]:
    """Bundles whose declarations or executables cannot be read."""
    app = replace(ios_sdks.WECHAT_LOGIN, bundle_id="com.example.broken")
    place = f"Payload/{app.executable_name}.app/"

    def changed(name: str, change: Callable[[bytes], bytes | None]) -> bytes:
        members = archive.unpack(ipa.ipa(app))
        data = change(members.pop(place + name))
        return archive.pack({**members, **({} if data is None else {place + name: data})})

    no_id = Seen("ios", "", (has_sdk("wechat"),), absent=(), problems=("plist-damaged",))
    hidden = code_hidden("ios", app.bundle_id, problems=("macho-damaged",))
    yield Sample(
        "damaged/broken-info-plist.ipa",
        "Info.plist is no property list: the id is unknown, the code is still read.",
        lambda: changed("Info.plist", lambda data: b"not a property list"),
        (no_id,),
    )
    yield Sample(
        "damaged/truncated-executable.ipa",
        "The executable ends behind its first load commands.",
        lambda: changed(app.executable_name, lambda data: data[:400]),
        (hidden,),
    )
    yield Sample(
        "damaged/no-executable.ipa",
        "The bundle has no executable.",
        lambda: changed(app.executable_name, lambda data: None),
        (replace(hidden, problems=("macho-absent",)),),
    )
    nested = replace(ios_sdks.WECHAT_PAY, bundle_id="com.example.nested.name")
    yield Sample(
        "damaged/odd-folder.ipa",
        "The .app folder has another name than the executable, with a space and non-ASCII characters.",
        lambda: archive.pack({f"Payload/支付 App.app/{name}": data for name, data in ipa.bundle(nested).items()}),
        (ios(nested.bundle_id, has_sdk("wechat"), has_sdk("wechat-pay")),),
    )


FAMILIES = (cut_short, tampered_archives, odd_archives, tampered_manifests, tampered_code, broken_ios)
