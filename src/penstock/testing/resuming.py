"""Checks that a pipeline goes on exactly where it was stopped, in processes of its own."""

from __future__ import annotations

import json
import multiprocessing
import pickle
from collections.abc import Sequence
from typing import Any

import numpy as np

from penstock.checksum import checksum
from penstock.errors import mismatch
from penstock.pipeline import Pipeline

__all__ = ["assert_resume_exact"]


def assert_resume_exact(
    pipeline: Pipeline, *, batches: int = 50, breaks: int = 3, seed: int = 0, new_processes: bool = True
) -> int:
    """Checks that a pipeline which is stopped and resumed gives the same batches as one that is not.

    It is run once in one go, and once broken at random batches: each leg is a flow of its own, in a new process, that begins
    with the state of the one before, after JSON. All batches are compared by checksum, dtypes and shapes included.

    Args:
      pipeline: what is checked; its sources can be opened again. For new processes it can be pickled, as it can where its
        functions stand at the top of a module; else, and where the system has `fork`, that is used.
      batches: so many are compared, or fewer where there are not as many. [batches]
      breaks: how often it is stopped.
      seed: of the places where it is.
      new_processes: whether each leg has one.

    Returns:
      How many batches were compared.

    Raises:
      AssertionError: a batch differs, is missing, or comes twice; tells which, and where the leg had begun.
      StateError: the pipeline cannot be resumed at all.

    >>> import penstock as ps
    >>> assert_resume_exact(ps.join([range(10), range(100, 120)]).batch(3), new_processes=False)
    10
    """
    whole, _, _ = _leg(pipeline, None, batches)
    places = np.random.default_rng(seed).integers(0, len(whole) + 1, breaks)
    done = 0
    state: Any = None
    for stop in [*sorted(places.tolist()), len(whole)]:
        # At the last stop it is asked for one more than there are, so that one that comes too many is seen.
        wanted = stop - done + (stop == len(whole) < batches)
        leg = _in_new_process(pipeline, state, wanted) if new_processes else _leg(pipeline, state, wanted)
        _compare(whole[done:stop], leg[0], done)
        done, state = stop, leg[1]
    return len(whole)


def _leg(pipeline: Pipeline, state: Any, most: int) -> tuple[list[int], Any, str]:
    """The checksums of the next batches, and the state behind them."""
    sums: list[int] = []
    with pipeline.open(state=state) as flow:
        while len(sums) < most:
            batch = next(flow, None)
            if batch is None:
                break
            sums.append(checksum(batch))
        return sums, json.loads(json.dumps(flow.state_dict())), ""


def _in_new_process(pipeline: Pipeline, state: Any, most: int) -> tuple[list[int], Any, str]:
    try:
        pickle.dumps(pipeline)
        how = "spawn"
    except Exception:  # a lambda, or a function within a function
        how = "fork"
    context: Any = multiprocessing.get_context(how)
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_child, args=(theirs, pipeline, state, most))
    process.start()
    theirs.close()
    try:
        leg: tuple[list[int], Any, str] = ours.recv()
    except EOFError:
        process.join()
        raise AssertionError(mismatch("a process that ends well", f"exit code {process.exitcode}")) from None
    process.join()
    if leg[2]:
        raise AssertionError(mismatch("a flow that goes on", leg[2]))
    return leg


def _child(pipe: Any, pipeline: Pipeline, state: Any, most: int) -> None:
    try:
        leg = _leg(pipeline, state, most)
    except Exception as error:  # told where it is waited for
        leg = [], None, repr(error)
    pipe.send(leg)
    pipe.close()


def _compare(expected: Sequence[int], got: Sequence[int], done: int) -> None:
    for place, (one, other) in enumerate(zip(expected, got, strict=False)):
        if one != other:
            at = f"batch {done + place}, after resuming at {done}"
            raise AssertionError(mismatch("the batch of the unbroken run", "another", at=at))
    if len(expected) != len(got):
        want = f"{len(expected)} batches after resuming at {done}"
        raise AssertionError(mismatch(want, f"{len(got)}"))
