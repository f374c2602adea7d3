"""What a missing value means: an error that names it, an example left out, or a value that takes its place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, final

import numpy as np

from penstock.errors import PipelineError, SourceError, mismatch
from penstock.sources.files import named
from penstock.sources.leaves import Leaf
from penstock.spec import Component

__all__ = ["Nulls"]

_RULES = '"error", "skip", a value to put in their place, or a dict of such values by column'


@final
class Nulls:
    """The rule for nulls.

    Args:
      rule: `"error"`; `"skip"` leaves out examples that have any; a value takes the place of nulls wherever a component
        can hold it; a dict has such values by column (or by the name of a struct's field: `"pos.x"`).
        In lists, a number takes the place of an element, a list that of a list which is null as a whole.
      at: the word that it was given to, for messages: `"read_csv(nulls)"`.

    Raises:
      PipelineError: it is none of these.
    """

    def __init__(self, rule: Any, *, at: str) -> None:
        unknown = isinstance(rule, str) and rule not in ("error", "skip")
        if unknown or rule is None or (isinstance(rule, Mapping) and None in rule.values()):
            raise PipelineError(mismatch(f"`nulls` to be {_RULES}", f"`{rule!r}`", at=at))
        self.skips = isinstance(rule, str) and rule == "skip"
        """Whether examples with nulls are left out."""
        self._by_name: dict[str, Any] = dict(rule) if isinstance(rule, Mapping) else {}
        self._anywhere = None if isinstance(rule, (str, Mapping)) else rule
        self.columns = tuple(self._by_name)
        """The names that values are given for."""

    def fills(self, leaves: Sequence[Leaf], *, where: str) -> list[Any]:
        """What takes the place of nulls in each component, in its dtype; `None` where nothing does.

        Raises:
          SourceError: a name is that of no column, or a value does not fit its column.
        """
        known = {name for leaf in leaves for name in (leaf.path[0], leaf.name)}
        for name in self._by_name:
            if name not in known:
                names = named(dict.fromkeys(leaf.name for leaf in leaves))
                raise SourceError(mismatch(f"`nulls` for one of {names}", f"`{name}`", at=where))
        fills = []
        for leaf in leaves:
            value = self._by_name.get(leaf.name, self._by_name.get(leaf.path[0]))
            if value is None:
                fills.append(None if self._anywhere is None else _fitting(self._anywhere, leaf.component))
                continue
            fill = _fitting(value, leaf.component)
            if fill is None:
                at = f"column `{leaf.name}` of {where}"
                expected = f"a value in place of nulls that fits `{leaf.component}`"
                raise SourceError(mismatch(expected, f"`{value!r}`", at=at))
            fills.append(fill)
        return fills


def _fitting(value: Any, component: Component) -> Any:
    """The value in the component's dtype, if it is the same there; else `None`."""
    several = isinstance(value, (list, tuple, np.ndarray)) and np.ndim(value) > 0
    if several:
        ragged = bool(component.shape) and component.shape[0] is None
        if not ragged or np.shape(value)[1:] != component.shape[1:]:
            return None
    if component.text is not None:
        return _text(list(value) if several else [value], component.text, several)
    if isinstance(value, (str, bytes)) and component.dtype.kind not in "mM":
        return None
    try:
        with np.errstate(invalid="ignore"):  # NaN where there is none: compared below
            made = np.asarray(value).astype(component.dtype)
        # Times may be given as text, which compares with none.
        kind = component.dtype.kind
        kept = kind in "mM" or np.array_equal(made, np.asarray(value), equal_nan=kind == "f")
    except (TypeError, ValueError, OverflowError):
        return None
    return (made if several else made[()]) if kept else None


def _text(items: list[Any], of: str, several: bool) -> Any:
    if not all(isinstance(item, str if of == "str" else bytes) for item in items):
        return None
    return np.array(items, object) if several else items[0]
