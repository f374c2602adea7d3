"""TF1's readers: `reader.read(queue)` gives a key and a record of the files that a queue names, a record at each step."""

from __future__ import annotations

import gzip
import os
import threading
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from io import BytesIO
from typing import Any, BinaryIO, Protocol, final

import numpy as np

from penstock.errors import SourceError, mismatch
from penstock.sources.records import records
from penstock.tf1.errors import DataLossError, NotFoundError
from penstock.tf1.handles import Handle, Node, Step

__all__ = [
    "FixedLengthRecordReader",
    "IdentityReader",
    "Reader",
    "TFRecordReader",
    "TextLineReader",
    "WholeFileReader",
]

Records = Iterator[tuple[bytes, bytes]]

MOST_EMPTY = 10
"""How often a file is opened with no record in it, or in any other meanwhile, before that is an error: names without end,
of files without a record, are a loop without end. Readers that share a queue may miss those with records for a while."""


class Names(Protocol):
    """What names files: a producer or a queue of `penstock.tf1`."""

    def dequeue(self) -> Handle:
        """A handle of the next name."""
        ...


class Reader:
    """Gives the records of files, one after the other; where it is in them belongs to a session.

    All `read`s of one reader go through the same files. Several readers over one queue share its files out among them.

    Args:
      kind: what a file is to be, for messages.
      opened: gives the keys and records of a file.
    """

    def __init__(self, kind: str, opened: Callable[[str], Records]) -> None:
        self.kind = kind
        self.opened = opened

    def read(self, queue: Names, name: str | None = None) -> tuple[Handle, Handle]:
        """Handles of the key and the bytes of the next record.

        Args:
          queue: names the files.
          name: for messages.

        Raises:
          OutOfRangeError: at a step, the queue has no more names and the last file is read.
          NotFoundError: at a step, there is no such file.
          DataLossError: at a step, the file is broken; it says where. Or there is no record in any of the files that an
            endless queue names again and again.
        """
        node = ReadNode(name or "ReaderRead", self, queue.dequeue())
        return Handle(node, 0, dtype=np.dtype(object), shape=()), Handle(node, 1, dtype=np.dtype(object), shape=())

    def read_up_to(self, queue: Names, num_records: int, name: str | None = None) -> tuple[Handle, Handle]:
        """Handles of the keys and the bytes of up to so many records: fewer at the end of a file.

        Args:
          queue: names the files.
          num_records: how many at most. [records]
          name: for messages.
        """
        node = ReadNode(name or "ReaderReadUpTo", self, queue.dequeue(), num_records)
        return Handle(node, 0, dtype=np.dtype(object)), Handle(node, 1, dtype=np.dtype(object))

    def num_records_produced(self, name: str | None = None) -> Handle:
        """A handle of how many records it has given. [records]"""
        return Handle(Counted("num_records_produced", self, lambda place: place.produced), dtype=np.dtype(np.int64))

    def num_work_units_completed(self, name: str | None = None) -> Handle:
        """A handle of how many files it has read to their end."""
        return Handle(
            Counted("num_work_units_completed", self, lambda place: place.completed), dtype=np.dtype(np.int64)
        )


@final
class Place:
    """Where a reader is in a session."""

    def __init__(self, reader: Reader) -> None:
        self.produced = 0
        self.completed = 0
        self.lock = threading.Lock()
        self._reader = reader
        self._records: Records | None = None
        self._empty: Counter[str] = Counter()

    def next(self, name: Callable[[], bytes]) -> tuple[bytes, bytes]:
        """The next record, of the next file with one; `name` gives the next file."""
        while True:
            if self._records is None:
                path = os.fsdecode(name())
                self._empty[path] += 1
                if self._empty[path] > MOST_EMPTY:
                    got = f"none, though {len(self._empty)} of them were opened {MOST_EMPTY} times"
                    raise DataLossError(mismatch("a record in at least one file", got, at=f"'{path}' and before it"))
                self._records = self._opened(path)
            pair = next(self._records, None)
            if pair is not None:
                self.produced += 1
                self._empty.clear()
                return pair
            self.completed += 1
            self._records = None

    def rest(self) -> tuple[bytes, bytes] | None:
        """The next record of the file that is being read, if there is one."""
        if self._records is None:
            return None
        pair = next(self._records, None)
        if pair is None:
            self._records = None
            self.completed += 1
        else:
            self.produced += 1
        return pair

    def _opened(self, path: str) -> Records:
        try:
            yield from self._reader.opened(path)
        except FileNotFoundError as error:
            raise NotFoundError(mismatch(self._reader.kind, "none", at=f"'{path}'")) from error
        except SourceError as error:
            raise DataLossError(str(error)) from error
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise DataLossError(mismatch(self._reader.kind, f"`{error}`", at=f"'{path}'")) from error

    def close(self) -> None:
        """Closes the file."""
        if self._records is not None and self.lock.acquire(blocking=False):
            try:
                self._records.close()  # type: ignore[attr-defined]  # a generator
            finally:
                self.lock.release()


@final
class ReadNode(Node):
    """A step of a reader."""

    def __init__(self, name: str, reader: Reader, names: Handle, count: int | None = None) -> None:
        super().__init__(name, [names])
        self._reader = reader
        self._count = count

    @property
    def origin(self) -> object:
        """The reader."""
        return self._reader

    def told(self, outputs: Sequence[Any]) -> str | None:
        """The key of the record: its file, and its place there."""
        return f"the record '{os.fsdecode(outputs[0])}'" if self._count is None else None

    def outputs(self, step: Step) -> Sequence[Any]:
        """The next record; or the next few, as arrays."""
        place: Place = step.session.state(self._reader, lambda: Place(self._reader))

        def name() -> bytes:
            # A step of its own for each name: a reader may open several files before it finds a record.
            return Step(step.session, step.fed).value(self.inputs[0])  # type: ignore[no-any-return]

        with place.lock:
            if self._count is None:
                return place.next(name)
            found = [place.next(name)] if self._count > 0 else []
            while len(found) < self._count and (pair := place.rest()) is not None:
                found.append(pair)
        columns = np.empty((2, len(found)), object)
        for at, pair in enumerate(found):
            columns[:, at] = pair
        return list(columns)


@final
class Counted(Node):
    """A count that a reader keeps."""

    def __init__(self, name: str, reader: Reader, count: Callable[[Place], int]) -> None:
        super().__init__(name)
        self._reader = reader
        self._count = count

    def outputs(self, step: Step) -> Sequence[Any]:
        """The count."""
        return (np.int64(self._count(step.session.state(self._reader, lambda: Place(self._reader)))),)


class TextLineReader(Reader):
    """The lines of text files, without the line's end; a key is `file:line`, from 1.

    Args:
      skip_header_lines: how many lines at the beginning of each file are left out.
      name: for messages.

    Source: TF1 `tf.TextLineReader`.
    """

    def __init__(self, skip_header_lines: int = 0, name: str | None = None) -> None:
        super().__init__("a text file", self._lines)
        self._skipped = skip_header_lines or 0

    def _lines(self, path: str) -> Records:
        with open(path, "rb") as file:
            for number, line in enumerate(file, 1):
                if number > self._skipped:
                    text = line.removesuffix(b"\n").removesuffix(b"\r")
                    yield os.fsencode(f"{path}:{number}"), text


class WholeFileReader(Reader):
    """Each file as one record; its key is the file's name.

    Source: TF1 `tf.WholeFileReader`.
    """

    def __init__(self, name: str | None = None) -> None:
        super().__init__("a file", self._whole)

    def _whole(self, path: str) -> Records:
        with open(path, "rb") as file:
            yield os.fsencode(path), file.read()


class IdentityReader(Reader):
    """What the queue gives, as key and as record.

    Source: TF1 `tf.IdentityReader`.
    """

    def __init__(self, name: str | None = None) -> None:
        super().__init__("a name", lambda path: iter([(os.fsencode(path), os.fsencode(path))]))


class FixedLengthRecordReader(Reader):
    """Records of so many bytes each; a key is `file:number`, from 0.

    Args:
      record_bytes: of each record. [bytes]
      header_bytes: at the beginning of each file, left out. [bytes]
      footer_bytes: at the end of each file, left out. [bytes]
      hop_bytes: from the beginning of one record to that of the next; `record_bytes` if 0. [bytes]
      name: for messages.
      encoding: `"ZLIB"` or `"GZIP"` of files that are compressed.

    Raises:
      ValueError: a number that cannot be.

    Source: TF1 `tf.FixedLengthRecordReader`.
    """

    def __init__(
        self,
        record_bytes: int,
        header_bytes: int | None = None,
        footer_bytes: int | None = None,
        hop_bytes: int | None = None,
        name: str | None = None,
        encoding: str | None = None,
    ) -> None:
        super().__init__("a file of records of one length", self._fixed)
        for what, least, value in (
            ("record_bytes", 1, record_bytes),
            ("header_bytes", 0, header_bytes or 0),
            ("footer_bytes", 0, footer_bytes or 0),
            ("hop_bytes", 0, hop_bytes or 0),
        ):
            if value < least:
                raise ValueError(mismatch(f"`{what}` of at least {least}", value, at="FixedLengthRecordReader"))
        self._size = int(record_bytes)
        self._header, self._footer = int(header_bytes or 0), int(footer_bytes or 0)
        self._hop = int(hop_bytes or record_bytes)
        self._encoding = encoding or ""

    def _fixed(self, path: str) -> Records:
        with unpacked(path, self._encoding) as file:
            file.seek(0, os.SEEK_END)
            end = file.tell() - self._footer
            at = self._header
            number = 0
            while at + self._size <= end:
                file.seek(at)
                yield os.fsencode(f"{path}:{number}"), file.read(self._size)
                at += self._hop
                number += 1
            left = end - (at - self._hop + self._size if number else self._header)
            if self._hop == self._size and left > 0:
                raise SourceError(
                    mismatch(
                        f"records of {self._size} bytes", f"{left} bytes more", at=f"byte {end - left} of '{path}'"
                    )
                )


class TFRecordReader(Reader):
    """The records of TFRecord files, both checksums of each checked; a key is `file:offset`, in bytes.

    Args:
      name: for messages.
      options: `tf.python_io.TFRecordOptions`, or its compression type, of files that are compressed.

    Source: TF1 `tf.TFRecordReader`.
    """

    def __init__(self, name: str | None = None, options: Any = None) -> None:
        super().__init__("a TFRecord file", self._records)
        self._encoding = str(getattr(options, "compression_type", options) or "")

    def _records(self, path: str) -> Records:
        with unpacked(path, self._encoding) as file:
            for offset, record in records(file, path):
                yield os.fsencode(f"{path}:{offset}"), record


def unpacked(path: str, encoding: str) -> BinaryIO:
    """A file, decompressed if that is asked for.

    Raises:
      ValueError: there is no such compression.
    """
    if encoding in ("", "NONE"):
        return open(path, "rb")
    if encoding.upper() == "GZIP":
        return gzip.open(path, "rb")  # type: ignore[return-value]
    if encoding.upper() == "ZLIB":
        with open(path, "rb") as file:
            return BytesIO(zlib.decompress(file.read()))
    raise ValueError(mismatch('`"GZIP"` or `"ZLIB"`', f"`{encoding!r}`", at="compression"))
