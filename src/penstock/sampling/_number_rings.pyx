# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
"""The fast twin of `number_rings.NumberRings`.

A queue is a buffer of numbers that goes round, so an arrival that is admitted is one number written behind the last, and
a draw copies numbers that lie together. All that an arrival touches of its class are two lines of the cache.
"""

cimport cython
cimport numpy as cnp
from libc.stdint cimport int64_t, uint64_t

from penstock.sampling._integers cimport counted, data, empty, fixed, plain
from penstock.sampling._number_tables cimport NumberTables
from penstock.sampling._queues cimport (
    BLOCK, Ring, count, evict, expect, expect_number, is_usual, mix, pop, put, set_bar, throw_coins
)
from penstock.sampling._slots cimport coin, prefetch

import numpy as np

import penstock.sampling.checks as checks
import penstock.sampling.counts as counting
import penstock.sampling.number_rings as number_rings
import penstock.sampling.splitmix as splitmix
from penstock.errors import mismatch

cnp.import_array()

cdef uint64_t LARGEST = splitmix.LARGEST
cdef uint64_t SHUFFLE = splitmix.SHUFFLE

cdef enum:
    MANY = 128  # classes, of which the nearest cache does not hold all
    AHEAD = 24  # classes


@cython.final
@cython.no_gc_clear
cdef class NumberRings(NumberTables):
    """As `number_rings.NumberRings`."""

    cdef readonly int64_t asked_at, ignored
    cdef readonly object uses, numbers
    cdef int64_t lacking, wanted, taken
    cdef uint64_t seed
    cdef cnp.ndarray which, often, taken_numbers, taken_uses
    cdef cnp.ndarray places  # of the classes that are still to be drawn from

    def __init__(self, repeats, seed):
        self.repeats, self.seed, self.keeps_rows = checks.checked_repeats(repeats), seed & splitmix.LARGEST, False
        self.name = number_rings.NumberRings.name
        self._clear()

    cdef _clear(self):
        self._clear_tables()
        self.asked_at = self.ignored = self.taken = self.lacking = self.wanted = 0
        self.uses = self.numbers = self.which = self.often = empty(0)
        self.taken_numbers = self.taken_uses = self.places = empty(0)

    @property
    def full(self): return self._full()

    cdef inline bint _full(self) noexcept: return self.lacking == 0 and self.wanted > 0
    cdef bint _halted(self) noexcept: return self._full() or self.arrived >= self.until

    def ask(self, classes, counts):
        """As `rings.Rings.ask`; what nobody writes to, as what schedules give, is taken as it is."""
        if not (fixed(classes) and fixed(counts) and len(classes) == len(counts)):
            classes, counts = checks.checked_quota(classes, counts)
        self._ask(classes, counts)

    cdef _ask(self, cnp.ndarray which, cnp.ndarray often):
        cdef int64_t i, of, asked, m = cnp.PyArray_SIZE(which)
        cdef Ring* ring
        self._ask_nothing(cnp.PyArray_SIZE(self.which))
        self.which, self.often, self.asked_at = which, often, self.arrived
        for i in range(m):
            of, asked = data(which)[i], data(often)[i]
            if i + AHEAD < m:
                prefetch(&self.ring[data(which)[i + AHEAD]])  # It reads nothing, so the class need not be there.
            ring = &self.ring[of]
            if not 0 <= of < self.classes or asked < 0 or ring.need or asked > max(ring.at_hand, ring.limit * self.repeats):
                self._ask_nothing(i)
                raise checks.not_askable(of, asked)
            ring.need = asked
            set_bar(ring)
            self.lacking += ring.at_hand < asked
            self.wanted += asked

    cdef _ask_nothing(self, int64_t m):
        """Takes back what the first m places ask for."""
        cdef int64_t i
        for i in range(m):
            self.ring[data(self.which)[i]].need = 0
            set_bar(&self.ring[data(self.which)[i]])
        self.which = self.often = empty(0)
        self.lacking = self.wanted = 0

    cdef int64_t _arrive(self, int64_t of) except -2:
        """Counts an arrival; there is nothing to keep of it."""
        cdef Ring* ring = &self.ring[of]
        cdef int64_t number = self.arrived
        self.arrived += 1
        if of < 0:
            self.ignored += 1
            return -1
        ring.seen += 1
        if ring.bar == LARGEST or coin(self.seed, number) <= ring.bar:
            self._admit(ring, number)
        return -1

    cdef inline bint _admit(self, Ring* ring, int64_t number) except -1:
        """Takes an arrival in; says whether the bar may have risen by that, as it does where a ring was made smaller."""
        cdef bint met = ring.at_hand >= ring.need
        cdef int evicted = 0
        while count(&ring.fresh) + count(&ring.used) >= ring.limit:
            evict(ring, self.repeats)
            evicted += 1
        put(&ring.fresh, number)
        self.held += 1 - evicted
        ring.at_hand += self.repeats
        self.lacking += met - (ring.at_hand >= ring.need)
        set_bar(ring)
        return evicted > 1

    cdef inline void _admit_once(self, Ring* ring, int64_t number, uint64_t thrown) noexcept:
        """Takes an arrival in that is used once, if its coin says so, where there is room; without a branch, as of coins."""
        cdef int64_t size = count(&ring.fresh), need = ring.need, limit = ring.limit
        cdef bint admitted = thrown <= ring.bar
        cdef bint evicts = admitted & (size == limit)
        ring.fresh.items[ring.fresh.tail & ring.fresh.mask] = number
        ring.fresh.tail += admitted
        ring.fresh.head += evicts
        ring.evicted_fresh += evicts
        size += admitted - evicts
        self.held += admitted - evicts
        self.lacking -= (admitted & (1 - evicts)) & (size == need)
        ring.at_hand = size
        ring.bar = ring.threshold | -<uint64_t> (1 - ((size >= need) & (size >= limit - (limit >> 4))))

    def add_classes(self, classes, Py_ssize_t start):
        """As `rings.Rings.add_classes`."""
        cdef cnp.ndarray array = self._checked(classes, start)
        return self._add_classes(array, start, self._good(array, start)) - start

    cdef cnp.ndarray _checked(self, classes, Py_ssize_t start):
        array = classes if plain(classes) else checks.checked_classes(classes, False)
        assert start >= 0, "places are counted from the first"
        self.misfit = self.error = None
        return array

    cdef int64_t _good(self, cnp.ndarray classes, int64_t place) noexcept:
        """The place of the first class from a place on that is not there, or the end."""
        cdef int64_t i, end = cnp.PyArray_SIZE(classes), most = self.classes
        cdef int64_t bad = 0
        for i in range(place, end):  # Without a branch, since nearly always all are there.
            bad |= (data(classes)[i] + 1) | (most - 1 - data(classes)[i])
        if bad >= 0:
            return end
        while place < end and -1 <= data(classes)[place] < most:
            place += 1
        return place

    cdef int64_t _add_classes(self, cnp.ndarray array, int64_t place, int64_t good) except -1:
        """Adds from a place on, and gives the place of the first that was not added.

        Coins are thrown for a block of arrivals without a branch: a processor cannot guess who is admitted, and a wrong
        guess costs more than all the rest. Bars only fall while nothing is drawn, so those at or below their bar at the
        beginning of the block are all that can be admitted; they are looked at again one by one.
        """
        cdef int64_t* classes
        cdef uint64_t thrown[BLOCK]
        cdef int low[BLOCK + 1]
        cdef int i, j, k, m, done
        cdef int64_t number
        cdef uint64_t seed = self.seed
        cdef Ring* table = self.ring
        cdef Ring* ring
        cdef bint once = self.repeats == 1
        cdef int64_t never = 0 if self.wanted else -1  # classes lacking, where it is full
        while place < good and not self._halted():
            k, number, classes = min(BLOCK, good - place, self.until - self.arrived), self.arrived, data(array) + place
            m = 0
            throw_coins(seed, number, k, thrown)
            for i in range(k):
                ring = &table[classes[i]]
                ring.seen += 1
                low[m] = i
                m += thrown[i] <= ring.bar
            if self.classes > MANY:
                expect(table, classes, low, m, min(k, good - place - BLOCK))
            done = k
            for j in range(m):
                i = low[j]
                ring = &table[classes[i]]
                if classes[i] < 0:
                    self.ignored += 1
                elif once and is_usual(&ring.fresh, ring.limit):
                    self._admit_once(ring, number + i, thrown[i])
                    if self.lacking == never:
                        done = i + 1
                        break
                elif thrown[i] <= ring.bar:
                    if self._admit(ring, number + i) or self._full():
                        done = i + 1
                        break
            for i in range(done, k):
                table[classes[i]].seen -= 1
            self.arrived += done
            place += done
        if place < cnp.PyArray_SIZE(array) and place == good and not self._halted():
            raise ValueError(
                mismatch(f"a class below {self.classes}, or -1", data(array)[place], at="rings.add_classes")
            )
        return place

    def compose(self, classes, Py_ssize_t start, number, quotas):
        """As `number_rings.NumberRings.compose`."""
        cdef cnp.ndarray array = self._checked(classes, start)
        cdef int64_t place = start, draws = 0, more = len(quotas), good = self._good(array, start)
        cdef uint64_t first = number & splitmix.LARGEST
        while True:
            if self._full():
                self._draw(first + draws)
                draws += 1
                if draws > more:
                    self._ask(empty(0), empty(0))
                    break
                which, often = quotas[draws - 1]
                self.ask(which, often)
            else:
                place = self._add_classes(array, place, good)
                if not self._full():
                    break
        return place - start, draws

    def composed(self):
        """As `number_rings.NumberRings.composed`."""
        n, self.taken = self.taken, 0
        return self.taken_numbers[:n].copy(), self.taken_uses[:n].copy()

    def draw(self, number):
        """As `number_rings.NumberRings.draw`."""
        cdef int64_t start = self.taken
        self._draw(number & splitmix.LARGEST)
        self.numbers, self.uses = self.taken_numbers[start:self.taken].copy(), self.taken_uses[start:self.taken].copy()
        self.taken = start
        return self.numbers

    cdef _draw(self, uint64_t number):
        """Takes what is asked for: one of each class in turn as long as there are any, then in its order."""
        cdef int64_t i, turn, place, left, least, m = cnp.PyArray_SIZE(self.which), n = self.wanted
        cdef int64_t* which = data(self.which)
        cdef int64_t* often = data(self.often)
        cdef int64_t* numbers
        cdef int64_t* uses
        cdef int64_t* places
        if self.lacking:
            raise checks.not_at_hand(self.lacking)
        while self.taken + n > cnp.PyArray_SIZE(self.taken_numbers):
            more = self.taken + n
            self.taken_numbers = np.append(self.taken_numbers, np.zeros(more, np.int64))
            self.taken_uses = np.append(self.taken_uses, np.ones(more, np.int64))
        numbers, uses = data(self.taken_numbers) + self.taken, data(self.taken_uses) + self.taken
        least = often[0] if m else 0
        for i in range(1, m):
            least = min(least, often[i])
        for i in range(m):
            if i + AHEAD < m and self.classes > MANY:
                expect_number(&self.ring[which[i + AHEAD]].fresh)
            self._use(&self.ring[which[i]], least, numbers + i, uses + i, m)
        self.places = counted(self.places, m)
        places, place, turn = data(self.places), least * m, least
        while m:
            left, m = m, 0
            for i in range(left):
                if turn == often[places[i]]:
                    self._settle(&self.ring[which[places[i]]], turn)
                    continue
                self._use(&self.ring[which[places[i]]], 1, numbers + place, uses + place, 1)
                place += 1
                places[m] = places[i]
                m += 1
            turn += 1
        self.taken += n
        mix(coin(self.seed ^ SHUFFLE, number), n, numbers)
        if self.repeats > 1:
            mix(coin(self.seed ^ SHUFFLE, number), n, uses)

    cdef inline int _use(self, Ring* ring, int64_t n, int64_t* numbers, int64_t* uses, int64_t step) except -1:
        """Takes n examples of a class, and writes down their numbers, and which use of each it is."""
        cdef int64_t i, waited = n * self.arrived
        if self.repeats == 1:  # All are fresh, and `uses` says so already.
            for i in range(n):
                numbers[i * step] = ring.fresh.items[(ring.fresh.head + i) & ring.fresh.mask]
                waited -= numbers[i * step]
            ring.fresh.head += n
            ring.waited += waited
            self.held -= n
            return 0
        for i in range(n):
            if count(&ring.fresh):
                numbers[i * step], uses[i * step] = pop(&ring.fresh), 1
            else:
                numbers[i * step], uses[i * step] = pop(&ring.used), pop(&ring.uses) + 1
            waited -= numbers[i * step]
            if uses[i * step] < self.repeats:
                put(&ring.used, numbers[i * step])
                put(&ring.uses, uses[i * step])
            else:
                self.held -= 1
        ring.waited += waited
        return 0

    cdef void _settle(self, Ring* ring, int64_t n) noexcept:
        """Counts n examples of a class as given."""
        ring.given += n
        ring.at_hand -= n
        self.lacking += ring.at_hand < ring.need
        set_bar(ring)

    def drawn_classes(self, number, classes, counts):
        """As `rings.Rings.drawn_classes`."""
        cdef cnp.ndarray drawn = counting.in_turn(classes, counts)
        mix(coin(self.seed ^ SHUFFLE, number & splitmix.LARGEST), cnp.PyArray_SIZE(drawn), data(drawn))
        return drawn

    def state(self, *, arrays=False):
        """As `number_rings.NumberRings.state`."""
        listed = (lambda values: np.array(values)) if arrays else (lambda values: values.tolist())
        return {
            "arrived": self.arrived,
            "ignored": self.ignored,
            "asked_at": self.asked_at,
            "until": self.until,
            "limits": listed(self._column("limit")),
            "thresholds": listed(self._column("threshold")),
            "asked": [self.which.tolist(), self.often.tolist()],
            "waiting": [listed(column) for column in self._read()],
            **{name: listed(getattr(self, name)) for name in counting.COUNTERS},
        }

    def restore(self, state, rows=None):
        """As `number_rings.NumberRings.restore`."""
        waiting = checks.checked_numbers(state, rows, repeats=self.repeats)
        cdef Ring* ring
        self._clear()
        self.grow(state["limits"])
        self.admit(state["thresholds"])
        for name in ("seen", "given", "waited", "evicted_fresh", "evicted_used"):
            self._column(name)[:] = state[name]
        fresh = self._column("fresh")
        fresh["head"] = fresh["tail"] = np.array(state["distinct"], np.int64) + state["evicted_fresh"]
        for of, number, uses in waiting:
            ring = &self.ring[<int64_t> of]
            if uses:
                put(&ring.used, number)
                put(&ring.uses, uses)
            else:
                put(&ring.fresh, number)
            ring.at_hand += self.repeats - uses
        self.held = len(waiting)
        self.arrived, self.ignored, self.until = state["arrived"], state["ignored"], state["until"]
        self._set_bars()
        self.ask(*state["asked"])
        self.asked_at = state["asked_at"]
