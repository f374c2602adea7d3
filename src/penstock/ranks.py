"""Which process of several this is, where they run as one: read off what started them.

A launcher such as `torchrun` says so in `RANK` and `WORLD_SIZE`; else torch.distributed or JAX, where the program has
initialised one. Neither is loaded for that.
"""

from __future__ import annotations

import os
import sys
from typing import NamedTuple

from penstock.errors import PipelineError, mismatch

__all__ = ["Rank", "auto_rank", "found_rank"]

VARIABLES = ("RANK", "WORLD_SIZE")


class Rank(NamedTuple):
    """One process of several."""

    rank: int
    """Its number, from 0."""
    world_size: int
    """How many there are."""


def found_rank() -> Rank | None:
    """The rank of this process, if anything tells it."""
    rank, world_size = (os.environ.get(name, "") for name in VARIABLES)
    if rank.isdecimal() and world_size.isdecimal() and int(rank) < int(world_size):
        return Rank(int(rank), int(world_size))
    distributed = sys.modules.get("torch.distributed")
    if distributed is not None and distributed.is_available() and distributed.is_initialized():
        return Rank(distributed.get_rank(), distributed.get_world_size())
    # JAX looks for its devices when it is asked for a process's number, and must not before it is initialised.
    jax, initialized = sys.modules.get("jax"), getattr(sys.modules.get("jax.distributed"), "is_initialized", None)
    if jax is not None and initialized is not None and initialized():
        return Rank(jax.process_index(), jax.process_count())
    return None


def auto_rank() -> Rank:
    """The rank of this process; 0 of 1 where nothing says that there are others.

    Raises:
      PipelineError: `RANK` or `WORLD_SIZE` is set, and does not tell it.
    """
    found = found_rank()
    if found is not None:
        return found
    texts = {name: os.environ[name] for name in VARIABLES if name in os.environ}
    if texts:
        got = " and ".join(f"{name}={text!r}" for name, text in texts.items())
        want, do = (
            "both RANK and WORLD_SIZE, as numbers, in the environment",
            "set both, or pass `rank` and `world_size`",
        )
        if len(texts) == len(VARIABLES) and all(text.isdecimal() for text in texts.values()):
            want, do = (
                "RANK to be below WORLD_SIZE: ranks begin at 0",
                "mend what sets them, or pass `rank` and `world_size`",
            )
        raise PipelineError(mismatch(want, got, at='shard("auto")', do=do))
    return Rank(0, 1)
