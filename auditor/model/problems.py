"""Why something could not be read, and which facts that may hide."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from auditor.model.facts import FactKind
from auditor.model.origin import Origin


class ProblemCode(StrEnum):
    """Why something could not be read; each code says which kinds of facts it may hide."""

    UNREADABLE = "unreadable"
    EMPTY = "empty"
    TRUNCATED = "truncated"
    UNSUPPORTED = "unsupported-format"
    ARCHIVE_DAMAGED = "archive-damaged"
    ARCHIVE_ENCRYPTED = "archive-encrypted"
    ARCHIVE_TAMPERED = "archive-tampered"
    ENCRYPTED = "encrypted"
    MEMBER_UNREADABLE = "member-unreadable"
    LIMIT = "limit-reached"
    MANIFEST_DAMAGED = "manifest-damaged"
    RESOURCES_DAMAGED = "resources-damaged"
    SIGNING_DAMAGED = "signing-damaged"
    SIGNING_UNVERIFIABLE = "signing-unverifiable"
    DEX_DAMAGED = "dex-damaged"
    DEX_UNSUPPORTED = "dex-unsupported"
    CODE_ABSENT = "code-absent"
    CODE_PACKED = "code-packed"
    NATIVE_DAMAGED = "native-damaged"
    SPLIT_MISSING = "split-missing"
    SPLIT_MISMATCH = "split-mismatch"
    PLIST_DAMAGED = "plist-damaged"
    PROFILE_DAMAGED = "profile-damaged"
    MACHO_DAMAGED = "macho-damaged"
    MACHO_ENCRYPTED = "macho-encrypted"
    MACHO_ABSENT = "macho-absent"
    WRAPPER_DAMAGED = "wrapper-damaged"
    RECORD_DAMAGED = "record-damaged"
    FILE_SYSTEM_DAMAGED = "file-system-damaged"
    CARRIER_INCOMPLETE = "carrier-incomplete"
    CARRIER_ODD = "carrier-odd"
    LINK_SKIPPED = "link-skipped"
    INTERNAL = "internal-error"

    @property
    def meaning(self) -> str:
        return _PROBLEMS[self][0]

    @property
    def hides(self) -> frozenset[FactKind]:
        """The kinds of facts that may exist but could not be seen."""
        return _PROBLEMS[self][1]


_NOTHING: frozenset[FactKind] = frozenset()
_DEX = frozenset({FactKind.DEX_CLASS, FactKind.DEX_STRING})
_NATIVE = frozenset(
    {
        FactKind.NATIVE_LIBRARY,
        FactKind.NATIVE_NEEDED,
        FactKind.NATIVE_EXPORT,
        FactKind.NATIVE_VERSION,
        FactKind.NATIVE_BUILD_ID,
        FactKind.NATIVE_CLASS,
    }
)
_MANIFEST = frozenset(kind for kind in FactKind if kind.value.startswith("android."))
_PLIST = frozenset({FactKind.URL_SCHEME, FactKind.QUERIED_SCHEME})
_TEXT = frozenset(
    {
        FactKind.OBJC_CLASS,
        FactKind.OBJC_PROTOCOL,
        FactKind.MACHO_STRING,
        FactKind.MACHO_VERSION,
        FactKind.SWIFT_TYPE,
    }
)
_WRAPPER = frozenset({FactKind.WRAPPER, FactKind.WRAPPER_PLUGIN, FactKind.WRAPPER_STRING})
_MACHO = _TEXT | frozenset(kind for kind in FactKind if kind.value.startswith("macho."))
_ALL = frozenset(FactKind)

_PROBLEMS: dict[ProblemCode, tuple[str, frozenset[FactKind]]] = {
    ProblemCode.UNREADABLE: ("the operating system did not let the file be read", _ALL),
    ProblemCode.EMPTY: ("the file holds no bytes", _ALL),
    ProblemCode.TRUNCATED: ("the file ends before its structure does", _ALL),
    ProblemCode.UNSUPPORTED: ("a known format that this version does not read", _ALL),
    ProblemCode.ARCHIVE_DAMAGED: ("the zip archive cannot be listed", _ALL),
    ProblemCode.ARCHIVE_ENCRYPTED: ("members are encrypted with a password", _ALL),
    ProblemCode.ENCRYPTED: ("content is encrypted; a password or key opens it", _ALL),
    ProblemCode.ARCHIVE_TAMPERED: (
        "headers contradict each other; read the way the platform reads them",
        _NOTHING,
    ),
    ProblemCode.MEMBER_UNREADABLE: ("a member that matters could not be unpacked", _ALL),
    ProblemCode.LIMIT: ("a bound was reached; --limit raises it", _ALL),
    ProblemCode.MANIFEST_DAMAGED: ("the manifest could not be read in full", _MANIFEST | {FactKind.APP_ID}),
    ProblemCode.RESOURCES_DAMAGED: ("resources.arsc could not be read: labels stay unresolved", _NOTHING),
    ProblemCode.SIGNING_DAMAGED: ("the signature is malformed", frozenset({FactKind.SIGNER})),
    ProblemCode.SIGNING_UNVERIFIABLE: (
        "a signature is present but cannot be verified here",
        frozenset({FactKind.SIGNER}),
    ),
    ProblemCode.DEX_DAMAGED: ("a DEX file could not be read in full", _DEX),
    ProblemCode.DEX_UNSUPPORTED: ("a DEX variant that is not read (compact DEX in an APK, container version)", _DEX),
    ProblemCode.CODE_ABSENT: (
        "the app declares code, and there is none here, nor in a vdex or odex beside it",
        _DEX,
    ),
    ProblemCode.CODE_PACKED: ("the code is packed or encrypted: what is visible is a loader", _DEX | _NATIVE),
    ProblemCode.NATIVE_DAMAGED: ("an ELF library could not be read", _NATIVE),
    ProblemCode.SPLIT_MISSING: (
        "a split the app requires is not in the set",
        _DEX | _NATIVE | _MANIFEST | {FactKind.FILE},
    ),
    ProblemCode.SPLIT_MISMATCH: ("a split does not belong to its base (version or signer differ)", _NOTHING),
    ProblemCode.PLIST_DAMAGED: ("Info.plist could not be read", _PLIST | {FactKind.APP_ID}),
    ProblemCode.PROFILE_DAMAGED: ("a provisioning profile or privacy manifest could not be read", _NOTHING),
    ProblemCode.MACHO_DAMAGED: ("a Mach-O file could not be read in full", _MACHO),
    ProblemCode.MACHO_ENCRYPTED: (
        "an executable is encrypted (FairPlay): names and strings are ciphertext",
        _TEXT,
    ),
    ProblemCode.MACHO_ABSENT: ("the bundle has no executable", _MACHO),
    ProblemCode.WRAPPER_DAMAGED: (
        "a cross-platform framework's bundle, snapshot or plugin list could not be read",
        _WRAPPER,
    ),
    ProblemCode.RECORD_DAMAGED: ("a record that names apps could not be read in full", _ALL),
    ProblemCode.FILE_SYSTEM_DAMAGED: ("files of a disk image or archive could not be listed", _ALL),
    ProblemCode.CARRIER_INCOMPLETE: ("an image, archive or backup lacks something that it should hold", _ALL),
    ProblemCode.CARRIER_ODD: ("an image or archive departs from its format, and nothing is lost by that", _NOTHING),
    ProblemCode.LINK_SKIPPED: ("a symbolic link was not followed", _NOTHING),
    ProblemCode.INTERNAL: ("a fault of the auditor itself; please report it", _ALL),
}


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that could not be read, wholly or in part."""

    code: ProblemCode
    origin: Origin
    detail: str
    """One line for people: what was expected, what was found."""
    hides: frozenset[FactKind] | None = None
    """Narrower than the code's own set, where the extractor knows better."""

    @property
    def hidden(self) -> frozenset[FactKind]:
        return self.code.hides if self.hides is None else self.hides
