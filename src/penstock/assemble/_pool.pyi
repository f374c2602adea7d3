from typing import Any

import numpy as np

from penstock.assemble.reference import Array

class Pool:
    def __init__(self, limit_bytes: int = ...) -> None: ...
    def array(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array: ...
    @property
    def idle(self) -> int: ...
