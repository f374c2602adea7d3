"""Text files: their lines as examples."""

from __future__ import annotations

import codecs
import io
from collections.abc import Generator, Iterator
from typing import Any, final

from penstock.errors import PipelineError, SourceError, mismatch
from penstock.plan import Source
from penstock.sources.files import Paths, Reading, file_sources, label_of
from penstock.sources.lasting import Bad, Lasting
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
        return Lasting(self._lines())

    def length(self) -> int | None:
        """Unknown."""
        return None

    def _lines(self) -> Generator[list[str] | Bad, None, None]:
        for path in self._files:
            with Reading("a text file", path) as reading, opened(path) as file:
                reading.row = 0
                for lines, error in _decoded(parts(file, PART), self._encoding):
                    yield lines
                    reading.row += len(lines)
                    if error is not None:
                        at = f"row {reading.row} of '{path}'"
                        bad = SourceError(mismatch(f"text in {self._encoding}", "other bytes", at=at))
                        bad.__cause__ = error
                        yield Bad(bad)
                        reading.row += 1


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
