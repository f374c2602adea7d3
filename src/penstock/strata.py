"""The word `stratify`: all that it may be asked, checked as it is written."""

from __future__ import annotations

import operator
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

from penstock.errors import PipelineError, mismatch
from penstock.plan import Batch, Convert, Map, Node, Pad, before_delivery, find, padding, positive
from penstock.sampling import Shares, Target
from penstock.stages import Wishes

__all__ = ["ALONE", "Stratify", "check_sizes", "composed_for", "stratified"]

ALONE = 64
"""Examples that are composed together where no `batch` follows. [examples]"""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Stratify(Node):
    """Examples in the class proportions asked for."""

    of: Node
    by: Any
    """A key, index, attribute, path or function."""
    target: Target | None
    """The proportions; `None` for P classes and m of each."""
    per_class: tuple[int, int] | None
    """P classes a batch and m of each, in place of a target."""
    unknown: Literal["error", "ignore"]
    """What becomes of examples of other classes: `"error"` or `"ignore"`."""
    exact: str
    """`"batch"`, or `"average"`, which keeps no examples."""
    wishes: Wishes
    """The rest."""
    seed: int | None = None
    """Of this word's random numbers, in place of the pipeline's."""
    start: Shares | None = None
    """The arriving shares, if they are known."""

    def __post_init__(self) -> None:
        before_delivery(self.of, "stratify")
        if self.of.batched or padding(self.of):
            word = "batch" if self.of.batched else "pad"
            raise PipelineError(mismatch(f"`stratify` before `{word}`", "it after", at="stratify()"))
        assert not find(self.of, Convert), "what is delivered already was refused above"


def stratified(
    node: Node,
    by: Any,
    target: Any,
    *,
    classes: Iterable[Hashable] | None,
    repeats: int,
    rings: int | None,
    patience: int | None,
    missing: str,
    exact: str,
    unknown: str,
    weights: str | None,
    weights_as: str | None,
    classes_per_batch: int | None,
    per_class: int | None,
    seed: int | None,
    start: Shares | None = None,
    at: str = "stratify",
) -> Stratify:
    """Checks what `stratify` was given; see `Pipeline.stratify`.

    Raises:
      PipelineError: something that cannot be.
    """
    _check_by(by, at)
    for name, value, known in [
        ("missing", missing, ("wait", "repeat", "redistribute", "error")),
        ("exact", exact, ("batch", "average")),
        ("unknown", unknown, ("error", "ignore")),
        ("weights", weights, (None, "target", "natural", "prior")),
    ]:
        if value not in known:
            shown = ", ".join(f'"{one}"' for one in known if one is not None)
            raise PipelineError(mismatch(f"`{name}` to be one of {shown}", f"`{value!r}`", at=f"{at}({name})"))
    if weights_as is not None and not isinstance(weights_as, str):
        raise PipelineError(mismatch("a name", f"`{weights_as!r}`", at=f"{at}(weights_as)"))
    if weights_as is not None and weights is None:
        weights = "target"
    pair: tuple[int, int] | None = None
    if classes_per_batch is not None or per_class is not None:
        if target is not None:
            raise PipelineError(mismatch("a target, or classes_per_batch and per_class", "both", at=f"{at}()"))
        if classes_per_batch is None or per_class is None:
            raise PipelineError(mismatch("classes_per_batch and per_class", "one of them", at=f"{at}()"))
        pair = (
            positive(classes_per_batch, "classes_per_batch", at=f"{at}(classes_per_batch)"),
            positive(per_class, "per_class", at=f"{at}(per_class)"),
        )
    elif target is None:
        raise PipelineError(mismatch("a target, or classes_per_batch and per_class", "neither", at=f"{at}()"))
    if exact == "average" and (repeats != 1 or pair is not None or missing != "wait"):
        want = '`exact="average"` without repeats, missing and classes_per_batch, since it keeps no examples'
        raise PipelineError(mismatch(want, "one of them", at=f"{at}(exact)"))
    if seed is not None:
        seed = _integer(seed, f"{at}(seed)")
    wishes = Wishes(
        repeats=positive(repeats, "repeats", at=f"{at}(repeats)"),
        rings=None if rings is None else positive(rings, "rings", at=f"{at}(rings)"),
        patience=None if patience is None else positive(patience, "patience", at=f"{at}(patience)", least=0),
        missing=missing,  # type: ignore[arg-type]  # one of the known, as was checked
        weights=weights,  # type: ignore[arg-type]
        weights_as=weights_as or ("weights" if weights is not None else None),
    )
    wanted = Target(target, labels=classes, at=f"{at}(target)") if pair is None else None
    if wanted is None and classes is not None:
        raise PipelineError(mismatch("`classes` with a target", "with classes_per_batch", at=f"{at}(classes)"))
    return Stratify(node, by, wanted, pair, "ignore" if unknown == "ignore" else "error", exact, wishes, seed, start)


def _check_by(by: Any, at: str) -> None:
    if callable(by) or isinstance(by, (str, int)) and not isinstance(by, bool):
        return
    if isinstance(by, tuple) and by and all(isinstance(step, (str, int)) for step in by):
        return
    want = "a key, an index, a path (a tuple of them) or a function of the example"
    raise PipelineError(mismatch(want, f"`{by!r}`", at=f"{at}(by)"))


def _integer(value: Any, at: str) -> int:
    try:
        return operator.index(value)
    except TypeError:
        raise PipelineError(mismatch("an integer", f"`{value!r}`", at=at)) from None


def composed_for(last: Node) -> dict[int, tuple[int, bool, bool]]:
    """What each `stratify` composes for, by the id of its node.

    Returns:
      The size of the batch that follows, whether its last, smaller one is given, and whether the batches delivered are
      just those composed: whether nothing but `map` and `pad` stands between.
    """
    found: dict[int, tuple[int, bool, bool]] = {}

    def walk(node: Node, size: int | None, keep_last: bool, exact: bool) -> None:
        if isinstance(node, Batch):
            size, keep_last, exact = node.size, node.keep_last, True
        elif isinstance(node, Stratify):
            own = node.per_class[0] * node.per_class[1] if node.per_class else ALONE
            found[id(node)] = (size or own, keep_last and exact, exact)
            exact = False
        elif not isinstance(node, Map | Pad | Convert):
            exact = False
        for upstream in node.upstream:
            walk(upstream, size, keep_last, exact)

    walk(last, None, False, False)
    return found


def check_sizes(last: Node) -> None:
    """Sees to it that P classes with m examples each fill a batch.

    Raises:
      PipelineError: they do not.
    """
    sizes = composed_for(last)
    for node in find(last, Stratify):
        size, _, exact = sizes[id(node)]
        if node.per_class and exact and node.per_class[0] * node.per_class[1] != size:
            count, each = node.per_class
            want = f"a batch of {count} classes with {each} examples each, {count * each},"
            raise PipelineError(mismatch(want, f"{size}", at="batch(size)"))
