"""Says in words what limits a flow."""

from __future__ import annotations

from penstock.stats import FlowStats

__all__ = ["report"]

NEAR = 0.005
"""A share that is nearer to its weight than this is not worth a word."""
MOST_NAMED = 8
"""Of more sources the others are only counted."""


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
    lines += [f"{stage.name}: {stage.discarded} examples left out" for stage in stats.stages if stage.discarded]
    return "\n".join(lines + _off_weight(stats))


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
