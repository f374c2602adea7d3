from typing import Any

from penstock.assemble.reference import Array
from penstock.spec import Component
from penstock.structure import Structure

class Kind:
    component: Component
    plain: bool

def extent(leaves: list[Any], component: Kind, sizes: Array | None = None) -> tuple[int, ...]: ...
def gather(rows: list[Any], structure: Structure) -> list[list[Any]]: ...
def prepared(component: Component) -> Kind: ...
def stack(leaves: list[Any], component: Kind, out: Array) -> None: ...
