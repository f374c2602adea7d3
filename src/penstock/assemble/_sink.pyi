from collections.abc import Iterator
from typing import Any

from penstock.assemble._native import Kind
from penstock.assemble._pile import Pile
from penstock.assemble.reference import Array
from penstock.structure import Structure

class Sink:
    places: list[Array | Pile]
    filled: int
    misfit: tuple[Any] | None
    lasts: list[Any] | None
    def __init__(self, structure: Structure, kinds: list[Kind], places: list[Array | Pile]) -> None: ...
    def __len__(self) -> int: ...
    @property
    def halted(self) -> bool: ...
    def pull(self, iterators: list[Iterator[Any]], first: int, n: int) -> None: ...
    def add(self, rows: list[Any]) -> None: ...

def pull_turns(iterators: list[Iterator[Any]], first: int, n: int, rows: list[Any]) -> None: ...
