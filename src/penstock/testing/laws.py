"""Checks of the laws of sources and stages."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from time import monotonic, sleep
from typing import Any, final

import numpy as np

from penstock.chunk import END, Chunk, Columns
from penstock.errors import mismatch
from penstock.plain import from_plain, to_plain
from penstock.sources import as_source
from penstock.spec import Spec
from penstock.stages import RowReader, RunReader, Stage
from penstock.stages.snapshot import Unsettled
from penstock.structure import Structure
from penstock.ticket import Ticket, Tickets, item_tickets, turn_tickets

__all__ = ["Recut", "check_source", "check_stage", "no_threads_left", "same"]

MOST = 10_000
"""A source that gives more examples than this is checked on so many. [examples]"""


def check_source(make: Callable[[], Any], *, most: int = MOST) -> int:
    """Checks that a source is one that can be trusted, and gives the number of its examples.

    Args:
      make: gives the source, anew at each call: anything that `join` takes.
      most: how many examples are looked at. [examples]

    Returns:
      How many examples were checked. [examples]

    Raises:
      AssertionError: two openings differ; an example does not fit the first's spec, but for its sizes; the source goes on
        after its end; its length is not what it says; or what it yielded changes later without its reader's notice.

    >>> check_source(lambda: lambda: iter([1, 2, 3]))
    3
    """
    passes = []
    for _ in range(2):
        source = as_source(make())
        kind = RunReader if source.blocks else RowReader
        reader: Any = (
            RunReader(source, 0, epoch=0, items=False)
            if kind is RunReader
            else RowReader(source, 0, epoch=0, copy=None)
        )
        seen: list[Any] = []
        kept: list[Any] = []
        while len(seen) < most:
            chunk = reader.take(1)
            if chunk.error is not None:
                raise AssertionError(mismatch("a source that does not raise", repr(chunk.error))) from chunk.error
            if chunk.count == 0:
                break
            seen += chunk.as_rows()
            kept += [_deep(row) for row in chunk.as_rows()]
        else:
            reader.close()
            _compare(seen, kept, "examples that stay as they were yielded (yield a new array each time)")
            passes.append(kept)
            continue
        if reader.take(1).count:
            raise AssertionError(mismatch("an end for good", "another example after the end"))
        reader.close()
        length = source.length()
        if length is not None and length != len(seen):
            raise AssertionError(mismatch(f"as many examples as the source says, {length}", str(len(seen))))
        _compare(seen, kept, "examples that stay as they were yielded (yield a new array each time)")
        passes.append(kept)
    _compare(passes[0], passes[1], "the same examples at each opening")
    if passes[0]:
        first = Spec.of(passes[0][0])
        free = first.reshaped(lambda path, component: (None,) * len(component.shape))
        for index, example in enumerate(passes[0]):
            free.check(example, at=f"example {index}")
    return len(passes[0])


def check_stage(
    make: Callable[[Stage], Stage],
    examples: Sequence[Any],
    *,
    error: Exception | None = None,
    columns: bool = False,
    item: int | None = None,
    rounds: int = 25,
    seed: int = 0,
) -> list[Any]:
    """Checks that a stage keeps the laws of `Stage`, and gives what it gives.

    The input is cut into chunks at random, and the stage is asked for random numbers of examples; the outcome must not
    change. Nor where it is stopped at a random place, and another stage goes on from its snapshot.

    Args:
      make: gives the stage, on top of the one that it is handed.
      examples: the input.
      error: what stands after the last example, if anything.
      columns: whether the input comes as columns.
      item: the size of the input's items, where a turn is an item. [examples]
      rounds: how many ways of cutting are tried.
      seed: of the cutting.

    Returns:
      The examples that the stage gives.

    Raises:
      AssertionError: it depends on the cutting; gives more than it was asked for; goes on after its end; or what follows a
        snapshot that was restored is not what follows it.

    >>> from penstock.stages.take import Take
    >>> check_stage(lambda upstream: Take(upstream, 2), [1, 2, 3])
    [1, 2]
    """
    random = np.random.default_rng(seed)
    outcomes: list[tuple[list[Any], list[Ticket], BaseException | None]] = []
    for round_ in range(rounds):
        largest = 1 << int(random.integers(0, 8)) if round_ else 1 << 30

        def cut(largest: int = largest, seed: int = round_) -> Stage:
            return make(Recut(examples, error=error, columns=columns, item=item, largest=largest, seed=seed))

        stage = cut()
        outcomes.append(_drained(stage, random, largest, again=cut if round_ % 2 else None))
        stage.close()
        stage.close()
    rows, tickets, raised = outcomes[0]
    for other_rows, other_tickets, other_raised in outcomes[1:]:
        _compare(rows, other_rows, "the same examples however the input is cut")
        if tickets != other_tickets:
            raise AssertionError(
                mismatch("the same tickets however the input is cut", f"{other_tickets} and {tickets}")
            )
        if type(raised) is not type(other_raised):
            raise AssertionError(mismatch(f"the same ending however the input is cut, {raised!r}", repr(other_raised)))
    return rows


def _drained(
    stage: Stage, random: np.random.Generator, largest: int, again: Callable[[], Stage] | None
) -> tuple[list[Any], list[Ticket], BaseException | None]:
    rows: list[Any] = []
    tickets: list[Ticket] = []
    while True:
        n = int(random.integers(1, min(largest, 300) + 1))
        chunk = stage.take(n)
        if chunk.count > n:
            raise AssertionError(mismatch(f"at most {n} examples", str(chunk.count)))
        if len(chunk.tickets) != chunk.count:
            raise AssertionError(mismatch(f"a ticket for each of {chunk.count} examples", str(len(chunk.tickets))))
        rows += [_deep(row) for row in chunk.as_rows()]
        tickets += list(chunk.tickets)
        if again is not None and not random.integers(3):
            stage = _resumed(stage, again)
        if chunk.count == 0 or chunk.error is not None:
            for _ in range(2):
                if not stage.take(n).is_end:
                    raise AssertionError(mismatch("an end for good", "something after it"))
            return rows, tickets, chunk.error


def _resumed(stage: Stage, again: Callable[[], Stage]) -> Stage:
    """Another stage that goes on where this one stands; this one, where that cannot be told just now."""
    try:
        saved = stage.snapshot()
    except Unsettled:
        return stage
    other = again()
    other.restore(from_plain(json.loads(json.dumps(to_plain(saved)))))
    return other


@final
class Recut:
    """A stage that gives known examples in chunks of random sizes.

    Args:
      examples: what it gives.
      error: what stands after the last.
      columns: whether chunks are columns.
      item: the size of an item, where a turn is an item; no chunk crosses its end. [examples]
      largest: no chunk is larger. [examples]
      seed: of the sizes.
    """

    def __init__(
        self,
        examples: Sequence[Any],
        *,
        error: Exception | None = None,
        columns: bool = False,
        item: int | None = None,
        largest: int = 8,
        seed: int = 0,
    ) -> None:
        self._examples = list(examples)
        self._error = error
        self._columns = columns
        self._item = item
        self._largest = largest
        self._random = np.random.default_rng(seed)
        self._at = 0

    def take(self, n: int) -> Chunk:
        """Gives the next few."""
        left = len(self._examples) - self._at
        if left == 0:
            error, self._error = self._error, None
            return END if error is None else Chunk([], END.tickets, error=error)
        most = min(n, left, self._largest)
        if self._item is not None:
            most = min(most, self._item - self._at % self._item)
            # What a reader of items does: all that is left of the item, up to n.
            count = most if n > self._item else int(self._random.integers(1, most + 1))
        else:
            count = int(self._random.integers(1, most + 1))
        start, self._at = self._at, self._at + count
        rows = self._examples[start : self._at]
        error = None
        if self._at == len(self._examples) and self._random.integers(2):
            error, self._error = self._error, None
        end = self._item is None or self._at % self._item == 0 or self._at == len(self._examples)
        if self._item is None:
            tickets = turn_tickets((0,), 0, (start,), 0, count)
        else:
            tickets = item_tickets(0, 0, start // self._item, start % self._item, count)
        if not self._columns:
            return Chunk(rows, tickets, error=error, item_end=end)
        structure = Structure.of(rows[0])
        leaves = zip(*[structure.leaves(row) for row in rows], strict=True)
        return Chunk(
            None,
            tickets,
            columns=Columns(structure, tuple(np.stack(leaf) for leaf in leaves)),
            error=error,
            item_end=end,
        )

    def snapshot(self) -> dict[str, Any]:
        """How many it has given."""
        return {"at": self._at, "error": self._error is not None}

    def restore(self, saved: dict[str, Any]) -> None:
        """Goes on behind as many."""
        self._at = saved["at"]
        self._error = self._error if saved["error"] else None

    recalls = True

    def recall(self, tickets: Tickets) -> list[Any]:
        """The examples with these tickets."""
        size = self._item
        return [
            self._examples[ticket.offset if size is None else ticket.offset * size + ticket.row] for ticket in tickets
        ]

    def close(self) -> None:
        """Holds nothing."""


@contextmanager
def no_threads_left(within_s: float = 2.0) -> Iterator[None]:
    """Checks that no thread of penstock's that was started in the block is alive after it.

    Args:
      within_s: how long threads that are ending are waited for. [s]

    Raises:
      AssertionError: one is alive; names it.

    >>> import penstock as ps
    >>> with no_threads_left():
    ...     for batch in ps.join([[1, 2, 3]]).batch(2):
    ...         break
    """
    before = set(threading.enumerate())
    yield
    deadline = monotonic() + within_s
    for thread in set(threading.enumerate()) - before:
        if thread.name.startswith("ps-"):
            _await(thread, deadline)
            if thread.is_alive():
                raise AssertionError(mismatch("no thread of penstock's", f"{thread.name!r}", do="close the flow"))


def _await(thread: threading.Thread, deadline: float) -> None:
    while monotonic() < deadline:
        try:
            return thread.join(max(0.0, deadline - monotonic()))
        except RuntimeError:  # it is just being started
            sleep(0)


def same(one: Any, other: Any) -> bool:
    """Whether two examples, or batches, are the same: structure, dtypes, shapes and bytes; NaN equals NaN."""
    structure = Structure.of(one)
    if structure != Structure.of(other):
        return False
    return all(_same_leaf(a, b) for a, b in zip(structure.leaves(one), structure.leaves(other), strict=True))


def _same_leaf(one: Any, other: Any) -> bool:
    a, b = np.asarray(one), np.asarray(other)
    if a.dtype != b.dtype or a.shape != b.shape:
        return False
    return bool(np.array_equal(a, b, equal_nan=a.dtype.kind in "fcmM"))


def _compare(one: Sequence[Any], other: Sequence[Any], want: str) -> None:
    for index, (a, b) in enumerate(zip(one, other, strict=False)):
        if not same(a, b):
            raise AssertionError(mismatch(want, f"{a!r} and {b!r}", at=f"example {index}"))
    if len(one) != len(other):
        raise AssertionError(mismatch(want, f"{len(one)} and {len(other)} of them"))


def _deep(row: Any) -> Any:
    structure = Structure.of(row)
    leaves = [leaf.copy() if isinstance(leaf, np.ndarray) else leaf for leaf in structure.leaves(row)]
    return structure.build(leaves)
