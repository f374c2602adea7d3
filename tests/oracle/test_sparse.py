"""`SparseTensor`s through batches: four recorded cases, which `penstock.tf1` answers, and NumPy has no arrays for."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from oracle.cases import value
from penstock import tf1 as tf
from penstock.testing import same

CASES = {case["id"]: case for case in json.loads((Path(__file__).parent / "sparse.json").read_text())}


def component(handle: tf.Handle) -> tf.SparseTensor:
    """What is not 0 of an array, as the recorded programs made it."""
    indices = tf.py_func(np.argwhere, [handle], tf.int64)
    return tf.SparseTensor(
        indices, tf.py_func(lambda x: x[x != 0], [handle], handle.dtype), tf.shape(handle, None, tf.int64)
    )


def source(case: dict[str, Any], items: list[Any]) -> list[Any]:
    """One source: its components, some of them sparse."""
    rows = iter([[value(part) for part in item] for item in items])
    dtypes = [np.dtype(part[0]) for part in items[0]]
    parts = tf.py_func(lambda: next(rows), [], dtypes)
    return [component(part) if at in case["sparse"] else part for at, part in enumerate(parts)]


@pytest.mark.parametrize("name", CASES)
def test_a_case_is_answered_as_tf1_did(name: str):
    """The same rows, as wide as the widest, those without a value too; of two sources in the fixed order, one that TF1 saw."""
    case = CASES[name]
    sources = [source(case, each["items"]) for each in case["sources"]]
    joined = case["function"].endswith("join")
    made = getattr(tf.train, case["function"])(sources if joined else sources[0], **case["args"])

    with tf.feed(made) as feed:
        batches = list(feed)

    assert isinstance(made, tf.SparseTensor if case["answer"]["returns"] == "sparse" else list)
    assert len(batches) == len(case["answer"]["batches"])
    for batch, recorded in zip(batches, case["answer"]["batches"], strict=True):
        for got, want in zip([batch] if isinstance(batch, tf.SparseTensorValue) else batch, recorded, strict=True):
            if isinstance(want, list):
                assert same(got, value(want))
                continue
            assert isinstance(got, tf.SparseTensorValue)
            assert same(got.indices, value(want["indices"]))
            assert same(got.values, value(want["values"]))
            assert got.dense_shape.tolist() == want["dense_shape"]
