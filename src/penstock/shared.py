"""Flows under a shared name: several pipelines of one process feed from one, each batch going to exactly one of them."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from functools import partial
from types import TracebackType
from typing import Any, Self, final

from penstock.engine.commune import Commune
from penstock.engine.shared import shared, unshared
from penstock.errors import FlowClosed, mismatch
from penstock.fingerprint import fingerprint
from penstock.flow import Flow
from penstock.plan import Batch, Join, Node, Options, find, padding
from penstock.spec import Spec
from penstock.stats import FlowStats

__all__ = ["SharedFlow", "shared_flow"]


@final
class SharedFlow(Iterator[Any], AbstractContextManager["SharedFlow"]):
    """One consumer of a flow that has several: what it is asked, it asks of the flow; closing it closes its own part.

    Several may be asked for their next batch at once, by several threads; the flow is closed with the last of them.
    """

    def __init__(self, commune: Commune) -> None:
        self._commune = commune
        self._hands: list[Any] = []
        self._closed = False

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Any:
        """Gives a batch that no other consumer gets.

        Raises:
          StopIteration: the end of the data.
          FlowClosed: this consumer was closed.
          Exception: what a source or function raised; each consumer hears of it.
        """
        if self._closed:
            raise FlowClosed(mismatch("an open flow", "one that was closed", do="open the pipeline again"))
        hands = self._hands
        self._commune.next_into(hands)
        thing = hands[0]
        del hands[0]
        return thing

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        self.close()

    def close(self) -> None:
        """Leaves the flow; the last to leave closes it. May be called any number of times."""
        if not self._closed:
            self._closed = True
            self._commune.leave(self, self._hands)

    def spec(self) -> Spec | None:
        """As the flow's own."""
        return self._flow.spec()

    def stats(self) -> FlowStats:
        """As the flow's own: of all consumers together."""
        return self._flow.stats()

    def report(self) -> str:
        """As the flow's own: of all consumers together."""
        return self._flow.report()

    def skip(self, batches: int) -> None:
        """As the flow's own: the next batches go to nobody."""
        self._flow.skip(batches)

    def set_target(self, target: Any) -> int:
        """As the flow's own."""
        return self._flow.set_target(target)

    def state_dict(self) -> dict[str, Any]:
        """Where the flow is to go on, after all batches that were handed over, to whomever.

        Take it while no other consumer is inside `next`. All who share the name open it together.
        """
        return self._flow.state_dict()

    @property
    def _flow(self) -> Flow:
        flow: Flow = self._commune.flow
        return flow

    def __repr__(self) -> str:
        return f"<SharedFlow of {self._commune.flow!r}>"


def shared_flow(node: Node, options: Options, **opening: Any) -> SharedFlow:
    """A consumer of the flow of the options' shared name, which is opened now if nobody has.

    Raises:
      PipelineError: it was opened by a pipeline of another kind, capacity or spec, or otherwise.
    """
    name = options.shared_name
    assert name is not None, "who shares nothing has a flow of its own"
    described = _described(node, options, opening)
    while True:
        commune = shared(name, described, partial(_opened, name, node, options, opening))
        consumer = SharedFlow(commune)
        if commune.join(consumer):
            return consumer
        unshared(name, commune)  # its last consumer is just closing it


def _opened(name: str, node: Node, options: Options, opening: Mapping[str, Any]) -> Commune:
    return Commune(Flow(node, options, **opening), partial(unshared, name))


def _described(node: Node, options: Options, opening: Mapping[str, Any]) -> dict[str, object]:
    """What those who share a name agree on."""
    batches = find(node, Batch)
    words = fingerprint(node)
    pads = [pad for pad in (padding(batch.of) for batch in batches) if pad is not None]
    state = opening.get("state")
    return {
        "kind": " ".join(_kinds(words)),
        "capacity": "chosen" if options.capacity is None else options.capacity,
        "spec": f"batches of {[batch.size for batch in batches]}, padded {_sum(fingerprint(pads[0])[1]) if pads else 'not'}",
        "sources": sum(len(join.of) for join in find(node, Join)),
        "seed": options.seed,
        "epoch": opening.get("epoch", 0),
        "inline": opening.get("inline", False),
        "state": "none" if state is None else _sum(state),
        "words": _sum(_without_sources(words)),
    }


def _kinds(words: list[Any]) -> list[str]:
    """The words from the sources on, but for those."""
    _, _, below = words
    return [*(_kinds(below[0]) if below else []), words[0]]


def _without_sources(words: list[Any]) -> list[Any]:
    kind, given, below = words
    return [kind, {} if kind == "read" else given, [_without_sources(one) for one in below]]


def _sum(plain: Any) -> str:
    """Plain data in few letters."""
    return f"#{zlib.crc32(json.dumps(plain, sort_keys=True, default=repr).encode()):08x}"
