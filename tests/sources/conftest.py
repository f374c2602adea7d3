"""What the tests of sources share: a pass over a source, to its end or its error, in an empty folder."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from penstock.chunk import Columns
from penstock.errors import PenstockError
from penstock.plan import Source


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, in which files are named without more of a path, in messages too."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def taken(stream: Iterable[Any], *, blocks: bool) -> list[Any]:
    if not blocks:
        return list(stream)
    return [row for block in stream for row in (block.rows() if isinstance(block, Columns) else block)]


@pytest.fixture
def examples() -> Callable[[Source], list[Any]]:
    """All examples of one pass."""
    return lambda source: taken(source.open(0), blocks=source.blocks)


@pytest.fixture
def ended() -> Callable[[Source], tuple[list[Any], str]]:
    """The examples before the error that ends a pass, and the error's class and message."""

    def ended(source: Source) -> tuple[list[Any], str]:
        seen: list[Any] = []
        try:
            for block in source.open(0):
                seen += taken([block], blocks=source.blocks)
        except PenstockError as error:
            return seen, f"{type(error).__name__}: {error}"
        pytest.fail("the source ended without an error")

    return ended
