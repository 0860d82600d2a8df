"""The 32-bit hash by which dumpsys shows a signing certificate.

Specification: java.util.Arrays.hashCode(byte[]), which AOSP's android.content.pm.Signature.hashCode returns.

Not read: anything; anybody can make a certificate of a given hash, so it never proves a signer by itself.
"""

from __future__ import annotations


def java_hash(der: bytes) -> str:
    """Return the hash of a certificate's DER bytes as eight hex digits."""
    value = 1
    for byte in der:
        # Java's bytes are signed.
        value = (31 * value + byte - ((byte & 0x80) << 1)) & 0xFFFFFFFF
    return f"{value:08x}"
