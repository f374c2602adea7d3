"""Text files: their lines as examples."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from typing import Any, final

from penstock.errors import PipelineError, SourceError, mismatch
from penstock.plan import Source
from penstock.sources.files import Paths, Reading, file_sources, label_of
from penstock.sources.lines import opened, parts

__all__ = ["text_sources"]

PART = 1 << 16
"""Read at once. [bytes]"""


def text_sources(paths: Paths, *, streams: int = 1, encoding: str = "utf-8") -> tuple[Source, ...]:
    r"""Gives a source of lines for each stream of some text files: `str` without the line's end (`\n`, `\r\n` or `\r`).

    Args:
      paths: a path, a glob, or several of them; `.gz` is decompressed.
      streams: how many sources the files are spread over.
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
    return file_sources(paths, lambda files: _TextSource(files, encoding), streams=streams, word="read_text")


@final
class _TextSource:
    """The lines of some files, read one after the other."""

    blocks = True
    waits: bool | None = True
    once: object | None = None

    def __init__(self, files: tuple[str, ...], encoding: str) -> None:
        self._files = files
        self._encoding = encoding
        self.label = label_of(files)

    def open(self, epoch: int) -> Iterator[Any]:
        """Starts at the first line of the first file."""
        return self._lines()

    def length(self) -> int | None:
        """Unknown."""
        return None

    def _lines(self) -> Iterator[list[str]]:
        for path in self._files:
            with Reading("a text file", path) as reading, opened(path) as file:
                reading.row = 0
                for lines, error in _decoded(parts(file, PART), self._encoding):
                    yield lines
                    reading.row += len(lines)
                    if error is not None:
                        at = f"row {reading.row} of '{path}'"
                        raise SourceError(mismatch(f"text in {self._encoding}", "other bytes", at=at)) from error


def _decoded(parts: Iterator[bytes], encoding: str) -> Iterator[tuple[list[str], UnicodeDecodeError | None]]:
    """Runs of whole lines; and an error, if the line behind them cannot be decoded."""
    decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder(encoding)(), translate=True)
    begun: list[str] = []
    for part in parts:
        text, error = _text(decoder, part)
        first, *others = text.split("\n")
        begun.append(first)
        if others:
            lines = ["".join(begun), *others[:-1]]
            begun = [others[-1]]
            yield lines, error
        elif error is not None:
            yield [], error
    text, error = _text(decoder, b"", final=True)
    last = "".join([*begun, text])
    if last or error is not None:
        yield [] if error is not None else last.removesuffix("\n").split("\n"), error


def _text(decoder: Any, part: bytes, *, final: bool = False) -> tuple[str, UnicodeDecodeError | None]:
    """Decodes a part, or as much of it as can be decoded."""
    state = decoder.getstate()
    try:
        return decoder.decode(part, final=final), None
    except UnicodeDecodeError:
        decoder.setstate(state)
    text: list[str] = []
    try:
        for place in range(len(part)):
            text.append(decoder.decode(part[place : place + 1]))
        text.append(decoder.decode(b"", final=final))
    except UnicodeDecodeError as error:
        return "".join(text), error
    raise AssertionError("what cannot be decoded at once cannot be decoded byte by byte")
