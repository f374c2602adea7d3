"""`SparseTensor`: the three handles, or arrays, of an array that is mostly empty, and what is done with it.

Through a batching function it travels as the bytes of its three parts, and is put together behind it: rows of any length make
a batch, and nothing is padded.
"""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from typing import Any

import numpy as np

from penstock.tf1.handles import Apply, Handle, SparseTensor, as_handle, as_value

__all__ = [
    "Parts",
    "SparseTensor",
    "SparseTensorValue",
    "batch_of_sparse",
    "joined",
    "packed",
    "sparse_of",
    "sparse_tensor_to_dense",
    "sparse_to_dense",
    "to_dense",
]

SparseTensorValue = SparseTensor

Parts = tuple[Any, Any, Any]
"""Indices, values and dense shape, as arrays."""


def packed(sparse: SparseTensor, *, many: bool) -> Handle:
    """A handle of its parts as bytes; of a chunk of examples an array of bytes, one for each.

    Args:
      sparse: what is to travel.
      many: whether its first dimension counts examples.
    """

    def pack(indices: Any, values: Any, dense_shape: Any) -> Any:
        if not many:
            return pickle.dumps((indices, values, dense_shape))
        rows = np.empty(int(dense_shape[0]), object)
        for at in range(len(rows)):
            own = indices[:, 0] == at
            rows[at] = pickle.dumps((indices[own, 1:], values[own], dense_shape[1:]))
        return rows

    return Handle(Apply("sparse", pack, [as_handle(part) for part in sparse]), dtype=np.dtype(object))


def batch_of_sparse(handle: Handle, dtype: Any) -> SparseTensor:
    """What a batch of packed ones is: one of a dimension more, as wide as the widest of them.

    Args:
      handle: of the array of their bytes.
      dtype: of their values, where it is known.
    """
    return sparse_of("sparse_batch", lambda rows: joined([pickle.loads(row) for row in rows]), handle, dtype=dtype)


def joined(parts: Sequence[Parts]) -> Parts:
    """Several of one rank, one below the other."""
    below = [np.column_stack([np.full(len(own), at, np.int64), own]) for at, (own, _, _) in enumerate(parts)]
    widest = np.max([dense_shape for _, _, dense_shape in parts], axis=0)
    dense_shape = np.array([len(parts), *widest], np.int64)
    return np.concatenate(below), np.concatenate([values for _, values, _ in parts]), dense_shape


def sparse_of(name: str, fn: Any, handle: Handle, *, dtype: Any) -> SparseTensor:
    """The one whose three parts a function makes of a value.

    Args:
      name: for messages.
      fn: gives indices, values and dense shape.
      handle: of the value.
      dtype: of its values.
    """
    node = Apply(name, fn, [handle], 3)
    long = np.dtype(np.int64)
    return SparseTensor(Handle(node, 0, dtype=long), Handle(node, 1, dtype=dtype), Handle(node, 2, dtype=long))


def sparse_tensor_to_dense(
    sp_input: Any, default_value: Any = 0, validate_indices: bool = True, name: str | None = None
) -> Handle:
    """The array that a `SparseTensor` stands for; a handle of an array is given back as it is.

    Args:
      sp_input: a `SparseTensor`.
      default_value: where there is nothing; `b""` among texts if 0.
      validate_indices: taken as in TF1, and changes nothing.
      name: for messages.

    Source: TF1 `tf.sparse_tensor_to_dense`.

    >>> from penstock import tf1 as tf
    >>> sparse = tf.SparseTensor(indices=[[0, 1], [1, 0]], values=[5, 6], dense_shape=[2, 3])
    >>> next(tf.feed(tf.sparse_tensor_to_dense(sparse)))
    array([[0, 5, 0],
           [6, 0, 0]], dtype=int32)
    """
    if isinstance(sp_input, Handle):
        return sp_input
    indices, values, dense_shape = sp_input
    return sparse_to_dense(indices, dense_shape, values, default_value, validate_indices, name)


to_dense = sparse_tensor_to_dense


def sparse_to_dense(
    sparse_indices: Any,
    output_shape: Any,
    sparse_values: Any,
    default_value: Any = 0,
    validate_indices: bool = True,
    name: str | None = None,
) -> Handle:
    """An array of a shape, with values at some places and a default at all others.

    Args:
      sparse_indices: int[n, rank], or int[n] of one dimension.
      output_shape: the shape.
      sparse_values: n values, or one for all.
      default_value: where there is nothing; `b""` among texts if 0.
      validate_indices: taken as in TF1, and changes nothing.
      name: for messages.

    Source: TF1 `tf.sparse_to_dense`.
    """

    def dense(indices: Any, shape: Any, values: Any) -> Any:
        kind = np.asarray(values).dtype
        empty = b"" if kind.kind == "O" and default_value == 0 else as_value(default_value)
        out = np.full(np.atleast_1d(shape), empty, kind)
        places = np.asarray(indices).reshape(-1, out.ndim)
        out[tuple(places.T)] = values
        return out

    parts = [as_handle(sparse_indices), as_handle(output_shape), as_handle(sparse_values)]
    return Handle(Apply(name or "sparse_to_dense", dense, parts), dtype=parts[2].dtype)
