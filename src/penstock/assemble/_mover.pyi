from penstock.assemble.mover import Array, Int64s
from penstock.assemble.pool import Pool

def keep(kept: tuple[Array, ...], slots: Int64s, run: tuple[Array, ...], places: Int64s) -> None: ...
def collect(
    kept: tuple[Array, ...], slots: Int64s, run: tuple[Array, ...], places: Int64s, least: int, pool: Pool
) -> tuple[Array, ...]: ...
