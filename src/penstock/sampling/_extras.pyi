from collections.abc import Sequence

from penstock.sampling.extras import Group
from penstock.sampling.shares import Int64s

class Extras:
    @property
    def given(self) -> list[int]: ...
    def __init__(self, groups: Sequence[Group], total: int, batch: int, given: Sequence[int]) -> None: ...
    def give(self, batches: int) -> Int64s: ...
