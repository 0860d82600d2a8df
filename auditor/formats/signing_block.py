"""Reads the APK Signing Block: signers of schemes v2, v3 and v3.1, and proofs of rotation. Nothing is verified here.

Specification: https://source.android.com/docs/security/features/apksigning/v2 and /v3, /v3-1.
Not read: scheme v3.2 beyond its presence; scheme v4 (beside the APK); source stamps; dependency metadata; capabilities
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from auditor.errors import FormatError, LimitError
from auditor.formats.blob import Blob
from auditor.formats.zip import Archive
from auditor.limits import DEFAULT, Limits

V2_ID = 0x7109871A
V3_ID = 0xF05368C0
V31_ID = 0x1B93AD61
V32_ID = 0x70E1C89F
SCHEME_NAMES = {V2_ID: "v2", V3_ID: "v3", V31_ID: "v3.1", V32_ID: "v3.2"}

STRIPPING_PROTECTION = 0xBEEFF00D
PROOF_OF_ROTATION = 0x3BA06F8C
ROTATION_MIN_SDK = 0x559F8B02

_MAGIC = b"APK Sig Block 42"
_FOOTER_SIZE = 24
_PAIRS = 10_000
_ITEMS = 1_000
"""Signatures, digests, certificates or attributes of one signer."""


@dataclass(frozen=True, slots=True)
class SigningBlock:
    """Where the block lies and the schemes in it."""

    offset: int
    """Where the block begins: the end of the first digested section."""
    schemes: dict[int, bytes]
    """Value by id for the known schemes; of two with one id the first, as the platform takes it."""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BlockSigner:
    """One signer of scheme v2, v3 or v3.1 as written."""

    signed_data: bytes
    signatures: tuple[tuple[int, bytes], ...]
    """(algorithm id, signature over the signed data)."""
    public_key: bytes
    digests: tuple[tuple[int, bytes], ...]
    """(algorithm id, content digest), from the signed data."""
    certificates: tuple[bytes, ...]
    attributes: tuple[tuple[int, bytes], ...]
    min_sdk: int = 0
    max_sdk: int = 0x7FFFFFFF
    signed_min_sdk: int = 0
    signed_max_sdk: int = 0x7FFFFFFF

    def attribute(self, identifier: int) -> bytes | None:
        """Return the first attribute of this id."""
        return next((value for key, value in self.attributes if key == identifier), None)


@dataclass(frozen=True, slots=True)
class Rotation:
    """One certificate of a proof of rotation, vouched for by the one before."""

    signed_data: bytes
    certificate: bytes
    signed_algorithm: int
    """The algorithm the parent signed with, as the signed data names it."""
    algorithm: int
    """The algorithm this certificate signs its child with."""
    signature: bytes
    """The parent's, over the signed data; empty for the first."""


def find_signing_block(data: Blob, archive: Archive, limits: Limits = DEFAULT) -> SigningBlock | None:
    """Return the block before the central directory; None where the platform finds none.

    Raises:
        LimitError: the block is larger than ``Limits.signing_block_size``.
    """
    end = archive.central_directory_offset
    # The platform demands the three in a row: block, central directory, its end record.
    if archive.data_offset or end + archive.central_directory_size != archive.end_offset:
        return None
    if end < _FOOTER_SIZE + 8 or bytes(data[end - 16 : end]) != _MAGIC:
        return None
    (size,) = struct.unpack("<Q", bytes(data[end - _FOOTER_SIZE : end - 16]))
    start = end - size - 8
    if size < _FOOTER_SIZE or start < 0 or struct.unpack("<Q", bytes(data[start : start + 8]))[0] != size:
        return None
    if size > limits.signing_block_size:
        raise LimitError(f"the APK Signing Block has {size} bytes, more than {limits.signing_block_size}", start)
    schemes, warnings = _parse_pairs(bytes(data[start + 8 : end - _FOOTER_SIZE]))
    return SigningBlock(start, schemes, warnings)


def parse_signers(value: bytes, scheme: int, limits: Limits = DEFAULT) -> tuple[BlockSigner, ...]:
    """Read the signers of one scheme, its value as ``find_signing_block`` gives it.

    Raises:
        FormatError: a length does not fit, or there are more signers than the platform takes.
    """
    items = _Reader(_Reader(value).prefixed()).all_prefixed(limits.signers)
    return tuple(_parse_signer(item, versioned=scheme != V2_ID) for item in items)


def parse_lineage(value: bytes, limits: Limits = DEFAULT) -> tuple[Rotation, ...]:
    """Read the value of a proof of rotation, oldest certificate first.

    Raises:
        FormatError: a length does not fit, or it has more certificates than ``Limits.lineage``.
    """
    reader = _Reader(value)
    reader.number()
    rotations = []
    for item in reader.all_prefixed(limits.lineage):
        level = _Reader(item)
        signed_data = level.prefixed()
        level.number()
        algorithm = level.number()
        signature = level.prefixed()
        signed = _Reader(signed_data)
        rotations.append(Rotation(signed_data, signed.prefixed(), signed.number(), algorithm, signature))
    return tuple(rotations)


def _parse_pairs(pairs: bytes) -> tuple[dict[int, bytes], tuple[str, ...]]:
    """Collect the schemes; the platform stops looking at the first malformed pair, so does this."""
    schemes: dict[int, bytes] = {}
    warnings: list[str] = []
    offset = 0
    for _ in range(_PAIRS):
        if offset >= len(pairs):
            break
        if offset + 12 > len(pairs):
            warnings.append("the APK Signing Block ends in the middle of an entry")
            break
        size, identifier = struct.unpack_from("<QI", pairs, offset)
        if size < 4 or size > len(pairs) - offset - 8:
            warnings.append(f"an entry of the APK Signing Block gives an impossible size of {size} bytes")
            break
        if identifier in SCHEME_NAMES:
            if identifier in schemes:
                warnings.append(
                    f"the APK Signing Block holds scheme {SCHEME_NAMES[identifier]} twice; the first counts"
                )
            schemes.setdefault(identifier, pairs[offset + 12 : offset + 8 + size])
        offset += 8 + size
    return schemes, tuple(dict.fromkeys(warnings))


def _parse_signer(data: bytes, versioned: bool) -> BlockSigner:
    """Read one signer; v3 adds the SDK levels it is meant for, once signed and once not."""
    signer = _Reader(data)
    signed_data = signer.prefixed()
    levels = (signer.number(), signer.number()) if versioned else (0, 0x7FFFFFFF)
    signatures = _algorithm_values(signer.prefixed())
    public_key = signer.prefixed()
    signed = _Reader(signed_data)
    digests = _algorithm_values(signed.prefixed())
    certificates = tuple(_Reader(signed.prefixed()).all_prefixed(_ITEMS))
    signed_levels = (signed.number(), signed.number()) if versioned else (0, 0x7FFFFFFF)
    attributes = []
    for item in _Reader(signed.prefixed()).all_prefixed(_ITEMS):
        attribute = _Reader(item)
        attributes.append((attribute.number(), attribute.rest()))
    return BlockSigner(
        signed_data, signatures, public_key, digests, certificates, tuple(attributes), *levels, *signed_levels
    )


def _algorithm_values(data: bytes) -> tuple[tuple[int, bytes], ...]:
    """Read a list of (algorithm id, bytes)."""
    values = []
    for item in _Reader(data).all_prefixed(_ITEMS):
        reader = _Reader(item)
        values.append((reader.number(), reader.prefixed()))
    return tuple(values)


class _Reader:
    """Reads little-endian numbers and length-prefixed values in order, never past the end."""

    __slots__ = ("_data", "_offset")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._offset = 0

    def number(self) -> int:
        """Return the next unsigned 32-bit number."""
        if self._offset + 4 > len(self._data):
            raise FormatError("a signer in the APK Signing Block is cut off")
        (value,) = struct.unpack_from("<I", self._data, self._offset)
        self._offset += 4
        return int(value)

    def prefixed(self) -> bytes:
        """Return the next value, whose length stands before it."""
        size = self.number()
        if size > len(self._data) - self._offset:
            raise FormatError(f"a value of the APK Signing Block claims {size} bytes, more than there are")
        start = self._offset
        self._offset += size
        return self._data[start : self._offset]

    def all_prefixed(self, limit: int) -> list[bytes]:
        """Return every remaining value."""
        values: list[bytes] = []
        while self._offset < len(self._data):
            if len(values) >= limit:
                raise LimitError(f"a list in the APK Signing Block has more than {limit} members")
            values.append(self.prefixed())
        return values

    def rest(self) -> bytes:
        """Return what is left."""
        return self._data[self._offset :]
