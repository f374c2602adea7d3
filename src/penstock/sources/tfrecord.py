"""TFRecord files: their records as bytes, or the features of the `tf.train.Example` that each is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, final

from penstock.errors import SourceError, SpecError
from penstock.plan import Source
from penstock.sources.features import Decoding, as_features
from penstock.sources.files import Paths, Reading, file_sources, label_of, sizes_of
from penstock.sources.lasting import Bad
from penstock.sources.lines import opened
from penstock.sources.passing import Pass, Place
from penstock.sources.records import FRAME, scanned

__all__ = ["tfrecord_sources"]

RUN = 64
"""The most examples that are handed over at once. [examples]"""
RUN_BYTES = 1 << 18
"""Records that are handed over at once are few where they are large. [bytes]"""


def tfrecord_sources(
    paths: Paths, *, features: Mapping[str, Any] | None = None, streams: int = 1, shuffle_files: bool = False
) -> tuple[Source, ...]:
    """Gives a source of examples for each stream of some TFRecord files.

    Args:
      paths: a path, a glob, or several of them; `.gz` is decompressed.
      features: of each feature a dtype, or a pair of dtype and shape; the records as bytes if `None`.
      streams: how many sources the files are spread over.
      shuffle_files: whether their order is drawn for each epoch.

    Raises:
      PipelineError: an argument cannot be meant.
      SourceError: a file does not exist, or a glob matches none.
    """
    decode = None if features is None else Decoding(as_features(features, at="read_tfrecord(features)"))
    return file_sources(
        paths,
        lambda files: _Records(files, decode),
        streams=streams,
        shuffle_files=shuffle_files,
        word="read_tfrecord",
    )


@final
class _Records:
    """The records of some files, read one after the other."""

    blocks = True
    waits: bool | None = True
    once: object | None = None

    def __init__(self, files: tuple[str, ...], decode: Callable[[bytes], Any] | None) -> None:
        self.files = files
        self._decode = decode
        self.label = label_of(files)

    def open(self, epoch: int) -> Iterator[Any]:
        """Starts at the first record of the first file."""
        return Pass(self._runs_from)

    def identity(self) -> list[Any]:
        """What tells it from others: the names and sizes of its files."""
        return sizes_of(self.files)

    def length(self) -> int | None:
        """Unknown."""
        return None

    def of(self, files: tuple[str, ...]) -> _Records:
        """The same of other files."""
        return _Records(files, self._decode)

    def _runs_from(self, at: Place) -> Iterator[tuple[Place, list[Any] | Bad]]:
        """Runs of examples from a place on, each with the place behind it."""
        for number, path in enumerate(self.files[at.file :], at.file):
            start = at if number == at.file else Place(number, 0)
            with Reading("a TFRecord file", path) as reading, opened(path) as file:
                reading.row = start.row
                file.seek(start.byte)
                for place, run in self._runs(scanned(file, path, start.byte), start, path):
                    yield place, run
                    reading.row = place.row

    def _runs(
        self, found: Iterator[tuple[int, bytes, SourceError | None]], at: Place, path: str
    ) -> Iterator[tuple[Place, list[Any] | Bad]]:
        """The examples of some records, several at once; one that is bad stands alone."""
        run: list[Any] = []
        size = 0
        broken: Exception | None = None
        try:
            for byte, record, damage in found:
                behind = Place(at.file, at.row + len(run) + 1, byte + len(record) + FRAME)
                example, error = (None, damage) if damage is not None else self._example(record, byte, path)
                if error is None:
                    run.append(example)
                    size += len(record)
                if run and (error is not None or len(run) >= RUN or size >= RUN_BYTES):
                    at = behind if error is None else Place(at.file, behind.row - 1, byte)
                    yield at, run
                    run, size = [], 0
                if error is not None:
                    at = behind
                    yield at, Bad(error)
                last = behind
        except SourceError as error:  # Nothing behind it can be read; what came before it is given first.
            broken = error
        if run:
            yield last, run
        if broken is not None:
            raise broken

    def _example(self, record: bytes, byte: int, path: str) -> tuple[Any, Exception | None]:
        """The example that a record is, or why it is none."""
        if self._decode is None:
            return record, None
        try:
            return self._decode(record), None
        except SpecError as error:
            return None, SpecError(f"{error} - in the record at byte {byte} of '{path}'")
