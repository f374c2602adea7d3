"""`tf.python_io`: TFRecord files written, and read without a queue."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self, final

from penstock.errors import SourceError
from penstock.sources.records import framed, records
from penstock.tf1.errors import DataLossError
from penstock.tf1.readers import unpacked

__all__ = ["TFRecordCompressionType", "TFRecordOptions", "TFRecordWriter", "tf_record_iterator"]


class TFRecordCompressionType:
    """How a file is compressed."""

    NONE = ""
    ZLIB = "ZLIB"
    GZIP = "GZIP"


@dataclass(frozen=True)
class TFRecordOptions:
    """How a file is written."""

    compression_type: str = ""
    """`""`, `"GZIP"` or `"ZLIB"`."""


@final
class TFRecordWriter:
    """Writes records to a file; use it in a `with` block, or close it.

    Args:
      path: the file, which is written anew.
      options: how it is compressed.
    """

    def __init__(self, path: str, options: TFRecordOptions | None = None) -> None:
        encoding = options.compression_type if options is not None else ""
        self._pack = zlib.compressobj() if encoding == "ZLIB" else None
        self._file: Any = gzip.open(path, "wb") if encoding == "GZIP" else open(path, "wb")  # noqa: SIM115

    def write(self, record: bytes) -> None:
        """Adds a record."""
        data = framed(record)
        self._file.write(data if self._pack is None else self._pack.compress(data))

    def flush(self) -> None:
        """Hands what was written to the operating system."""
        self._file.flush()

    def close(self) -> None:
        """Ends the file."""
        if self._pack is not None and not self._file.closed:
            self._file.write(self._pack.flush())
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def tf_record_iterator(path: str, options: TFRecordOptions | None = None) -> Iterator[bytes]:
    """The records of a file, both checksums of each checked.

    Raises:
      DataLossError: a record is damaged or cut off; it says where.
    """
    try:
        with unpacked(path, options.compression_type if options is not None else "") as file:
            for _, record in records(file, path):
                yield record
    except SourceError as error:
        raise DataLossError(str(error)) from error
