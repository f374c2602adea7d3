"""Random numbers by their place, from SplitMix64: a number does not depend on whether those before it were drawn.

Source: Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014; the constants are theirs.
"""

from __future__ import annotations

from collections.abc import Iterator

__all__ = ["LARGEST", "SHUFFLE", "coin", "swaps"]

LARGEST = 2**64 - 1
"""The largest number drawn."""
SHUFFLE = int.from_bytes(b"draw")
"""Sets the numbers of shuffles apart from the coins of the same seed."""

_STEP = 0x9E3779B97F4A7C15


def coin(seed: int, number: int) -> int:
    """The output of SplitMix64 at place `number`, from 0 on, of the stream of a seed of 64 bits.

    >>> hex(coin(0, 0))
    '0xe220a8397b1dcdaf'
    """
    z = (seed + (number + 1) * _STEP) & LARGEST
    z = ((z ^ z >> 30) * 0xBF58476D1CE4E5B9) & LARGEST
    z = ((z ^ z >> 27) * 0x94D049BB133111EB) & LARGEST
    return z ^ z >> 31


def swaps(seed: int, number: int, n: int) -> Iterator[tuple[int, int]]:
    """The pairs of places to swap in turn, so that n things are in the order of shuffle `number`.

    Source: the shuffle of Fisher and Yates, from the last place down. A place among m is the upper half of a coin times
    m, so it is up to m / 2**32 off being uniform.
    """
    stream = coin(seed ^ SHUFFLE, number)
    for turn, last in enumerate(range(n - 1, 0, -1)):
        yield last, (coin(stream, turn) >> 32) * (last + 1) >> 32
