from collections.abc import Callable
from typing import Any

from penstock.chunk import Chunk
from penstock.stages.snapshot import Saved

class Entry:
    error: BaseException | None
    place: Saved | None
    late: int
    given: int
    rows: list[Any]
    def __init__(self, chunk: Chunk, place: Saved | None = None) -> None: ...

class Delivery:
    def __init__(self, convert: Callable[[Any], Any] | None) -> None: ...
    def __next__(self) -> Any: ...
