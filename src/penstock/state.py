"""The state of a flow, as plain data that can be kept anywhere, and what is checked before one is believed.

A state is a snapshot of the stages, taken at or before the last batch that was handed over, and how many batches came since.
It says which pipeline it is of, and has a checksum of itself.
"""

from __future__ import annotations

import json
import traceback
import zlib
from collections.abc import Callable, Iterator, Mapping
from marshal import dumps, loads
from typing import Any, final

import numpy as np

from penstock.errors import PenstockError, StateError, mismatch
from penstock.faults import SkipLog
from penstock.fingerprint import difference
from penstock.plain import from_plain, to_plain
from penstock.resumed import State
from penstock.stages.snapshot import Saved

__all__ = ["VERSION", "Writer", "read_state", "restored", "skips_in", "suited"]

VERSION = 1
"""Of the form that states have."""


@final
class Writer:
    """Writes the states of a flow as plain data.

    Most states follow the same snapshot as the one before: as long as they do, it is written once, and each gets a copy.
    Little is done for each: whoever asks for one has worked on something else in between, and finds none of this in a cache.

    Args:
      words: the pipeline's fingerprint.
      seed: of the run.
    """

    def __init__(self, words: list[Any], seed: int) -> None:
        self.words = words
        self.seed = seed
        text = _text(words)
        self._words = json.loads(text)
        self._of_words, self._words_nbytes = zlib.crc32(text), len(text)
        self._snapshot: Saved | None = None
        self._more: Saved | None = None
        self._logs: list[tuple[Any, int]] = []  # in the snapshot, with what they held when it was written
        self._copy = b""  # of all but what changes with each batch, by `marshal`, which is the quickest to copy with
        self._begun = self._nbytes = 0  # its checksum, and how large it is as JSON
        self._last = 0, 0, 0

    def write(self, epoch: int, delivered: int, since: int, snapshot: Saved | None, more: Saved) -> dict[str, Any]:
        """A state as plain data, which is the caller's own: nothing of it is in another state.

        Args:
          epoch: as that of a `State`.
          delivered: as well.
          since: as well.
          snapshot: as well.
          more: as well.

        Raises:
          StateError: something in it cannot be written as such.
        """
        if (
            snapshot is not self._snapshot
            or more != self._more
            or (self._logs and any([len(log) != count for log, count in self._logs]))
        ):
            self._write_anew(snapshot, more)
        self._last = epoch, delivered, since
        data: dict[str, Any] = loads(self._copy)
        data["epoch"], data["delivered"], data["since"] = epoch, delivered, since
        data["checksum"] = _with_numbers(self._begun, epoch, delivered, since)
        return data

    @property
    def nbytes(self) -> int:
        """How large the last state was, written as JSON; 0 before the first. [bytes]"""
        if not self._copy:
            return 0
        numbers = dict(zip(_CHANGING, (*self._last, _with_numbers(self._begun, *self._last)), strict=True))
        return self._nbytes + len(_text(numbers)) - len("}{") + len(",")

    def _write_anew(self, snapshot: Saved | None, more: Saved) -> None:
        """Writes what the states that follow have in common."""
        logs: list[tuple[Any, int]] = []
        plain, also = to_plain(snapshot, logs), to_plain(more)
        self._copy = dumps(
            {
                "penstock": VERSION,
                "pipeline": self._words,
                "seed": self.seed,
                "epoch": 0,
                "delivered": 0,
                "since": 0,
                "snapshot": plain,
                "more": also,
                "checksum": 0,
            },
            2,  # without references, which take longer to read than what they stand for
        )
        text = _text({"more": also, "penstock": VERSION, "seed": self.seed, "snapshot": plain})
        self._begun = zlib.crc32(text, self._of_words)
        self._nbytes = len(text) + len(',"pipeline":') + self._words_nbytes
        self._snapshot, self._more, self._logs = snapshot, more, logs


def _checksum(data: dict[str, Any]) -> int:
    """The checksum of a state: of its pipeline, of what states have in common, and last of what changes with each batch."""
    common = zlib.crc32(_text({name: data[name] for name in _COMMON}), zlib.crc32(_text(data["pipeline"])))
    return _with_numbers(common, data["epoch"], data["delivered"], data["since"])


def _with_numbers(common: int, epoch: int, delivered: int, since: int) -> int:
    """The checksum of what states have in common, and of three numbers: another where any one of all these is another."""
    return (common + 0x9E3779B1 * epoch + 0x85EBCA6B * delivered + 0xC2B2AE35 * since) & 0xFFFFFFFF


_COMMON = ("more", "penstock", "seed", "snapshot")
_CHANGING = ("epoch", "delivered", "since", "checksum")


def _text(data: Any) -> bytes:
    return _ENCODER.encode(data).encode()


_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"))  # to make one takes as long as a small state


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
    names = ("pipeline", *_COMMON, *_CHANGING)
    if set(data) != set(names):
        missing = [name for name in names if name not in data]
        got = f"none of {missing}" if missing else f"{sorted(set(data) - set(names))} too"
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
        whole = all(type(data[name]) is int for name in _CHANGING) and _checksum(data) == data["checksum"]
    except (TypeError, ValueError, RecursionError):
        whole = False
    if not whole:
        raise StateError(mismatch("a state that is whole", "one that was changed or damaged", at="open(state)"))


def _count(data: dict[str, Any], name: str) -> int:
    value = data[name]
    if type(value) is not int or not 0 <= value < 1 << 62:
        raise StateError(mismatch(f"`{name}` to be an integer >= 0", f"`{value!r}`", at="open(state)"))
    return value


def _dict(value: Any, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise StateError(mismatch(f"`{name}` to be a dict", f"`{type(value).__name__}`", at="open(state)"))
    return value


def skips_in(saved: Any) -> Iterator[SkipLog]:
    """What a snapshot says of what was skipped behind it."""
    if isinstance(saved, SkipLog):
        yield saved
    elif isinstance(saved, (dict, list)):
        for part in saved.values() if isinstance(saved, dict) else saved:
            yield from skips_in(part)


def restored(restore: Callable[[Saved], None], saved: Saved) -> None:
    """Sets stages to a snapshot.

    Raises:
      StateError: it is not one of such stages, or a source is not what it was.
    """
    try:
        restore(saved)
    except StateError:
        raise
    except _OF_PYTHON as error:
        raise _unsuited(error) from error


_OF_PYTHON = (
    LookupError,
    TypeError,
    ValueError,
    AttributeError,
    AssertionError,
    ArithmeticError,
    MemoryError,
    BufferError,
    RecursionError,
)
"""What comes of figures that are none, or of one that nothing has, in stages that take them as they are."""


def _unsuited(error: BaseException) -> StateError:
    return StateError(
        mismatch("a state of such a pipeline", f"one that does not suit it ({error!r})", at="open(state)")
    )


def suited(error: BaseException | None) -> BaseException | None:
    """What ends a flow that went on from a state: that this did not suit it, where the error is of no user's code.

    A user's error has a note that says where it was, or comes from a module of his.
    """
    if error is None or isinstance(error, PenstockError) or not isinstance(error, _OF_PYTHON):
        return error
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    rooms = {str(frame.f_globals.get("__name__")).split(".")[0] for frame in frames}
    if getattr(error, "__notes__", None) or not rooms <= {"penstock", "numpy"}:
        return error
    told = _unsuited(error)
    told.__cause__ = error
    return told
