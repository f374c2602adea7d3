"""What will surprise whoever trains on a target, in plain sentences with numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from penstock.forecast.labels import label_text
from penstock.forecast.outlook import Forecast

__all__ = ["count", "number_text", "percent", "remarks"]

MOST_NAMED = 3
PATIENCE = 100
"""As many batches' worth of inputs a batch may wait before `stratify` warns."""
LOST_TO_ORDER = 0.1
"""The part of the batches that the order of the files may cost before a word is said."""


def remarks(of: Forecast) -> list[str]:
    """Gives the sentences, the gravest first; none if there is nothing to say."""
    return [*_unmet(of), *_scarcest(of), *_order(of), *_waits(of), *_turns(of), *_classes(of)]


def _unmet(of: Forecast) -> Iterator[str]:
    """What is asked for and not there."""
    if of.chosen.batches == 0:
        # Rings hold what the first batch takes, so it is a class that there are too few of, in whatever order they come.
        takes = np.ceil(np.round(of.batch_size * of.target, 6)).astype(np.int64)
        number = int((of.repeats * of.counts - takes).argmin())
        have = f"{_class(of, number)} gives {count(of.counts[number], 'example')}, a batch may take {takes[number]:,}"
        yield f"not one batch of {of.batch_size:,} comes together at repeats={of.repeats}: {have}"
        return
    short = np.flatnonzero(of.uses_asked > of.repeats)
    if not len(short):
        return
    short = short[np.argsort(-of.uses_asked[short], kind="stable")]
    for number in short[:MOST_NAMED].tolist():
        gives = f"{_class(of, number)} gives {count(of.counts[number], 'example')}"
        wanted = math.ceil(of.asked * of.batch_size * of.target[number])
        uses = math.ceil(round(of.uses_asked[number], 6))
        if of.batches is None:  # Nobody asked for so many: the worst will do.
            plain = f"the {count(of.asked, 'batch', 'batches')} of a pass without a target would take {wanted:,}"
            yield f"{gives}; {plain}: repeats would be {uses:,}"
            return
        yield f"{gives}, you asked for {wanted:,}: repeats would be {uses:,}"
    if len(short) > MOST_NAMED:
        yield f"{count(len(short) - MOST_NAMED, 'more class', 'more classes')} cannot give what you asked for, either"
    yield _nearest(of)


def _nearest(of: Forecast) -> str:
    rate = of.asked * of.batch_size / of.examples
    point = of.at_rate(rate, of.repeats)
    if point is None:
        most = int(of.repeats * of.counts[of.target > 0].sum()) // of.batch_size
        return f"no shares of these classes give {of.asked:,} batches at repeats={of.repeats}: {most:,} is the most"
    nearest = of.nearest(rate, of.repeats)
    number = int(np.abs(nearest - of.target).argmax())
    change = f"{_class(of, number)} with {percent(nearest[number])} in place of {percent(of.target[number])}"
    return (
        f"the nearest shares that give {of.asked:,} batches at repeats={of.repeats} move {percent(point.distance)}"
        f" of a batch to other classes: most of all {change}"
    )


def _scarcest(of: Forecast) -> Iterator[str]:
    if of.inputs_for_batch > of.batch_size * (1 + 1e-9):
        share = of.arriving[of.critical]
        often = f"1 in {1 / share:,.0f}" if share < 0.1 else percent(share)
        needs = f"a batch of {of.batch_size:,} needs {of.inputs_for_batch:,.0f} inputs"
        yield f"{_class(of, of.critical)} gives {often}: at repeats={of.repeats} {needs}"


def _order(of: Forecast) -> Iterator[str]:
    allowed, gives = of.most_batches(of.repeats), of.chosen.batches
    if gives + 1 < (1 - LOST_TO_ORDER) * allowed:
        yield (
            f"in this order the files give {count(gives, 'batch', 'batches')} where their counts allow {allowed:,}: classes"
            " come in longer runs than are held; read several files in turn (`streams=`), shuffle, or raise `rings`"
        )


def _waits(of: Forecast) -> Iterator[str]:
    patience = PATIENCE * of.inputs_for_batch
    if of.chosen.waits_for is not None and of.chosen.longest_wait > patience:
        waits = f"a batch waits {of.chosen.longest_wait:,} inputs for {_class(of, of.chosen.waits_for)}"
        yield f"{waits}, more than the {patience:,.0f} that {PATIENCE} batches need: `stratify` will warn, and go on waiting"


def _turns(of: Forecast) -> Iterator[str]:
    rare = (of.target > 0) & (of.batch_size * of.target < 1 - 1e-9)
    if rare.any():
        least = int(np.where(rare, of.target, math.inf).argmin())
        which = "each" if (of.target[rare] == of.target[least]).all() else _class(of, least)
        once = f"{which} comes once in {number_text(1 / (of.batch_size * of.target[least]))} batches"
        few = count(int(rare.sum()), "class gets", "classes get")
        yield f"{few} less than one example of a batch of {of.batch_size:,} and come by turns: {once}"


def _classes(of: Forecast) -> Iterator[str]:
    out = np.flatnonzero(of.target == 0)
    if len(out):
        names = ", ".join(label_text(of.classes[number]) for number in out[:MOST_NAMED].tolist())
        names += f" and {len(out) - MOST_NAMED:,} more" if len(out) > MOST_NAMED else ""
        examples = count(int(of.counts[out].sum()), "example")
        yield f"{count(len(out), 'class has', 'classes have')} no share in the target, and {examples} are left out: {names}"
    if len(of.classes) == 1:
        yield f"there is one class only, {label_text(of.classes[0])}: there is nothing to balance"
    elif len(of.classes) > max(10, of.examples // 2):
        yield f"{len(of.classes):,} classes among {of.examples:,} examples: does `{of.by}` name examples, not classes?"


def _class(of: Forecast, number: int) -> str:
    return f"class {label_text(of.classes[number])}"


def count(number: int, one: str, several: str | None = None) -> str:
    """A number of things: `1 example`, `2,000 examples`."""
    return f"{number:,} {one if number == 1 else several or one + 's'}"


def percent(share: float) -> str:
    """A share, with as many digits as tell it from nothing.

    >>> percent(0.25), percent(0.00002), percent(0.0)
    ('25.00%', '0.0020%', '0.00%')
    """
    if share == 0 or share >= 0.0005:
        return f"{share:.2%}"
    return f"{share:.4%}" if share >= 0.000001 else f"{100 * share:.1e}%"


def number_text(number: float) -> str:
    """A number with three digits that count, or all of those before the point.

    >>> number_text(0.04444), number_text(2.0), number_text(12345.6)
    ('0.0444', '2.00', '12,346')
    """
    if number == 0 or number >= 100:
        return f"{number:,.0f}"
    return f"{number:#.3g}".removesuffix(".")
