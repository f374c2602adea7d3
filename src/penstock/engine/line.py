"""A bounded line between threads: many who put in, many who take out, served in the order in which they came.

Guarantees
  Whoever waits to put something in goes in as a whole before those who came later, however little room there is;
  whoever waits for n gets n before those who came later, and has them set aside for it as they come.
  An element that was put in is taken out once, or is still there: one who gives up, by a time-out, a cancellation or a
  signal, puts back at the front what was set aside for it.
  `close()` takes its turn among those who put in; `cancel()` wakes everyone at once. Nobody polls.
How a signal is survived
  What is done under the lock can be done again from the start (`_settle`), and is, if a signal cuts it off; an element
  moves in statements that a signal does not split (see `orders`). Nobody waits while holding the lock.
Why not queue.Queue
  It takes its lock twice for each element and cannot take many at once; and cannot be closed before Python 3.13.
"""

from __future__ import annotations

from collections import deque
from threading import TIMEOUT_MAX, Lock
from time import monotonic
from typing import Any, final

from penstock.engine.bell import Bell
from penstock.engine.orders import Order
from penstock.errors import QueueClosed, QueueExhausted, mismatch

__all__ = ["Line"]

NO_LIMIT = 1 << 62
"""What stands for no capacity. [elements]"""


@final
class _Put:
    """One who waits to put elements in; or to close the line."""

    __slots__ = ("at", "bell", "closes", "done", "elements", "error")

    def __init__(self, elements: list[Any], *, closes: bool = False) -> None:
        self.elements = elements
        self.at = 0
        self.closes = closes
        self.done = False
        self.error: Exception | None = None
        self.bell = Bell()


@final
class _Take:
    """One who waits for n elements."""

    __slots__ = ("bell", "done", "error", "hands", "n", "up_to")

    def __init__(self, n: int, up_to: bool, hands: list[Any]) -> None:
        self.n = n
        self.up_to = up_to
        self.hands = hands
        self.done = False
        self.error: Exception | None = None
        self.bell = Bell()


@final
class Line:
    """Elements between threads.

    Args:
      order: which of those that wait leaves next.
      capacity: how many may wait; `None` sets no limit. [elements]
      name: what it is called in messages.
    """

    def __init__(self, order: Order, capacity: int | None, name: str) -> None:
        self.name = name
        self._capacity = NO_LIMIT if capacity is None else capacity
        self._lock = Lock()
        # Guarded by the lock:
        self._order = order
        self._puts: deque[_Put] = deque()
        self._takes: deque[_Take] = deque()
        self._closed = False
        self._moved = False
        self._idle = True  # open, and nobody waits
        self._add_one, self._pop_one = order.add_one, order.pop_one

    # Putting in.

    def put(self, elements: list[Any], timeout_s: float | None = None) -> None:
        """Puts elements in, in their order and with none of another between; waits for room.

        Raises:
          QueueClosed: the line is closed, or was while this waited; what had gone in before stays.
          TimeoutError: there was no room in time; what had gone in before stays.
        """
        if not elements:
            return
        with self._lock:
            if self._idle and len(elements) <= self._capacity - len(self._order):
                self._order.add(elements)
                return
            if self._closed:
                raise QueueClosed(mismatch("an open queue", "one that is closed", at=self.name))
            put = _Put(elements)
            self._puts.append(put)
            self._settled()
        self._await_put(put, timeout_s)

    def put_one(self, element: Any, timeout_s: float | None = None) -> None:
        """Puts one element in, as `put` does, and sooner."""
        with self._lock:
            if self._idle and self._add_one(element, self._capacity):
                return
        self.put([element], timeout_s)

    def close(self, *, cancel_pending: bool = False, timeout_s: float | None = None) -> None:
        """Lets no more in, once those have gone in who waited before, or at once; what is in can still be taken.

        Args:
          cancel_pending: whether those who wait to put something in are refused at once.
          timeout_s: how long to wait for them; `None` for ever. [s]

        Raises:
          TimeoutError: they did not go in in time; the line is not closed.
        """
        put = _Put([], closes=True)
        with self._lock:
            if self._closed:
                return
            self._puts.append(put)
            if cancel_pending:
                self._refuse_puts()
            self._settled()
        self._await_put(put, timeout_s)

    def cancel(self) -> None:
        """Closes at once, and wakes everyone who waits, with `QueueClosed`; what is in can still be taken."""
        with self._lock:
            for take in self._takes:
                if not take.done:
                    self._order.put_back(take.hands)
                    take.error = self._cancelled("elements")
                    take.done = True
            self._puts.append(_Put([], closes=True))
            self._refuse_puts()
            self._settled()

    def _refuse_puts(self) -> None:
        for put in self._puts:
            if not put.done and not put.closes:
                put.error = self._cancelled("room")
                put.done = True

    def _cancelled(self, what: str) -> QueueClosed:
        return QueueClosed(mismatch(f"to wait for {what}", "a wait that was cancelled", at=self.name))

    def _await_put(self, put: _Put, timeout_s: float | None) -> None:
        try:
            if put.done or self._await(put, timeout_s):
                if put.error is not None:
                    raise put.error
                return
        except BaseException:
            self._withdraw(put)
            raise
        self._withdraw(put)
        if not put.done:
            want = "to be closed" if put.closes else f"room for {len(put.elements)}"
            got = "others who wait to go in" if put.closes else f"room for {put.at}"
            raise TimeoutError(mismatch(f"{want} within {timeout_s} s", got, at=self.name))

    # Taking out.

    def take(self, n: int, *, up_to: bool = False, timeout_s: float | None = None) -> list[Any]:
        """Takes n elements out; waits until they have come.

        Args:
          n: how many. [elements]
          up_to: whether fewer will do once the line is closed.
          timeout_s: how long to wait; `None` for ever. [s]

        Raises:
          QueueExhausted: the line is closed, and there are too few; they stay.
          QueueClosed: the wait was cancelled.
          TimeoutError: they did not come in time.
        """
        hands: list[Any] = []
        if n == 0:
            return hands
        take: _Take | None = None
        try:
            with self._lock:
                if not self._takes and n <= self._order.ready(not self._closed):
                    self._order.pop(hands, n)
                    if self._puts:
                        self._settled()
                else:
                    take = _Take(n, up_to, hands)
                    self._takes.append(take)
                    self._settled()
            if take is not None:
                if not take.done and not self._await(take, timeout_s):
                    raise TimeoutError(mismatch(f"{n} elements within {timeout_s} s", len(hands), at=self.name))
                if take.error is not None:
                    raise take.error
        except BaseException:
            self.put_back(hands, take)
            raise
        return hands

    def take_one(self, timeout_s: float | None = None) -> Any:
        """Takes one element out, as `take` does, and sooner."""
        hands: list[Any] = []
        try:
            with self._lock:
                taken = self._idle and self._pop_one(hands)
        except BaseException:
            self.put_back(hands)
            raise
        return hands[0] if taken else self.take(1, timeout_s=timeout_s)[0]

    def put_back(self, hands: list[Any], take: _Take | None = None) -> None:
        """Takes back what was taken out and could not be used, before all others."""
        with self._lock:
            if take is not None and take in self._takes:
                self._takes.remove(take)
            self._order.put_back(hands)
            self._settled()

    # Waiting.

    def _await(self, one: _Put | _Take, timeout_s: float | None) -> bool:
        """Waits until it is done; gives whether it was in time."""
        if timeout_s is None:
            while not one.done:
                one.bell.wait()
            return True
        deadline = monotonic() + min(timeout_s, TIMEOUT_MAX / 2)
        while not one.done:
            left = deadline - monotonic()
            if left <= 0:
                return False
            one.bell.wait(left)
        return True

    def _withdraw(self, put: _Put) -> None:
        """Takes one out of the line who gives up; those behind it may have their turn then."""
        with self._lock:
            if put in self._puts:
                self._puts.remove(put)
            self._settled()

    # Under the lock.

    def _settled(self) -> None:
        """Gives everyone what can be given now; a signal that comes between has to wait."""
        try:
            self._settle()
        except BaseException:
            self._settle()
            raise

    def _settle(self) -> None:
        # Each step leaves things so that the next call goes on from there: `done` is set before the bell is rung, and
        # the bell is rung before one leaves the line.
        self._moved = True
        while self._moved:
            self._moved = False
            while self._takes and self._serve(self._takes[0]):
                self._takes[0].bell.ring()
                self._takes.popleft()
            while self._puts and self._admit(self._puts[0]):
                self._puts[0].bell.ring()
                self._puts.popleft()
        self._idle = not (self._closed or self._puts or self._takes)

    def _serve(self, take: _Take) -> bool:
        """Gives one what there is; whether it has all that it will get."""
        if take.done:
            return True
        order, hands = self._order, take.hands
        lacks, ready = take.n - len(hands), order.ready(not self._closed)
        if lacks <= ready:
            order.pop(hands, lacks)
        elif ready > 0 and (not order.whole or (self._closed and take.up_to)):
            order.pop(hands, ready)
        if len(hands) < take.n:
            if not self._closed:
                return False
            if not hands or not take.up_to:
                there = len(hands) + len(order)
                order.put_back(hands)
                do = "`dequeue_up_to` takes what is left" if there else None
                want, got = f"{take.n} more elements" if take.n > 1 else "another element", f"{there or 'none'}"
                take.error = QueueExhausted(mismatch(want, f"a closed queue with {got}", at=self.name, do=do))
        take.done = True
        return True

    def _admit(self, put: _Put) -> bool:
        """Lets one in as far as there is room; whether it is done."""
        if put.done:
            return True
        if put.closes:
            self._closed = self._moved = True
        elif self._closed:
            put.error = QueueClosed(mismatch("an open queue", "one that is closed", at=self.name))
        else:
            most = self._capacity
            if self._order.whole and self._takes:  # One who waits for the best of n makes room for them.
                most = max(most, self._takes[0].n)
            room = most - len(self._order)
            if room > 0:
                self._moved = True
                self._order.admit(put, min(room, len(put.elements) - put.at))
            if put.at < len(put.elements):
                return False
        put.done = True
        return True

    # Anybody.

    @property
    def closed(self) -> bool:
        """Whether no more goes in."""
        return self._closed

    @property
    def waiting(self) -> int:
        """How many calls wait for their turn."""
        return len(self._puts) + len(self._takes)

    def __len__(self) -> int:
        """How many wait and are not set aside for anybody. [elements]"""
        return len(self._order)
