"""G9: the bytes that `stratify` gives depend on the seed and the data, and on nothing else."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import penstock as ps
from labelled import (
    CUTS,
    KINDS,
    Run,
    long_tailed,
    make_stage,
    run,
    seeds,
    source,
    stream,
    weights_of,
    zipf,
)
from penstock.assemble import NATIVE
from penstock.errors import PenstockWarning
from penstock.sampling import Temperature
from penstock.testing import check_stage

# G9


def digest(out: Run) -> str:
    """All bytes that were delivered, in their order."""
    whole = hashlib.sha256()
    for number, label in zip(out.numbers, out.labels, strict=True):
        whole.update(number.tobytes())
        whole.update(label.tobytes())
    return whole.hexdigest()


def varied() -> Iterator[tuple[str, str]]:
    """A digest of what comes out for each kind of stream and cut, and a few ways of asking."""
    ways: list[dict[str, Any]] = [
        {"repeats": 1},
        {"repeats": 3, "rings": 9},
        {"missing": "redistribute", "patience": 50},
        {"missing": "repeat", "patience": 50},
    ]
    for kind in KINDS:
        for cut in CUTS:
            for place, options in enumerate(ways):
                labels = stream(kind, long_tailed(5), 2000, 6)
                stratified = source(labels, cut).stratify(1, [0.1, 0.2, 0.3, 0.25, 0.15], **options)
                yield f"{kind} {place}", digest(run(stratified.batch(13, keep_last=True)))


def test_g9_the_bytes_do_not_depend_on_how_examples_come_in():
    """As rows, as columns, in chunks: for each kind of stream and way of asking, the same."""
    found: dict[str, set[str]] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PenstockWarning)
        for name, whole in varied():
            found.setdefault(name, set()).add(whole)

    assert [name for name, all_of in found.items() if len(all_of) > 1] == []
    assert len(set.union(*found.values())) > 15  # they are not all empty, say


@pytest.mark.parametrize("target", ["uniform", "natural", Temperature(0.5)])
def test_g9_classes_that_are_found_on_the_way_are_found_at_their_arrival(target: Any):
    """However far a run of examples lies ready: new classes come in one after the other, the last at two thirds."""
    random = np.random.default_rng(2)
    labels = np.concatenate([random.integers(0, known, 400) for known in (2, 3, 5, 9, 9, 9)])

    assert len({digest(run(source(labels, cut).stratify(1, target).batch(9))) for cut in CUTS}) == 1


@pytest.mark.slow
@pytest.mark.skipif(not NATIVE, reason="compared where the native part runs")
def test_g9_the_native_part_and_its_twin_give_the_same_bytes():
    """The same in a process of the twin."""
    script = (
        "import warnings; warnings.simplefilter('ignore'); import test_same_batches as t; "
        "from penstock.assemble import NATIVE; print(NATIVE, *[d for _, d in t.varied()])"
    )
    path = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
    twin = {**os.environ, "PENSTOCK_NATIVE": "0", "PYTHONPATH": path}
    ended = subprocess.run([sys.executable, "-c", script], env=twin, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stderr

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PenstockWarning)
        assert ended.stdout.split() == ["False", *[whole for _, whole in varied()]]


@pytest.mark.slow
@settings(max_examples=15)
@given(weights_of, st.integers(1, 30), st.booleans(), st.sampled_from(KINDS), seeds)
def test_g9_the_stage_gives_the_same_however_its_input_is_cut(
    weights: list[int], size: int, columns: bool, kind: str, seed: int
):
    """Random cuts of the input, random sizes asked for: the same examples, tickets and ending."""
    labels = stream(kind, zipf(weights), 700, seed)

    check_stage(
        lambda upstream: make_stage(upstream, weights, size),
        [(number, int(label)) for number, label in enumerate(labels)],
        columns=columns,
        rounds=8,
    )


@pytest.mark.parametrize("sources", [1, 3, 8])
def test_g9_threads_change_nothing(sources: int):
    """Several sources, read by the caller's own thread or by those of the flow."""
    labels = stream("bursts", long_tailed(4), 6000, 8)

    def part(first: int) -> Callable[[], Iterator[tuple[int, int]]]:
        return lambda: ((number, int(labels[number])) for number in range(first, len(labels), sources))

    pipeline = ps.join([part(first) for first in range(sources)]).stratify(1, "uniform", classes=range(4), repeats=2)
    alone = run(pipeline.batch(16))

    assert len(alone.numbers) > 50
    for _ in range(3):
        assert digest(run(pipeline.batch(16), inline=False)) == digest(alone)


@pytest.mark.parametrize("cut", CUTS)
def test_g9_another_seed_gives_other_batches_of_the_same_counts(cut: str):
    """What is drawn hangs on the seed; how many of each class does not."""
    labels = stream("iid", long_tailed(4), 5000, 9)
    pipeline = source(labels, cut).stratify(1, "uniform", classes=range(4)).batch(8)
    one, again, other = (run(pipeline.options(seed=seed)) for seed in (1, 1, 2))

    assert digest(one) == digest(again) != digest(other)
    assert (one.counts(4) == 2).all()
    assert (other.counts(4) == 2).all()
