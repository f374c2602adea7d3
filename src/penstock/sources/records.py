"""The framing of TFRecord files: a record is its length, the checksum of that, its bytes, and their checksum.

Guarantees
  A record is given only if both checksums hold; what breaks that is named by file and byte offset.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO

from penstock.errors import SourceError, mismatch
from penstock.sources.kernels import masked_crc32c

__all__ = ["FRAME", "framed", "records", "scanned"]

HEAD = struct.Struct("<QI")
FOOT = struct.Struct("<I")
FRAME = HEAD.size + FOOT.size
"""What a record takes up beside its own bytes. [bytes]"""
MOST = 1 << 40
"""Longer than any record: a length beyond it is damage. [bytes]"""


def framed(record: bytes) -> bytes:
    """A record as it stands in a file."""
    length = struct.pack("<Q", len(record))
    return length + FOOT.pack(masked_crc32c(length)) + record + FOOT.pack(masked_crc32c(record))


def records(file: BinaryIO, path: str, offset: int = 0) -> Iterator[tuple[int, bytes]]:
    """The records of a file, each with the offset in bytes at which it begins.

    Args:
      file: open for reading, at the offset.
      path: its name, for messages.
      offset: where the first record begins. [bytes]

    Raises:
      SourceError: a checksum does not hold, or the file ends within a record.
    """
    for at, record, error in scanned(file, path, offset):
        if error is not None:
            raise error
        yield at, record


def scanned(file: BinaryIO, path: str, offset: int = 0) -> Iterator[tuple[int, bytes, SourceError | None]]:
    """As `records`; a record whose own checksum does not hold comes with that error, and those behind it come too."""
    while head := file.read(HEAD.size):
        at = f"byte {offset} of '{path}'"
        if len(head) < HEAD.size:
            raise SourceError(mismatch("a record that is whole", "one cut off in its length", at=at))
        length, checksum = HEAD.unpack(head)
        if masked_crc32c(head[:8]) != checksum:
            do = None if offset else "it is no TFRecord file, or it is compressed"
            want = "a length whose checksum holds"
            raise SourceError(mismatch(want, f"checksum {checksum:#010x}", at=at, do=do))
        body = file.read(length + FOOT.size) if length < MOST else b""
        if len(body) < length + FOOT.size:
            got = f"one cut off {len(body):,} bytes after its length"
            raise SourceError(mismatch(f"a record of {length:,} bytes that is whole", got, at=at))
        record = body[:length]
        (checksum,) = FOOT.unpack(body[length:])
        found = masked_crc32c(record)
        error = None
        if found != checksum:
            want = f"a record with checksum {checksum:#010x}"
            error = SourceError(mismatch(want, f"{found:#010x}", at=at, do="it is damaged"))
        yield offset, record, error
        offset += HEAD.size + length + FOOT.size
