"""Text and bytes taken apart: `decode_raw`, `decode_csv` and what goes with them, for handles."""

from __future__ import annotations

import csv
import io
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from penstock.errors import mismatch
from penstock.optional import load
from penstock.tf1.errors import InvalidArgumentError
from penstock.tf1.handles import Apply, Handle, SparseTensor, apply, as_handle, as_value, dtype_of
from penstock.tf1.sparse import Parts, joined, sparse_of

__all__ = [
    "decode_csv",
    "decode_image",
    "decode_raw",
    "read_file",
    "string_split",
    "string_to_hash_bucket_fast",
    "string_to_number",
    "substr",
]


def decode_raw(bytes: Any, out_type: Any, little_endian: bool = True, name: str | None = None) -> Handle:
    r"""The numbers that bytes are.

    Args:
      bytes: a handle of bytes, or of an array of bytes of one length.
      out_type: the dtype of the numbers.
      little_endian: the order of their bytes.
      name: for messages.

    Raises:
      InvalidArgumentError: at a step, the bytes are not a whole number of numbers, or differ in length.

    Source: TF1 `tf.decode_raw`.

    >>> from penstock import tf1 as tf
    >>> next(tf.feed(tf.decode_raw(tf.constant(b"\x01\x00\x02\x00"), tf.int16)))
    array([1, 2], dtype=int16)
    """
    dtype = dtype_of(out_type)
    read = dtype.newbyteorder("<" if little_endian else ">")

    def decode(value: Any) -> Any:
        if isinstance(value, np.ndarray):
            rows = [decode(part) for part in value.ravel()]
            if len({len(row) for row in rows}) > 1:
                raise InvalidArgumentError(mismatch("bytes of one length", "several lengths", at="decode_raw"))
            return np.array(rows, dtype).reshape((*value.shape, -1 if rows else 0))
        if len(value) % dtype.itemsize:
            want = f"a multiple of {dtype.itemsize} bytes, of which a `{dtype}` has so many"
            raise InvalidArgumentError(mismatch(want, f"{len(value)} bytes", at="decode_raw"))
        return np.frombuffer(value, read).astype(dtype)

    return apply("decode_raw", decode, bytes, dtype=dtype)


def decode_csv(
    records: Any,
    record_defaults: Sequence[Any],
    field_delim: str = ",",
    use_quote_delim: bool = True,
    name: str | None = None,
    na_value: str = "",
    select_cols: Sequence[int] | None = None,
) -> list[Handle]:
    """The fields of a line of CSV, each in the dtype of its default.

    Args:
      records: a handle of a line, or of an array of lines.
      record_defaults: for each field a default `[value]`, taken where a field is empty; or an empty list, or a dtype, of
        a field that must not be.
      field_delim: what stands between two fields.
      use_quote_delim: whether `"` encloses a field.
      name: for messages.
      na_value: another text that counts as empty.
      select_cols: the numbers of the fields that are wanted, rising; all if `None`.

    Returns:
      A list of handles, one for each field.

    Raises:
      InvalidArgumentError: at a step, a line with another number of fields, an empty field without a default, or one that
        is none of its dtype.

    Source: TF1 `tf.decode_csv`.

    >>> from penstock import tf1 as tf
    >>> number, text = tf.decode_csv(tf.constant("3,blue"), record_defaults=[[0], ["none"]])
    >>> next(tf.feed([number, text]))
    [np.int32(3), b'blue']
    """
    defaults = [_default(one) for one in record_defaults]
    empty = {"", na_value}
    quoting: Any = csv.QUOTE_MINIMAL if use_quote_delim else csv.QUOTE_NONE

    def fields(line: bytes) -> list[Any]:
        text = line.decode("utf-8", "surrogateescape")
        try:
            row = next(csv.reader([text], delimiter=field_delim, quoting=quoting, strict=True), [""])
        except csv.Error as error:
            raise InvalidArgumentError(mismatch("a line of CSV", f"`{error}`", at="decode_csv")) from None
        if select_cols is not None and len(row) > max(select_cols, default=-1):
            row = [row[place] for place in select_cols]
        if len(row) != len(defaults):
            raise InvalidArgumentError(mismatch(f"{len(defaults)} fields", len(row), at="decode_csv"))
        return [_field(text, default, empty, at) for at, (text, default) in enumerate(zip(row, defaults, strict=True))]

    def decode(value: Any) -> list[Any]:
        if not isinstance(value, np.ndarray):
            return fields(value)
        rows = [fields(line) for line in value.ravel()]
        columns = list(zip(*rows, strict=True)) if rows else [()] * len(defaults)
        pairs = zip(columns, defaults, strict=True)
        return [np.array(column, dtype).reshape(value.shape) for column, (dtype, _) in pairs]

    node = Apply(name or "decode_csv", decode, [as_handle(records)], len(defaults))
    return [Handle(node, i, dtype=dtype) for i, (dtype, _) in enumerate(defaults)]


def _default(given: Any) -> tuple[np.dtype[Any], Any]:
    """The dtype of a field, and what stands in for it; `None` if it is required."""
    if isinstance(given, Handle) or (isinstance(given, (type, np.dtype)) or hasattr(given, "as_numpy_dtype")):
        if isinstance(given, Handle):
            raise ValueError("expected a default that is a value or a dtype, got a handle - at decode_csv")
        return dtype_of(given), None
    value = as_value(given)
    array = np.asarray(value)
    if array.size > 1:
        raise ValueError(mismatch("at most one default for a field", array.size, at="decode_csv(record_defaults)"))
    return array.dtype, None if array.size == 0 else array.ravel()[0]


def _field(text: str, default: tuple[np.dtype[Any], Any], empty: set[str], at: int) -> Any:
    dtype, value = default
    if text in empty:
        if value is None:
            raise InvalidArgumentError(mismatch("a value", "none", at=f"field {at} of decode_csv", do="give a default"))
        return value
    if dtype.kind == "O":
        return text.encode("utf-8", "surrogateescape")
    return _number(text, dtype, f"field {at} of decode_csv")


def _number(text: str | bytes, dtype: np.dtype[Any], at: str) -> Any:
    try:
        number = int(text) if dtype.kind in "iu" else float(text)
        return dtype.type(number)
    except (ValueError, OverflowError):
        shown = text.decode(errors="replace") if isinstance(text, bytes) else text
        raise InvalidArgumentError(mismatch(f"`{dtype}`", f"the text `{shown}`", at=at)) from None


def string_to_number(string_tensor: Any, out_type: Any = np.float32, name: str | None = None) -> Handle:
    """The numbers that texts are."""
    dtype = dtype_of(out_type)

    def number(value: Any) -> Any:
        if isinstance(value, np.ndarray):
            return np.array([number(part) for part in value.ravel()], dtype).reshape(value.shape)
        return _number(value, dtype, "string_to_number")

    return apply("string_to_number", number, string_tensor, dtype=dtype)


def string_split(source: Any, delimiter: str = " ", skip_empty: bool = True, name: str | None = None) -> SparseTensor:
    """The words of texts: each character of `delimiter` parts two; `.values` has them all, one text after the other.

    Args:
      source: a vector of texts, or one text.
      delimiter: what parts two words; every byte is one if it is empty.
      skip_empty: whether empty words are left out.
      name: for messages.

    Source: TF1 `tf.string_split`.
    """
    marks = delimiter.encode()

    def words(text: bytes) -> Parts:
        for mark in marks[1:]:
            text = text.replace(bytes([mark]), marks[:1])
        found = [bytes([byte]) for byte in text] if not marks else text.split(marks[:1])
        kept = [word for word in found if word or not skip_empty]
        values = np.empty(len(kept), object)
        values[:] = kept
        return np.arange(len(kept))[:, None], values, np.array([len(kept)], np.int64)

    def split(value: Any) -> Parts:
        return joined([words(text) for text in np.atleast_1d(np.asarray(value, object))])

    return sparse_of(name or "string_split", split, as_handle(source), dtype=np.dtype(object))


def substr(input: Any, pos: int, len: int, name: str | None = None) -> Handle:
    """A piece of a text. [bytes]"""
    return apply("substr", lambda value: value[pos : pos + len], input, dtype=object)


def string_to_hash_bucket_fast(input: Any, num_buckets: int, name: str | None = None) -> Handle:
    """A number below `num_buckets` for each text; always the same, but not TF1's."""
    from_text = zlib.crc32

    def number(value: Any) -> Any:
        if isinstance(value, np.ndarray):
            return np.array([number(part) for part in value.ravel()], np.int64).reshape(value.shape)
        return np.int64(from_text(value) % num_buckets)

    return apply("string_to_hash_bucket_fast", number, input, dtype=np.int64)


def read_file(filename: Any, name: str | None = None) -> Handle:
    """The bytes of a file."""

    def read(path: bytes) -> bytes:
        with open(path, "rb") as file:
            return file.read()

    return apply("read_file", read, as_value(filename), dtype=object)


def decode_image(contents: Any, channels: int = 0, name: str | None = None) -> Handle:
    """The pixels of an image file's bytes: uint8[height, width, channels].

    Args:
      contents: a handle of the bytes of a JPEG, PNG, GIF or BMP file.
      channels: 1, 3 or 4; 0 takes what the file has.
      name: for messages.

    Raises:
      MissingExtra: Pillow is not installed.
      InvalidArgumentError: at a step, the bytes are no image.

    Source: TF1 `tf.image.decode_image`, by Pillow.
    """
    library = load("PIL.Image", extra="image")

    def decode(value: bytes) -> Any:
        try:
            picture = library.open(io.BytesIO(value))
            modes = {1: "L", 3: "RGB", 4: "RGBA"}
            picture = picture.convert(modes[channels or (1 if picture.mode in ("1", "L") else 3)])
        except (OSError, ValueError) as error:
            got = f"{len(value):,} other bytes" if isinstance(error, library.UnidentifiedImageError) else f"`{error}`"
            raise InvalidArgumentError(mismatch("the bytes of an image", got, at="decode_image")) from error
        pixels = np.asarray(picture, np.uint8)
        return pixels[..., None] if pixels.ndim == 2 else pixels

    return apply("decode_image", decode, contents, dtype=np.uint8)
