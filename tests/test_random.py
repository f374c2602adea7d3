"""Random numbers: a function of the seed, the epoch, the example and the word; never of a thread."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import penstock as ps

MANY = 40


def opens(n: int = MANY) -> Callable[[], Iterator[int]]:
    return lambda: iter(range(n))


def drawn(example: Any, rng: np.random.Generator) -> int:
    """A number that two different generators do not give by chance: one in 2**62."""
    return int(rng.integers(2**62))


def draws(pipeline: ps.Pipeline, **how: Any) -> list[Any]:
    with pipeline.open(**how) as flow:
        return list(flow)


SHAPES: dict[str, ps.Pipeline] = {
    "one source": ps.join([opens()]).map(drawn),
    "two sources": ps.join([opens(), opens(7)]).map(drawn),
    "before the join": ps.join([ps.join([opens()]).map(drawn), ps.join([opens(5)]).map(drawn)]),
    "list": ps.join([list(range(MANY))]).map(drawn),
    "arrays": ps.from_arrays(np.arange(MANY)).map(drawn),
    "chunks": ps.join([ps.join([opens()]).batch(7, keep_last=True), opens()]).map(drawn),
    "rows of batches": ps.join([opens()]).batch(7, keep_last=True).unbatch().map(drawn),
    "batches": ps.join([opens(), opens()]).batch(3, keep_last=True).map(drawn),
    "filtered": ps.join([opens()]).filter(lambda x: x % 2).map(drawn),
    "filter": ps.join([opens(), opens()]).filter(lambda x, rng: rng.random() < 0.5).map(drawn),
    "epochs": ps.join([opens(5)]).repeat(4).map(drawn),
    "epochs after": ps.join([opens(5)]).map(drawn).repeat(4),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_threads_and_capacity_do_not_change_what_is_drawn(shape: str):
    """The same inline, ahead, far ahead, and again."""
    pipeline = SHAPES[shape]

    inline = draws(pipeline, inline=True)

    assert draws(pipeline) == draws(pipeline) == inline
    assert draws(pipeline.options(capacity=1)) == draws(pipeline.options(capacity=1000)) == inline


@pytest.mark.parametrize("shape", SHAPES)
def test_no_two_examples_draw_the_same(shape: str):
    """Of whatever source, epoch, chunk or batch."""
    numbers = draws(SHAPES[shape])

    assert len(set(numbers)) == len(numbers) > 4


def test_epochs_draw_anew_and_each_the_same_again():
    """`epoch=` starts where a repeat would have come to."""
    pipeline = ps.join([opens(5)]).map(drawn)
    epochs = [draws(pipeline, epoch=epoch) for epoch in range(3)]
    in_a_row = [number for epoch in epochs for number in epoch]

    assert draws(pipeline.repeat(3)) == draws(ps.join([opens(5)]).repeat(3).map(drawn)) == in_a_row
    assert draws(pipeline.repeat(2), epoch=1)[:5] == draws(pipeline, epoch=2)
    assert len({*in_a_row}) == 15


@pytest.mark.parametrize(
    "seeds", [(0, 1), (0, -1), (7, 2**64 + 7), (2**63, 2**63 + 1), (2**62, 2**62 + 1), (0, 2**100)]
)
def test_another_seed_draws_others(seeds: tuple[int, int]):
    """Every integer is a seed of its own, also those beyond what a float holds."""
    one, other = (draws(ps.join([opens(5)]).map(drawn).options(seed=seed)) for seed in seeds)

    assert {*one}.isdisjoint(other)


def test_a_word_may_have_a_seed_of_its_own():
    """In place of the pipeline's."""
    pipeline = ps.join([opens(5)])

    own = draws(pipeline.map(drawn, seed=3).options(seed=1))

    assert own == draws(pipeline.map(drawn).options(seed=3)) == draws(pipeline.map(drawn, seed=3))
    assert own != draws(pipeline.map(drawn).options(seed=1))
    kept = draws(pipeline.filter(lambda x, rng: rng.random() < 0.5, seed=3))
    assert kept == draws(pipeline.filter(lambda x, rng: rng.random() < 0.5).options(seed=3))


def test_of_a_pipeline_within_another_only_the_words_own_seeds_count():
    """It is built into one flow, which has one seed."""
    inner = ps.join([opens(5)])

    assert draws(ps.join([inner.map(drawn).options(seed=7)])) == draws(inner.map(drawn))
    assert draws(ps.join([inner.map(drawn, seed=7)])) == draws(inner.map(drawn).options(seed=7))


def test_two_words_draw_independently():
    """Even where they do the same to the same example."""

    def pair(example: Any, rng: np.random.Generator) -> Any:
        return (*example, drawn(example, rng))

    pipeline = ps.join([[()] * 5]).map(pair).map(pair)

    assert all(one != other for one, other in draws(pipeline))


def test_a_word_that_is_added_behind_changes_nothing_before_it():
    """Looking at the first few must show what the whole run will see."""
    pipeline = ps.join([opens(5)]).map(drawn)
    numbers = draws(pipeline)

    assert draws(pipeline.take(3)) == numbers[:3]
    assert draws(pipeline.map(lambda x: x)) == numbers
    assert [int(x) for batch in draws(pipeline.batch(5)) for x in batch] == numbers
    assert draws(ps.join([pipeline])) == numbers
    assert draws(ps.join([pipeline, opens(0)]).filter(lambda x: True)) == numbers


@pytest.mark.parametrize(
    "fn",
    [
        lambda x, rng: rng,
        lambda x, generator: generator,
        lambda x, *, rng: rng,
        lambda x, rng=None: rng,
        lambda *x, rng: rng,
    ],
)
def test_a_second_argument_without_a_default_or_one_called_rng_gets_the_generator(fn: Callable[..., Any]):
    """A NumPy generator of the example's own."""
    (rng,) = draws(ps.join([[1]]).map(fn))

    assert isinstance(rng, np.random.Generator)


@pytest.mark.parametrize("fn", [lambda x: x, lambda x, y=5: x, lambda *x: x[0], abs, int, np.negative, str.__len__])
def test_other_functions_get_the_example_alone(fn: Callable[..., Any]):
    """A default is the function's own business."""
    example = "text" if fn is str.__len__ else 3

    assert draws(ps.join([[example]]).map(fn)) == [fn(example)]


def test_the_global_generators_are_never_touched():
    """Neither read nor advanced."""
    np.random.seed(5)
    before = np.random.get_state()[1].tolist()

    draws(SHAPES["two sources"])

    assert np.random.get_state()[1].tolist() == before
