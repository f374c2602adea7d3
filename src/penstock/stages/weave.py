"""Several chunks made one, their examples in the order of their turns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from penstock.chunk import Chunk, Columns
from penstock.ticket import Tickets

__all__ = ["interleaved", "woven"]

Turns = np.ndarray[Any, np.dtype[np.int64]]


def interleaved(parts: Sequence[Chunk]) -> Chunk:
    """One chunk of k parts of one length, an example of each in turn."""
    if len(parts) == 1:
        return parts[0]
    k, m = len(parts), parts[0].count
    tickets = Tickets.interleaved([part.tickets for part in parts])
    columns = [part.columns for part in parts]
    dense = [column for column in columns if column is not None]
    if len(dense) == k and _alike(dense):
        arrays = []
        for leaves in zip(*[column.arrays for column in dense], strict=True):
            out = np.empty((k * m, *leaves[0].shape[1:]), leaves[0].dtype)
            for i, leaf in enumerate(leaves):
                out[i::k] = leaf
            arrays.append(out)
        return Chunk(None, tickets, columns=Columns(dense[0].structure, tuple(arrays)))
    rows: list[Any] = [None] * (k * m)
    for i, part in enumerate(parts):
        rows[i::k] = part.as_rows()
    return Chunk(rows, tickets)


def _alike(columns: Sequence[Columns]) -> bool:
    one = columns[0]
    return all(
        other.structure == one.structure
        and all(
            a.dtype == b.dtype and a.shape[1:] == b.shape[1:] for a, b in zip(one.arrays, other.arrays, strict=True)
        )
        for other in columns[1:]
    )


def woven(parts: Mapping[int, Chunk], turns: Turns) -> Chunk:
    """One chunk of parts of any lengths.

    Args:
      parts: the chunks, each under the number of its input.
      turns: the number of the input that each example is taken from, int64[n]; as often as its chunk has examples.
    """
    if len(parts) == 1:
        (part,) = parts.values()
        return part
    tickets = Tickets.woven({number: part.tickets for number, part in parts.items()}, turns)
    dense = [part.columns for part in parts.values() if part.columns is not None]
    if len(dense) == len(parts) and _alike(dense):
        places = [np.flatnonzero(turns == number) for number in parts]
        arrays = []
        for leaves in zip(*[column.arrays for column in dense], strict=True):
            out = np.empty((len(turns), *leaves[0].shape[1:]), leaves[0].dtype)
            for own, leaf in zip(places, leaves, strict=True):
                out[own] = leaf
            arrays.append(out)
        return Chunk(None, tickets, columns=Columns(dense[0].structure, tuple(arrays)))
    rows = {number: iter(part.as_rows()) for number, part in parts.items()}
    return Chunk([next(rows[number]) for number in turns.tolist()], tickets)
