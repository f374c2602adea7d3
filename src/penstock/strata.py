"""The word `stratify`: all that it may be asked, checked as it is written."""

from __future__ import annotations

import operator
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any, Literal

from penstock.errors import PipelineError, mismatch
from penstock.plan import Node, before_delivery, padding, positive
from penstock.sampling import Classes, Dealt, PerClass, Schedule, Shares, Target
from penstock.sampling.carry import LARGEST_SIZE
from penstock.staged import ALONE, Composed, Site, Staged
from penstock.stages import Applied, Stage, Strata
from penstock.stages.functions import key_of
from penstock.stages.labelled import By
from penstock.stages.screen import Screen, reads_label
from penstock.stages.stratify import Stratify as StratifyStage
from penstock.stages.thinned import Thinned
from penstock.stages.wishes import Wishes

__all__ = ["Stratify", "stratified"]


class Stratify(Staged):
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
    """`"batch"`; or `"average"` or `"rejection"`, which keep no examples: by what was given, or as TF1."""
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

    def check(self, composed: Composed) -> None:
        """Sees to it that P classes with m examples each fill a batch."""
        if self.per_class and composed.exact and self.per_class[0] * self.per_class[1] != composed.size:
            count, each = self.per_class
            want = f"a batch of {count} classes with {each} examples each, {count * each}"
            raise PipelineError(mismatch(want, f"{composed.size}", at="batch(size)"))

    @property
    def run(self) -> int:
        """P classes with m examples each stay together."""
        return self.per_class[0] * self.per_class[1] if self.per_class else 1

    @property
    def extra(self) -> str | None:
        """The weights' name."""
        return self.wishes.weights_as

    @property
    def deals(self) -> tuple[By, Classes] | None:
        """How labels are read, and the classes."""
        return None if self.exact != "batch" or self.per_class else (By(self.by), self._classes())

    def _classes(self) -> Classes:
        labels = self.target.labels if self.target is not None else None
        return Classes(labels or (), grows=labels is None, unknown=self.unknown)

    def reads(self, labels: Sequence[str]) -> Callable[[Any], object]:
        """Reads the label, which is to be one of the classes."""
        return reads_label(By(self.by), self._classes())

    def stage(self, upstream: Stage, site: Site) -> Strata:
        """The stage of this word."""
        size = site.composed.size or (self.run if self.per_class else ALONE)
        together = size * (1 if self.per_class else site.world_size)
        if self.target is not None and not self.target.fixed and together > LARGEST_SIZE:
            want = f"at most {LARGEST_SIZE:,} examples in a step, of all ranks together, for a target that changes"
            raise PipelineError(mismatch(want, f"{together:,}", at="batch(size)"))
        seed = int(key_of(site.seed if self.seed is None else self.seed, site.number)[0])
        classes = self._classes()
        start = None if self.start is None else self.start.floats()
        if site.mending is not None:
            read, doing = reads_label(By(self.by), classes), "reading the label of"
            upstream = Screen(upstream, Applied(read, doing, seed=0, stage=0, labels=site.labels, mending=site.mending))
        if self.exact != "batch":
            assert self.target is not None, "which was checked"
            return Thinned(
                upstream,
                By(self.by),
                classes,
                self.target,
                self.wishes,
                size=size,
                steered=self.exact == "average",
                seed=seed,
                start=start,
                labels=site.labels,
                wanted=site.wanted,
            )
        per_class = PerClass(*self.per_class, seed=seed) if self.per_class else None
        schedule: Schedule | Dealt
        if site.world_size > 1 and not per_class:
            whole = Schedule(size * site.world_size, classes, self.target)
            schedule = Dealt(whole, classes, site.rank, site.world_size)
        else:
            schedule = Schedule(size, classes, self.target, per_class=per_class)
        return StratifyStage(
            upstream,
            By(self.by),
            classes,
            schedule,
            self.wishes,
            seed=seed,
            start=start,
            labels=site.labels,
            keep_last=site.composed.keep_last,
            exact=site.composed.exact,
            wanted=site.wanted,
        )


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
    rejects: bool = False,
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
    if exact == "average" or rejects:
        _check_thinned(at, rejects, exact, repeats, rings, missing, pair)
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
    left_out: Literal["error", "ignore"] = "ignore" if unknown == "ignore" else "error"
    return Stratify(node, by, wanted, pair, left_out, "rejection" if rejects else exact, wishes, seed, start)


def _check_thinned(
    at: str, rejects: bool, exact: str, repeats: object, rings: object, missing: str, pair: tuple[int, int] | None
) -> None:
    """What keeps no examples can neither repeat them nor choose among them."""
    how = 'method="rejection"' if rejects else 'exact="average"'
    asked = {
        "repeats": repeats != 1,
        "rings": rings is not None,
        f'missing="{missing}"': missing not in ("wait", "error"),
        "classes_per_batch": pair is not None,
        'exact="average"': rejects and exact != "batch",
    }
    for word, is_asked in asked.items():
        if is_asked:
            raise PipelineError(mismatch(f"`{how}`, which keeps no examples, alone", f"`{word}` too", at=f"{at}()"))


def _check_by(by: Any, at: str) -> None:
    if callable(by) or (isinstance(by, (str, int)) and not isinstance(by, bool)):
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
