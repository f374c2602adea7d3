"""Who pulls a source, its own thread or the driver, is a question of speed: it changes no byte."""

from collections.abc import Callable, Iterator
from itertools import cycle
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import penstock as ps
import penstock.build as build_module
import penstock.engine.lane as lane_module
import penstock.engine.puller as puller_module
from penstock.testing import no_threads_left, same


class BadRecordError(Exception):
    """The user's own."""


class Whim:
    """A limit that is now far above, now far below whatever is compared with it."""

    def __init__(self, verdicts: list[bool]) -> None:
        self.verdicts = cycle(verdicts)

    def __mul__(self, count: object) -> float:
        return 1e9 if next(self.verdicts) else -1.0


def tempers(monkeypatch: pytest.MonkeyPatch, temper: str, verdicts: list[bool]) -> None:
    """Has the engine take every source for quick or slow, or change its mind all the time."""
    quick_s: Any = {"never parked": -1.0, "always parked": 1e9, "to and fro": Whim([*verdicts, True, False])}[temper]
    monkeypatch.setattr(lane_module, "QUICK_S", quick_s)
    if temper == "to and fro":
        told = cycle([*verdicts, True])
        for module in (lane_module, puller_module):
            monkeypatch.setattr(module, "LONG_S", -1.0)
            monkeypatch.setattr(module, "waited", lambda: next(told))
        monkeypatch.setattr(lane_module, "LONG_OPENING_S", -1.0)
        monkeypatch.setattr(puller_module, "QUICK_S", -1.0)
        monkeypatch.setattr(lane_module, "STRIKES", 1 << 30)
        monkeypatch.setattr(lane_module, "PROBES", 1)


@pytest.mark.slow
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    lengths=st.lists(st.integers(0, 40), min_size=1, max_size=6),
    size=st.integers(1, 9),
    temper=st.sampled_from(["never parked", "always parked", "to and fro"]),
    verdicts=st.lists(st.booleans(), min_size=1, max_size=7),
    wave=st.sampled_from([0, 2, 16]),
    broken=st.none() | st.integers(0, 5),
    worked=st.lists(st.booleans(), min_size=6, max_size=6),
)
def test_parking_changes_no_byte(
    monkeypatch: pytest.MonkeyPatch,
    lengths: list[int],
    size: int,
    temper: str,
    verdicts: list[bool],
    wave: int,
    broken: int | None,
    worked: list[bool],
):
    """Lanes park and get their threads back in the middle of a batch, an input's end, an error; some had no thread at first."""

    def source(number: int, length: int) -> Callable[[], Iterator[Any]]:
        def read() -> Iterator[Any]:
            array = np.zeros(2, np.int32)
            for i in range(length):
                array[:] = (number, i)
                yield array, 100 * number + i
            if number == broken:
                raise BadRecordError

        return read

    parts: list[Any] = [source(number, length) for number, length in enumerate(lengths)]
    for number, work in zip(range(len(parts)), worked, strict=False):
        if work:
            parts[number] = ps.join([parts[number]]).map(lambda pair: (pair[0] + 0, pair[1]))
    pipeline = ps.join(parts).batch(size, keep_last=True)

    with monkeypatch.context() as patched, no_threads_left():
        tempers(patched, temper, verdicts)
        patched.setattr(build_module, "FIRST_WAVE", wave)
        threaded, error = outcome(pipeline.open())
    inline, inline_error = outcome(pipeline.open(inline=True))

    assert len(threaded) == len(inline)
    assert all(same(one, other) for one, other in zip(threaded, inline, strict=True))
    assert type(error) is type(inline_error)


def outcome(flow: Any) -> tuple[list[Any], BaseException | None]:
    batches = []
    try:
        for batch in flow:
            batches.append(batch)
    except BadRecordError as error:
        return batches, error
    return batches, None
