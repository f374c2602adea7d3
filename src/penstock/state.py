"""The state of a flow, as plain data that can be kept anywhere, and what is checked before one is believed.

A state is a snapshot of the stages, taken at or before the last batch that was handed over, and how many batches came since.
It says which pipeline it is of, and has a checksum of itself.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from penstock.errors import StateError, mismatch
from penstock.fingerprint import difference
from penstock.plain import from_plain, to_plain
from penstock.resumed import State
from penstock.stages.snapshot import Saved

__all__ = ["VERSION", "checksum_of", "nbytes_of", "read_state", "restored", "written"]

VERSION = 1
"""Of the form that states have."""


def written(words: list[Any], begun: int, seed: int, state: State) -> dict[str, Any]:
    """A state as plain data.

    Args:
      words: the pipeline's fingerprint.
      begun: its own checksum, by `checksum_of`.
      seed: of the run.
      state: the state.

    Raises:
      StateError: something in it cannot be written as such.
    """
    data: dict[str, Any] = {
        "penstock": VERSION,
        "pipeline": words,
        "seed": seed,
        "epoch": state.epoch,
        "delivered": state.delivered,
        "since": state.since,
        "snapshot": to_plain(state.snapshot),
        "more": to_plain(state.more),
    }
    return {**data, "checksum": _checksum(data, begun)}


def checksum_of(words: list[Any]) -> int:
    """The checksum of a fingerprint, with which that of a state begins."""
    return zlib.crc32(_text(words))


def _checksum(data: dict[str, Any], begun: int) -> int:
    return zlib.crc32(
        _text({name: value for name, value in data.items() if name not in ("pipeline", "checksum")}), begun
    )


def _text(data: Any) -> bytes:
    return json.dumps(data, sort_keys=True, separators=(",", ":")).encode()


def nbytes_of(data: dict[str, Any]) -> int:
    """How large a state is, written as JSON. [bytes]"""
    return len(json.dumps(data, separators=(",", ":")))


def read_state(words: list[Any], seed: int, data: Any) -> State:
    """Reads a state, and sees to it that it is one of this pipeline.

    Args:
      words: the pipeline's fingerprint.
      seed: of the run.
      data: what `state_dict` gave; what a checkpoint made of its types does not matter, as long as the values are the same.

    Raises:
      StateError: it is damaged, of another version, or of another pipeline; says where they differ.
    """
    at = "open(state)"
    try:
        data = _same_in_plain(data)
    except RecursionError:
        raise StateError(mismatch("a state as `state_dict` gives it", "one nested without end", at=at)) from None
    if not isinstance(data, dict) or "penstock" not in data:
        raise StateError(mismatch("a state as `state_dict` gives it", f"`{type(data).__name__}`", at=at))
    if data["penstock"] != VERSION:
        raise StateError(mismatch(f"a state of version {VERSION}", f"one of version {data['penstock']!r}", at=at))
    names = ("pipeline", "seed", "epoch", "delivered", "since", "snapshot", "more", "checksum")
    if set(data) != {"penstock", *names}:
        missing = [name for name in names if name not in data]
        got = f"none of {missing}" if missing else f"{sorted(set(data) - set(names) - {'penstock'})} too"
        raise StateError(mismatch(f"a state with {', '.join(names)}", got, at=at))
    _check_whole(data)
    differs = difference(json.loads(json.dumps(words)), data["pipeline"])
    if differs is not None:
        own, its, place = differs
        raise StateError(mismatch(f"a state of this pipeline, whose {place} has {own}", f"one with {its}", at=at))
    if data["seed"] != seed:
        raise StateError(mismatch(f"a state of a run with seed {seed}", f"one with {data['seed']}", at=at))
    return State(
        epoch=_count(data, "epoch"),
        delivered=_count(data, "delivered"),
        since=_count(data, "since"),
        snapshot=None if data["snapshot"] is None else _dict(from_plain(data["snapshot"]), "snapshot"),
        more=_dict(from_plain(data["more"]), "more"),
    )


def _same_in_plain(data: Any) -> Any:
    """The same values in Python's own types: checkpoints give back tuples for lists, and NumPy's numbers for Python's."""
    if isinstance(data, Mapping):
        return {_same_in_plain(key): _same_in_plain(part) for key, part in data.items()}
    if isinstance(data, (list, tuple)):
        return [_same_in_plain(part) for part in data]
    return data.item() if isinstance(data, (np.generic, np.ndarray)) and data.ndim == 0 else data


def _check_whole(data: dict[str, Any]) -> None:
    try:
        whole = _checksum(data, checksum_of(data["pipeline"])) == data["checksum"]
    except (TypeError, ValueError, RecursionError):
        whole = False
    if not whole:
        raise StateError(mismatch("a state that is whole", "one that was changed or damaged", at="open(state)"))


def _count(data: dict[str, Any], name: str) -> int:
    value = data[name]
    if type(value) is not int or value < 0:
        raise StateError(mismatch(f"`{name}` to be an integer >= 0", f"`{value!r}`", at="open(state)"))
    return value


def _dict(value: Any, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise StateError(mismatch(f"`{name}` to be a dict", f"`{type(value).__name__}`", at="open(state)"))
    return value


def restored(restore: Callable[[Saved], None], saved: Saved) -> None:
    """Sets stages to a snapshot.

    Raises:
      StateError: it is not one of such stages, or a source is not what it was.
    """
    try:
        restore(saved)
    except StateError:
        raise
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, AssertionError, OverflowError) as error:
        raise StateError(
            mismatch("a state of such a pipeline", f"one that does not suit it ({error!r})", at="open(state)")
        ) from error
