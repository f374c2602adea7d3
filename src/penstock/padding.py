"""The arguments of `pad`, which are given for all components or for some, as rules by component."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from penstock.errors import PipelineError, mismatch
from penstock.plan import PadRule
from penstock.structure import Path, path_text

__all__ = ["pad_rules", "pad_shape", "pad_shapes"]


def pad_shape(shape: Any, name: object) -> tuple[int | None, ...]:
    """A shape as it was given for a component, checked.

    Raises:
      PipelineError: it is none.
    """
    if isinstance(shape, (str, bytes)) or not isinstance(shape, Sequence):
        raise PipelineError(mismatch("a shape: a sequence of sizes and `None`", f"`{shape!r}`", at=f"pad({name})"))
    return tuple(shape)


def pad_shapes(shapes: Any) -> Iterator[tuple[Path | None, tuple[int | None, ...]]]:
    """The shapes that were given without a name, each with the path of its component; `()` is the only one."""
    if shapes is None:
        return
    if not isinstance(shapes, Mapping):
        yield (), pad_shape(shapes, "shape")
        return
    for key, shape in shapes.items():
        yield (key if isinstance(key, tuple) else (key,)), pad_shape(shape, key)


def pad_rules(shapes: dict[Path | None, Any], settings: dict[str, Any]) -> tuple[tuple[Path | None, PadRule], ...]:
    """One rule for each component that was given a shape, or one for all; settings go by component or for all."""
    if () in shapes and len(shapes) > 1:
        others = ", ".join(f"`{path_text(path)}`" for path in shapes if path)
        raise PipelineError(mismatch("one shape, or a shape for each component", f"both, for {others} too", at="pad()"))
    tables = {name: _by_path(setting) for name, setting in settings.items() if isinstance(setting, Mapping)}
    paths: list[Path | None] = list(shapes) or [None]
    for name, table in tables.items():
        for path in table:
            if path not in paths and shapes:
                known = ", ".join(f"`{path_text(one)}`" for one in shapes if one is not None)
                want = f"a component that is padded, one of {known}"
                raise PipelineError(mismatch(want, f"`{path_text(path or ())}`", at=f"pad({name})"))
            if path not in paths:
                paths.append(path)
    rules: list[tuple[Path | None, PadRule]] = []
    for path in paths:
        own = {name: tables[name].get(path) if name in tables else setting for name, setting in settings.items()}
        given = {name: setting for name, setting in own.items() if setting is not None}
        rules.append((path, PadRule(shape=shapes.get(path), **given)))
    _check_names(rules, settings, len(shapes))
    if any(rule.truncate for _, rule in rules) and not any(
        size is not None for _, rule in rules for size in rule.shape or ()
    ):
        do = "only a dimension with a size is ever too long"
        raise PipelineError(mismatch("a size to truncate to", "none", at="pad(truncate)", do=do))
    return tuple(rules)


def _by_path(table: Mapping[Any, Any]) -> dict[Path | None, Any]:
    return {key if isinstance(key, tuple) else (key,): value for key, value in table.items()}


def _check_names(rules: list[tuple[Path | None, PadRule]], settings: dict[str, Any], n_shapes: int) -> None:
    """Each lengths and each mask has a name of its own."""
    for name in ("lengths", "mask"):
        if isinstance(settings[name], str) and n_shapes > 1:
            want = f"`{name}` by component, `{{component: name}}`"
            raise PipelineError(mismatch(want, f"one name for {n_shapes} components", at=f"pad({name})"))
    seen: set[str] = set()
    for path, rule in rules:
        names = [name for name in (rule.lengths, rule.mask) if name is not None]
        # The rule for all others stands beside those that have one of their own, perhaps with the same name.
        for name in names:
            if name in seen or names.count(name) > 1:
                raise PipelineError(mismatch("a name for each lengths and mask", f"`{name}` twice", at="pad()"))
        if path is not None:
            seen.update(names)
