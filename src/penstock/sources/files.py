"""Which files a reader reads, in which order, and how they are spread over streams.

Guarantees
  The files of a glob come in the order of their names, those of a list in the order of the list.
  File i is read by stream `i % streams`; a stream reads its files one after the other.
  There are never more streams than files.
  What can be known without opening a file is said at once: a file that does not exist, a glob that matches none.
"""

from __future__ import annotations

import glob
import os
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import TracebackType
from typing import Any, Self, final

from penstock.draws import Key, permutation
from penstock.errors import PipelineError, SourceError, mismatch
from penstock.plan import Source, positive

__all__ = ["Paths", "Reading", "file_sources", "find_files", "label_of", "named", "said", "sizes_of"]

Paths = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]
"""A path, a glob, or several of them; `~` is the home directory, `**` any depth of directories."""

MOST_NAMES = 20


def file_sources(
    paths: Paths, reader: Callable[[tuple[str, ...]], Source], *, streams: int, word: str, shuffle_files: bool = False
) -> tuple[Source, ...]:
    """Gives a source for each stream.

    Args:
      paths: a path, a glob, or several of them.
      reader: makes the source that reads some files one after the other.
      streams: how many sources there are, if there are as many files.
      word: the user's word, for messages: `"read_csv"`.
      shuffle_files: whether the order of the files is drawn for each epoch.

    Raises:
      PipelineError: `streams` is below 1, or `paths` is no path, has none, or names a file twice.
      SourceError: a file does not exist, or a glob matches none.
    """
    count = positive(streams, "streams", at=f"{word}(streams)")
    files = find_files(paths, word=word)
    count = min(count, len(files))
    if shuffle_files:
        return tuple(_ShuffledFiles(reader, files, number, count) for number in range(count))
    return tuple(reader(files[number::count]) for number in range(count))


@final
class _ShuffledFiles:
    """One stream of files whose order is drawn for each epoch, and dealt to the streams.

    Args:
      reader: makes the source that reads some files one after the other.
      files: all, also those that other streams read.
      number: of this stream.
      count: how many streams there are.
      key: of the orders, uint64[2]; there is one before it is opened.
    """

    once: object | None = None

    def __init__(
        self,
        reader: Callable[[tuple[str, ...]], Source],
        files: tuple[str, ...],
        number: int,
        count: int,
        key: Key | None = None,
    ) -> None:
        self._reader, self._files, self._number, self._count, self._key = reader, files, number, count, key
        self._told = reader(files[number::count])
        self.label = self._told.label
        self.waits, self.blocks = self._told.waits, self._told.blocks

    def shuffled(self, key: Key) -> _ShuffledFiles:
        """The same by a key."""
        return _ShuffledFiles(self._reader, self._files, self._number, self._count, key)

    def open(self, epoch: int) -> Iterator[Any]:
        """Starts at the first of its files in this epoch."""
        assert self._key is not None, "who builds it gives it a key"
        order = permutation(self._key, epoch, len(self._files)).tolist()
        return self._reader(tuple(self._files[place] for place in order[self._number :: self._count])).open(epoch)

    def identity(self) -> list[Any]:
        """What tells it from others: the names and sizes of all files, and the key."""
        return [*sizes_of(self._files), *(() if self._key is None else self._key.tolist())]

    def length(self) -> int | None:
        """Where one stream reads all, as many as there are in any order; else it differs from epoch to epoch."""
        return self._told.length() if self._count == 1 else None


def find_files(paths: Paths, *, word: str) -> tuple[str, ...]:
    """Gives the files that are meant, in their order.

    Raises:
      PipelineError: `paths` is no path, has none, or names a file twice.
      SourceError: a file does not exist, or a glob matches none.
    """
    at = f"{word}(paths)"
    several: object = [paths] if isinstance(paths, (str, os.PathLike)) else paths
    if isinstance(several, (bytes, Mapping)) or not isinstance(several, Iterable):
        raise PipelineError(mismatch("a path, a glob, or a list of them", f"`{type(several).__name__}`", at=at))
    files: dict[str, None] = {}
    for path in several:
        if not isinstance(path, (str, os.PathLike)) or not isinstance(os.fspath(path), str):
            raise PipelineError(
                mismatch("a path, a glob, or a list of them", f"a `{type(path).__name__}` in it", at=at)
            )
        for file in _matches(os.path.expanduser(os.fspath(path))):
            if file in files:
                raise PipelineError(mismatch("each file once", f"'{file}' twice", at=at))
            files[file] = None
    if not files:
        raise PipelineError(mismatch("at least one path", "none", at=at))
    return tuple(files)


def _matches(path: str) -> list[str]:
    if os.path.isdir(path):
        raise SourceError(
            mismatch("a file", "a directory", at=f"'{path}'", do=f"name the files in it: '{os.path.join(path, '*')}'")
        )
    if os.path.exists(path):
        return [path]
    if not glob.has_magic(path):
        raise SourceError(mismatch("a file", "none", at=f"'{path}'"))
    files = sorted(file for file in glob.glob(path, recursive=True) if not os.path.isdir(file))
    if not files:
        raise SourceError(mismatch("a glob that matches a file", "one that matches none", at=f"'{path}'"))
    return files


@final
class Reading:
    """While a file is read: what goes wrong is told with the file's name, and the row.

    Args:
      kind: what the file is to be: `"a CSV file"`.
      path: the file.
      errors: what the library that reads it raises, beside `OSError`.

    Raises:
      SourceError: the file is gone or empty when it is its turn; or an error of reading it came up.
    """

    def __init__(self, kind: str, path: str, *, errors: tuple[type[Exception], ...] = ()) -> None:
        self.row: int | None = None
        """The number of rows read so far; `None` while the file is opened."""
        self._kind = kind
        self._path = path
        self._errors: tuple[type[Exception], ...] = (OSError, EOFError, zlib.error, *errors)

    @property
    def where(self) -> str:
        """The place, as far as it is known."""
        return f"'{self._path}'" if self.row is None else f"row {self.row} or after of '{self._path}'"

    def __enter__(self) -> Self:
        if not os.path.exists(self._path):
            raise SourceError(mismatch("a file", "none: it has gone since the pipeline was written", at=self.where))
        if os.path.isfile(self._path) and os.path.getsize(self._path) == 0:
            raise SourceError(mismatch(self._kind, "an empty one (0 bytes)", at=self.where))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if isinstance(error, self._errors) and not isinstance(error, (SourceError, MemoryError)):
            raise SourceError(mismatch(f"{self._kind} that is whole", f"`{said(error)}`", at=self.where)) from error


def said(error: BaseException) -> str:
    """The first line of what an error says."""
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")


def sizes_of(files: tuple[str, ...]) -> list[Any]:
    """The names of files, without their directories, and their sizes, -1 of one that is gone. [bytes]"""
    return [[os.path.basename(file), os.path.getsize(file) if os.path.exists(file) else -1] for file in files]


def label_of(files: tuple[str, ...]) -> str:
    """What a source of some files is called: `train-0.csv and 3 more`."""
    name = os.path.basename(files[0])
    return name if len(files) == 1 else f"{name} and {len(files) - 1} more"


def named(names: Iterable[str]) -> str:
    """Lists names in a message, the first few of very many."""
    listed = [f"`{name}`" for name in names]
    more = [] if len(listed) <= MOST_NAMES else [f"and {len(listed) - MOST_NAMES} more"]
    return ", ".join(listed[:MOST_NAMES] + more)
