"""How many examples of each class a batch holds, when the shares change from batch to batch.

What a class was owed and did not get is carried into the next batch.

Guarantees
  Each batch holds as many as it is asked for, and nothing of a class whose share is zero.
  After every batch each class is owed more than -1 example and at most H(K) - 1, where H(K) = 1 + 1/2 + ... + 1/K,
  whatever the shares were, as long as no share fell to zero on the way.
  All of it is counted in whole multiples of 2**-40 examples: the same on every machine, and no sum ever drifts.
Costs
  A sort of K numbers for each batch. Where shares stay as they are, `Quota` costs less and deviates less.
Why these bounds
  A batch gives each unit to the class that is owed most. So nobody gets one who is not owed more than 0: hence -1.
  Let a_j be the most that j classes together are owed. If somebody else got the last unit that went outside of those j,
  he is owed at least as much as each of them, less 1, so a_j / j <= a_(j+1) / (j+1) + 1 / (j+1). If they got all units,
  a_j did not grow, since no more was added than was given. And a_K = 0.

Source: largest remainders (Hamilton); the bound as in Adler et al., "A proportionate fair scheduling rule with good
worst-case performance", SPAA 2003.
"""

from __future__ import annotations

from typing import Any, Self, final

import numpy as np

from penstock.errors import StateError, mismatch
from penstock.sampling.shares import Float64s, Int64s, Shares

__all__ = ["LARGEST_SIZE", "Carry", "fixed"]

BITS = 40
UNIT = 1 << BITS
LARGEST_SIZE = 1 << 20
"""A batch may hold as many; what is counted then stays below 2**62."""


def fixed(shares: Shares | Float64s) -> Int64s:
    """Shares in multiples of 2**-40 that sum to one exactly.

    Args:
      shares: exact, or float64[K] of at least 0, not all 0, on any scale.

    Returns:
      int64[K], each within 2**-40 of its share (floats also within their own rounding); a share of 0 stays 0.

    >>> fixed(Shares.of([1, 0, 3])).tolist()
    [274877906944, 0, 824633720832]
    """
    if isinstance(shares, Shares):
        parts = np.array([(weight << BITS) // shares.total for weight in shares.weights], np.int64)
    else:
        # `cumsum` adds from left to right on every machine, which `sum` does not.
        parts = np.floor(shares / np.cumsum(shares)[-1] * UNIT).astype(np.int64)
    some = np.flatnonzero(parts)
    each, rest = divmod(UNIT - int(parts.sum()), len(some))
    parts[some] += each
    parts[some[:rest]] += 1
    return parts


@final
class Carry:
    """The counts of each batch, by shares that are given anew for each.

    Args:
      count: how many classes there are at first; shares of more classes add them.

    >>> carry = Carry(3)
    >>> [carry.take(Shares.of([1, 1, 1]), 4)[1].tolist() for _ in range(3)]
    [[2, 1, 1], [1, 2, 1], [1, 1, 2]]
    """

    __slots__ = ("_fixed", "_of", "_owed")

    def __init__(self, count: int) -> None:
        self._owed = np.zeros(count, np.int64)
        self._of: Shares | None = None
        self._fixed = self._owed

    @classmethod
    def restore(cls, state: dict[str, Any]) -> Self:
        """What was carried when `state` was taken.

        >>> carry = Carry(2)
        >>> _ = carry.take(Shares.of([1, 2]), 4)
        >>> Carry.restore(carry.state()).owed().tolist() == carry.owed().tolist()
        True
        """
        carry = cls(0)
        carry._owed = owed = np.array(state["owed"], np.int64)
        if owed.ndim != 1 or (len(owed) and int(owed.max()) - int(owed.min()) > 2 * len(owed) * UNIT):
            want = "what each class is owed, which is less than one for each of them"
            raise StateError(mismatch(want, f"`{state['owed']!r}`"[:80], at="open(state)"))
        return carry

    def state(self) -> dict[str, Any]:
        """What `restore` needs, as JSON can hold it."""
        return {"owed": self._owed.tolist()}

    def owed(self) -> Float64s:
        """What each class should have had and did not, above 0, or had ahead, below 0. float64[K] [examples]"""
        return self._owed / UNIT

    def clear(self) -> None:
        """Forgets what is carried, as after a change of target that is to start afresh."""
        self._owed[:] = 0

    def take(self, shares: Shares | Float64s, size: int) -> tuple[Int64s, Int64s]:
        """The next batch.

        A class whose share has become zero is owed nothing any more; what it was owed goes to the others by their shares.

        Args:
          shares: of each class, of at least as many classes as before; as for `fixed`.
          size: examples in this batch, 1 to `LARGEST_SIZE`.

        Returns:
          The classes that are in it, ascending, int64[m]; how many of each, int64[m], all above 0.
        """
        assert 1 <= size <= LARGEST_SIZE, "what is counted fits into 64 bits"
        if shares is not self._of or not isinstance(shares, Shares):
            self._fixed = fixed(shares)
            self._of = shares if isinstance(shares, Shares) else None
        want = self._fixed
        assert len(want) >= len(self._owed), "classes do not go away"
        if len(want) > len(self._owed):
            self._owed = np.concatenate((self._owed, np.zeros(len(want) - len(self._owed), np.int64)))
        self._forgive(want)
        owed = self._owed
        owed += size * want
        counts = np.maximum(owed >> BITS, 0)
        owed -= counts << BITS
        left = size - int(counts.sum())
        if left > 0:  # More than as many are owed a part of one.
            got = _largest(owed, left)
            counts[got] += 1
            owed[got] -= UNIT
        while left < 0:  # Others are ahead: who is owed least beyond what it got gives a unit back.
            have = np.flatnonzero(counts)
            back = have[_largest(-owed[have], min(-left, len(have)))]
            counts[back] -= 1
            owed[back] += UNIT
            left += len(back)
        classes = np.flatnonzero(counts)
        return classes, counts[classes]

    def _forgive(self, want: Int64s) -> None:
        """Shares out what is carried for classes that get nothing any more."""
        gone = (want == 0) & (self._owed != 0)
        if not gone.any():
            return
        carried = int(self._owed[gone].sum())
        self._owed[gone] = 0
        parts = np.floor(want / UNIT * carried).astype(np.int64)
        parts[int(want.argmax())] += carried - int(parts.sum())
        self._owed += parts


def _largest(values: Int64s, count: int) -> Int64s:
    """The places of the largest values; of equal ones the first. In no particular order. 1 <= count <= len(values)."""
    edge = np.sort(values)[len(values) - count]  # `partition` takes ten times as long where most are equal.
    above = np.flatnonzero(values > edge)
    return np.concatenate((above, np.flatnonzero(values == edge)[: count - len(above)]))
