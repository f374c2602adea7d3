"""What can be told of a pipeline without running it: how long it is, and how it was written."""

from __future__ import annotations

import math

from penstock.later import later
from penstock.plan import Batch, Convert, Filter, Join, Node, Read, Repeat, Shard, Share, Skip, Take, Unbatch
from penstock.staged import Staged

__all__ = ["ENDLESS", "last_change", "length_of", "words_of"]

ENDLESS = math.inf
"""The length of what never ends."""


def last_change(node: Node) -> Node:
    """The last node that changes what is delivered."""
    while isinstance(node, Convert | Take | Skip | Repeat | Filter):
        (node,) = node.upstream
    return node


def length_of(node: Node) -> float | None:
    """How many examples, or batches, come out of a node, where that is known; `ENDLESS` if it never ends."""
    if isinstance(node, Read):
        return None if node.chunks else node.source.length()
    if isinstance(node, Filter | Unbatch) or (isinstance(node, Staged) and not node.keeps_all):
        return None
    if isinstance(node, Join):
        if any(below.batched for below in node.of) or node.stops or callable(node.weights):
            return None
        lengths = [length_of(below) for below, weight in zip(node.of, node.weights or node.of, strict=True) if weight]
        return None if None in lengths else sum(length for length in lengths if length is not None)
    if isinstance(node, Share) and node.way == "files":
        return _of_files(node)
    (below,) = node.upstream
    length = length_of(below)
    if length is None:
        return None
    if isinstance(node, Share) and node.end is None and length != ENDLESS:
        if node.way != "turns":
            return None
        turns, rest = divmod(int(length), node.run * node.world_size)
        return turns * node.run + min(node.run, max(0, rest - node.rank * node.run))
    if isinstance(node, Share) and length != ENDLESS:
        round_ = node.run * node.world_size
        rounds = length // round_ if node.end == "drop" else -(-length // round_)
        return rounds * node.run if node.end == "drop" else node.filled(int(rounds) * node.run)
    if isinstance(node, Repeat):
        if node.epochs is None:
            return ENDLESS if length else None  # Without an example it ends with an error.
        return length * node.epochs
    if isinstance(node, Take):
        return min(length, node.count)
    if isinstance(node, Skip):
        return max(0, length - node.count)
    if isinstance(node, Batch) and length != ENDLESS:
        return -(-length // node.size) if node.keep_last else length // node.size
    return length


def _of_files(share: Share) -> float | None:
    """How many examples a rank gets that opens its own files."""
    if share.passes is None:
        return ENDLESS
    parts = [[source.length() for source in part] for part in share.parts]
    if any(None in part for part in parts):
        return None
    lengths = [sum(length for length in part if length is not None) * share.passes for part in parts]
    if share.end is None:
        return lengths[share.rank]
    return min(lengths) if share.end == "drop" else share.filled(max(lengths))


def words_of(node: Node) -> str:
    """A pipeline as it was written, about."""
    if isinstance(node, Read):
        return node.source.label
    if isinstance(node, Join):
        shown = ", ".join(words_of(below) for below in node.of[:4]) + (", …" if len(node.of) > 4 else "")
        return f"join([{shown}])"
    (below,) = node.upstream
    if isinstance(node, Shard):
        return f"{words_of(below)}.{_shard(node)}"
    if isinstance(node, Batch) and node.grouped:
        return words_of(below)  # `bucket`, which is what batches
    argument = {Batch: "size", Take: "count", Skip: "count", Repeat: "epochs", Convert: "to"}.get(type(node))
    word = "to" if isinstance(node, Convert) else type(node).__name__.lower()
    return f"{words_of(below)}.{word}({getattr(node, argument) if argument else ''})"


def _shard(node: Shard) -> str:
    end = "None" if node.end is None else f'"{node.end}"'
    if node.rank is None or node.world_size is None:
        return f'shard("auto", end={end})'
    way = later("sharing").way_of(node, node.world_size)
    return f'shard({node.rank}, {node.world_size}, end={end}, by="{way}")'
