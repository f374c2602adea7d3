"""Says in words what limits a flow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from penstock.stats import FlowStats, ShareStats, StrataStats

__all__ = ["report"]

NEAR = 0.005
"""A share that is nearer to its weight than this is not worth a word."""
PATIENCE_S = 5.0
"""A source that is waited for for longer is named. [s]"""
MOST_NAMED = 8
"""Of more sources, or classes, the others are only counted."""
THROTTLED = 10
"""Where a batch needs more than so many times its size in inputs, the class that it waits for is named."""

_ACTS = {
    "wait": ("which was waited for", "which were waited for"),
    "repeat": ("and its newest examples were given once more", "and their newest examples were given once more"),
    "redistribute": ("and its share went to the others", "and their shares went to the others"),
}


def report(stats: FlowStats, *, order: str) -> str:
    """Writes what a flow has done, and what its limit is.

    Args:
      stats: the flow's figures.
      order: `"fixed"`, `"arrival"` or `"weights"`, for the advice.
    """
    rate = stats.examples / stats.elapsed_s if stats.elapsed_s > 0 else 0.0
    lines = [
        f"{stats.name}: {stats.delivered} delivered ({stats.examples} examples, {stats.nbytes / 1e6:.1f} MB)"
        f" in {stats.elapsed_s:.2f} s, {rate:,.0f} examples/s",
        f"limit: {_verdict(stats, order)}",
    ]
    lines += _stuck(stats)
    lines += _skips(stats)
    lines += [f"{stage.name}: {stage.discarded} examples left out" for stage in stats.stages if stage.discarded]
    lines += map(_share, stats.shares)
    lines += _off_weight(stats)
    for number, strata in enumerate(stats.strata):
        name = "stratify" if len(stats.strata) == 1 else f"stratify {number}"
        first, *rest = _proportions(strata, stats)
        lines += [f"{name}: {first}", *[f"  {line}" for line in rest]]
    return "\n".join(lines)


def _stuck(stats: FlowStats) -> list[str]:
    """Sources that are waited for, and have been for long."""
    return [
        f"source {number} ({source.name!r}) has been waited for for {source.awaited_s:.0f} s, and still is"
        for number, source in enumerate(stats.sources)
        if source.awaited_s > PATIENCE_S
    ]


def _skips(stats: FlowStats) -> list[str]:
    """What was skipped under `on_error`, by source and stage."""
    lines = []
    for skip in stats.skips[:MOST_NAMED]:
        line = f"{skip.stage}: {skip.skipped:,} skipped"
        if skip.first is not None:
            line += f"; the first: {skip.first}"
        if skip.last is not None and skip.last != skip.first:
            line += f"; the last: {skip.last}"
        lines.append(line)
    if len(stats.skips) > MOST_NAMED:
        count = sum(skip.skipped for skip in stats.skips[MOST_NAMED:])
        lines.append(f"and {count:,} more in {len(stats.skips) - MOST_NAMED} more sources and stages")
    return lines


def _share(share: ShareStats) -> str:
    """Which part of the stream this rank has, and how its end was made even."""
    opened, sources = share.sources
    what = {
        "files": f"it reads {opened} of {sources} sources",
        "turns": f"every {share.world_size} examples of the stream, one is its own",
        "classes": "of each global batch, a part of each class is its own",
    }[share.way]
    filled = [
        f"{count:,} examples {said} to fill its last batch"
        for count, said in ((share.again, "were given again"), (share.padded, "are padding"))
        if count
    ]
    return "; ".join([f"shard: rank {share.rank} of {share.world_size}, by {share.way}: {what}", *filled])


def _off_weight(stats: FlowStats) -> list[str]:
    """Of sources that ended before the others, what that did to their share."""
    off = [mix for mix in stats.mixes if mix.ended and mix.weight - mix.share > NEAR]
    lines = [
        f"{mix.join}: source {mix.name!r} gave {mix.share:.1%} of the examples, where {mix.weight:.1%} were asked for, "
        f"since it ended after {mix.examples:,}"
        for mix in off[:MOST_NAMED]
    ]
    if len(off) > MOST_NAMED:
        lines.append(f"and so did {len(off) - MOST_NAMED} more sources")
    return lines


def _proportions(strata: StrataStats, stats: FlowStats) -> Iterator[str]:
    """What became of the classes: in all, one by one, and what will surprise."""
    came = f"{strata.inputs:,} examples in, {strata.delivered:,} given"
    most = _most(strata)
    if strata.delivered and most:
        part = strata.efficiency / most
        # A target that was changed has had another bound before.
        of = f", {part:.0%} of the most that is possible" if part < 1 + NEAR else ""
        came += f": {strata.efficiency:.3g} for each{of} at repeats={strata.repeats}"
    yield came
    yield _exactness(strata, stats)
    if len(strata.labels):
        yield from _table(strata)
    yield from _scarce(strata)
    yield from _turns(strata)
    yield from _absent(strata)
    if strata.ignored:
        yield f"{strata.ignored:,} examples of unknown classes were left out"


def _most(strata: StrataStats) -> float:
    """The most that could be given for each that came, `r min p / q`, p being what did come; 0 if nothing did."""
    if not strata.inputs or not (strata.counts["target"] > 0).any():
        return 0.0
    return strata.repeats * float(_supply(strata).min()) / strata.inputs


def _supply(strata: StrataStats) -> np.ndarray[Any, Any]:
    """How many came of each class, over its target; infinite where it has none. float64[K]"""
    seen, target = strata.counts["seen"], strata.counts["target"]
    supply: np.ndarray[Any, Any] = np.divide(seen, target, out=np.full(len(seen), np.inf), where=target > 0)
    return supply


def _exactness(strata: StrataStats, stats: FlowStats) -> str:
    changed = len({event.batch for event in strata.events if event.policy != "wait"})
    but = f", but for {changed:,} in which a class was missing" if changed else ""
    if strata.exact:
        return f"exact in every batch of {strata.size:,}{but}"
    names = [stage.name for stage in stats.stages]
    after = names[names.index("stratify") + 1 :] if "stratify" in names else []
    between = [f"`{name}`" for name in after if not name.startswith(("map(", "pad(", "batch("))]
    stands = f"; {', '.join(between)} {'stands' if len(between) == 1 else 'stand'} between" if between else ""
    if strata.skipped:
        was = "was" if strata.skipped == 1 else "were"
        stands += f"; batches straddle these, since {strata.skipped:,} {was} skipped behind it"
    return f"exact in the order that stratify gives, {strata.size:,} by {strata.size:,}{but}{stands}"


def _table(strata: StrataStats) -> Iterator[str]:
    """A line for each class; of many, for those that limit and for those that come most."""
    shown = list(range(len(strata.labels)))
    if len(shown) > MOST_NAMED:
        scarce = np.argsort(_supply(strata), kind="stable")[: MOST_NAMED // 2].tolist()
        often = [
            number for number in np.argsort(-strata.counts["seen"], kind="stable").tolist() if number not in scarce
        ]
        shown = scarce + often[: MOST_NAMED // 2]
    heads = ("class", "came", "target", "given", "used", "repeated", "thinned", "displaced", "waiting", "age")
    rows: list[tuple[str, ...]] = [heads]
    for number in shown:
        its = strata.at(number)
        shares = (its.arrived / max(1, strata.inputs), its.target, its.share)
        counts = (its.used, its.repeated, its.thinned, its.evicted, its.held, round(its.staleness))
        rows.append((_short(its.label), *[f"{share:.2%}" for share in shares], *[f"{count:,}" for count in counts]))
    widths = [max(len(row[place]) for row in rows) for place in range(len(heads))]
    for row in rows:
        yield "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])])
    if len(shown) < len(strata.labels):
        yield f"and {len(strata.labels) - len(shown):,} more classes; these are the scarcest and the most frequent"


def _scarce(strata: StrataStats) -> Iterator[str]:
    """The class that throttles the flow."""
    seen, target = strata.counts["seen"], strata.counts["target"]
    if not strata.inputs or not (target > 0).any():
        return
    never = np.flatnonzero((target > 0) & (seen == 0))
    if len(never):
        more = f" and {len(never) - 3:,} more" if len(never) > 3 else ""
        names = ", ".join(_short(strata.labels[number]) for number in never[:3].tolist()) + more
        yield f"{'class' if len(never) == 1 else 'classes'} {names} did not come at all"
        return
    needs = strata.size / _most(strata)
    if needs > THROTTLED * strata.size:
        number = int(_supply(strata).argmin())
        often = f"1 in {strata.inputs / int(seen[number]):,.0f}"
        at = f"at repeats={strata.repeats} a batch of {strata.size:,} needs {needs:,.0f} inputs"
        yield f"class {_short(strata.labels[number])} gives {often}: {at}"


def _turns(strata: StrataStats) -> Iterator[str]:
    """Where classes are not in every batch."""
    target = strata.counts["target"]
    by_turns = target[(target > 0) & (strata.size * target < 1 - 1e-9)]
    if not len(by_turns):
        return
    every = 1 / (strata.size * float(by_turns.min()))
    if len(by_turns) == int((target > 0).sum()) and by_turns.max() - by_turns.min() < 1e-12:
        more = f"{len(by_turns):,} classes are more than a batch of {strata.size:,} holds"
        yield f"{more}: each comes once in {_plain(every)} batches"
    else:
        are = "class is" if len(by_turns) == 1 else "classes are"
        rarest = "that one" if len(by_turns) == 1 else "the rarest"
        yield f"{len(by_turns):,} {are} not in every batch of {strata.size:,}: {rarest} comes once in {_plain(every)}"


def _absent(strata: StrataStats) -> Iterator[str]:
    """What was done about classes that stayed away."""
    found: dict[tuple[str, ...], list[int]] = {}
    for event in strata.events:
        found.setdefault((event.policy, *map(_short, event.labels)), []).append(event.batch)
    for (policy, *labels), batches in list(found.items())[:MOST_NAMED]:
        more = f" and {len(labels) - 3:,} more" if len(labels) > 3 else ""
        which = f"{'class' if len(labels) == 1 else 'classes'} {', '.join(labels[:3])}{more}"
        where = f"batch {batches[0]:,}" + (f" and {len(batches) - 1:,} later" if len(batches) > 1 else "")
        one, several = _ACTS[policy]
        yield f"{where} missed {which}, {one if len(labels) == 1 else several}"
    if len(found) > MOST_NAMED:
        yield f"and so on: {len(strata.events):,} times in all"


def _short(label: object) -> str:
    text = repr(label)
    return text if len(text) <= 24 else f"{text[:23]}…"


def _plain(number: float) -> str:
    """Three digits of a number above one: 1.25, 390."""
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"


def _verdict(stats: FlowStats, order: str) -> str:
    if stats.delivered == 0:
        return "nothing has been delivered yet" + _awaited(stats)
    if stats.wait_s < 0.1 * stats.elapsed_s:
        share = 1 - stats.wait_s / max(stats.elapsed_s, 1e-9)
        return f"the training loop, which was busy {share:.0%} of the time; the flow keeps up with it"
    waits = [(source.take_wait_s, number) for number, source in enumerate(stats.sources)]
    total = sum(wait for wait, _ in waits)
    work = stats.driver.busy_s - total
    if total > work and waits:
        longest, number = max(waits)
        name = f"source {number} ({stats.sources[number].name!r})"
        if len(waits) > 1 and longest > 0.5 * total:
            advice = '; `order="arrival"` would not wait for it' if order == "fixed" else ""
            return f"{name} holds up the others: {longest:.2f} s of {stats.elapsed_s:.2f} s were spent waiting for it{advice}"
        if len(waits) > 1:
            spent = f"{total:.2f} s of {stats.elapsed_s:.2f} s were spent waiting for them"
            return f"the sources, all of them: {spent}; more of them would help"
        return f"{name}: {longest:.2f} s of {stats.elapsed_s:.2f} s were spent waiting for it"
    if not stats.stages:
        return "the flow runs in the caller's own thread, so the loop waits for all that it does"
    busiest = max(stats.stages, key=lambda stage: stage.busy_s - (total if stage.name.startswith("join") else 0.0))
    what = (
        "reading the sources, which are computed in Python" if busiest.name.startswith("join") else f"`{busiest.name}`"
    )
    return f"the driver's own work, most of it {what}: {busiest.busy_s:.2f} s of {stats.elapsed_s:.2f} s"


def _awaited(stats: FlowStats) -> str:
    idle = [f"{number} ({source.name!r})" for number, source in enumerate(stats.sources) if source.examples == 0]
    if not idle:
        return ""
    more = f" and {len(idle) - 8} more" if len(idle) > 8 else ""
    return f"; no example yet from source {', '.join(idle[:8])}{more}"
