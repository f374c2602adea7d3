"""The data that is measured with: pure functions of a seed, read by plain Python generators.

Each example carries its own number, so that a delivery is checked example by example: every row must be the row of its
number, and every number must come as often as the sources yield it.
A source is a function without arguments, which any process can be given, and which opens a fresh generator.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import numpy as np

__all__ = [
    "BLOCK",
    "CHUNK",
    "CLASSES",
    "MANY",
    "NAMES",
    "SHARES",
    "Workload",
    "chunk",
    "dense",
    "image",
    "make",
    "many",
    "ragged",
    "skewed",
    "skewed_chunk",
]

SEED = 20261121
WIDTH = 16
"""Floats of a dense example."""
CHUNK = 1024
"""Rows of a chunk."""
CHUNKS = 64
"""Chunks that a source has; it yields them again and again."""
IMAGE = (224, 224, 3)
IMAGES = 128
"""Images that a source has; it yields them again and again."""
CLASSES = 10
"""Of W5 and W6."""
SHARES = (1 / np.arange(1, CLASSES + 1)) / (1 / np.arange(1, CLASSES + 1)).sum()
"""Their shares: class k comes 1 / (k + 1) as often as class 0."""
MANY = 100_000
"""Classes of the workload with many of them."""
BLOCK = 4096
"""Rows of a chunk of W6."""
POOL = 1 << 18
"""Different examples of W5 and W6; they come again and again."""

Source = Callable[[], Iterator[Any]]


@dataclass(frozen=True, slots=True)
class Workload:
    """Sources, how their examples are batched, and how a delivery is checked."""

    name: str
    sources: tuple[Source, ...]
    batch: int
    """Examples in a batch."""
    examples: int
    """Of all sources together."""
    arrays: tuple[Any, ...]
    """What the sources read from, in memory: arrays with an example a row; ragged data and its offsets."""
    match: Callable[[Workload, Any], Any]
    """The numbers of a batch's examples; raises where their contents are others."""

    @property
    def distinct(self) -> int:
        """Different examples."""
        return len(self.arrays[1]) - (self.name == "w3")

    def check(self, batches: Iterable[Any], *, whole: bool = True) -> None:
        """Reads a delivery to its end and raises where it is not what the sources yield.

        Args:
          batches: what was delivered.
          whole: whether every example must have come; a remainder smaller than a batch may be missing otherwise.

        Raises:
          AssertionError: contents, numbers or sizes differ.
        """
        seen = np.zeros(self.distinct, np.int64)
        sizes = []
        for batch in batches:
            numbers = self.match(self, batch)
            seen += np.bincount(numbers, minlength=self.distinct)
            sizes.append(len(numbers))
        most = self.examples // self.distinct
        missing = self.examples - sum(sizes)
        demand(seen.max() <= most, f"examples came {seen.max()} times, not {most}")
        demand(0 <= missing < (1 if whole else self.batch), f"{missing} examples are missing")
        demand(set(sizes[:-1]) <= {self.batch} and sizes[-1] <= self.batch, f"batches of {sorted(set(sizes))}")


def demand(condition: Any, message: str) -> None:
    """Raises with a message unless a condition holds, under `python -O` too."""
    if not condition:
        raise AssertionError(message)


@lru_cache(None)
def rows(n: int) -> tuple[Any, Any]:
    """float32[n, 16] with the row's number in column 0, and int64[n] labels."""
    x = np.random.default_rng((SEED, 1, n)).standard_normal((n, WIDTH), dtype=np.float32)
    x[:, 0] = np.arange(n, dtype=np.float32)
    return x, (np.arange(n, dtype=np.int64) * 2654435761 >> 7) % 1000


@lru_cache(None)
def labelled(n: int, kind: str) -> tuple[Any, Any]:
    """float32[n, 16] as in `rows`, and int64[n] labels.

    Args:
      n: how many.
      kind: `"skewed"`, by `SHARES`; `"drift"`, the same with the shares reversed from the middle on; `"many"`, each of
        100,000 classes once in 100,000 examples.
    """
    rng = np.random.default_rng((SEED, 6, n))
    if kind == "many":
        return rows(n)[0], np.concatenate([rng.permutation(MANY) for _ in range(-(-n // MANY))])[:n]
    y = rng.choice(CLASSES, n, p=SHARES)
    if kind == "drift":
        y[n // 2 :] = CLASSES - 1 - y[n // 2 :]
    return rows(n)[0], y


@lru_cache(None)
def pixels(n: int) -> tuple[Any, Any]:
    """uint8[n, 224, 224, 3], and int64[n] numbers."""
    return np.random.default_rng((SEED, 2, n)).integers(0, 256, (n, *IMAGE), dtype=np.uint8), np.arange(n)


@lru_cache(None)
def sequences(n: int) -> tuple[Any, Any]:
    """int32 values, and int64[n + 1] offsets: sequence i starts with i + 1 and holds no 0; median length 64."""
    rng = np.random.default_rng((SEED, 3, n))
    lengths = np.clip(np.rint(np.exp(rng.normal(np.log(64), 0.8, n))), 1, 512).astype(np.int64)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    values = rng.integers(0, 2**31 - 2, offsets[-1], dtype=np.int32) | 1
    values[offsets[:-1]] = np.arange(1, n + 1)
    return values, offsets


def read_rows(n: int, start: int, stop: int, rounds: int) -> Iterator[Any]:
    x, y = rows(n)
    for _ in range(rounds):
        for i in range(start, stop):
            yield x[i], y[i]


def read_images(n: int, start: int, stop: int, rounds: int) -> Iterator[Any]:
    x, y = pixels(n)
    for _ in range(rounds):
        for i in range(start, stop):
            yield x[i], y[i]


def read_sequences(n: int, start: int, stop: int) -> Iterator[Any]:
    values, offsets = sequences(n)
    places = offsets[start : stop + 1].tolist()
    for i in range(stop - start):
        yield values[places[i] : places[i + 1]]


def read_chunks(n: int, start: int, stop: int, rounds: int) -> Iterator[Any]:
    x, y = rows(n)
    for _ in range(rounds):
        for i in range(start, stop, CHUNK):
            yield x[i : i + CHUNK], y[i : i + CHUNK]


def read_labelled(n: int, kind: str, examples: int) -> Iterator[Any]:
    x, y = labelled(n, kind)
    for start in range(0, examples, n):
        for i in range(min(n, examples - start)):
            yield x[i], y[i]


def read_labelled_chunks(n: int, kind: str, examples: int) -> Iterator[Any]:
    x, y = labelled(n, kind)
    for start in range(0, examples, BLOCK):
        yield x[start % n : start % n + BLOCK], y[start % n : start % n + BLOCK]


def match_rows(workload: Workload, batch: Any) -> Any:
    """By the number in column 0."""
    x, y = (np.asarray(part) for part in batch)
    demand((x.dtype.name, y.dtype.name) == ("float32", "int64"), f"dtypes {x.dtype}, {y.dtype}")
    numbers = x[:, 0].astype(np.int64)
    demand(np.array_equal(x, workload.arrays[0][numbers]), "rows differ")
    demand(np.array_equal(y, workload.arrays[1][numbers]), "labels differ")
    return numbers


def match_images(workload: Workload, batch: Any) -> Any:
    """By the label, which is the number."""
    x, y = (np.asarray(part) for part in batch)
    demand((x.dtype.name, y.dtype.name) == ("uint8", "int64"), f"dtypes {x.dtype}, {y.dtype}")
    demand(
        all(np.array_equal(image, workload.arrays[0][number]) for image, number in zip(x, y, strict=True)),
        "pixels differ",
    )
    return y


def match_sequences(workload: Workload, batch: Any) -> Any:
    """By the first value; padded with 0 to the longest."""
    x = np.asarray(batch)
    demand(x.dtype == np.int32, f"dtype {x.dtype}")
    values, offsets = workload.arrays
    numbers = x[:, 0].astype(np.int64) - 1
    there = x != 0
    lengths = there.sum(1)
    demand(lengths.max() == x.shape[1], "not padded to the longest")
    demand(np.array_equal(lengths, offsets[numbers + 1] - offsets[numbers]), "lengths differ")
    demand(np.array_equal(there, np.arange(x.shape[1]) < lengths[:, None]), "not padded on the right")
    wanted = np.concatenate([values[offsets[number] : offsets[number + 1]] for number in numbers])
    demand(np.array_equal(x[there], wanted), "values differ")
    return numbers


def dense(examples: int, sources: int = 4, *, distinct: int | None = None, batch: int = 256) -> Workload:
    """W1: `(float32[16], int64)`, one example at a time."""
    n = distinct or examples
    per = n // sources
    opened = tuple(partial(read_rows, n, i * per, (i + 1) * per, examples // n) for i in range(sources))
    return Workload("w1", opened, batch, examples, rows(n), match_rows)


def image(examples: int, sources: int = 4, *, batch: int = 64) -> Workload:
    """W2: `(uint8[224, 224, 3], int64)`; `examples` is a multiple of 512."""
    n = IMAGES * sources
    opened = tuple(partial(read_images, n, i * IMAGES, (i + 1) * IMAGES, examples // n) for i in range(sources))
    return Workload("w2", opened, batch, examples // n * n, pixels(n), match_images)


def ragged(examples: int, sources: int = 4, *, batch: int = 128) -> Workload:
    """W3: `int32[n]` of median length 64, padded to the longest in the batch."""
    per = examples // sources
    opened = tuple(partial(read_sequences, examples, i * per, (i + 1) * per) for i in range(sources))
    return Workload("w3", opened, batch, examples, sequences(examples), match_sequences)


def chunk(examples: int, sources: int = 4, *, batch: int = 256) -> Workload:
    """W4: chunks `(float32[1024, 16], int64[1024])`; `examples` is a multiple of 262,144."""
    per = CHUNKS * CHUNK
    n = per * sources
    opened = tuple(partial(read_chunks, n, i * per, (i + 1) * per, examples // n) for i in range(sources))
    return Workload("w4", opened, batch, examples // n * n, rows(n), match_rows)


def skewed(examples: int, *, distinct: int = POOL, drift: bool = False, batch: int = 256) -> Workload:
    """W5: one source of `(float32[16], int64)`, 10 classes by `SHARES`; with `drift` reversed half-way."""
    n, kind = min(examples, distinct), "drift" if drift else "skewed"
    opened = (partial(read_labelled, n, kind, examples),)
    return Workload("w5", opened, batch, examples, labelled(n, kind), match_rows)


def many(examples: int, *, distinct: int = 2 * MANY, batch: int = 256) -> Workload:
    """As W5, with 100,000 classes, all alike."""
    n = min(examples, distinct)
    return Workload(
        "many", (partial(read_labelled, n, "many", examples),), batch, examples, labelled(n, "many"), match_rows
    )


def skewed_chunk(examples: int, *, distinct: int = POOL, batch: int = 256) -> Workload:
    """W6: as W5, in chunks of 4,096; `examples` is a multiple of that."""
    n, whole = min(examples, distinct), examples // BLOCK * BLOCK
    opened = (partial(read_labelled_chunks, n, "skewed", whole),)
    return Workload("w6", opened, batch, whole, labelled(n, "skewed"), match_rows)


NAMES: dict[str, Callable[..., Workload]] = {
    "w1": dense,
    "w2": image,
    "w3": ragged,
    "w4": chunk,
    "w5": skewed,
    "w6": skewed_chunk,
}


def make(name: str, examples: int, **settings: Any) -> Workload:
    """The workload of a name."""
    return NAMES[name](examples, **settings)
