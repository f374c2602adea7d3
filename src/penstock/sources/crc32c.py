"""The checksum of TFRecord files, CRC-32C (Castagnoli), masked as they store it; the definition of its native twin.

Source: RFC 3720, appendix B.4; TensorFlow's `crc32c::Mask`, so that a checksum of data with checksums in it stays useful.
"""

from __future__ import annotations

__all__ = ["masked_crc32c"]

POLYNOMIAL = 0x82F63B78  # reflected
MASK_DELTA = 0xA282EAD8


def _row(byte: int) -> int:
    for _ in range(8):
        byte = byte >> 1 ^ (POLYNOMIAL if byte & 1 else 0)
    return byte


TABLE = [_row(byte) for byte in range(256)]


def masked_crc32c(data: bytes) -> int:
    """The masked CRC-32C of some bytes.

    >>> hex(masked_crc32c(b"123456789"))
    '0xc78ab0e5'
    """
    crc = 0xFFFFFFFF
    table = TABLE
    for byte in data:
        crc = crc >> 8 ^ table[(crc ^ byte) & 0xFF]
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + MASK_DELTA) & 0xFFFFFFFF
