"""The target as it is written on a command line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import numpy as np

from penstock.errors import PipelineError, SourceError, mismatch
from penstock.forecast.labels import Label
from penstock.sampling.shares import Int64s, Shares, probabilities
from penstock.sampling.temperature import Temperature
from penstock.sources.files import named

__all__ = ["Wanted", "as_text", "parse", "shares_over"]

Wanted = Literal["uniform", "natural"] | Temperature | Mapping[str, Fraction]
"""A target; a mapping has shares by the label's text."""

AT = "--target"
FORMS = "`uniform`, `natural`, `temperature:0.3`, `0:0.5,1:0.5` or the path of a `.json` file"


def parse(text: str) -> Wanted:
    """Reads a target.

    Args:
      text: `uniform`; `natural`; `temperature:0.3`; shares by label, `cat:0.25,dog:0.75` or `a:1/3,b:2/3`; or a path that
        ends in `.json`, of an object `{"cat": 0.25, "dog": 0.75}`, or of a list of shares for the labels 0, 1, 2 and so on.

    Raises:
      PipelineError: it is none of these.
      SourceError: the file cannot be read, or is no JSON.

    >>> parse("temperature:0.3")
    Temperature(alpha=0.3)
    >>> parse("cat:0.25,dog:3/4")
    {'cat': Fraction(1, 4), 'dog': Fraction(3, 4)}
    """
    if text == "uniform":
        return "uniform"
    if text == "natural":
        return "natural"
    kind, colon, number = text.partition(":")
    if kind == "temperature" and "," not in text:
        try:
            return Temperature(float(number))
        except ValueError as error:
            if isinstance(error, PipelineError):
                raise
            raise PipelineError(mismatch("a number behind `temperature:`", f"`{number}`", at=AT)) from None
    if text.lower().endswith(".json"):
        return _from_file(Path(text))
    if not colon:
        raise PipelineError(mismatch(FORMS, f"`{text}`", at=AT))
    return _mapping((label.strip(), share) for label, _, share in (one.rpartition(":") for one in text.split(",")))


def shares_over(wanted: Wanted, classes: Sequence[Label], counts: Int64s) -> Shares:
    """What a target is for the classes of a file.

    Args:
      wanted: the target.
      classes: the labels that there are.
      counts: how many examples each has, int64[K], above 0.

    Raises:
      PipelineError: it gives a share to a class that is not there, or its shares do not sum to one.

    >>> shares_over({"b": Fraction(1, 4), "a": Fraction(3, 4)}, ["a", "b", "c"], np.array([5, 5, 5]))
    Shares(weights=(3, 1, 0), total=4)
    """
    if isinstance(wanted, str):
        return Shares.uniform(len(classes)) if wanted == "uniform" else Shares.of(counts.tolist())
    if isinstance(wanted, Temperature):
        tempered = wanted.shares(counts.astype(np.float64))
        return Shares.of(np.rint(tempered * 2.0**60).astype(np.int64).tolist())
    places = {spelling: place for place, label in enumerate(classes) for spelling in _spellings(label)}
    strange = [text for text, share in wanted.items() if share and text not in places]
    if strange:
        there = named(_spellings(label)[0] for label in classes)
        raise PipelineError(mismatch(f"classes of the file, {there}", named(strange), at=AT))
    weights: list[Fraction | int] = [0] * len(classes)
    for text, share in wanted.items():
        if share:
            weights[places[text]] = share
    return probabilities(weights, what=AT)


def as_text(wanted: Wanted) -> str:
    """A target in short: `uniform`, `temperature:0.3`, `0:0.5,1:0.5`."""
    if isinstance(wanted, str):
        return wanted
    if isinstance(wanted, Temperature):
        return f"temperature:{wanted.alpha:g}"
    shown = [f"{label}:{float(share):.6g}" for label, share in wanted.items()]
    return ",".join(shown[:8]) + (f" and {len(shown) - 8:,} more" if len(shown) > 8 else "")


def _spellings(label: Label) -> list[str]:
    """How a label may be written."""
    if isinstance(label, bool):
        return [str(label), str(label).lower(), str(int(label))]
    return [label.decode(errors="backslashreplace") if isinstance(label, bytes) else str(label)]


def _from_file(path: Path) -> Mapping[str, Fraction]:
    def number(text: str) -> Fraction:
        return Fraction(text)

    try:
        content = json.loads(
            path.read_text(encoding="utf-8"), parse_float=number, parse_constant=str, object_pairs_hook=_Pairs
        )
    except FileNotFoundError:
        raise SourceError(mismatch("a file", "none", at=f"{AT} '{path}'")) from None
    except (OSError, ValueError) as error:
        raise SourceError(mismatch("a JSON file", f"`{error}`", at=f"{AT} '{path}'")) from error
    if isinstance(content, _Pairs):
        return _mapping(content)
    if isinstance(content, list):
        return _mapping((str(place), share) for place, share in enumerate(content))
    got = f"`{type(content).__name__}`"
    raise PipelineError(mismatch("an object of shares by label, or a list of shares", got, at=f"{AT} '{path}'"))


class _Pairs(list[tuple[str, Any]]):
    """The keys and values of a JSON object, as they stand there: a key that stands twice is not lost."""


def _mapping(pairs: Iterable[tuple[str, Any]]) -> Mapping[str, Fraction]:
    """Shares by label.

    Raises:
      PipelineError: a share is no number of at least 0, or a label stands twice.
    """
    shares: dict[str, Fraction] = {}
    for label, value in pairs:
        share = _share(value)
        if share is None or share < 0:
            got = f"`{value}`" if isinstance(value, (str, int, float, Fraction)) else f"`{type(value).__name__}`"
            whose = f"class `{label}`" if label else "a class, as in `0:0.5,1:0.5`"
            raise PipelineError(mismatch(f"a share of at least 0 for {whose}", got, at=AT))
        if label in shares:
            raise PipelineError(mismatch("each class once", f"`{label}` twice", at=AT))
        shares[label] = share
    return shares


def _share(value: Any) -> Fraction | None:
    """A share, exactly, if it is a number."""
    if isinstance(value, bool) or not isinstance(value, (str, int, Fraction)):
        return None
    try:
        return Fraction(value)
    except (ValueError, ZeroDivisionError):
        return None
