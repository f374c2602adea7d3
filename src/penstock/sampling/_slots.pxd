# cython: language_level=3
"""What rings are made of, in C: as `slots` and `splitmix`. All of it is inline, so there is no module to import."""

from libc.stdint cimport int32_t, int64_t, uint64_t


cdef extern from *:
    """
    #if defined(__GNUC__) || defined(__clang__)
    #define penstock_prefetch(place) __builtin_prefetch(place)
    #else
    #define penstock_prefetch(place) ((void) (place))
    #endif
    """
    void prefetch "penstock_prefetch"(void*) noexcept


cdef struct Slot:
    int64_t number
    int32_t uses
    int32_t after  # the next in its queue, or the next that is free
    int32_t before  # the one before it in its queue, of all but the first
    int32_t unused


cdef struct Ring:  # Of one class: two lines of the cache, of which an arrival needs the first, as a rule.
    int64_t seen
    uint64_t threshold
    uint64_t bar  # no coin above it is admitted as things are: the threshold, or the largest coin where none is thinned
    int64_t need
    int64_t at_hand
    int64_t fresh
    int32_t used
    int32_t limit
    int32_t fresh_first
    int32_t fresh_last
    int32_t used_first  # here the second begins
    int32_t used_last
    int64_t thinned
    int64_t evicted_fresh
    int64_t evicted_used
    int64_t given
    int64_t distinct
    int64_t waited
    int64_t unused


cdef inline void set_bar(Ring* ring) noexcept:
    # After any change of what is needed, at hand, or fresh.
    cdef bint thins = ring.at_hand >= ring.need and ring.fresh >= ring.limit - (ring.limit >> 4)
    ring.bar = ring.threshold if thins else 0xFFFFFFFFFFFFFFFFULL


cdef inline void push(Slot* slots, Ring* ring, int32_t slot) noexcept:
    # To the end of the queue of the used, or of the fresh; a queue of none has no first and last.
    if slots[slot].uses:
        if ring.used:
            slots[ring.used_last].after = slot
            slots[slot].before = ring.used_last
        else:
            ring.used_first = slot
        ring.used_last = slot
        ring.used += 1
    else:
        if ring.fresh:
            slots[ring.fresh_last].after = slot
            slots[slot].before = ring.fresh_last
        else:
            ring.fresh_first = slot
        ring.fresh_last = slot
        ring.fresh += 1


cdef inline int32_t pop(Slot* slots, Ring* ring, bint used) noexcept:
    # The first slot of the queue of the used, or of the fresh, which is not empty.
    cdef int32_t slot = ring.used_first if used else ring.fresh_first
    if used:
        ring.used_first = slots[slot].after
        ring.used -= 1
    else:
        ring.fresh_first = slots[slot].after
        ring.fresh -= 1
    return slot


cdef inline int32_t evict(Slot* slots, Ring* ring, int64_t repeats) noexcept:
    # Drops the example that is of least use: of the used, else of the fresh.
    cdef int32_t slot
    if ring.used and slots[ring.used_last].uses > slots[ring.used_first].uses:
        slot = ring.used_last
        ring.used_last = slots[slot].before
        ring.used -= 1
    else:
        slot = pop(slots, ring, ring.used > 0)
    ring.evicted_used += slots[slot].uses > 0
    ring.evicted_fresh += slots[slot].uses == 0
    ring.at_hand -= repeats - slots[slot].uses
    return slot


cdef inline int32_t use(Slot* slots, Ring* ring, int64_t repeats) noexcept:
    # Takes an example. The caller counts what is given and at hand, and frees the slot after its last use.
    cdef int32_t slot = pop(slots, ring, ring.fresh == 0)
    ring.distinct += slots[slot].uses == 0
    slots[slot].uses += 1
    if slots[slot].uses < repeats:
        push(slots, ring, slot)
    return slot


cdef inline uint64_t coin(uint64_t seed, uint64_t number) noexcept:
    cdef uint64_t z = seed + (number + 1) * 0x9E3779B97F4A7C15ULL
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL
    return z ^ (z >> 31)


cdef inline void shuffle(uint64_t stream, int64_t n, int64_t* values) noexcept:
    # As `splitmix.swaps`.
    cdef int64_t turn, last, place
    for turn in range(n - 1):
        last = n - 1 - turn
        place = <int64_t> (((coin(stream, turn) >> 32) * <uint64_t> (last + 1)) >> 32)
        values[last], values[place] = values[place], values[last]
