"""Examples in every structure and of every dtype, shared by the tests."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

import penstock as ps


class Point(NamedTuple):
    """Two components, as a namedtuple."""

    x: Any
    y: Any


@dataclass(frozen=True)
class Digit:
    """Two components, as a dataclass that checks what a batch would not pass."""

    image: Any
    label: Any

    def __post_init__(self) -> None:
        assert not np.ndim(self.label), "the label of one example"


DTYPES = [
    np.dtype(name)
    for name in (
        *("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
        *("float16", "float32", "float64", "complex64", "complex128", "longdouble", "clongdouble"),
        *("datetime64[D]", "datetime64[ns]", "timedelta64[s]", "S5", "U5", "V3", "object"),
        *(">i4", ">f8", "<M8[us]"),
    )
]
"""Every kind of dtype that NumPy has, some in the other order of bytes."""

FORMS: dict[str, Any] = {
    "bare": lambda a, b: a,
    "tuple": lambda a, b: (a, b),
    "tuple of one": lambda a, b: (a,),
    "list": lambda a, b: [a, b],
    "dict": lambda a, b: {"a": a, "b": b},
    "dict of one": lambda a, b: {"only": a},
    "namedtuple": Point,
    "dataclass": Digit,
    "nested": lambda a, b: {"pair": (a, [b, a]), "deep": {"point": Point(a, {"b": b}), "digit": Digit(a, b)}},
}
"""Each makes an example of an array and a number."""


def filled(dtype: np.dtype[Any], shape: tuple[int, ...], seed: int = 0) -> np.ndarray[Any, Any]:
    """An array of a dtype with values that differ from place to place."""
    count = int(np.prod(shape, dtype=int))
    numbers = (np.arange(count) + 7 * seed) % 100
    if dtype.kind == "O":
        out = np.empty(count, object)
        out[:] = [f"text {number}" if number % 2 else str(number).encode() for number in numbers]
        return out.reshape(shape)
    if dtype.kind in "SUV":
        return np.array([str(number).encode() for number in numbers], "S3").astype(dtype).reshape(shape)
    if dtype.kind == "b":
        return (numbers % 3 == 0).reshape(shape)
    return numbers.astype(dtype.newbyteorder("=")).astype(dtype).reshape(shape)


def run(pipeline: ps.Pipeline, *, inline: bool = False) -> tuple[list[Any], Exception | None]:
    """What a pipeline delivers, and the error that ends it, if one does."""
    delivered: list[Any] = []
    try:
        with pipeline.open(inline=inline) as flow:
            delivered.extend(flow)
    except Exception as error:
        return delivered, error
    return delivered, None
