# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
"""The fast twin of `extras.Extras`: the same heap and the same lines, in whole numbers of 64 and 128 bits."""

cimport cython
cimport numpy as cnp
from libc.stdint cimport int64_t, uint64_t
from libc.stdlib cimport calloc, free

import numpy as np

import penstock.sampling.extras as extras

cnp.import_array()

cdef struct Wide:  # A whole number below 2**127; C has no portable type for it.
    uint64_t high
    uint64_t low

cdef struct Line:  # As extras.Window.
    int64_t end
    int64_t step
    Wide part
    Wide odd
    Wide over

cdef struct Owed:  # A group.
    Line window
    Line chain
    bint chained
    int64_t first  # where its members begin
    int64_t count
    int64_t turn
    int64_t whole
    int64_t given

cdef struct Ready:
    int64_t end
    int64_t chain
    int64_t number

cdef struct Waiting:
    int64_t start
    int64_t number


cdef inline bint below(Wide a, Wide b) noexcept nogil:
    return a.high < b.high or (a.high == b.high and a.low < b.low)


cdef inline void advance(Line* line) noexcept nogil:
    cdef uint64_t low = line.over.low + line.odd.low
    line.over.high += line.odd.high + (low < line.odd.low)
    line.over.low = low
    line.end += line.step
    if not below(line.over, line.part):
        line.over.high -= line.part.high + (low < line.part.low)
        line.over.low = low - line.part.low
        line.end += 1


cdef inline bint over(Line* line) noexcept nogil:
    return line.over.high != 0 or line.over.low != 0


cdef inline bint sooner(Ready* a, Ready* b) noexcept nogil:
    if a.end != b.end:
        return a.end < b.end
    if a.chain != b.chain:
        return a.chain < b.chain
    return a.number < b.number


cdef Wide wide(object number):
    cdef Wide both
    both.high = number >> 64
    both.low = number & 0xFFFFFFFFFFFFFFFF
    return both


cdef Line line_of(object window):
    cdef Line line
    line.end, line.step = window.end, window.step
    line.part, line.odd, line.over = wide(window.part), wide(window.odd), wide(window.over)
    return line


@cython.final
cdef class Extras:
    """Gives the units of each batch that are owed beyond what every batch gives each class. See `extras.Extras`."""

    cdef Owed* owed
    cdef Ready* ready
    cdef Waiting* waiting
    cdef int64_t n_groups, n_ready, n_waiting, batch, per_batch, whole
    cdef int64_t[::1] members
    cdef int64_t[::1] wholes  # the groups that get units in each batch

    def __cinit__(self, groups, total, batch, given):
        assert total < 1 << 126, "twice a remainder fits into 127 bits"
        self.n_groups = len(groups)
        self.owed = <Owed*> calloc(self.n_groups + 1, sizeof(Owed))
        self.ready = <Ready*> calloc(self.n_groups + 1, sizeof(Ready))
        self.waiting = <Waiting*> calloc(self.n_groups + 1, sizeof(Waiting))
        if self.owed == NULL or self.ready == NULL or self.waiting == NULL:
            raise MemoryError

    def __init__(self, groups, total, batch, given):
        cdef int64_t number = 0, start
        cdef Owed* one
        members = []
        self.batch = batch
        self.per_batch = sum([group.part for group in groups]) // total
        for group, had in zip(groups, given, strict=True):
            one = &self.owed[number]
            one.first, one.count = len(members), len(group.members)
            members += group.members
            one.whole, one.given = group.whole, had
            one.turn = (batch * group.whole + had) % len(group.members)
            self.whole += one.whole
            if group.part:
                window = extras.Window(group.part, total, had)
                chain = extras.chain(group.part, total, window)
                one.window = line_of(window)
                one.chained = chain is not None
                if one.chained:
                    one.chain = line_of(chain)
                start = 0 if had == 0 else extras.Window(group.part, total, had - 1).end
                self.wait(max(start, self.batch), number)
            number += 1
        self.members = np.array(members, np.int64)
        self.wholes = np.array([number for number, group in enumerate(groups) if group.whole], np.int64)

    def __dealloc__(self):
        free(self.owed)
        free(self.ready)
        free(self.waiting)

    @property
    def given(self):
        """How many extras each group has had."""
        return [self.owed[number].given for number in range(self.n_groups)]

    def give(self, int64_t batches):
        """The classes that get a unit, for so many batches."""
        units = np.empty((batches, self.whole + self.per_batch), np.int64)
        cdef int64_t[:, ::1] out = units
        cdef int64_t row, place, number, extra
        cdef Owed* one
        for row in range(batches):
            while self.n_waiting and self.waiting[0].start <= self.batch:
                self.make_ready(self.next_waiting())
            place = 0
            for number in self.wholes:
                place = self.rotate(number, self.owed[number].whole, &out[row, 0], place)
            assert self.n_ready >= self.per_batch, "there is always somebody who may come"
            for extra in range(self.per_batch):
                number = self.next_ready()
                place = self.rotate(number, 1, &out[row, 0], place)
                one = &self.owed[number]
                self.wait(max(one.window.end, self.batch + 1), number)
                advance(&one.window)
                one.given += 1
            self.batch += 1
        return units

    cdef int64_t rotate(self, int64_t number, int64_t count, int64_t* out, int64_t place) noexcept:
        """Gives a group's next members a unit each; says where the next unit is written."""
        cdef Owed* one = &self.owed[number]
        for _ in range(count):
            out[place] = self.members[one.first + one.turn]
            place += 1
            one.turn += 1
            if one.turn == one.count:
                one.turn = 0
        return place

    cdef void make_ready(self, int64_t number) noexcept:
        cdef Owed* one = &self.owed[number]
        cdef bint overlaps = over(&one.window)
        cdef int64_t end = one.window.end + overlaps
        cdef Ready entry
        cdef int64_t place = self.n_ready, above
        entry.end, entry.chain, entry.number = 2 * end + (not overlaps), 0, number
        if one.chained:
            while one.chain.end < end:
                advance(&one.chain)
            entry.chain = -(one.chain.end + over(&one.chain))
        self.n_ready += 1
        while place:
            above = (place - 1) >> 1
            if not sooner(&entry, &self.ready[above]):
                break
            self.ready[place] = self.ready[above]
            place = above
        self.ready[place] = entry

    cdef int64_t next_ready(self) noexcept:
        cdef int64_t first = self.ready[0].number, place = 0, below_it
        self.n_ready -= 1
        cdef Ready entry = self.ready[self.n_ready]
        while 2 * place + 1 < self.n_ready:
            below_it = 2 * place + 1
            if below_it + 1 < self.n_ready and sooner(&self.ready[below_it + 1], &self.ready[below_it]):
                below_it += 1
            if not sooner(&self.ready[below_it], &entry):
                break
            self.ready[place] = self.ready[below_it]
            place = below_it
        self.ready[place] = entry
        return first

    cdef void wait(self, int64_t start, int64_t number) noexcept:
        cdef int64_t place = self.n_waiting, above
        self.n_waiting += 1
        while place:
            above = (place - 1) >> 1
            if start >= self.waiting[above].start:
                break
            self.waiting[place] = self.waiting[above]
            place = above
        self.waiting[place].start, self.waiting[place].number = start, number

    cdef int64_t next_waiting(self) noexcept:
        cdef int64_t first = self.waiting[0].number, place = 0, below_it
        self.n_waiting -= 1
        cdef Waiting entry = self.waiting[self.n_waiting]
        while 2 * place + 1 < self.n_waiting:
            below_it = 2 * place + 1
            if below_it + 1 < self.n_waiting and self.waiting[below_it + 1].start < self.waiting[below_it].start:
                below_it += 1
            if self.waiting[below_it].start >= entry.start:
                break
            self.waiting[place] = self.waiting[below_it]
            place = below_it
        self.waiting[place] = entry
        return first
