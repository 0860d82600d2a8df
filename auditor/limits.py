"""Every bound of the auditor as data, so that any input ends in bounded time and memory."""

from __future__ import annotations

from dataclasses import dataclass

KIB = 1024
MIB = 1024 * KIB
GIB = 1024 * MIB


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds for one run; sizes in bytes. A reached bound becomes a Problem, never a crash."""

    container_depth: int = 12
    """How many containers may lie inside each other (a zip of .apks of .apk is three)."""
    folder_entries: int = 5_000_000
    """Files looked at below one folder argument."""
    tree_depth: int = 256
    """Folders inside each other in one image or archive."""
    zip_entries: int = 4_000_000
    """Central directory records read from one archive."""
    password_rounds: int = 5_000_000
    """Rounds of key derivation to try one password, some seconds."""
    tar_members: int = 4_000_000
    """Members of one tar archive, the directories included that only paths name."""
    tar_header_size: int = 4 * MIB
    """An extended header, a long name or the map of a sparse file in a tar archive."""
    member_size: int = 768 * MIB
    """Unpacked size of one member that is read as a whole."""
    member_ratio: int = 1_200
    """Unpacked over packed size of one member; raw deflate cannot exceed about 1 032."""
    unpacked_total: int = 6 * GIB
    """Unpacked bytes read for one app, all members and nested containers together."""
    spool_memory: int = 64 * MIB
    """A nested container larger than this goes to an anonymous temporary file."""
    spool_size: int = 128 * GIB
    """A disk image, archive or backup that is unpacked to an anonymous temporary file."""
    file_size: int = 4096 * GIB
    """One input file."""
    nested_apps: int = 512
    """Apps nested in one app."""

    image_extents: int = 2_000_000
    """Runs of bytes that one disk image is put together from (chunks of a sparse image, extents of a partition)."""
    partitions: int = 1_000
    """Parts of one disk."""

    manifest_size: int = 32 * MIB
    """Binary or protobuf AndroidManifest, Info.plist and other declarations."""
    database_size: int = 1 * GIB
    """A SQLite database of a device, and its write-ahead log; it is held in memory twice."""
    record_size: int = 64 * MIB
    """A record of a device that is read as a whole: packages.xml, packages.list, build.prop."""
    record_elements: int = 150_000
    """Elements, lines or entries of one such record; the largest real ones have some ten thousands."""
    record_listings: int = 10_000
    """Apps that one record names, each counted once for each user; a device has fewer than 1 000 for one."""
    record_certificates: int = 5_000
    """Different certificates of one record that are looked into; a device has some hundreds."""
    xml_depth: int = 256
    """Nesting of elements, plist values and protobuf messages."""
    xml_elements: int = 500_000
    """Elements or values in one document."""
    resource_size: int = 256 * MIB
    """resources.arsc or resources.pb."""
    resource_hops: int = 20
    """Resource references followed for one value."""
    string_length: int = 64 * KIB
    """Characters kept of one declared string (a label, a version, a component name)."""

    signing_block_size: int = 64 * MIB
    signers: int = 10
    """Signers of one scheme (the platform takes ten)."""
    lineage: int = 64
    """Certificates in one proof of rotation."""
    certificate_size: int = 128 * KIB

    dex_strings: int = 4_000_000
    dex_classes: int = 1_000_000
    dex_files: int = 500
    """DEX files of one app, those under other names included."""
    deep_dex_size: int = 256 * MIB
    """Bytes of DEX of one app that --deep goes through, up to a second for each megabyte."""

    macho_slices: int = 32
    load_commands: int = 20_000
    macho_symbols: int = 8_000_000
    macho_classes: int = 500_000
    trie_nodes: int = 4_000_000
    archive_members: int = 200_000
    """Members of one ar archive."""
    elf_size: int = 512 * MIB
    """A larger ELF file is not handed to lief."""
    native_strings: int = 4_000_000
    version_files: int = 5_000
    """Small files of one app that may state a library's version."""

    wrapper_size: int = 256 * MIB
    """One file of a cross-platform framework: a JavaScript bundle, a snapshot, a metadata file."""
    wrapper_strings: int = 4_000_000
    """Strings looked at in one such file."""

    directory_size: int = 32 * MIB
    """One directory of a file system image; a name takes 12 to 264 bytes of it."""

    evidence: int = 12
    """Facts kept for one clause of one match; the count is exact in any case."""


DEFAULT = Limits()
