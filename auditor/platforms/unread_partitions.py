"""Say what a partition that nothing can read seems to be: encrypted user data must not pass for an empty phone."""

from __future__ import annotations

import re

from auditor.containers.carrier import HEAD_SIZE
from auditor.containers.member import Member, source_of
from auditor.errors import AuditorError
from auditor.formats.foreign_carriers import recognise_disk_encryption
from auditor.formats.source import Source
from auditor.limits import MIB
from auditor.model import FactKind, Problem, ProblemCode
from auditor.platforms.refusal import refusal
from auditor.platforms.signs import is_partition_name

_FOOTER = 16384
_SAMPLES = 64
_SAMPLE_SIZE = 4096
_STARTS = (
    b"ANDROID!",  # boot and recovery
    b"VNDRBOOT",
    b"AVB0",  # vbmeta
    b"\xd7\xb7\xab\x1e",  # dtbo
    b"\x7fELF",  # boot loaders, modem firmware
    b"\x88\x16\x88\x58",  # MediaTek images
    b"SIGNED_ELF",
)
"""How partitions begin that hold no files: kernels, firmware, signatures."""
_USER_DATA = re.compile(r"(?:userdata|data)(?:[._-].*)?", re.IGNORECASE)
_SMALL = 8 * MIB
"""Smaller partitions keep settings and firmware; no app was ever shipped in one without a file system."""


def unread_partition(member: Member, *, promised: bool = False) -> Problem | None:
    """The problem of a partition, or of a raw image, in which nothing was recognised; None where nothing can be.

    ``promised`` where the user, or its name, says that it holds apps: then its size is no excuse.
    Metadata encryption, which every device launched with Android 11 or later has, leaves no mark: user data that is
    neither blank nor a file system is taken for it.
    """
    try:
        source = source_of(member)
        footer = bytes(source.read(max(source.size - _FOOTER, 0), min(_FOOTER, source.size)))
    except AuditorError as error:
        return refusal(member.origin, error, ProblemCode.UNREADABLE)
    promised = promised or is_partition_name(member.path)
    encrypted = recognise_disk_encryption(footer)
    if encrypted is not None:
        return Problem(ProblemCode.ENCRYPTED, member.origin, encrypted)
    if member.peek(16).startswith(_STARTS):
        return None
    if is_blank(source):
        # Most file systems begin with a KiB of zeros: of an image that was cut off they may be all there is.
        detail = "blank, or cut off before its file system begins; fetch it again"
        return Problem(ProblemCode.EMPTY, member.origin, detail) if promised else None
    if _USER_DATA.fullmatch(member.path.rpartition("/")[2]) is not None:
        detail = "user data without a visible file system: it is encrypted; scan an extraction of its files"
        return Problem(ProblemCode.ENCRYPTED, member.origin, detail)
    hides: frozenset[FactKind] | None = frozenset() if source.size < _SMALL and not promised else None
    return Problem(ProblemCode.UNSUPPORTED, member.origin, "holds no file system that is read", hides)


def is_blank(source: Source) -> bool:
    """Whether the start and samples all over are one byte repeated: a partition that was never written."""
    step = max(source.size // _SAMPLES, _SAMPLE_SIZE)
    try:
        first = bytes(source.read(0, min(HEAD_SIZE, source.size)))
        if len(set(first)) > 1:
            return False
        return all(
            set(bytes(source.read(at, min(_SAMPLE_SIZE, source.size - at)))) <= set(first)
            for at in range(0, source.size, step)
        )
    except AuditorError:
        return False
