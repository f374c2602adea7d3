"""The figures of a flow: what was read, left out, delivered."""

from collections.abc import Iterator

import numpy as np
import pytest

import penstock as ps


def run(pipeline: ps.Pipeline, *, inline: bool = False) -> ps.FlowStats:
    """The figures at the end."""
    with pipeline.open(inline=inline) as flow:
        for _ in flow:
            pass
    return flow.stats()


def five() -> Iterator[int]:
    return iter(range(5))


def no_two(number: int) -> bool:
    return number != 2


@pytest.mark.parametrize("keep_last", [False, True])
def test_every_example_that_was_read_is_delivered_or_counted_as_left_out(keep_last: bool):
    """The law of conservation, in the figures that a user sees."""
    pipeline = ps.join([five, [1, 2, 3, 4, 5, 6]]).filter(no_two).skip(3).batch(4, keep_last=keep_last)

    stats = run(pipeline)

    read = sum(source.examples for source in stats.sources)
    left_out = {stage.name: stage.discarded for stage in stats.stages if stage.discarded}
    assert read == 11
    assert left_out == {"filter(no_two)": 2, "skip(3)": 3, **({} if keep_last else {"batch(4)": 2})}
    assert read == stats.examples + sum(left_out.values())


def test_stages_stand_in_the_order_of_the_stream():
    """From the sources to the batches, each with what it has given."""
    stats = run(ps.join([five]).map(abs).take(4).batch(2).map(np.sum))

    assert [(stage.name, stage.examples) for stage in stats.stages] == [
        ("join(1 sources, fixed)", 4),
        ("map(abs)", 4),
        ("take(4)", 4),
        ("batch(2)", 2),
        ("map(sum)", 2),
    ]


@pytest.mark.parametrize("inline", [False, True])
def test_sources_are_named_and_count_over_all_epochs(inline: bool):
    """A dict names them; otherwise they are called what the user's code calls them."""
    named = run(ps.join({"short": [1], "long": five}).repeat(3).batch(2), inline=inline)
    plain = run(ps.join([[1], five]).batch(2), inline=inline)

    assert [(source.name, source.examples) for source in named.sources] == [("short", 3), ("long", 15)]
    assert [(source.name, source.examples) for source in plain.sources] == [("list", 1), ("five", 5)]


def test_batches_and_bytes_are_counted():
    """Bytes are those that were assembled: four batches of two int64."""
    stats = run(ps.join([list(range(9))]).batch(2).options(name="train"))

    assert (stats.name, stats.delivered, stats.examples, stats.nbytes) == ("train", 4, 8, 64)
    assert (stats.driver.name, stats.driver.examples) == ("train", 4)
    assert stats.elapsed_s >= stats.wait_s >= 0


def test_figures_stand_still_once_the_flow_is_closed():
    """A report that is printed after the loop speaks of the loop."""
    with ps.join([five]).batch(2).open() as flow:
        next(flow)

    assert flow.stats().elapsed_s == flow.stats().elapsed_s


def test_figures_are_frozen():
    """They are values, not a window."""
    stats = run(ps.join([[1]]))

    with pytest.raises(AttributeError):
        stats.delivered = 3  # type: ignore[misc]
