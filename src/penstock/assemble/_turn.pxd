# cython: language_level=3
"""The interpreter, lent by one thread to another that has little to do with it. All of it is inline, so there is no module.

To sleep until it is free and to be woken takes longer than what is to be done then (benchmarks/proportions.py: W6 takes 1.08
times as long). So whoever is awake and wants it says so and looks, for a moment, whether it is lent, before it asks the
interpreter itself; and whoever lends it looks, for a moment, whether it is free again. Neither holds it while it looks.
Guarantees
  Nothing but time depends on it: each goes on when its moment is over, and then waits for the interpreter as everybody does.
Assumes
  One borrower, one lender.
"""

cdef extern from *:
    """
    #if defined(__GNUC__) && !defined(_WIN32)
    #include <time.h>

    #if defined(__x86_64__) || defined(__i386__)
    #define penstock_pause() __builtin_ia32_pause()
    #elif defined(__aarch64__)
    #define penstock_pause() __asm__ __volatile__("yield")
    #else
    #define penstock_pause() ((void) 0)
    #endif

    /* Whether another thread has set a mark, looking for so long. [ns] */
    static int penstock_look(int* mark, long long most) {
        struct timespec now;
        long long end = 0, at;
        do {
            if (__atomic_load_n(mark, __ATOMIC_ACQUIRE)) return 1;
            penstock_pause();
            clock_gettime(CLOCK_MONOTONIC, &now);
            at = now.tv_sec * 1000000000LL + now.tv_nsec;
            if (!end) end = at + most;
        } while (at < end);
        return 0;
    }
    #define penstock_seen(mark) __atomic_load_n(mark, __ATOMIC_ACQUIRE)
    #define penstock_mark(mark, value) __atomic_store_n(mark, value, __ATOMIC_RELEASE)
    #else
    /* Without them nobody asks, so that nobody looks. */
    #define penstock_look(mark, most) 0
    #define penstock_seen(mark) 0
    #define penstock_mark(mark, value) ((void) 0)
    #endif
    """
    bint look "penstock_look"(int*, long long) noexcept nogil
    bint seen "penstock_seen"(int*) noexcept nogil
    void mark "penstock_mark"(int*, int) noexcept nogil


cdef struct Turn:
    int wanted  # by the borrower, who is awake
    int lent
    int over  # the borrower sleeps, or works without it


cdef inline void ask(Turn* turn, long long most) noexcept nogil:
    # By the borrower, before it takes the interpreter. [ns]
    mark(&turn.wanted, True)
    look(&turn.lent, most)
    mark(&turn.wanted, False)


cdef inline void lend(Turn* turn, long long most) noexcept nogil:
    # By the lender, who has just let go of the interpreter, before it takes it again. [ns]
    mark(&turn.over, False)
    mark(&turn.lent, True)
    look(&turn.over, most)
    mark(&turn.lent, False)


cdef inline void give_back(Turn* turn) noexcept nogil:
    # By the borrower, who has just let go of it.
    mark(&turn.over, True)
