# cython: language_level=3
"""What number rings are made of, in C. All of it is inline, so there is no module to import."""

from libc.stdint cimport int64_t, uint64_t
from libc.stdlib cimport free, malloc

from penstock.sampling._slots cimport prefetch

cdef extern from *:
    """
    #if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && defined(__GLIBC__)
    __attribute__((target_clones("default", "avx2", "arch=x86-64-v4")))
    #endif
    static void penstock_coins(uint64_t seed, uint64_t number, int64_t n, uint64_t *coins)
    {
        for (int64_t i = 0; i < n; i++) {
            uint64_t z = seed + (number + 1 + (uint64_t) i) * 0x9E3779B97F4A7C15ULL;
            z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
            z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
            coins[i] = z ^ (z >> 31);
        }
    }
    """
    void throw_coins "penstock_coins"(uint64_t seed, uint64_t number, int64_t n, uint64_t* coins) noexcept


cdef enum:
    BLOCK = 64  # arrivals whose coins are thrown together
    FIRST = 8  # numbers that a queue has room for at first
    TOGETHER = 128  # coins


cdef struct Queue:
    int64_t* items
    int64_t mask  # how many there is room for, less one: -1 at first
    int64_t head  # how many were taken from it so far
    int64_t tail  # and put to it


cdef struct Ring:  # Of one class.
    uint64_t bar  # no coin above it is admitted as things are: the threshold, or the largest coin where none is thinned
    int64_t seen
    int64_t need
    int64_t at_hand
    Queue fresh
    int64_t limit
    uint64_t threshold
    int64_t evicted_fresh
    int64_t evicted_used
    int64_t given
    int64_t waited
    Queue used
    Queue uses  # of each that is used, how often it was


cdef inline int make_room(Queue* queue) except -1:
    # Has a queue hold twice as many.
    cdef int64_t room = 2 * (queue.mask + 1) or FIRST, i
    cdef int64_t* items = <int64_t*> malloc(room * sizeof(int64_t))
    if items is NULL:
        raise MemoryError
    for i in range(queue.head, queue.tail):
        items[i & (room - 1)] = queue.items[i & queue.mask]
    free(queue.items)
    queue.items, queue.mask = items, room - 1
    return 0


cdef inline int64_t count(Queue* queue) noexcept: return queue.tail - queue.head


cdef inline bint is_usual(Queue* queue, int64_t limit) noexcept:
    # Whether there is room for one more, and no more in it than there may be.
    return queue.tail - queue.head <= min(queue.mask, limit)


cdef inline int put(Queue* queue, int64_t item) except -1:
    if queue.tail - queue.head > queue.mask:
        make_room(queue)
    queue.items[queue.tail & queue.mask] = item
    queue.tail += 1
    return 0


cdef inline int64_t pop(Queue* queue) noexcept:
    queue.head += 1
    return queue.items[(queue.head - 1) & queue.mask]


cdef inline void set_bar(Ring* ring) noexcept:
    # After any change of what is needed, at hand, or fresh.
    cdef bint thins = ring.at_hand >= ring.need and count(&ring.fresh) >= ring.limit - (ring.limit >> 4)
    ring.bar = ring.threshold if thins else 0xFFFFFFFFFFFFFFFFULL


cdef inline void evict(Ring* ring, int64_t repeats) noexcept:
    # Drops the example that is of least use: of the used, else of the fresh.
    cdef Queue* uses = &ring.uses
    if not count(&ring.used):
        ring.fresh.head += 1
        ring.evicted_fresh += 1
        ring.at_hand -= repeats
        return
    if uses.items[(uses.tail - 1) & uses.mask] > uses.items[uses.head & uses.mask]:
        ring.used.tail -= 1
        uses.tail -= 1
        ring.at_hand -= repeats - uses.items[uses.tail & uses.mask]
    else:
        pop(&ring.used)
        ring.at_hand -= repeats - pop(uses)
    ring.evicted_used += 1


cdef inline void expect(Ring* rings, int64_t* classes, int* low, int m, int later) noexcept:
    # Brings into the cache the ends of the queues of low ones, and the rings of the next block.
    cdef int j
    cdef Queue* fresh
    for j in range(m):
        fresh = &rings[classes[low[j]]].fresh
        prefetch(&fresh.items[fresh.tail & fresh.mask])
    for j in range(later):
        prefetch(&rings[classes[BLOCK + j]])
        prefetch(<char*> &rings[classes[BLOCK + j]] + 64)


cdef inline void expect_number(Queue* queue) noexcept:
    # Brings the first into the cache.
    prefetch(&queue.items[queue.head & queue.mask])


cdef inline void mix(uint64_t stream, int64_t n, int64_t* values) noexcept:
    # As `splitmix.swaps`, with coins that are thrown together.
    cdef uint64_t thrown[TOGETHER]
    cdef int64_t turn, last, place
    for turn in range(n - 1):
        if turn % TOGETHER == 0:
            throw_coins(stream, turn, min(TOGETHER, n - 1 - turn), thrown)
        last = n - 1 - turn
        place = <int64_t> (((thrown[turn % TOGETHER] >> 32) * <uint64_t> (last + 1)) >> 32)
        values[last], values[place] = values[place], values[last]
