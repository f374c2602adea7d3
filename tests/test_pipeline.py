"""The fluent form: what each word does, and what is said of a pipeline without running it."""

import functools
import inspect
import itertools
import pickle
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import penstock as ps
from examples import DTYPES, FORMS, Digit, filled, run
from penstock.structure import Structure
from penstock.testing import same


def opens(*items: Any) -> Callable[[], Iterator[Any]]:
    return lambda: iter(items)


def one(*items: Any) -> ps.Pipeline:
    """A pipeline of these examples."""
    return ps.join([list(items)])


def plain(things: Any) -> list[Any]:
    """Batches as lists."""
    return [thing.tolist() if isinstance(thing, np.ndarray) else thing for thing in things]


def refused(make: Callable[[], Any]) -> str:
    with pytest.raises(ps.PipelineError) as caught:
        make()
    return str(caught.value)


# join


def test_sources_are_joined_in_turn_and_an_ended_one_drops_out():
    """The rule of `order="fixed"`: a function of the data alone."""
    assert list(ps.join([[1, 2, 3], opens(10), opens(100, 200)])) == [1, 10, 100, 2, 200, 3]


def test_the_shorter_stream_does_not_cut_the_longer_one():
    """Two sources of different length: the end of one only takes it out of the turn."""
    assert plain(ps.join([[1], [2, 3, 4]]).batch(4)) == [[1, 2, 3, 4]]


def test_a_dict_of_sources_names_them():
    """In figures and messages; the order is that of the dict."""

    def broken() -> Iterator[int]:
        yield 1
        raise OSError("gone")

    pipeline = ps.join({"good": [10, 20], "bad": broken})

    examples, error = run(pipeline)

    assert examples == [10, 1, 20]
    assert isinstance(error, OSError)
    assert "source 1 ('bad')" in error.__notes__[0]


def test_arrival_order_gives_all_and_keeps_the_order_within_a_source():
    """Whoever is ready comes first."""
    examples = list(ps.join([opens(*range(50)), list(range(100, 150)), opens()], order="arrival"))

    assert sorted(examples) == [*range(50), *range(100, 150)]
    assert [x for x in examples if x < 100] == list(range(50))
    assert [x for x in examples if x >= 100] == list(range(100, 150))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ps.join([]), "expected at least one source, got none - at join(sources)"),
        (lambda: ps.join({}), "expected at least one source, got none - at join(sources)"),
        (
            lambda: ps.join(5),
            "expected an iterable of sources, got `int` - at join(sources) - a lone source: `join([source])`",
        ),
        (
            lambda: ps.join("ab"),
            "expected an iterable of sources, got `str` - at join(sources) - a lone source: `join([source])`",
        ),
        (
            lambda: ps.join(one(1)),
            "expected an iterable of sources, got `Pipeline` - at join(sources) - a lone source: `join([source])`",
        ),
        (
            lambda: ps.join([[1]], order="random"),
            'expected `order` to be "fixed" or "arrival", got `\'random\'` - at join(order)',
        ),
        (
            lambda: ps.join([one(1).pad()]),
            "expected `pad` after `join`, where `batch` is, got `pad` before `join` - at join(sources) - "
            "a pipeline that is joined pads nothing unless it batches",
        ),
        (
            lambda: ps.join([one(1).batch(1).to("torch")]),
            "expected `join` before `to`, got `join` after it - at join() - "
            "`.to(...)` after `join`; a pipeline in another is delivered by that one",
        ),
    ],
)
def test_a_join_that_cannot_be_is_refused(make: Callable[[], Any], message: str):
    """As it is written."""
    assert refused(make) == message


def test_the_examples_of_a_pipeline_are_a_source():
    """With all that its words make of them, in the same chain."""
    inner = ps.join([[1, 2], opens(10)]).map(lambda x: x * 2).filter(lambda x: x != 20)

    assert list(ps.join([inner, [7, 8, 9]])) == [2, 7, 4, 8, 9]


def test_the_batches_of_a_pipeline_are_chunks():
    """A turn is a whole one, and they are cut anew."""
    inner = one(1, 2, 3, 4, 5).batch(2, keep_last=True)

    assert plain(ps.join([inner, opens(10, 20)]).batch(3, keep_last=True)) == [[1, 2, 10], [3, 4, 20], [5]]


def test_a_pipeline_within_a_pipeline_within_a_pipeline():
    """Nesting has no limit of its own."""
    inner = one(1, 2, 3, 4)
    for _ in range(5):
        inner = ps.join([inner.batch(2).unbatch(), opens()])

    assert list(inner) == [1, 2, 3, 4]


# from_arrays


@pytest.mark.parametrize("form", FORMS)
def test_rows_of_arrays_are_the_examples(form: str):
    """An array, or a structure of them."""
    arrays = Structure.of(FORMS[form](0, 0)).build(
        [np.arange(6).reshape(3, 2) + i for i in range(9)][: len(Structure.of(FORMS[form](0, 0)).paths())]
    )

    batches = list(ps.from_arrays(arrays).batch(2, keep_last=True))

    structure = Structure.of(arrays)
    for batch, rows in zip(batches, (slice(0, 2), slice(2, 3)), strict=True):
        assert same(batch, structure.build([leaf[rows] for leaf in structure.leaves(arrays)]))


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        (np.float32(3), "expected an array of rows, got a scalar `float32[]` - at component `example`"),
        ({"a": np.arange(3), "b": 5}, "expected an array of rows, got a scalar `int64[]` - at component `b`"),
        ((np.arange(3), np.arange(2)), "expected as many rows as `[0]` has, 3, got 2 - at component `[1]`"),
        ({}, "expected at least one array, got none - at from_arrays()"),
    ],
)
def test_arrays_that_do_not_go_together_are_refused(arrays: Any, message: str):
    """As the pipeline is written."""
    assert refused(lambda: ps.from_arrays(arrays)) == message


# examples of every kind


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("inline", [False, True])
def test_a_batch_has_the_structure_of_an_example(form: str, inline: bool):
    """The dataclass's own checks, which are made for one example, do not stand in the way."""
    examples = [FORMS[form](np.full((2, 2), i, np.uint8), i) for i in range(4)]
    structure = Structure.of(examples[0])

    batches, error = run(ps.join([examples]).batch(2), inline=inline)

    assert error is None
    for at, batch in zip((0, 2), batches, strict=True):
        leaves = [
            np.full((2, 2, 2), [[[at]], [[at + 1]]], np.uint8) if np.ndim(leaf) else np.array([at, at + 1])
            for leaf in structure.leaves(examples[0])
        ]
        assert same(batch, structure.build(leaves))
        assert Structure.of(batch) == structure


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("shape", [(), (3,), (2, 0), (2, 1, 2)], ids=str)
def test_every_dtype_goes_through_unchanged(dtype: np.dtype, shape: tuple[int, ...]):
    """Bytes for bytes, but in this machine's order."""
    examples = [filled(dtype, shape, seed) for seed in range(4)]

    batches, error = run(ps.join([examples]).batch(2))

    assert error is None
    want = np.stack(examples)
    for batch, part in zip(batches, (want[:2], want[2:]), strict=True):
        assert batch.dtype == dtype.newbyteorder("=")
        assert batch.dtype.isnative
        assert batch.shape == part.shape
        assert batch.tolist() == part.tolist()


@pytest.mark.parametrize(
    ("examples", "dtype"),
    [
        ([1, 2], np.int64),
        ([1.5, 2.5], np.float64),
        ([True, False], np.bool_),
        ([1j, 2j], np.complex128),
        (["a", "bcd"], object),
        ([b"a", b"\x00\xff"], object),
        ([np.int8(1), np.int8(2)], np.int8),
        ([np.float16(1), np.float16(2)], np.float16),
        ([np.array("ab"), np.array("abc")], "U3"),
        ([np.array(["ab", "c"]), np.array(["abcd", ""])], "U4"),
        ([np.array([b"a"]), np.array([b"abc"])], "S3"),
        ([np.datetime64("2020-01-01"), np.datetime64("2021-01-01")], "M8[D]"),
        ([np.timedelta64(1, "s"), np.timedelta64(2, "s")], "m8[s]"),
    ],
)
def test_scalars_have_one_dtype_each(examples: list[Any], dtype: Any):
    """Python's int is int64 on every machine; text travels as objects, NumPy's text as wide as its widest."""
    ((batch,), error) = run(ps.join([examples]).batch(2))

    assert error is None
    assert batch.dtype == np.dtype(dtype)
    assert batch.tolist() == np.array(examples, dtype).tolist()


def test_special_floats_are_untouched():
    """NaN with its payload, the infinities and the negative zero, bit for bit."""
    odd = np.array([0x7FC00001, 0xFF800000, 0x80000000, 0x7F800000], np.uint32).view(np.float32)

    (batch,) = list(ps.join([[odd, odd[::-1]]]).batch(2))

    assert batch.view(np.uint32).tolist() == [odd.view(np.uint32).tolist(), odd[::-1].view(np.uint32).tolist()]


@pytest.mark.parametrize(
    "example",
    [
        np.arange(24).reshape(4, 6)[::2, ::-3],
        np.arange(6, dtype=np.float32).reshape(2, 3).T,
        np.broadcast_to(np.int16(7), (2, 3)),
        np.frombuffer(b"\x00" + bytes(range(8)), np.uint8)[1:].view(np.int32),
        np.asfortranarray(np.arange(12).reshape(3, 4)),
    ],
    ids=["strided", "transposed", "broadcast", "unaligned", "fortran"],
)
def test_arrays_may_lie_in_memory_as_they_like(example: np.ndarray):
    """Views, read-only and unaligned ones included."""
    (batch,) = list(ps.join([[example, example + 1]]).batch(2))

    assert same(batch, np.stack([example, example + 1]))


def test_a_subclass_of_an_array_is_stacked_as_an_array():
    """A masked array's mask would be lost in silence in any case; its data is what a component is."""

    class Named(np.ndarray):
        pass

    (batch,) = list(ps.join([[np.arange(2).view(Named), np.arange(2).view(Named)]]).batch(2))

    assert batch.tolist() == [[0, 1], [0, 1]]


@pytest.mark.parametrize("inline", [False, True])
@pytest.mark.parametrize("form", ["bare", "tuple", "dict", "nested"])
def test_a_source_may_refill_one_array_and_yield_it_again(form: str, inline: bool):
    """What was yielded is read ahead as it was then."""
    buffer = np.zeros(3)

    def read() -> Iterator[Any]:
        for number in range(6):
            buffer[:] = number
            yield FORMS[form](buffer, number)

    batches, error = run(ps.join([read, [FORMS[form](np.full(3, 9.0), 9)] * 3]).batch(2), inline=inline)

    assert error is None
    first = [Structure.of(batch).leaves(batch)[0][:, 0].tolist() for batch in batches]
    assert first == [[0, 9], [1, 9], [2, 9], [3, 4]]


@pytest.mark.parametrize("inline", [False, True])
def test_a_source_may_refill_one_chunk_and_yield_it_again(inline: bool):
    """Chunks too."""
    buffer = np.zeros((2, 3), int)

    def read() -> Iterator[Any]:
        for number in range(3):
            buffer[:] = number
            yield buffer

    batches, error = run(ps.batch(read, 3, enqueue_many=True), inline=inline)

    assert error is None
    assert [batch[:, 0].tolist() for batch in batches] == [[0, 0, 1], [1, 2, 2]]


def test_a_dataclass_example_comes_back_as_one():
    """With the batch in its fields."""
    (batch,) = list(ps.join([[Digit(np.zeros(2), 1), Digit(np.ones(2), 2)]]).batch(2))

    assert type(batch) is Digit
    assert batch.label.tolist() == [1, 2]


# map, filter, take, skip


def test_map_replaces_each_example_and_after_batch_each_batch():
    """The words before `.batch` act on examples, those after it on batches."""
    assert list(one(1, 2, 3).map(lambda x: x * 10)) == [10, 20, 30]
    assert plain(one(1, 2, 3, 4).batch(2).map(lambda batch: batch.sum())) == [3, 7]
    assert plain(one(1, 2).map(lambda x: {"x": x, "y": str(x)}).batch(2).map(lambda batch: batch["x"])) == [[1, 2]]


def test_filter_keeps_what_is_true():
    """Examples before `.batch`, batches after it."""
    assert list(one(1, 2, 3, 4).filter(lambda x: x % 2)) == [1, 3]
    assert plain(one(1, 2, 3, 4).batch(2).filter(lambda batch: batch.sum() > 3)) == [[3, 4]]
    assert list(one(1, 2).filter(lambda x: [])) == []
    assert list(one(1, 2).filter(lambda x: np.bool_(x > 1))) == [2]


def test_take_asks_for_nothing_beyond():
    """What an endless or broken source would do next does not matter."""

    def three() -> Iterator[int]:
        yield from (1, 2, 3)
        raise AssertionError("asked for a fourth")

    assert run(ps.join([three]).take(3)) == ([1, 2, 3], None)
    assert run(ps.join([three]).take(3), inline=True) == ([1, 2, 3], None)
    assert run(one(1, 2).take(0)) == ([], None)
    assert list(one(1, 2).take(np.int8(5))) == [1, 2]
    assert plain(one(1, 2, 3, 4).batch(2).take(1)) == [[1, 2]]


def test_skip_leaves_out_the_first():
    """Also more than there are."""
    assert list(one(1, 2, 3).skip(2)) == [3]
    assert list(one(1, 2, 3).skip(0)) == [1, 2, 3]
    assert list(one(1, 2, 3).skip(5)) == []
    assert plain(one(1, 2, 3, 4).batch(2).skip(1)) == [[3, 4]]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda p: p.map(5), "expected a function of an example, got `int` - at map(fn)"),
        (lambda p: p.filter(None), "expected a function of an example, got `NoneType` - at filter(fn)"),
        (lambda p: p.take(-1), "expected `n` to be an integer >= 0, got `-1` - at take(n)"),
        (lambda p: p.take(1.0), "expected `n` to be an integer >= 0, got `1.0` - at take(n)"),
        (lambda p: p.skip(True), "expected `n` to be an integer >= 0, got `True` - at skip(n)"),
        (lambda p: p.repeat(0), "expected `epochs` to be an integer >= 1, got `0` - at repeat(epochs)"),
        (lambda p: p.batch(0), "expected `batch_size` to be an integer >= 1, got `0` - at batch(batch_size)"),
        (
            lambda p: p.batch(2).batch(2),
            "expected `batch` once, got `batch` after `batch` - at batch() - `unbatch()` first",
        ),
        (
            lambda p: p.batch(2).map(abs).take(1).batch(2),
            "expected `batch` once, got `batch` after `batch` - at batch() - `unbatch()` first",
        ),
        (lambda p: p.unbatch(), "expected batches, got examples - at unbatch() - `.batch(size)` comes before it"),
        (
            lambda p: p.to("mxnet"),
            'expected `to` to be "numpy", "torch", "jax" or "tensorflow", got `\'mxnet\'` - at to(framework)',
        ),
        (lambda p: p.to("torch").take(1).to("numpy"), "expected `to` once, got `to` after `to` - at to(framework)"),
        (
            lambda p: p.batch(1).to("torch").map(abs),
            "expected `map` before `to`, got `map` after it - at map() - "
            "`.to(...)` after `map`; a pipeline in another is delivered by that one",
        ),
        (
            lambda p: p.options(colour="red"),
            "expected one of seed, capacity, capacity_bytes, on_error, name, max_scan, shared_name, grace_s, watchdog_s, "
            "got `colour` - at options()",
        ),
        (lambda p: p.options(capacity=0), "expected `capacity` to be an integer >= 1, got `0` - at options(capacity)"),
        (
            lambda p: p.options(capacity_bytes=1.5),
            "expected `capacity_bytes` to be an integer >= 1, got `1.5` - at options(capacity_bytes)",
        ),
        (lambda p: p.options(seed="a"), "expected `seed` to be an integer, got `'a'` - at options(seed)"),
        (lambda p: p.options(grace_s=-1), "expected `grace_s` to be seconds >= 0, got `-1` - at options(grace_s)"),
        (lambda p: p.options(name=5), "expected `name` to be a text, got `5` - at options(name)"),
        (
            lambda p: p.options(on_error="skip"),
            'expected `on_error` to be "raise", `ps.Skip(...)`, `ps.Retry(...)` or `ps.Retry(...) | ps.Skip(...)`, '
            "got `'skip'` - at options(on_error)",
        ),
        (lambda p: p.open(epoch=-1), "expected `epoch` to be an integer >= 0, got `-1` - at open(epoch)"),
        (lambda p: p.open(epoch=1.5), "expected `epoch` to be an integer >= 0, got `1.5` - at open(epoch)"),
    ],
)
def test_a_word_that_cannot_be_is_refused(make: Callable[[ps.Pipeline], Any], message: str):
    """As it is written, before anything runs."""
    assert refused(lambda: make(one(1, 2))) == message


# repeat


def test_epochs_follow_each_other_and_a_batch_may_cross_them():
    """Before `.batch`; after it each epoch has batches of its own."""
    assert list(one(1, 2).repeat(2)) == [1, 2, 1, 2]
    assert plain(one(1, 2, 3).repeat(2).batch(2)) == [[1, 2], [3, 1], [2, 3]]
    assert plain(one(1, 2, 3).batch(2).repeat(2)) == [[1, 2], [1, 2]]
    assert plain(one(1, 2, 3).batch(2, keep_last=True).repeat(2)) == [[1, 2], [3], [1, 2], [3]]


def test_repeat_without_a_number_never_ends():
    """Whoever takes decides when."""
    assert list(one(1, 2).repeat().take(5)) == [1, 2, 1, 2, 1]
    assert list(itertools.islice(one(1, 2).repeat(), 3)) == [1, 2, 1]


def test_repeats_within_repeats_multiply():
    """And each epoch opens the sources anew."""
    opened = []

    def source() -> Iterator[int]:
        opened.append(1)
        return iter([1, 2])

    assert list(ps.join([ps.join([source]).repeat(2), [9]]).repeat(2)) == [1, 9, 2, 1, 2] * 2
    assert len(opened) == 4


def test_an_endless_repeat_of_nothing_ends_with_an_error():
    """It would turn for ever; a repeat that is counted just ends."""
    examples, error = run(one(1, 2).filter(lambda x: False).repeat())

    assert examples == []
    assert isinstance(error, ps.SpecError)
    assert str(error) == (
        "expected at least one example in each epoch of an endless `repeat`, got none - at epoch 0 - "
        "without one it would turn for ever"
    )
    assert run(ps.join([[]]).repeat(3)) == ([], None)


def test_a_source_that_can_be_read_once_cannot_be_repeated():
    """The first epoch comes whole; the error says what to pass."""
    examples, error = run(ps.join([iter([1, 2])]).repeat(2))

    assert examples == [1, 2]
    assert isinstance(error, ps.PipelineError)
    assert "pass a callable that makes it: `lambda: ...`" in str(error)


# batch and unbatch


def test_the_last_batch_is_dropped_or_given():
    """And its size is what is left."""
    assert plain(one(1, 2, 3).batch(2)) == [[1, 2]]
    assert plain(one(1, 2, 3).batch(2, keep_last=True)) == [[1, 2], [3]]
    assert plain(one(1, 2).batch(2, keep_last=True)) == [[1, 2]]
    assert plain(one().batch(2, keep_last=True)) == []
    assert plain(one(1).batch(np.int64(1))) == [[1]]


def test_unbatch_gives_the_rows_as_examples():
    """Of whatever a map has made of the batches."""
    assert list(one(1, 2, 3).batch(2, keep_last=True).unbatch()) == [1, 2, 3]
    assert list(one((1, "a"), (2, "b")).batch(2).unbatch()) == [(1, "a"), (2, "b")]
    assert list(one(1, 2, 3, 4).batch(2).map(lambda batch: batch[:1]).unbatch()) == [1, 3]
    assert plain(one(1, 2, 3, 4).batch(2).unbatch().batch(4)) == [[1, 2, 3, 4]]
    assert plain(one(1, 2, 3, 4, 5).batch(2).unbatch().batch(3)) == [[1, 2, 3]]


def test_what_has_no_rows_cannot_be_unbatched():
    """The batches before it are given."""
    examples, error = run(one(1, 2, 3, 4).batch(2).map(lambda batch: batch if batch[0] == 1 else batch.sum()).unbatch())

    assert examples == [1, 2]
    assert isinstance(error, ps.SpecError)
    assert str(error).startswith("expected an array of rows in each component of a chunk, got a scalar `int64[]`")


# to, options, open, iteration


def test_numpy_is_what_is_delivered_without_a_word():
    """`.to("numpy")` says the same; `take`, `skip` and `repeat` may follow."""
    assert plain(one(1, 2).batch(1).to("numpy").skip(1).repeat(2).take(2)) == [[2], [2]]


def test_options_hold_for_the_whole_pipeline_and_are_added_up():
    """Wherever they stand; the last word on each counts."""
    pipeline = one(1, 2).options(name="a", capacity=5).map(abs).options(name="b")

    with pipeline.open() as flow:
        next(flow)

    assert flow.stats().name == "b"


def test_a_pipeline_is_inert_immutable_and_true():
    """Each word gives a new one; whether there is anything in it is known only when it runs."""
    opened = []
    pipeline = ps.join([lambda: opened.append(1) or iter([1, 2])])

    longer = pipeline.map(abs).batch(2)

    assert opened == []
    assert list(pipeline) == [1, 2]
    assert plain(longer) == [[1, 2]]
    assert pipeline
    assert one()
    with pytest.raises(AttributeError):
        pipeline.name = "x"  # type: ignore[attr-defined]


def test_every_loop_starts_again_in_the_same_order():
    """At epoch 0, unless told."""
    pipeline = ps.join([[1, 2, 3], opens(10)]).map(lambda x, rng: (x, int(rng.integers(1000)))).batch(2)

    first, second = list(pipeline), list(pipeline)

    assert all(same(*pair) for pair in zip(first, second, strict=True))


def test_a_flow_is_an_iterator_and_a_block():
    """`with` closes it; so does its end."""
    pipeline = one(1, 2, 3)

    with pipeline.open() as flow:
        assert iter(flow) is flow
        assert next(flow) == 1
    with pytest.raises(ps.FlowClosed):
        next(flow)

    with pipeline.open(inline=True) as flow:
        assert list(flow) == [1, 2, 3]
        assert next(flow, "end") == "end"
    assert next(flow, "end") == "end"


def test_several_flows_of_one_pipeline_run_at_once():
    """Each has its own streams."""
    pipeline = ps.join([opens(1, 2, 3)])

    with pipeline.open() as one_, pipeline.open() as other:
        assert [next(one_), next(other), next(one_), next(other)] == [1, 1, 2, 2]


def test_inline_runs_everything_in_the_callers_thread():
    """The same batches; nothing is read before it is asked for."""
    read = []

    def source() -> Iterator[int]:
        for number in range(5):
            read.append(number)
            yield number

    with ps.join([source]).batch(2).open(inline=True) as flow:
        assert read == []
        next(flow)
        assert read == [0, 1]


# len, spec, repr


@pytest.mark.parametrize(
    ("pipeline", "length"),
    [
        (one(1, 2, 3), 3),
        (ps.join([[1, 2], range(5), np.zeros(4)]), 11),
        (ps.from_arrays({"a": np.zeros((7, 2))}), 7),
        (one(1, 2, 3).map(abs), 3),
        (one(1, 2, 3).batch(2), 1),
        (one(1, 2, 3).batch(2, keep_last=True), 2),
        (one(1, 2, 3).take(2), 2),
        (one(1, 2, 3).take(9).skip(1), 2),
        (one(1, 2, 3).skip(9), 0),
        (one(1, 2, 3).repeat(4), 12),
        (one(1, 2, 3).repeat(3).batch(2), 4),
        (one(1, 2, 3).batch(2).repeat(3), 3),
        (one(1, 2, 3).repeat().take(7), 7),
        (one(1, 2, 3).repeat().batch(2).skip(1).take(5), 5),
        (one(1, 2, 3).batch(1).to("numpy"), 3),
        (ps.join([one(1, 2).map(abs), one(3)]), 3),
        (ps.batch([1, 2, 3], 2), 1),
        (ps.batch_join([[1, 2], [3]], 2, allow_smaller_final_batch=True), 2),
    ],
)
def test_the_length_is_told_where_it_is_known_and_is_true(pipeline: ps.Pipeline, length: int):
    """Without reading anything."""
    assert len(pipeline) == length
    assert len(list(pipeline)) == length


@pytest.mark.parametrize(
    "pipeline",
    [
        ps.join([opens(1)]),
        ps.join([[1], opens(1)]),
        one(1).filter(abs),
        one(1).repeat(),
        one().repeat().take(3),
        one(1).batch(1).unbatch(),
        ps.join([one(1, 2).batch(2)]),
        ps.batch([np.arange(3)], 2, enqueue_many=True),
        ps.maybe_batch([1], False, 1),
        ps.join([iter([1])]),
    ],
)
def test_a_length_that_is_not_known_is_a_type_error(pipeline: ps.Pipeline):
    """As of an iterator; `list` and progress bars get on without it."""
    with pytest.raises(TypeError, match="the length of this pipeline is not known"):
        len(pipeline)


@pytest.mark.parametrize(
    ("pipeline", "text"),
    [
        (one(1, 2, 3).batch(2), "int64[2]"),
        (one(1, 2, 3).batch(2, keep_last=True), "int64[?]"),
        (one((np.zeros((4, 3), np.uint8), "a")).batch(1), "(uint8[1, 4, 3], str[1])"),
        (
            ps.from_arrays({"x": np.zeros((5, 3), np.float32), "y": np.arange(5)}).batch(2),
            "{x: float32[2, 3], y: int64[2]}",
        ),
        (one(np.zeros(2), np.zeros(3)).pad().batch(2), "float64[2, ?]"),
        (one({"t": np.zeros((2, 3)), "l": 1}).pad(t=(None, 3)).batch(1), "{t: float64[1, ?, 3], l: int64[1]}"),
        (one(np.zeros(2)).pad((4,)).batch(1), "float64[1, 4]"),
        (one(1, 2, 3).batch(2).take(1).filter(lambda batch: True).repeat(2), "int64[2]"),
        (one((1, "a"), (2, "b")), "(int64[], str[])"),
        (one(1, 2).batch(2).map(lambda batch: batch * 1.5), "float64[2]"),
        (one(1, 2).batch(2).unbatch(), "int64[]"),
        (one(1, 2).batch(1).to("numpy"), "int64[1]"),
        (ps.join([[np.zeros((2, 5))], [np.zeros((3, 5))]]).pad().batch(2), "float64[2, ?, ?]"),
    ],
)
def test_the_spec_tells_shapes_and_dtypes(pipeline: ps.Pipeline, text: str):
    """Of a batch, or of an example where there is no `.batch`."""
    assert str(pipeline.spec()) == text


@pytest.mark.parametrize(
    ("pipeline", "kind", "message"),
    [
        (one().batch(2), ps.SpecError, "expected at least one batch, got none - at spec()"),
        (one(), ps.SpecError, "expected at least one example, got none - at spec()"),
        (
            ps.join([iter([1])]).batch(1),
            ps.PipelineError,
            "expected sources that can be opened again, got the one-shot `list_iterator` - at spec() - "
            "pass a callable that opens it, or ask `flow.spec()` while it runs",
        ),
    ],
)
def test_a_spec_that_cannot_be_told_says_why(pipeline: ps.Pipeline, kind: type, message: str):
    """It would use up what can be read once."""
    with pytest.raises(kind) as caught:
        pipeline.spec()

    assert str(caught.value) == message


def test_the_sources_are_left_closed_after_the_spec():
    """Whoever only asks leaves nothing open."""
    closed = []

    def source() -> Iterator[int]:
        try:
            yield from (1, 2, 3)
        finally:
            closed.append(1)

    assert str(ps.join([source]).batch(2).spec()) == "int64[2]"
    assert closed == [1]


def test_the_spec_of_a_flow_is_known_with_its_first_batch():
    """Not before."""
    with one(1, 2).batch(2).open(inline=True) as flow:
        before = flow.spec()
        next(flow)
        after = flow.spec()

    assert before is None
    assert str(after) == "int64[2]"


def test_a_pipeline_is_shown_as_it_was_written():
    """About; a function's arguments are not repeated."""
    pipeline = ps.join([range(3), [1]]).map(abs).filter(bool).take(5).skip(1).repeat(2).pad().batch(2).unbatch()

    assert repr(pipeline) == (
        "<Pipeline join([range, list]).map().filter().take(5).skip(1).repeat(2).pad().batch(2).unbatch()>"
    )
    assert repr(ps.join([[i] for i in range(9)]).batch(1).to("numpy")) == (
        "<Pipeline join([list, list, list, list, …]).batch(1).to(numpy)>"
    )


def test_a_pipeline_of_named_functions_can_be_pickled():
    """Where its functions can; asked for only where processes are."""
    pipeline = ps.join([[1, -2], functools.partial(range, 2)]).map(abs).pad().batch(2).options(seed=5)

    again = pickle.loads(pickle.dumps(pipeline))

    assert plain(again) == plain(pipeline)


@pytest.mark.parametrize(
    ("word", "parameters"),
    [
        ("map", ["fn", "*seed", "*on_error"]),
        ("filter", ["fn", "*seed", "*on_error"]),
        ("take", ["n"]),
        ("skip", ["n"]),
        ("repeat", ["epochs"]),
        ("pad", ["shapes", "*value", "*side", "*multiple", "*truncate", "*lengths", "*mask", "**by_name"]),
        ("batch", ["size", "*keep_last"]),
        ("unbatch", []),
        ("to", ["framework"]),
        ("options", ["**changes"]),
        ("open", ["*state", "*epoch", "*inline"]),
        ("spec", []),
        ("torch", []),
    ],
)
def test_the_words_and_what_they_take(word: str, parameters: list[str]):
    """One or two arguments by position, all others by name."""
    signature = inspect.signature(getattr(ps.Pipeline, word))

    marks = {inspect.Parameter.KEYWORD_ONLY: "*", inspect.Parameter.VAR_KEYWORD: "**"}
    assert [marks.get(p.kind, "") + p.name for p in signature.parameters.values()][1:] == parameters
