from typing import Any

from penstock.assemble._sink import Sink

class Shelf:
    def __init__(self, sink: Sink) -> None: ...
    def put(self, example: Any, place: int) -> bool: ...
