"""What Hypothesis draws: random pipelines, as plain descriptions that a test can build and a model can interpret."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

KINDS = ("list", "generator", "iterator", "arrays", "indexed")


@dataclass(frozen=True)
class Source:
    """One source: `widths[i]` is the length of the ragged component of its example i."""

    kind: str
    number: int
    widths: tuple[int, ...]
    fails: bool = False
    """Whether it raises after its last example."""
    yields: bool = False
    """Whether it lets other threads run between its examples."""


@dataclass(frozen=True)
class Word:
    """One word of a pipeline with its argument."""

    name: str
    argument: Any = None


@dataclass(frozen=True)
class Described:
    """A pipeline: sources or other pipelines, joined, and what follows."""

    inputs: tuple[Source | Described, ...]
    words: tuple[Word, ...]

    @property
    def batched(self) -> bool:
        """Whether batches come out."""
        batched = False
        for word in self.words:
            batched = {"batch": True, "unbatch": False}.get(word.name, batched)
        return batched


counts = st.integers(0, 6)
example_words = st.one_of(
    st.builds(Word, st.sampled_from(["map", "grow", "draw", "filter"])),
    st.builds(Word, st.sampled_from(["take", "skip"]), counts),
)
batch_words = st.one_of(
    st.builds(Word, st.sampled_from(["map batch", "filter batch"])),
    st.builds(Word, st.sampled_from(["take", "skip"]), st.integers(0, 3)),
)
repeats = st.builds(Word, st.just("repeat"), st.integers(1, 3))
batches = st.builds(Word, st.just("batch"), st.tuples(st.integers(1, 5), st.booleans()))


@st.composite
def sources(draw: st.DrawFn, number: int, *, again: bool, fails: bool) -> Source:
    """A source whose examples carry its number; one that is read `again` is not a one-shot iterator."""
    kinds = [kind for kind in KINDS if kind != "iterator" or not again]
    if fails:
        kinds = ["generator"]
    kind = draw(st.sampled_from(kinds))
    n = draw(st.integers(0, 9))
    same = kind == "arrays"
    widths = (2,) * n if same else tuple(draw(st.lists(st.integers(0, 3), min_size=n, max_size=n)))
    return Source(kind, number, widths, fails=fails, yields=kind == "generator" and draw(st.booleans()))


@st.composite
def word_lists(draw: st.DrawFn, *, repeated: bool, batched: bool | None) -> tuple[Word, ...]:
    """Words in an order that makes sense; `batched` decides whether batches come out."""
    some = example_words | repeats if repeated else example_words
    words = draw(st.lists(some, max_size=3))
    ends_batched = draw(st.booleans()) if batched is None else batched
    turns = draw(st.integers(0, 1)) * 2 + ends_batched
    for turn in range(turns):
        if turn % 2:
            words += [Word("unbatch"), *draw(st.lists(some, max_size=2))]
        else:
            after = batch_words | repeats if repeated else batch_words
            words += [draw(batches), *draw(st.lists(after, max_size=2))]
    return tuple(words)


@st.composite
def pipelines(
    draw: st.DrawFn, *, errors: bool = True, repeated: bool = True, batched: bool | None = None, once: bool = True
) -> Described:
    """A pipeline of up to four inputs, of which some are pipelines of one or two sources, batched or not.

    With `errors` one source may raise; with `repeated` there may be `repeat` among the words; `batched` decides whether
    batches come out, and `None` leaves it open; without `once` every source can be opened again.
    """
    count = draw(st.integers(1, 4))
    failing = draw(st.integers(0, count - 1)) if errors and draw(st.booleans()) else None
    inputs: list[Source | Described] = []
    number = 0
    for place in range(count):
        if draw(st.integers(0, 3)):
            inputs.append(draw(sources(number, again=repeated or not once, fails=place == failing)))
            number += 1
            continue
        inner = []
        for i in range(draw(st.integers(1, 2))):
            inner.append(draw(sources(number, again=repeated or not once, fails=place == failing and i == 0)))
            number += 1
        inputs.append(Described(tuple(inner), draw(word_lists(repeated=repeated, batched=None))))
    return Described(tuple(inputs), draw(word_lists(repeated=repeated, batched=batched)))


@st.composite
def source_lists(draw: st.DrawFn) -> list[Source]:
    """One to four sources, none of which raises."""
    return [draw(sources(number, again=False, fails=False)) for number in range(draw(st.integers(1, 4)))]
