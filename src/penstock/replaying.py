"""One example again, step by step, in the caller's own thread: to see what is wrong with it.

The source is opened anew and read up to the example, then each function is applied to that one example.
What other examples decide (which leave a join when, which class is full, how far a batch is padded) is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from penstock.assemble import Assembler, Misfit, Pool
from penstock.chunk import Chunk, Columns
from penstock.errors import PipelineError, SourceError, mismatch, placed
from penstock.pipeline import Pipeline, node_of, options_of
from penstock.place import Place, labels_of, ordered, word_of
from penstock.plan import Batch, Filter, Map, Node, Options, Read, padding
from penstock.staged import Staged
from penstock.stages import Applied, spec_of
from penstock.stages.reader import place_of_ticket
from penstock.ticket import Ticket, listed_tickets

__all__ = ["Step", "replay", "steps", "ticket_of"]

MODELS = 16
"""So many examples are looked at for one that is good, to compare with. [examples]"""

_ENDED = object()


class Step(NamedTuple):
    """What one word of the pipeline has made of the example."""

    word: str
    """`"read 'train-3.jsonl'"`, `"map(decode)"`, `"filter(long)"`, `"batch(32)"`."""
    value: Any
    """What came out: the example; a batch of this one example; `None` where a filter has left it out."""
    kept: bool = True
    """Whether it goes on."""

    def __str__(self) -> str:
        return f"{self.word}: {self.value!r}" if self.kept else f"{self.word}: left out"


def replay(pipeline: Pipeline, ticket: Ticket | str) -> Any:
    """What a pipeline makes of one example, printed step by step; an error is raised as the user's code raises it.

    Functions that draw random numbers get the same as in the flow. Words behind `.batch` are not applied, as they are
    meant for whole batches.

    Args:
      pipeline: the pipeline.
      ticket: of the example, as `flow.quarantine` has it, or its text: `"2:0:118"`, or `"example 118 of source 2"`.

    Returns:
      What came out last.

    Raises:
      PipelineError: there is no such source, or it can be opened only once.
      SourceError: the source ends before the example.
      SpecError: the example does not fit the first of its source.

    >>> import penstock as ps
    >>> halves = ps.join([["2", "x", "6"]]).map(lambda text: int(text) / 2, on_error=ps.Skip())
    >>> ps.replay(halves, "0:0:2")
    read 'list': '6'
    map(<lambda>): 3.0
    3.0
    """
    last = None
    for step in steps(pipeline, ticket_of(ticket) if isinstance(ticket, str) else ticket):
        print(step)
        last = step.value
    return last


def steps(pipeline: Pipeline, ticket: Ticket) -> Iterator[Step]:
    """The steps of `replay`, one by one."""
    node, options = node_of(pipeline), options_of(pipeline)
    labels = labels_of(node)
    if not 0 <= ticket.stream < len(labels):
        got = f"source {ticket.stream}"
        raise PipelineError(mismatch(f"a source from 0 to {len(labels) - 1}", got, at="replay(ticket)"))
    words = list(_way(node, ticket.stream, Place()))
    read = words[0][0]
    if read.source.once is not None:
        raise PipelineError(
            mismatch(
                "a source that can be opened again",
                f"the one-shot `{read.source.label}`",
                at="replay()",
                do="pass a callable that opens it",
            )
        )
    chunk = _read(read, ticket, options, labels)
    yield Step(f"read {labels[ticket.stream]!r}", chunk.as_rows()[0])
    for place, (word, at) in enumerate(words):
        if isinstance(word, Map | Filter):
            chunk, kept = _applied(word, at, options, labels, chunk)
            yield Step(word_of(word), chunk.as_rows()[0], kept)
            if not kept:
                return
        elif isinstance(word, Staged):
            look = word.reads(labels)
            if look is not None:
                error = Applied(look, "looking at", seed=0, stage=0, labels=labels).over(chunk)[2]
                if error is not None:
                    raise error
        elif isinstance(word, Batch):
            model = _model(words[:place], ticket, options, labels) or chunk
            yield Step(word_of(word), _batch_of(word, model, chunk, place_of_ticket(ticket, labels)))
            return


def _way(node: Node, stream: int, place: Place) -> Iterator[tuple[Any, Place]]:
    """The words that an example of a source goes through, from its read on, each with its place in the description."""
    at = place
    for below in node.upstream:
        after = at.after(below)
        if at.streams <= stream < after.streams:
            yield from _way(below, stream, at)
            break
        at = after
    yield node, place


def _read(read: Read, ticket: Ticket, options: Options, labels: list[str]) -> Chunk:
    """The example of a ticket; the errors of those before it do not matter, where the source goes on behind them."""
    source: Any = ordered(read, ticket.stream, options.seed)
    where = listed_tickets(np.array([ticket], np.int64))
    if getattr(source, "by_index", False) and not read.chunks and ticket.offset < (source.length() or 0):
        try:
            return Chunk(source.fetch(ticket.epoch, [ticket.offset]), where)
        except Exception as error:
            raise placed(error, f"reading {place_of_ticket(ticket, labels)}") from None
    items = getattr(source, "lasting", source.open)(ticket.epoch)
    raised: Exception | None = None
    at = 0
    try:
        while True:
            try:
                item = next(items, _ENDED)
            except Exception as error:
                raised = error
                if at == ticket.offset:
                    place = place_of_ticket(ticket, labels)
                    raise placed(error, f"reading {place}") from None
                at += 1
                continue
            if item is _ENDED:
                got = f"its end after {at}"
                at_source = f"source {labels[ticket.stream]!r}"
                raise SourceError(mismatch(f"an example {ticket.offset}", got, at=at_source)) from raised
            run: Any = Columns.of(item) if read.chunks else item if source.blocks else [item]
            size = 1 if read.chunks else len(run)
            if at + size > ticket.offset:
                row = ticket.row if read.chunks else ticket.offset - at
                rows = run.cut(row, row + 1).rows() if isinstance(run, Columns) else [run[row]]
                return Chunk(rows, where)
            at += size
    finally:
        close = getattr(items, "close", None)
        if close is not None:
            close()


def _applied(word: Map | Filter, at: Place, options: Options, labels: list[str], chunk: Chunk) -> tuple[Chunk, bool]:
    """What a function makes of an example, and whether it goes on."""
    judges = isinstance(word, Filter)
    seed = options.seed if word.seed is None else word.seed
    number = at.after(word).drawing
    doing = "filtering" if judges else "mapping"
    applied = Applied(word.fn, doing, seed=seed, stage=number, labels=labels, judges=judges)
    _, out, error = applied.over(chunk)
    if error is not None:
        raise error
    return (chunk, bool(out[0])) if judges else (Chunk(out, chunk.tickets), True)


def _model(words: Sequence[tuple[Any, Place]], ticket: Ticket, options: Options, labels: list[str]) -> Chunk | None:
    """The first good example of the same source, as it comes to the batch: the others are to be like it."""
    for offset in range(min(ticket.offset, MODELS)):
        try:
            chunk, kept = _read(words[0][0], ticket._replace(offset=offset, row=0), options, labels), True
            for word, at in words:
                if kept and isinstance(word, Map | Filter):
                    chunk, kept = _applied(word, at, options, labels, chunk)
        except Exception:  # it is not the one that was asked for
            continue
        if kept:
            return chunk
    return None


def _batch_of(word: Batch, model: Chunk, chunk: Chunk, place: str) -> Any:
    """A batch of one example, which is to be like another."""
    pad, spec = padding(word.of), spec_of(model)
    rules = pad.resolved(spec.paths) if pad is not None else {}
    assembler = Assembler(spec, rules.get, Pool())
    (example,) = chunk.as_rows()
    try:
        arrays, extras = assembler.rows([example])
    except Misfit:
        raise assembler.explain(example, place) from None
    batch = assembler.spec.structure.build(arrays)
    return (batch, extras) if extras else batch


def ticket_of(text: str) -> Ticket:
    """Reads a ticket as it is printed.

    Args:
      text: `"2:0:118"` (stream, epoch, offset; then row and use, if not 0), `"Ticket(stream=2, ...)"`, or words as in a
        message, `"example 118 of source 2"` or `"row 3 of item 5 of source 1"`, which mean epoch 0.

    Raises:
      PipelineError: it is none of these.

    >>> ticket_of("2:0:118") == ticket_of("example 118 of source 2") == Ticket(2, 0, 118)
    True
    """
    if re.fullmatch(r"\d+:\d+:\d+(:\d+){0,2}", text):
        return Ticket(*map(int, text.split(":")))
    if found := re.match(r"Ticket\(stream=(\d+), epoch=(\d+), offset=(\d+), row=(\d+), use=(\d+)\)", text):
        return Ticket(*map(int, found.groups()))
    if found := re.match(r"(?:row (\d+) of item|example) (\d+) of source (\d+)", text):
        return Ticket(int(found[3]), 0, int(found[2]), int(found[1] or 0))
    expected = "a ticket such as `2:0:118`: stream, epoch, offset"
    raise PipelineError(mismatch(expected, f"`{text}`", at="replay(ticket)"))
