"""What a queue holds: elements as they are declared, or as they come; one by one, and many at once."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from typing import Any, final

import numpy as np

from penstock.assemble.assembler import Assembler
from penstock.assemble.kernels import Pool
from penstock.assemble.misfit import Misfit
from penstock.chunk import Columns
from penstock.errors import PipelineError, SpecError, mismatch
from penstock.plan import PadRule
from penstock.spec import Component, Shape, Spec
from penstock.structure import Path

__all__ = ["Elements"]

_OBJECT = np.dtype(object)
_QUICK: dict[str, tuple[type, ...]] = {"b": (bool,), "i": (int,), "u": (int,), "f": (float, int)}
"""The Python numbers that become a scalar of a kind of dtype without a second look."""
_SMALLEST, _LARGEST = -(2**63), 2**63 - 1


@final
class Elements:
    """How elements go into a queue and come out of it.

    Args:
      dtypes: of each component; `None` takes elements as they are, in any structure.
      shapes: of each component; `None` leaves them open.
      names: of the components, where an element is a dict.
      pads: whether dimensions that are `None` are padded where many are taken out at once.
      ranked: whether an element begins with its priority, an integer of 64 bits.
      at: the queue, for messages.

    Raises:
      PipelineError: something is declared that cannot be.
    """

    def __init__(self, dtypes: Any, shapes: Any, names: Any, *, pads: bool, ranked: bool, at: str) -> None:
        self._at = at
        self._ranked = ranked
        own = None if dtypes is None else [_dtype(dtype, at) for dtype in _several(dtypes)]
        if own is None and names is not None:
            raise PipelineError(mismatch("`dtypes` where there are `names`", "`names` alone", at=at))
        given = None if shapes is None else [_shape(shape, at) for shape in _shapes(shapes, at)]
        if own is not None and given is not None and len(given) != len(own):
            raise PipelineError(mismatch(f"a shape for each of {len(own)} components", f"{len(given)}", at=at))
        if pads and given is None:
            raise PipelineError(mismatch("`shapes`, with `None` for what is padded", "none", at=at))
        if not pads and any(None in shape for shape in given or ()):
            do = "`PaddingFIFOQueue` pads dimensions that are `None`"
            raise PipelineError(mismatch("`shapes` without `None`", f"`{given}`", at=at, do=do))
        if ranked:
            own = None if own is None else [np.dtype(np.int64), *own]
            given = None if given is None else [(), *given]
        self._dtypes = own
        self._shapes: list[Shape] | None = given
        self._names = None if names is None else _names(names, own, at)
        self._pads = pads
        self._pool = Pool()
        self._assembler: Assembler | None = None
        self.plain = own is None and not ranked
        """Whether an element goes in and comes out as it is."""
        self.bare = own is None or (len(own) == 1 and names is None)
        """Whether it comes out as it is."""
        alone = own is not None and self.bare and (given is None or given[0] == ())
        self._quick = _QUICK.get(own[0].kind, ()) if own is not None and alone else ()

    # In.

    def one(self, value: Any) -> Any:
        """An element as it is held.

        Raises:
          SpecError: it is not what was declared.
        """
        if self._dtypes is None:
            return self._with_rank(value) if self._ranked else value
        if type(value) in self._quick:
            try:
                return self._dtypes[0].type(value)
            except OverflowError as error:
                raise SpecError(
                    mismatch(f"`{self._dtypes[0]}`", f"`{_kind(value)}`: {error}", at=self._name(0))
                ) from None
        parts = self._parts(value)
        leaves = [self._leaf(part, place) for place, part in enumerate(parts)]
        return leaves[0] if len(leaves) == 1 else tuple(leaves)

    def many(self, value: Any) -> list[Any]:
        """Elements as they are held, from arrays with a leading dimension; where nothing is declared, a list is elements.

        Raises:
          SpecError: they are not what was declared, or not as many of each component.
        """
        if self._dtypes is None:
            alone = isinstance(value, list) or (type(value) is np.ndarray and value.ndim)
            rows = list(value) if alone else Columns.of(value).rows()
            return [self._with_rank(row) for row in rows] if self._ranked else rows
        parts = [self._array(part, place) for place, part in enumerate(self._parts(value))]
        columns = Columns.of(tuple(parts))
        return list(columns.arrays[0]) if len(parts) == 1 else columns.rows()

    def _parts(self, value: Any) -> Sequence[Any]:
        """The components of what is put in."""
        assert self._dtypes is not None, "without a declaration nothing is taken apart"
        if self._names is not None:
            if not isinstance(value, Mapping) or set(value) != set(self._names):
                got = f"`{{{', '.join(map(str, value))}}}`" if isinstance(value, Mapping) else f"`{_kind(value)}`"
                raise SpecError(mismatch(f"a dict of {', '.join(f'`{n}`' for n in self._names)}", got, at=self._at))
            return [value[name] for name in self._names]
        count = len(self._dtypes)
        if isinstance(value, (list, tuple)):
            if len(value) != count:
                do = "one component that is a list stands in a list: `[[1, 2]]`" if count == 1 else None
                raise SpecError(mismatch(f"{count} components", f"{len(value)}", at=self._at, do=do))
            return value
        if count != 1:
            raise SpecError(mismatch(f"{count} components", f"a `{_kind(value)}`", at=self._at))
        return [value]

    def _leaf(self, part: Any, place: int) -> Any:
        """One component, converted and checked."""
        dtype = self._dtypes[place] if self._dtypes is not None else _OBJECT
        if dtype is _OBJECT and isinstance(part, (str, bytes)):
            self._check((), place)
            return part
        array = _converted(part, dtype, self._name(place))
        self._check(array.shape, place)
        return array if array.ndim else array[()]

    def _array(self, part: Any, place: int) -> np.ndarray[Any, Any]:
        """One component of many elements, converted and checked."""
        array = _converted(part, self._dtypes[place] if self._dtypes is not None else _OBJECT, self._name(place))
        if array.ndim == 0:
            raise SpecError(mismatch("an array of rows", f"a scalar `{array.dtype}[]`", at=self._name(place)))
        self._check(array.shape[1:], place)
        return array

    def _check(self, shape: tuple[int, ...], place: int) -> None:
        if self._shapes is None:
            return
        mine = self._shapes[place]
        if mine == shape:
            return
        if len(mine) != len(shape) or any(a is not None and a != b for a, b in zip(mine, shape, strict=True)):
            dtype = self._dtypes[place] if self._dtypes is not None else _OBJECT
            want, got = Component(dtype, mine), Component(dtype, shape)
            raise SpecError(mismatch(f"`{want}`", f"`{got}`", at=self._name(place)))

    def _with_rank(self, element: Any) -> Any:
        """An element whose first component is a priority."""
        try:
            rank = operator.index(element[0])
        except (TypeError, IndexError, KeyError):
            rank = None
        if not isinstance(element, tuple) or rank is None or not _SMALLEST <= rank <= _LARGEST:
            want = "a tuple that begins with its priority, an integer of 64 bits"
            raise SpecError(mismatch(want, f"`{_kind(element)}`", at=self._at))
        return element

    def _name(self, place: int) -> str:
        return f"component `{place if self._names is None else self._names[place]}` of {self._at}"

    # Out.

    def given(self, element: Any) -> Any:
        """An element as it is handed out: as it came, or of declared components one bare, several as a list or dict."""
        if self.bare:
            return element
        return self._formed(element if self._dtypes is None or len(self._dtypes) > 1 else (element,))

    def batch(self, elements: list[Any]) -> Any:
        """Many as one: each component with a leading dimension.

        Raises:
          SpecError: they do not fit together.
        """
        if not elements:
            return self._empty()
        arrays, structure = self._assembled(elements)
        if self._dtypes is None:
            return structure.build(arrays)
        return arrays[0] if len(arrays) == 1 and self._names is None else self._formed(arrays)

    def _formed(self, parts: Sequence[Any]) -> Any:
        return list(parts) if self._names is None else dict(zip(self._names, parts, strict=True))

    def _assembled(self, elements: list[Any]) -> tuple[list[Any], Any]:
        known = self._assembler
        if known is not None:
            try:
                return known.rows(elements)[0], known.spec.structure
            except Misfit:
                pass  # Where shapes are open these may be others, which fit together.
        assembler = Assembler(Spec.of(elements[0], at=self._at), self._rule, self._pool)
        try:
            arrays = assembler.rows(elements)[0]
        except Misfit as misfit:
            where = f"element {misfit.row} of {len(elements)} taken out of {self._at}"
            raise assembler.explain(elements[misfit.row], where) from None
        self._assembler = assembler
        return arrays, assembler.spec.structure

    def _rule(self, path: Path) -> PadRule | None:
        if not self._pads or self._shapes is None:
            return None
        shape = self._shapes[path[0] if path else 0]
        return PadRule(shape=shape, fixed=True) if shape else None

    def _empty(self) -> Any:
        if self._dtypes is None or self._shapes is None:
            if self._assembler is None:
                do = "give `dtypes` and `shapes`"
                raise SpecError(mismatch("declared components, to make a batch of none", "none", at=self._at, do=do))
            spec = self._assembler.batch_spec
            dtypes, shapes = [c.dtype for c in spec.components], [c.shape for c in spec.components]
        else:
            dtypes, shapes = self._dtypes, self._shapes
        arrays = [
            np.empty((0, *[size or 0 for size in shape]), dtype) for dtype, shape in zip(dtypes, shapes, strict=True)
        ]
        if self._dtypes is None and self._assembler is not None:
            return self._assembler.spec.structure.build(arrays)
        return arrays[0] if len(arrays) == 1 and self._names is None else self._formed(arrays)

    @property
    def declared(self) -> str:
        """What was declared, as text."""
        if self._dtypes is None:
            return "any"
        shapes = self._shapes if self._shapes is not None else [None] * len(self._dtypes)
        parts = [
            "str[…]"
            if shape is None and dtype is _OBJECT
            else f"{dtype}[…]"
            if shape is None
            else str(Component(dtype, shape))
            for dtype, shape in zip(self._dtypes, shapes, strict=True)
        ]
        names = [""] * len(parts) if self._names is None else [f"{name}: " for name in self._names]
        return ", ".join(name + part for name, part in zip(names, parts, strict=True))


def _kind(value: object) -> str:
    return type(value).__name__


def _several(value: Any) -> Sequence[Any]:
    return value if isinstance(value, (list, tuple)) else [value]


def _shapes(shapes: Any, at: str) -> Sequence[Any]:
    """A shape for each component; a flat list of sizes is one shape."""
    if not isinstance(shapes, (list, tuple)):
        raise PipelineError(mismatch("a shape for each component", f"`{shapes!r}`", at=at))
    flat = all(size is None or isinstance(size, (int, np.integer)) for size in shapes)
    return [shapes] if flat and (shapes or isinstance(shapes, tuple)) else shapes


def _shape(shape: Any, at: str) -> Shape:
    if not isinstance(shape, (list, tuple)) or not all(
        size is None or (isinstance(size, (int, np.integer)) and size >= 0) for size in shape
    ):
        raise PipelineError(mismatch("a shape: a sequence of sizes and `None`", f"`{shape!r}`", at=at))
    return tuple(None if size is None else int(size) for size in shape)


def _dtype(dtype: Any, at: str) -> np.dtype[Any]:
    if isinstance(dtype, (str, type)) and dtype in ("string", "str", "bytes", str, bytes):
        return _OBJECT
    try:
        if dtype is None:  # which NumPy takes for float64
            raise TypeError
        own: np.dtype[Any] = np.dtype(dtype)
    except TypeError:
        raise PipelineError(mismatch("a dtype", f"`{dtype!r}`", at=at)) from None
    return own


def _names(names: Any, dtypes: Sequence[Any] | None, at: str) -> tuple[str, ...]:
    own = tuple(names)
    if not all(isinstance(name, str) for name in own) or len(set(own)) < len(own) or len(own) != len(dtypes or ()):
        raise PipelineError(mismatch(f"a name for each of {len(dtypes or ())} components", f"`{names!r}`", at=at))
    return own


def _converted(part: Any, dtype: np.dtype[Any], at: str) -> np.ndarray[Any, Any]:
    """An array of a dtype; Python's numbers become it, arrays are it already."""
    try:
        if dtype is _OBJECT:
            return part if isinstance(part, np.ndarray) and part.dtype == _OBJECT else np.asarray(part, _OBJECT)
        array = np.asarray(part)
        if array.dtype == dtype:
            return array
        typed = isinstance(part, (np.ndarray, np.generic)) or hasattr(part, "__array__")
        if not typed and (array.size == 0 or np.can_cast(array.dtype, dtype, "same_kind")):
            return np.asarray(part, dtype)
    except (TypeError, ValueError, OverflowError) as error:
        raise SpecError(mismatch(f"`{dtype}`", f"`{_kind(part)}`: {error}", at=at)) from None
    raise SpecError(mismatch(f"`{dtype}`", f"`{array.dtype}`", at=at))
