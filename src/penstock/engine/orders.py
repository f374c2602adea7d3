"""In which order elements leave a queue: as they came, by chance, or by priority.

What a signal may not split
  A pop moves an element in statements without a call between them: the interpreter looks for signals only after calls and
  at the turn of a loop. So an element is always either held or in the hands of who asked for it.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import Any, Protocol, final

from penstock.draws import Draws

__all__ = ["ByChance", "ByPriority", "InTurn", "Order"]

BLANK = 256
"""So many places of elements that have left are kept before they are done away with."""


class Offer(Protocol):
    """Elements that are to be put in, and how many of them are."""

    elements: list[Any]
    at: int


class Order(Protocol):
    """Elements that wait, and which of them is next."""

    whole: bool
    """Whether one who asks for n is to have the best n of all, and so takes nothing before they are there."""

    def __len__(self) -> int: ...

    def ready(self, open_: bool) -> int:
        """How many may leave now; fewer while more may come."""

    def add(self, elements: list[Any]) -> None:
        """Takes in elements."""

    def add_one(self, element: Any, most: int) -> bool:
        """Takes in one element unless so many are held already; whether it did."""

    def admit(self, offer: Offer, n: int) -> None:
        """Takes in the next n of what is offered."""

    def pop(self, hands: list[Any], n: int) -> None:
        """Moves n elements into somebody's hands."""

    def pop_one(self, hands: list[Any]) -> bool:
        """Moves one element into somebody's hands, if one is ready while more may come; whether it did."""

    def put_back(self, hands: list[Any]) -> None:
        """Takes elements back out of somebody's hands, before all others."""


@final
class InTurn:
    """As they came."""

    whole = False

    def __init__(self) -> None:
        self._elements: list[Any] = []
        self._at = 0

    def __len__(self) -> int:
        return len(self._elements) - self._at

    def ready(self, open_: bool) -> int:
        """All."""
        return len(self._elements) - self._at

    def add(self, elements: list[Any]) -> None:
        """Puts them at the end."""
        self._elements += elements

    def add_one(self, element: Any, most: int) -> bool:
        """Puts it at the end."""
        if len(self._elements) - self._at >= most:
            return False
        self._elements.append(element)
        return True

    def admit(self, offer: Offer, n: int) -> None:
        """Puts them at the end."""
        elements, at = offer.elements, offer.at
        self._elements += elements[at : at + n]
        offer.at = at + n

    def pop(self, hands: list[Any], n: int) -> None:
        """The first n."""
        if self._at > BLANK and 2 * self._at > len(self._elements):
            # Before anything is moved, and the place first: what is left out is blank by then.
            blank, self._at = self._at, 0
            del self._elements[:blank]
        elements, at = self._elements, self._at
        if n == 1:
            hands += (elements[at],)
            elements[at] = None
        else:
            hands += elements[at : at + n]
            elements[at : at + n] = [None] * n
        self._at = at + n

    def pop_one(self, hands: list[Any]) -> bool:
        """The first."""
        elements, at = self._elements, self._at
        if at == len(elements):
            return False
        if at > BLANK:
            self.pop(hands, 1)
            return True
        hands += (elements[at],)
        elements[at] = None
        self._at = at + 1
        return True

    def put_back(self, hands: list[Any]) -> None:
        """Puts them at the front."""
        at, self._at = self._at, 0
        self._elements[:at] = hands
        del hands[:]


@final
class ByChance:
    """By chance, while more may come never so many that fewer than `keep` stay.

    Args:
      draws: whose turn it is.
      keep: how many stay. [elements]

    Source: TF1 `tf.RandomShuffleQueue`: the hole that one leaves is filled with the last.
    """

    whole = False

    def __init__(self, draws: Draws, keep: int) -> None:
        self._elements: list[Any] = []
        self._draws = draws
        self._numbers: list[float] = []
        self._keep = keep

    def __len__(self) -> int:
        return len(self._elements)

    def ready(self, open_: bool) -> int:
        """All but those that stay."""
        return len(self._elements) - self._keep if open_ else len(self._elements)

    def add(self, elements: list[Any]) -> None:
        """Puts them at the end, which means nothing."""
        self._elements += elements

    def add_one(self, element: Any, most: int) -> bool:
        """Puts it at the end."""
        if len(self._elements) >= most:
            return False
        self._elements.append(element)
        return True

    def admit(self, offer: Offer, n: int) -> None:
        """Puts them at the end."""
        elements, at = offer.elements, offer.at
        self._elements += elements[at : at + n]
        offer.at = at + n

    def pop(self, hands: list[Any], n: int) -> None:
        """Any n."""
        for _ in range(n):
            self._pop(hands)

    def _pop(self, hands: list[Any]) -> None:
        elements = self._elements
        if not self._numbers:
            self._numbers = self._draws.several()
        at = int(self._numbers.pop() * len(elements))
        hands += (elements[at],)
        elements[at] = elements[-1]
        del elements[-1]

    def pop_one(self, hands: list[Any]) -> bool:
        """Any."""
        if len(self._elements) <= self._keep:
            return False
        self._pop(hands)
        return True

    def put_back(self, hands: list[Any]) -> None:
        """Puts them at the end."""
        self._elements += hands
        del hands[:]


@final
class ByPriority:
    """The smallest priority first, and of equal ones that which came first; an element is `(priority, …)`."""

    whole = True

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Any]] = []
        self._came = self._back = 0

    def __len__(self) -> int:
        return len(self._heap)

    def ready(self, open_: bool) -> int:
        """All."""
        return len(self._heap)

    def add(self, elements: list[Any]) -> None:
        """Puts each where it belongs."""
        for element in elements:
            self._came += 1
            heappush(self._heap, (element[0], self._came, element))

    def add_one(self, element: Any, most: int) -> bool:
        """Puts it where it belongs."""
        if len(self._heap) >= most:
            return False
        self._came += 1
        heappush(self._heap, (element[0], self._came, element))
        return True

    def admit(self, offer: Offer, n: int) -> None:
        """Puts each where it belongs."""
        for at in range(offer.at, offer.at + n):
            element = offer.elements[at]
            self._came += 1
            offer.at = at + 1
            heappush(self._heap, (element[0], self._came, element))

    def pop(self, hands: list[Any], n: int) -> None:
        """The n smallest, in order."""
        heap = self._heap
        for _ in range(n):
            hands += (heap[0][2],)
            heappop(heap)

    def pop_one(self, hands: list[Any]) -> bool:
        """The smallest."""
        if not self._heap:
            return False
        self.pop(hands, 1)
        return True

    def put_back(self, hands: list[Any]) -> None:
        """Puts each where it belongs, before its equals."""
        while hands:
            element = hands[-1]
            self._back -= 1
            del hands[-1]
            heappush(self._heap, (element[0], self._back, element))
