from collections.abc import Iterator
from typing import Any

from penstock.assemble._native import Kind
from penstock.assemble.reference import Array
from penstock.structure import Structure

class Sink:
    arrays: list[Array]
    filled: int
    misfit: tuple[Any] | None
    def __init__(self, structure: Structure, kinds: list[Kind], arrays: list[Array]) -> None: ...
    def __len__(self) -> int: ...
    def pull(self, iterators: list[Iterator[Any]], first: int, n: int) -> None: ...
    def add(self, rows: list[Any]) -> None: ...

def pull_turns(iterators: list[Iterator[Any]], first: int, n: int, rows: list[Any]) -> None: ...
