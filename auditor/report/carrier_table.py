"""The table of everything that is opened beside apps: carriers and records, what is read of each and what is not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from auditor.containers.carrier_kinds import CARRIERS
from auditor.model import RecordKind
from auditor.report.reference import not_read, table

CARRIER_READS: Mapping[str, str] = {
    "Android sparse image": "raw, fill and hole chunks; split images (`sparsechunk.N`) joined",
    "OTA payload": "every partition of a full update, stored, bzip2, xz; each operation's digest is checked",
    "adb backup": "plain, compressed, AES-256 with its password; the tar inside",
    "GPT disk": "partitions, sectors of 512 and 4096 bytes, the backup table where the first is damaged",
    "EROFS": "every layout, lz4, lzma, deflate, zstd, fragments, dedupe, chunks",
    "F2FS": "files, inline data, holes, lz4 and zstd clusters",
    "ext2, ext3, ext4": "extents and block maps, inline data, casefold, verity and the rest of Android's features",
    "super image": "dynamic partitions of every slot",
    "FAT, exFAT": "FAT12, FAT16, FAT32 and exFAT with long names",
    "MBR disk": "primary and logical partitions",
    "tar archive": "v7, ustar, GNU, PAX, sparse files, replaced members",
    "block image of an update": "`system.new.dat`, also `.br`, with the transfer list beside it",
    "compressed file": "gzip, xz, bzip2, Zstandard, LZ4 (also legacy), lzma and Brotli by name",
}
"""What is read of each kind of carrier, by its name."""
_OTHERS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("folder", "with any root prefix; links are named, not followed", ()),
    ("zip archive", "stored and deflated; also full-file-system extractions, bug reports, backups in a zip", ("zip",)),
    ("APEX, capex", "the apps in its image", ("apex",)),
    ("vdex, odex beside an APK", "the DEX files in it, where the APK has none", ("vdex", "oat")),
)
RECORD_FORMATS: Mapping[RecordKind, tuple[str, ...]] = {
    RecordKind.PACKAGES_XML: ("abx", "packages_xml"),
    RecordKind.PACKAGES_LIST: ("packages_list",),
    RecordKind.PACKAGE_RESTRICTIONS: ("package_restrictions",),
    RecordKind.ANDROID_USERS: ("android_users",),
    RecordKind.BUILD_PROPERTIES: ("build_prop",),
    RecordKind.DUMPSYS_PACKAGE: ("dumpsys_package", "bug_report"),
    RecordKind.PM_LIST: ("pm_list",),
    RecordKind.ANDROIDQF: ("androidqf",),
    RecordKind.USAGE_STATS: ("usage_stats",),
    RecordKind.GOOGLE_DATABASES: ("google_databases",),
    RecordKind.DATA_DIRECTORIES: (),
    RecordKind.ADB_BACKUP: ("adb_backup",),
    RecordKind.IOS_BACKUP: ("ios_backup",),
    RecordKind.APPLICATION_STATE: ("application_state",),
    RecordKind.IOS_CONTAINERS: ("container_metadata", "bundle_metadata"),
    RecordKind.INSTALL_LOG: ("install_log",),
    RecordKind.APP_STORE_DATABASES: ("app_store_databases",),
    RecordKind.IOS_APP_LIST: ("ios_app_lists",),
}
"""The format modules that read each kind of record; their words say what is left out."""


def render_carriers(documents: Mapping[str, str]) -> str:
    """Carriers, then records; ``documents`` are the docstrings of format modules by name."""
    return "\n\n".join(
        [
            table(("carrier", "read", "not read"), _carriers(documents)),
            table(("record (names apps, holds none)", "says", "not read"), _records(documents)),
        ]
    )


def _carriers(documents: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    for name, reads, modules in _OTHERS:
        yield name, reads, _left_out(modules, documents)
    for kind in CARRIERS:
        yield kind.name, CARRIER_READS[kind.name], _left_out(kind.modules, documents)
    yield "named only", "", _left_out(("foreign_carriers",), documents).partition(": ")[2]


def _records(documents: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    for kind in RecordKind:
        yield kind.value, kind.meaning, _left_out(RECORD_FORMATS[kind], documents)


def _left_out(modules: tuple[str, ...], documents: Mapping[str, str]) -> str:
    return "; ".join(not_read(documents[name]) for name in modules)
