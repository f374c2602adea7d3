"""Files of lines, plain or `.gz`, read in pieces of a fixed size."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, cast

__all__ = ["opened", "parts"]


@contextmanager
def opened(path: str) -> Iterator[BinaryIO]:
    """Opens a file for its bytes; a name that ends in `.gz` is decompressed."""
    with open(path, "rb") as raw:
        if not path.endswith(".gz"):
            yield raw
            return
        with gzip.open(raw) as unpacked:
            yield cast(BinaryIO, unpacked)


def parts(file: BinaryIO, size: int) -> Iterator[bytes]:
    """Gives the bytes of a file, `size` at a time; before an error, all that could be read. [bytes]"""
    ended = False
    while not ended:
        pieces: list[bytes] = []
        missing = size
        error: Exception | None = None
        while missing and not ended:
            try:
                piece = file.read1(missing)  # type: ignore[attr-defined]  # of both kinds of files
            except (OSError, EOFError, zlib.error) as raised:
                error, ended = raised, True
                break
            ended = not piece
            pieces.append(piece)
            missing -= len(piece)
        if missing < size:
            yield b"".join(pieces)
        if error is not None:
            raise error
