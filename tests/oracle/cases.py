"""The recorded cases, and how one of them is put to penstock. The format is described in README.md."""

import base64
import builtins
import functools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

import penstock as ps

HERE = Path(__file__).parent
FILES = ("batch", "batch_join", "fuzz")
ANSWERS = json.loads((HERE / "answers.json").read_text())
OTHERWISE = {name: entry for entry in ANSWERS["cases"] for name in entry["ids"]}

Array = list[Any]
"""`[dtype, shape, data]`, as recorded."""


@functools.cache
def cases() -> dict[str, dict[str, Any]]:
    """All cases, by id."""
    return {case["id"]: case for name in FILES for case in json.loads((HERE / f"{name}.json").read_text())}


def value(recorded: Array) -> Any:
    """The NumPy array, scalar or `bytes` that was recorded."""
    dtype, shape, data = recorded
    if dtype == "string":
        out = np.empty(len(data), object)
        out[:] = [base64.b64decode(text["b64"]) if isinstance(text, dict) else text.encode() for text in data]
    else:
        out = np.array([_number(number) for number in data], dtype)
    out = out.reshape(shape)
    return out[()] if shape == [] else out


def _number(recorded: Any) -> Any:
    if isinstance(recorded, dict):
        return complex(float(recorded["re"]), float(recorded["im"]))
    return float(recorded) if isinstance(recorded, str) else recorded


@dataclass
class Told:
    """One source of a case: what it yields, and how much of it was read."""

    items: list[list[Any]]
    """Per item the value of each component."""
    end: Any
    names: list[str]
    form: str
    read: list[int] = field(default_factory=list)
    """How many items each opening has yielded."""

    def opened(self, drop: int | None) -> Iterator[Any]:
        """A pass over the items, in the form of the case, without the component that is the flag."""
        place = len(self.read)
        self.read.append(0)
        for item in self.items:
            self.read[place] += 1
            yield self.example(item, drop)
        if isinstance(self.end, list):
            raise getattr(builtins, self.end[0])(self.end[1])

    def example(self, item: list[Any], drop: int | None = None) -> Any:
        """One item in the form of the case."""
        kept = {name: part for place, (name, part) in enumerate(zip(self.names, item, strict=True)) if place != drop}
        if self.form == "bare":
            return next(iter(kept.values()))
        return kept if self.form == "dict" else tuple(kept.values())


def told(case: dict[str, Any]) -> list[Told]:
    """The sources of a case."""
    out = []
    for source in case["sources"]:
        components = source.get("components", case["components"])
        items = [[value(part) for part in item] for item in source["items"] or _zeros(case, components)]
        out.append(Told(items, source["end"], [name for name, _, _ in components], case["form"]))
    return out


def _zeros(case: dict[str, Any], components: list[Any]) -> list[list[Array]]:
    """Where TF1 refused the declared shapes and so nothing was read, four items of those shapes."""
    if "refused" not in case["answer"] and case["id"] not in OTHERWISE:
        return []
    item = []
    for _, dtype, static in components:
        shape = [2 if size is None else size for size in static or []]
        item.append([dtype, shape, [""] * int(np.prod(shape)) if dtype == "string" else [0] * int(np.prod(shape))])
    return [item] * 4


def flag_place(case: dict[str, Any]) -> int | None:
    """Which component is the flag and not part of the example, if one is."""
    keep = case.get("keep_input", {})
    return keep["index"] if keep.get("kind") == "component" else None


def flags(source: Told, place: int) -> Callable[[], Iterator[Any]]:
    """Opens the flags of a source, which penstock reads in step with it."""
    return lambda: (item[place] for item in source.items)


def asked(case: dict[str, Any], sources: list[Told]) -> ps.Pipeline:
    """The call that the case recorded, made to penstock."""
    place = flag_place(case)
    opens: list[Any] = [functools.partial(source.opened, place) for source in sources] * case.get("repeat_source", 1)
    joined = case["function"].endswith("join")
    first: Any = opens if joined else opens[0]
    if case.get("outer"):
        first = [] if case["outer"] == "empty" else (each for each in opens)
    args = dict(case["args"])
    if place is not None:
        each = [flags(source, place) for source in sources]
        args["keep_input"] = each if joined else each[0]
    elif "keep_input" in case:
        args["keep_input"] = case["keep_input"]["value"]
    pipeline = getattr(ps, case["function"])(first, **args)
    if "nested_into" in case:
        pipeline = getattr(ps, case["nested_into"]["function"])(pipeline, **case["nested_into"]["args"])
    return pipeline


def in_turn(case: dict[str, Any], sources: list[Told]) -> list[list[list[Any]]]:
    """What penstock's rule makes of a case: the batches, each a list of examples, each a list of its components.

    One item of each source in turn, an ended source out of the turn, cut at the first error of a source.
    Written without penstock.
    """
    place = flag_place(case)
    many = case["args"].get("enqueue_many", False)
    constant = case.get("keep_input", {}).get("value", True)
    mask = [constant] if isinstance(constant, list) else []
    live = [iter(source.items) for source in sources]
    ends = [isinstance(source.end, list) for source in sources]
    examples: list[list[Any]] = []
    turn = 0
    while live:
        item = next(live[turn], None)
        if item is None:
            if ends[turn]:
                break
            del live[turn], ends[turn]
            turn = turn % len(live) if live else 0
            continue
        if many and len({np.shape(part)[:1] for part in [*item, *mask]}) > 1:
            break  # Not as many rows in each component, or flags in the mask.
        kept = _kept(item, place, constant, many)
        if kept:  # A turn is an item; one of which nothing is kept, or an empty chunk, is none.
            examples += kept
            turn = (turn + 1) % len(live)
    examples = _cut(examples, case["args"])
    return _grouped(examples, case["nested_into"]["args"] if "nested_into" in case else case["args"])


def _kept(item: list[Any], place: int | None, constant: Any, many: bool) -> list[list[Any]]:
    """The examples of an item whose flag is true."""
    parts = [part for at, part in enumerate(item) if at != place]
    flag = constant if place is None else item[place]
    if not many:
        return [parts] if flag else []
    keep = np.broadcast_to(flag, len(parts[0]))
    return [list(row) for row, kept in zip(zip(*parts, strict=True), keep, strict=True) if kept]


def _cut(examples: list[Any], args: dict[str, Any]) -> list[Any]:
    """What comes through a first batching: all, or all but the remainder."""
    size = args["batch_size"]
    return examples if args.get("allow_smaller_final_batch") else examples[: len(examples) // size * size]


def _grouped(examples: list[Any], args: dict[str, Any]) -> list[list[Any]]:
    examples, size = _cut(examples, args), args["batch_size"]
    return [examples[at : at + size] for at in range(0, len(examples), size)]


def stacked(parts: list[Any]) -> np.ndarray:
    """One component of a batch: padded on the right with zeros, or empty text, to the longest."""
    arrays = [np.asarray(part, object) if isinstance(part, bytes) else np.asarray(part) for part in parts]
    longest = [max(sizes) for sizes in zip(*[array.shape for array in arrays], strict=True)]
    out = np.full((len(arrays), *longest), b"" if arrays[0].dtype == object else 0, arrays[0].dtype)
    for place, array in enumerate(arrays):
        out[(place, *[slice(size) for size in array.shape])] = array
    return out
