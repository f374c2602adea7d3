from typing import Any

import numpy as np
import pytest

from penstock.errors import PipelineError
from penstock.sources.types import arrow_types

pa = pytest.importorskip("pyarrow")


@pytest.mark.parametrize(
    ("spelt", "kind"),
    [
        ("int16", "int16"),
        ("float64", "double"),
        ("double", "double"),
        ("<f4", "float"),
        (np.uint8, "uint8"),
        (np.dtype("datetime64[s]"), "timestamp[s]"),
        ("timestamp[ms]", "timestamp[ms]"),
        ("date32", "date32"),
        (int, "int64"),
        (float, "double"),
        (bool, "bool"),
        ("bool", "bool"),
        (str, "string"),
        ("str", "string"),
        (bytes, "binary"),
        ("bytes", "binary"),
    ],
)
def test_a_type_is_spelt_as_numpy_python_or_arrow_do(spelt: Any, kind: str):
    """Users come from all three."""
    assert arrow_types({"c": spelt}, word="read_csv") == {"c": pa.type_for_alias(kind)}


def test_arrows_own_types_say_everything():
    """Those with parameters have no short name."""
    assert arrow_types({"c": pa.list_(pa.int8())}, word="read_csv") == {"c": pa.list_(pa.int8())}
    assert arrow_types(None, word="read_csv") == {}


@pytest.mark.parametrize("spelt", ["integer?", object, None, 8])
def test_a_type_that_is_none_is_refused_at_once(spelt: Any):
    """With the column that it was given for."""
    with pytest.raises(PipelineError) as caught:
        arrow_types({"c": spelt}, word="read_csv")

    assert str(caught.value) == (
        f"expected the name of a NumPy or Arrow type, got `{spelt!r}` - at `c` in read_csv(types)"
    )


def test_types_that_are_no_dict_are_refused_at_once():
    """A list would say nothing about which column is which."""
    with pytest.raises(PipelineError) as caught:
        arrow_types(["int8"], word="read_csv")

    assert str(caught.value) == "expected `types` to be a dict of types by column, got `list` - at read_csv(types)"
