"""What the batcher may pad, and how: every setting of `.pad`."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import penstock as ps
from examples import run
from penstock.testing import same

A = np.array
RAGGED = [A([1, 2, 3]), A([4]), A([5, 6])]
PAIRS = [(A([1, 2, 3]), 7), (A([4]), 8)]
RECORDS = [
    {"t": A([1, 2, 3]), "m": np.ones((1, 2), np.float32), "l": 7},
    {"t": A([4]), "m": np.ones((2, 1), np.float32), "l": 8},
]


def padded(examples: list[Any], *args: Any, **settings: Any) -> Any:
    """The one batch of all examples."""
    (batch,) = list(ps.join([examples]).pad(*args, **settings).batch(len(examples)))
    return batch


def refused(*args: Any, **settings: Any) -> str:
    with pytest.raises(ps.PipelineError) as caught:
        ps.join([[1]]).pad(*args, **settings)
    return str(caught.value)


@pytest.mark.parametrize(
    ("shapes", "settings", "want"),
    [
        ((), {}, [[1, 2, 3], [4, 0, 0], [5, 6, 0]]),
        (((None,),), {}, [[1, 2, 3], [4, 0, 0], [5, 6, 0]]),
        (((5,),), {}, [[1, 2, 3, 0, 0], [4, 0, 0, 0, 0], [5, 6, 0, 0, 0]]),
        ((), {"value": -1}, [[1, 2, 3], [4, -1, -1], [5, 6, -1]]),
        ((), {"value": np.int8(9)}, [[1, 2, 3], [4, 9, 9], [5, 6, 9]]),
        ((), {"side": "left"}, [[1, 2, 3], [0, 0, 4], [0, 5, 6]]),
        ((), {"multiple": 4}, [[1, 2, 3, 0], [4, 0, 0, 0], [5, 6, 0, 0]]),
        ((), {"multiple": 3}, [[1, 2, 3], [4, 0, 0], [5, 6, 0]]),
        (((5,),), {"multiple": 4}, [[1, 2, 3, 0, 0], [4, 0, 0, 0, 0], [5, 6, 0, 0, 0]]),
        (((2,),), {"truncate": True}, [[1, 2], [4, 0], [5, 6]]),
        (((2,),), {"truncate": True, "side": "left"}, [[2, 3], [0, 4], [5, 6]]),
        (((0,),), {"truncate": True}, [[], [], []]),
    ],
)
def test_each_setting_does_what_it_says(shapes: tuple, settings: dict[str, Any], want: list[Any]):
    """On one ragged component."""
    assert padded(RAGGED, *shapes, **settings).tolist() == want


def test_only_free_dimensions_grow_each_to_the_longest_in_this_batch():
    """Two batches may differ."""
    batches = list(ps.join([[*RAGGED, A([7])]]).pad().batch(2))

    assert [batch.tolist() for batch in batches] == [[[1, 2, 3], [4, 0, 0]], [[5, 6], [7, 0]]]


@pytest.mark.parametrize("rank", range(1, 8))
def test_any_rank_can_be_padded(rank: int):
    """TF1 stopped at four."""
    small, large = np.ones((1,) * rank), np.ones(tuple(range(1, rank + 1)))

    batch = padded([small, large])

    assert batch.shape == (2, *range(1, rank + 1))
    assert batch[1].all()
    assert batch[0].sum() == 1


def test_a_multiple_holds_for_every_free_dimension():
    """And not for those that have a size."""
    assert padded([np.zeros((1, 2)), np.zeros((2, 1))], multiple=4).shape == (2, 4, 4)
    assert padded([np.zeros((1, 2)), np.zeros((2, 1))], (None, 3), multiple=4).shape == (2, 4, 3)


@pytest.mark.parametrize(
    ("examples", "value", "want"),
    [
        ([A([True]), A([True, True])], None, A([[True, False], [True, True]])),
        ([A([1j]), A([1j, 2j])], None, A([[1j, 0j], [1j, 2j]])),
        ([A([1.0], np.float16), A([], np.float16)], float("nan"), A([[1.0], [np.nan]], np.float16)),
        ([A([1], np.uint8), A([], np.uint8)], 255, A([[1], [255]], np.uint8)),
        ([A(["a", "bb"]), A(["ccc"])], None, A([["a", "bb"], ["ccc", ""]])),
        ([A(["a", "bb"]), A(["ccc"])], "-", A([["a", "bb"], ["ccc", "-"]])),
        ([A([b"a"]), A([b"", b"b"])], None, A([[b"a", b""], [b"", b"b"]])),
        ([A(["a", "bb"], object), A(["c"], object)], None, A([["a", "bb"], ["c", ""]], object)),
        ([A([b"a", b"bb"], object), A([b"c"], object)], None, A([[b"a", b"bb"], [b"c", b""]], object)),
        ([A(["2020-01-01"], "M8[D]"), A([], "M8[D]")], None, A([["2020-01-01"], ["1970-01-01"]], "M8[D]")),
    ],
)
def test_the_value_is_zero_false_or_the_empty_text_unless_given(examples: list[Any], value: Any, want: np.ndarray):
    """In the component's own dtype."""
    assert same(padded(examples, value=value), want)


def test_by_name_only_those_named_are_padded():
    """The others must agree."""
    batch = padded(RECORDS, t=(None,), m=(None, 3))

    assert batch["t"].tolist() == [[1, 2, 3], [4, 0, 0]]
    assert batch["m"].shape == (2, 2, 3)
    batches, error = run(ps.join([RECORDS]).pad(t=(None,)).batch(2))
    assert batches == []
    assert str(error) == (
        "expected `m: float32[1, 2]`, got `float32[2, 1]` - at example 1 of source 0 ('list') - "
        "pad it: `.pad(...)`, or `dynamic_pad=True`"
    )


def test_components_are_named_by_key_by_position_or_by_path():
    """A path is a tuple of keys; the bare component needs no name."""
    nested = [{"pair": (A([1]), A([9]))}, {"pair": (A([2, 3]), A([9]))}]

    assert padded(PAIRS, {0: (None,)})[0].tolist() == [[1, 2, 3], [4, 0, 0]]
    assert padded(RECORDS, {"t": (None,), "m": (None, None)})["t"].tolist() == [[1, 2, 3], [4, 0, 0]]
    assert padded(nested, {("pair", 0): (None,)})["pair"][0].tolist() == [[1, 0], [2, 3]]
    assert padded(RAGGED, {(): (None,)}).tolist() == padded(RAGGED).tolist()


def test_a_component_that_is_called_like_a_setting_is_named_in_a_dict():
    """`value=` and the others are taken."""
    examples = [{"value": A([1])}, {"value": A([2, 3])}]

    assert padded(examples, {"value": (None,)}, value=-1)["value"].tolist() == [[1, -1], [2, 3]]


def test_settings_go_by_component_too():
    """`{component: setting}`; the others keep the default."""
    batch = padded(RECORDS, value={"t": -1}, side={"m": "left"})

    assert batch["t"].tolist() == [[1, 2, 3], [4, -1, -1]]
    assert batch["m"].tolist() == [[[0, 0], [1, 1]], [[0, 1], [0, 1]]]


def test_lengths_and_masks_of_a_dict_are_new_keys():
    """Lengths per padded dimension, masks of the batch's shape; True where there is data."""
    batch = padded(RECORDS, lengths={"t": "t_len", "m": "m_len"}, mask={"t": "t_mask"})

    assert set(batch) == {"t", "m", "l", "t_len", "t_mask", "m_len"}
    assert same(batch["t_len"], A([3, 1]))
    assert same(batch["m_len"], A([[1, 2], [2, 1]]))
    assert batch["t_mask"].tolist() == [[True, True, True], [True, False, False]]


def test_lengths_and_masks_of_any_other_batch_stand_beside_it():
    """`(batch, extras)`."""
    batch, extras = padded(PAIRS, {0: (None,)}, lengths="n", mask="m")

    assert batch[0].tolist() == [[1, 2, 3], [4, 0, 0]]
    assert batch[1].tolist() == [7, 8]
    assert {name: extra.tolist() for name, extra in extras.items()} == {
        "n": [3, 1],
        "m": [[True, True, True], [True, False, False]],
    }


@pytest.mark.parametrize(
    ("shapes", "settings", "lengths", "mask"),
    [
        ((), {"side": "left"}, [3, 1, 2], [[1, 1, 1], [0, 0, 1], [0, 1, 1]]),
        (((2,),), {"truncate": True}, [2, 1, 2], [[1, 1], [1, 0], [1, 1]]),
        ((), {"multiple": 4}, [3, 1, 2], [[1, 1, 1, 0], [1, 0, 0, 0], [1, 1, 0, 0]]),
    ],
)
def test_lengths_are_those_of_the_data_in_the_batch(shapes: tuple, settings: dict, lengths: list, mask: list):
    """After truncation, wherever the padding stands."""
    _, extras = padded(RAGGED, *shapes, lengths="n", mask="m", **settings)

    assert extras["n"].tolist() == lengths
    assert extras["m"].astype(int).tolist() == mask


@pytest.mark.parametrize(
    ("args", "settings", "message"),
    [
        (("ab",), {}, "expected a shape: a sequence of sizes and `None`, got `'ab'` - at pad(shape)"),
        ((3,), {}, "expected a shape: a sequence of sizes and `None`, got `3` - at pad(shape)"),
        ((), {"t": 3}, "expected a shape: a sequence of sizes and `None`, got `3` - at pad(t)"),
        (((-1,),), {}, "expected `size` to be an integer >= 0, got `-1` - at pad(shape)"),
        (((1.5,),), {}, "expected `size` to be an integer >= 0, got `1.5` - at pad(shape)"),
        (({"t": (None,)},), {"t": (3,)}, "expected one shape for `t`, got two - at pad()"),
        (
            ((None,),),
            {"t": (3,)},
            "expected one shape, or a shape for each component, got both, for `t` too - at pad()",
        ),
        ((), {"side": "up"}, 'expected `side` to be "left" or "right", got `\'up\'` - at pad(side)'),
        ((), {"multiple": 0}, "expected `multiple` to be an integer >= 1, got `0` - at pad(multiple)"),
        ((), {"truncate": 1}, "expected `truncate` to be a bool, got `1` - at pad(truncate)"),
        (
            (),
            {"truncate": True},
            "expected a size to truncate to, got none - at pad(truncate) - only a dimension with a "
            "size is ever too long",
        ),
        ((), {"lengths": 5}, "expected `lengths` to be a name, got `5` - at pad(lengths)"),
        ((), {"mask": ("m",)}, "expected `mask` to be a name, got `('m',)` - at pad(mask)"),
        (
            (),
            {"a": (None,), "b": (None,), "lengths": "n"},
            "expected `lengths` by component, `{component: name}`, got one name for 2 components - at pad(lengths)",
        ),
        ((), {"lengths": {"a": "n", "b": "n"}}, "expected a name for each lengths and mask, got `n` twice - at pad()"),
        (
            (),
            {"lengths": {"a": "n"}, "mask": {"a": "n"}},
            "expected a name for each lengths and mask, got `n` twice - at pad()",
        ),
        (
            (),
            {"a": (None,), "value": {"b": 1}},
            "expected a component that is padded, one of `a`, got `b` - at pad(value)",
        ),
    ],
)
def test_padding_that_contradicts_itself_is_refused(args: tuple, settings: dict[str, Any], message: str):
    """As it is written."""
    assert refused(*args, **settings) == message


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda p: p.batch(2).pad(), "expected `pad` before `batch`, got `pad` after it - at pad()"),
        (
            lambda p: p.pad().map(abs).pad(),
            "expected `pad` once before a `batch`, got `pad` after `pad` - at pad() - name all in one",
        ),
    ],
)
def test_pad_stands_once_before_batch(make: Callable[[ps.Pipeline], Any], message: str):
    """What a second one would mean for the first nobody could tell."""
    with pytest.raises(ps.PipelineError) as caught:
        make(ps.join([[1]]))

    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("examples", "args", "settings", "kind", "message"),
    [
        (
            RECORDS,
            (),
            {"x": (None,)},
            ps.PipelineError,
            "expected a component, one of `t`, `m`, `l`, got `x` - at pad()",
        ),
        (
            RECORDS,
            (),
            {"value": {"x": 1}},
            ps.PipelineError,
            "expected a component, one of `t`, `m`, `l`, got `x` - at pad()",
        ),
        (
            RECORDS,
            (),
            {"t": (None, None)},
            ps.SpecError,
            "expected `t` of 2 dimensions, as its shape `[None, None]` says, got `int64[3]`",
        ),
        (
            RAGGED,
            (),
            {"value": 1.5},
            ps.PipelineError,
            "expected a pad value that fits `example: int64[3]`, got `1.5` - at pad(value)",
        ),
        (
            RAGGED,
            (),
            {"value": float("nan")},
            ps.PipelineError,
            "expected a pad value that fits `example: int64[3]`, got `nan` - at pad(value)",
        ),
        (
            RECORDS,
            (),
            {"lengths": "n"},
            ps.PipelineError,
            "expected a name for each lengths and mask, got `n` for several components - at pad()",
        ),
        (
            RAGGED,
            (),
            {"value": "a"},
            ps.PipelineError,
            "expected a pad value that fits `example: int64[3]`, got `'a'` - at pad(value)",
        ),
        (
            RAGGED,
            (),
            {"value": 2**70},
            ps.PipelineError,
            f"expected a pad value that fits `example: int64[3]`, got `{2**70}` - at pad(value)",
        ),
        (
            RECORDS,
            (),
            {"lengths": {"t": "l"}},
            ps.PipelineError,
            "expected a new name for the lengths or mask, got `l`, a component's - at pad()",
        ),
    ],
)
def test_padding_that_does_not_suit_the_examples_is_an_error_at_the_first(
    examples: list, args: tuple, settings: dict[str, Any], kind: type, message: str
):
    """What the components are is known only then."""
    batches, error = run(ps.join([examples]).pad(*args, **settings).batch(1))

    assert batches == []
    assert type(error) is kind
    assert str(error).startswith(message)


def test_what_is_longer_than_a_given_size_is_an_error_after_the_batches_before():
    """Unless it may be cut."""
    batches, error = run(ps.join([[A([1]), A([1, 2]), A([1, 2, 3])]]).pad((2,)).batch(1))

    assert [batch.tolist() for batch in batches] == [[[1, 0]], [[1, 2]]]
    assert str(error) == (
        "expected `example: int64[<= 2]`, got `int64[3]` - at example 2 of source 0 ('list') - "
        "`truncate=True` would cut it"
    )


def test_the_rank_and_the_dtype_are_never_padded():
    """Only sizes."""
    for other in (A([[1]]), A([1.0])):
        batches, error = run(ps.join([[A([1]), other]]).pad().batch(1))

        assert len(batches) == 1
        assert isinstance(error, ps.SpecError)


def test_rows_of_chunks_are_padded_to_the_longest_chunk_in_the_batch():
    """The rows of a chunk share their length."""
    pipeline = ps.batch([np.ones((2, 3), int), np.ones((1, 1), int)], 3, enqueue_many=True, dynamic_pad=True)

    (batch,) = list(pipeline)

    assert batch.tolist() == [[1, 1, 1], [1, 1, 1], [1, 0, 0]]
