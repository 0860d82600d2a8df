"""Computes what schemes v2 and later sign: digests over an APK without its signing block.

Specification: https://source.android.com/docs/security/features/apksigning/v2#integrity-protected-contents
Not read: fs-verity descriptors and trees stored beside an APK
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator

from auditor.errors import FormatError
from auditor.formats.blob import Blob
from auditor.limits import MIB

_PAGE = 4096
_SALT = bytes(8)
_END_OFFSET_FIELD = 16
"""Where an end of central directory record keeps the offset of the central directory."""


def chunked_digest(data: Blob, block_offset: int, directory_offset: int, end_offset: int, algorithm: str) -> bytes:
    """Return the digest over the digests of 1 MiB chunks; the sections are chunked each on its own."""
    with memoryview(data) as whole:
        end_record = _patched_end(whole, block_offset, end_offset)
        sections = (whole[:block_offset], whole[directory_offset:end_offset], memoryview(end_record))
        digests = []
        for section in sections:
            for start in range(0, len(section), MIB):
                with section[start : start + MIB] as chunk:
                    digest = hashlib.new(algorithm, b"\xa5" + struct.pack("<I", len(chunk)))
                    digest.update(chunk)
                    digests.append(digest.digest())
            section.release()
    return hashlib.new(algorithm, b"\x5a" + struct.pack("<I", len(digests)) + b"".join(digests)).digest()


def verity_digest(data: Blob, block_offset: int, directory_offset: int, end_offset: int) -> bytes:
    """Return the root of the SHA-256 hash tree over 4 KiB pages, followed by the number of bytes it covers.

    Raises:
        FormatError: the signing block does not begin and end on a page, as the platform demands.
    """
    if block_offset % _PAGE or (directory_offset - block_offset) % _PAGE:
        raise FormatError("the APK Signing Block is not aligned to pages, as its verity digest needs", block_offset)
    with memoryview(data) as whole:
        tail = bytes(whole[directory_offset:end_offset]) + _patched_end(whole, block_offset, end_offset)
        level = b"".join(_page_digests(whole, block_offset, tail))
    while len(level) > _PAGE:
        level = b"".join(_page_digests(memoryview(b""), 0, level))
    root = hashlib.sha256(_SALT + level.ljust(_PAGE, b"\0")).digest()
    return root + struct.pack("<Q", block_offset + len(tail))


def _page_digests(front: memoryview, size: int, tail: bytes) -> Iterator[bytes]:
    """Yield the salted digest of each page of the front, then of the tail, whose last page is filled up with zeros."""
    salted = hashlib.sha256(_SALT)
    for source, length in ((front, size), (memoryview(tail), len(tail))):
        for start in range(0, length, _PAGE):
            digest = salted.copy()
            page = source[start : min(start + _PAGE, length)]
            digest.update(page)
            if len(page) < _PAGE:
                digest.update(bytes(_PAGE - len(page)))
            page.release()
            yield digest.digest()


def _patched_end(whole: memoryview, block_offset: int, end_offset: int) -> bytes:
    """Return the end of central directory as if the signing block were not there."""
    record = bytearray(whole[end_offset:])
    struct.pack_into("<I", record, _END_OFFSET_FIELD, block_offset)
    return bytes(record)
