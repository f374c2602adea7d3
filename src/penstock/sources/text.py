"""Text files: their lines as examples."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from typing import Any, final

from penstock.errors import PipelineError, SourceError, mismatch
from penstock.plan import Source
from penstock.sources.files import Paths, Reading, file_sources, label_of, sizes_of
from penstock.sources.lasting import Bad
from penstock.sources.lines import opened, parts
from penstock.sources.passing import Pass, Place

__all__ = ["text_sources"]

PART = 1 << 16
"""Read at once. [bytes]"""


def text_sources(
    paths: Paths, *, streams: int = 1, shuffle_files: bool = False, encoding: str = "utf-8"
) -> tuple[Source, ...]:
    r"""Gives a source of lines for each stream of some text files: `str` without the line's end (`\n`, `\r\n` or `\r`).

    Args:
      paths: a path, a glob, or several of them; `.gz` is decompressed.
      streams: how many sources the files are spread over.
      shuffle_files: whether their order is drawn for each epoch.
      encoding: of the files.

    Raises:
      PipelineError: an argument cannot be meant.
      SourceError: a file does not exist, or a glob matches none.
    """
    try:
        "".encode(encoding)
    except (LookupError, TypeError):
        expected = "`encoding` to be the name of a text encoding"
        raise PipelineError(mismatch(expected, f"`{encoding!r}`", at="read_text(encoding)")) from None
    return file_sources(
        paths,
        lambda files: _TextSource(files, encoding),
        streams=streams,
        shuffle_files=shuffle_files,
        word="read_text",
    )


_ONE_BYTE = {"utf-8", "ascii", "iso8859-1", "iso8859-15", "cp1252"}
"""Encodings in which the byte 10 is a line feed and nothing else."""


@final
class _TextSource:
    """The lines of some files, read one after the other."""

    blocks = True
    waits: bool | None = True
    once: object | None = None

    def __init__(self, files: tuple[str, ...], encoding: str) -> None:
        self.files = files
        self._encoding = encoding
        # Where a byte that is 10 can only be the end of a line, one can begin to read behind it.
        self._one_byte = codecs.lookup(encoding).name in _ONE_BYTE
        self.label = label_of(files)

    def open(self, epoch: int) -> Iterator[Any]:
        """Starts at the first line of the first file."""
        return Pass(self._lines_from)

    def identity(self) -> list[Any]:
        """What tells it from others: the names and sizes of its files."""
        return sizes_of(self.files)

    def length(self) -> int | None:
        """Unknown."""
        return None

    def of(self, files: tuple[str, ...]) -> _TextSource:
        """The same of other files."""
        return _TextSource(files, self._encoding)

    def _lines_from(self, at: Place) -> Iterator[tuple[Place, list[str] | Bad]]:
        """Runs of lines from a place on, each with the place behind it."""
        for number, path in enumerate(self.files[at.file :], at.file):
            start = at if number == at.file else Place(number, 0)
            with Reading("a text file", path) as reading, opened(path) as file:
                reading.row = start.row
                file.seek(start.byte)
                ends = _Ends(start, newline=b"\n" if self._one_byte else None)
                drop = start.drop
                for lines, error in _decoded(ends.watch(parts(file, PART)), self._encoding):
                    place = ends.behind(len(lines), spoiled=error is not None)
                    if drop < len(lines):
                        yield place, lines[drop:]
                    drop = max(0, drop - len(lines))
                    reading.row += len(lines)
                    if error is not None:
                        where = f"row {reading.row} of '{path}'"
                        bad = SourceError(mismatch(f"text in {self._encoding}", "other bytes", at=where))
                        bad.__cause__ = error
                        place = ends.behind(1, spoiled=True)
                        if not drop:
                            yield place, Bad(bad)
                        drop = max(0, drop - 1)
                        reading.row += 1


class _Ends:
    """Finds the last place in a file, before which all lines were given, where one can begin to read.

    Args:
      start: where reading began.
      newline: the byte behind which one can; `None` if there is none.
    """

    def __init__(self, start: Place, *, newline: bytes | None) -> None:
        self._file, self._newline = start.file, newline
        self._read, self._row = start.byte, start.row
        self._safe = start.byte, start.row
        self._found: int | None = None

    def watch(self, parts: Iterator[bytes]) -> Iterator[bytes]:
        """Passes the bytes on."""
        for part in parts:
            end = 0 if self._newline is None else part.rfind(self._newline) + 1
            # Whether a carriage return behind it ends a line is not known before what follows is.
            if end and b"\r" not in part[end:]:
                self._found = self._read + end
            self._read += len(part)
            yield part

    def behind(self, count: int, *, spoiled: bool) -> Place:
        """The place behind so many lines of what was passed on last.

        Args:
          count: of the lines. [lines]
          spoiled: whether what was passed on has more lines, as one of them was bad; then one cannot begin behind it.
        """
        self._row += count
        if spoiled:
            self._found = None
        if self._found is not None:
            self._safe, self._found = (self._found, self._row), None
        byte, row = self._safe
        return Place(self._file, row, byte, self._row - row)


def _decoded(parts: Iterator[bytes], encoding: str) -> Iterator[tuple[list[str], UnicodeDecodeError | None]]:
    """Runs of whole lines; and an error, if the line behind them cannot be decoded.

    What follows that line is given too, but where the end of a line is more than one byte: there it cannot be found.
    """
    decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder(encoding)(), translate=True)
    goes_on = "\n\n".encode(encoding) == b"\n\n"
    begun: list[str] = []
    bad = False  # whether the rest of a line that cannot be decoded is still to come
    for part in parts:
        while part:
            if bad:
                end = part.find(b"\n") + 1
                bad, part = not end, part[end:] if end else b""
                continue
            text, error, part = _text(decoder, part)
            first, *others = text.split("\n")
            begun.append(first)
            lines = ["".join(begun), *others[:-1]] if others else []
            if others:
                begun = [others[-1]]
            if others or error is not None:
                yield lines, error
            if error is not None:
                if not goes_on:
                    raise error
                begun, bad = [], True
                decoder.reset()
    if bad:
        return
    text, error, _ = _text(decoder, b"", final=True)
    last = "".join([*begun, text])
    if last or error is not None:
        yield [] if error is not None else last.removesuffix("\n").split("\n"), error


def _text(decoder: Any, part: bytes, *, final: bool = False) -> tuple[str, UnicodeDecodeError | None, bytes]:
    """Decodes a part, or as much of it as can be decoded; gives also the bytes from those on that cannot."""
    state = decoder.getstate()
    try:
        return decoder.decode(part, final=final), None, b""
    except UnicodeDecodeError:
        decoder.setstate(state)
    text: list[str] = []
    place = 0
    try:
        for place in range(len(part)):
            text.append(decoder.decode(part[place : place + 1]))
        text.append(decoder.decode(b"", final=final))
    except UnicodeDecodeError as error:
        return "".join(text), error, part[place:]
    raise AssertionError("what cannot be decoded at once cannot be decoded byte by byte")
