"""Which kind of source an object is: told by its type, the first match counts."""

import collections
import functools
import itertools
import pathlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import penstock as ps
from examples import Point, run
from penstock.sources import ArraySource, CallableSource, IndexedSource, IterableSource, as_source
from penstock.sources.components import ComponentsSource


class Sequenced:
    """An object with a length and items, as a map-style data set."""

    def __len__(self) -> int:
        return 3

    def __getitem__(self, index: int) -> int:
        return index * 10


class Iterated:
    """An iterable that can be called too."""

    def __iter__(self) -> Iterator[int]:
        return iter([1, 2])

    def __call__(self) -> list[int]:
        return [3]


class Tensor:
    """Another library's array."""

    ndim = 1

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return np.arange(2, dtype=np.int16)


class DataSet:
    """Another library's stream of examples."""

    def as_numpy_iterator(self) -> Iterator[int]:
        return iter([5, 6])


def examples(thing: Any) -> list[Any]:
    """What is read from one source, or the error."""
    delivered, error = run(ps.join([thing]))
    if error is not None:
        raise error
    return delivered


@pytest.mark.parametrize(
    ("thing", "kind", "read"),
    [
        ((lambda: [1, 2], [3, 4]), ComponentsSource, [(1, 3), (2, 4)]),
        ({"a": [1, 2], "b": [3, 4]}, ComponentsSource, [{"a": 1, "b": 3}, {"a": 2, "b": 4}]),
        (Point([1, 2], [3, 4]), ComponentsSource, [Point(1, 3), Point(2, 4)]),
        ((np.arange(2), np.arange(2)), ArraySource, [(0, 0), (1, 1)]),
        (np.arange(3), ArraySource, [0, 1, 2]),
        (Tensor(), ArraySource, [0, 1]),
        (DataSet(), CallableSource, [5, 6]),
        ([1, 2], IndexedSource, [1, 2]),
        (range(3), IndexedSource, [0, 1, 2]),
        (collections.deque([1, 2]), IndexedSource, [1, 2]),
        (Sequenced(), IndexedSource, [0, 10, 20]),
        ({1}, IterableSource, [1]),
        (iter([1, 2]), IterableSource, [1, 2]),
        ((x for x in [1, 2]), IterableSource, [1, 2]),
        (Iterated(), IterableSource, [1, 2]),
        ({"a": 1}.keys(), IterableSource, ["a"]),
        (lambda: [1, 2], CallableSource, [1, 2]),
        (functools.partial(range, 2), CallableSource, [0, 1]),
        (lambda: ps.join([[1, 2]]), CallableSource, [1, 2]),
        (list, CallableSource, []),
        ([], IndexedSource, []),
    ],
)
def test_a_source_is_told_by_its_type(thing: Any, kind: type, read: list[Any]):
    """In the order of the list in the module: a deque has a length and items, so it is read by index."""
    assert type(as_source(thing)) is kind
    assert examples(thing) == read


@pytest.mark.parametrize("thing", ["file.csv", b"file.csv", pathlib.Path("file.csv")])
def test_a_path_is_an_error_that_names_the_functions_for_files(thing: Any):
    """A `str` is iterable, and would come out letter by letter."""
    what = "path" if isinstance(thing, pathlib.Path) else "text"

    with pytest.raises(ps.PipelineError) as caught:
        ps.join([[1], thing])

    assert str(caught.value) == (
        f"expected a source of examples, got the {what} `{thing!r}` - at source 1 - "
        "for files use `ps.read_parquet`, `read_arrow`, `read_csv`, `read_jsonl` or `read_text`"
    )


@pytest.mark.parametrize(
    ("thing", "message"),
    [
        (5, "expected a source: an iterable, a callable that opens one, an array or a pipeline, got `int` - at HERE"),
        (
            None,
            "expected a source: an iterable, a callable that opens one, an array or a pipeline, got "
            "`NoneType` - at HERE",
        ),
        (np.array(5), "expected an array of rows, got a scalar `int64[]` - at HERE"),
        ((), "expected at least one component, got an empty `tuple` - at HERE"),
        ({}, "expected at least one component, got an empty `dict` - at HERE"),
        (
            ([1], 5),
            "expected a source for each component, got `int` - at component `[1]` of HERE - "
            "a tuple or dict is components read in step; a list is examples",
        ),
        (
            {"a": {"b": None}},
            "expected a source for each component, got `NoneType` - at component `a.b` of HERE - "
            "a tuple or dict is components read in step; a list is examples",
        ),
        (
            ([1], "file.csv"),
            "expected a source of examples, got the text `'file.csv'` - at component `[1]` of HERE - "
            "for files use `ps.read_parquet`, `read_arrow`, `read_csv`, `read_jsonl` or `read_text`",
        ),
        (
            ([1], ()),
            "expected at least one component, got an empty `tuple` - at component `[1]` of HERE",
        ),
        (
            lambda path: [path],
            "expected a callable without arguments, which opens the source, got one that takes `(path)` - at HERE - "
            "give them: `lambda: read(path)`, or `functools.partial(read, path)`",
        ),
    ],
)
def test_what_is_no_source_is_named(thing: Any, message: str):
    """As the pipeline is written, with the component."""
    with pytest.raises(ps.PipelineError) as caught:
        as_source(thing, at="HERE")

    assert str(caught.value) == message


@pytest.mark.parametrize(("made", "name"), [(5, "int"), ("text", "str"), (None, "NoneType")])
def test_a_callable_that_opens_nothing_is_named_when_it_is_called(made: Any, name: str):
    """What it gives is known only then."""

    def read() -> Any:
        return made

    delivered, error = run(ps.join([read]))

    assert delivered == []
    assert isinstance(error, ps.PipelineError)
    assert str(error).startswith(f"expected a callable that gives an iterable, got `{name}`")


@pytest.mark.parametrize("example", [iter([1]), lambda: [1], ps.join([[1]])])
def test_a_list_of_sources_is_not_components(example: Any):
    """TF1's idiom; a list is always examples here, and such an example says so."""
    delivered, error = run(ps.join([[example]]).batch(1))

    assert delivered == []
    assert isinstance(error, ps.SpecError)
    assert "a list is examples; for components pass a tuple" in str(error)


def test_an_iterable_is_read_once_and_a_second_opening_says_what_to_pass():
    """Half an iterator in a second epoch would be a silent mistake."""
    pipeline = ps.join([iter([1, 2])])

    assert list(pipeline) == [1, 2]
    with pytest.raises(ps.PipelineError) as caught:
        list(pipeline)
    assert str(caught.value).startswith(
        "expected a source that can be opened again, got the iterable `list_iterator`, which was opened before"
    )
    assert "pass a callable that makes it: `lambda: ...`" in str(caught.value)


@pytest.mark.parametrize(
    "thing", [[1, 2], np.arange(1, 3), lambda: iter([1, 2]), Sequenced(), ([1, 2], lambda: [3, 4])]
)
def test_everything_else_is_opened_anew_for_each_pass(thing: Any):
    """By index, or by calling."""
    pipeline = ps.join([thing])

    assert list(pipeline) == list(pipeline)


def test_the_same_callable_twice_is_two_streams():
    """Each opens its own."""
    source = functools.partial(iter, [1, 2])

    assert list(ps.join([source, source])) == [1, 1, 2, 2]


SAME = "expected each one-shot iterator in one source only, got the same `{}` in sources 0 and {} - at join(sources) - "
SAME += "pass a callable that opens it; the same callable twice is two streams"


@pytest.mark.parametrize(
    ("sources", "second"),
    [
        (lambda it: [it, it], 1),
        (lambda it: [it, [1], it], 2),
        (lambda it: [(it, [1]), (it, [2])], 1),
        (lambda it: [([1], it), ([2], it)], 1),
        (lambda it: [{"a": [1], "b": ([2], it)}, it], 1),
        (lambda it: [ps.join([it]), ps.join([it])], 1),
        (lambda it: [ps.join([it]).map(abs), it], 1),
    ],
)
def test_the_same_iterator_in_two_sources_is_an_error(sources: Any, second: int):
    """Each would get what the other leaves, by chance of timing; also where it is but one component of each."""
    with pytest.raises(ps.PipelineError) as caught:
        ps.join(sources(iter([1, 2])))

    assert str(caught.value) == SAME.format("list_iterator", second)


def test_the_data_sets_of_torch_are_told_apart():
    """By index, or as a stream; a tensor is an array of rows."""
    data = pytest.importorskip("torch.utils.data")
    torch = pytest.importorskip("torch")

    class Stream(data.IterableDataset):
        def __iter__(self) -> Iterator[int]:
            return iter([1, 2])

    rows = data.TensorDataset(torch.arange(3), torch.arange(3) * 10)
    assert type(as_source(rows)) is IndexedSource
    assert type(as_source(Stream())) is IterableSource
    assert type(as_source(torch.arange(3))) is ArraySource
    (batch,) = list(ps.join([rows]).batch(3))
    assert [part.tolist() for part in batch] == [[0, 1, 2], [0, 10, 20]]
    assert examples(Stream()) == [1, 2]
    assert examples(torch.arange(3)) == [0, 1, 2]


def test_a_known_iterator_that_is_endless_can_still_be_opened_once_only():
    """`itertools.count` goes on where the first pass left it."""
    pipeline = ps.join([itertools.count()]).take(3)

    assert list(pipeline) == [0, 1, 2]
    assert isinstance(run(pipeline)[1], ps.PipelineError)
