"""Every way in which a flow can end: each ends within two seconds, and leaves nothing behind."""

import pytest

from scenario import Ended, run_script

pytestmark = [pytest.mark.slow, pytest.mark.alone]

NOTHING = "left [] []"
LIMIT_S = 2.0
"""From the moment that something ends to the end of its process. [s]"""

FLOWS = {
    "sources in lanes": "[slow_numbers, slow_numbers]",
    "sources that the driver pulls": "[numbers, numbers]",
    "sources that have ended": "[lambda: range(8)]",
    "sources in memory": "[list(range(10_000))]",
}


def ended_well(script: Ended, *, code: int = 0, errors: str = "") -> None:
    """Checks what holds of every ending."""
    assert script.ended_s < LIMIT_S, script
    assert script.code == code, script.errors
    if not errors:
        assert script.errors == ""
    assert errors in script.errors


@pytest.mark.parametrize("order", ["fixed", "arrival"])
@pytest.mark.parametrize("sources", FLOWS.values(), ids=FLOWS)
def test_a_loop_that_is_left_by_break_leaves_nothing(sources: str, order: str):
    """The flow is dropped with the loop, and nobody calls `close()`."""
    script = run_script(f"""
        for sources in [{sources}]:
            for batch in ps.join(sources, order="{order}").batch(4):
                break
        ending()
        sources = None
        threads = [thread for thread in threading.enumerate() if thread.name.startswith("ps-")]
        for thread in threads:
            thread.join(1.5)
        print("alive", [thread.name for thread in threads if thread.is_alive()])
    """)

    ended_well(script)
    assert script.lines == ["alive []"]


@pytest.mark.parametrize("sources", [FLOWS["sources that the driver pulls"], FLOWS["sources in memory"]])
@pytest.mark.parametrize(
    "way",
    [
        "break",
        "raise ValueError('in the loop')",
        "flow.close()",
        "flow.close(); flow.close(); break",
        "del flow; break",
        "gc.collect(); break",
    ],
)
def test_each_way_out_of_the_loop_leaves_nothing(way: str, sources: str):
    """The same path for all of them: no thread, no file."""
    script = run_script(f"""
        def train():
            with ps.join({sources}).batch(4).open() as flow:
                for step, batch in enumerate(flow):
                    if step == 100:
                        {way}

        try:
            train()
        except (ValueError, ps.FlowClosed) as error:
            print(type(error).__name__)
        ending()
        nothing_left()
    """)

    ended_well(script)
    assert script.lines[-1] == NOTHING
    assert script.lines[:-1] == (["ValueError"] if "raise" in way else ["FlowClosed"] if way == "flow.close()" else [])


def test_an_error_in_the_loop_that_nobody_catches_ends_the_program():
    """Its traceback holds the flow until the very end; the flow ends with the interpreter."""
    script = run_script("""
        for batch in ps.join([Blocked(100), numbers]).batch(4):
            ending()
            raise ValueError("in the loop")
    """)

    ended_well(script, code=1, errors="ValueError: in the loop")


def test_sys_exit_in_the_loop_ends_the_program():
    """With its status, and without a word."""
    script = run_script("""
        for batch in ps.join([Blocked(100), numbers]).batch(4):
            ending()
            sys.exit(3)
    """)

    ended_well(script, code=3)


@pytest.mark.parametrize("order", ["fixed", "arrival"])
def test_the_interpreter_ends_though_its_sources_are_blocked(order: str):
    """The trap: a plain thread that waits for ever is waited for, for ever; the flow here is open, and known to all."""
    script = run_script(f"""
        blocked = [Blocked(n) for n in (0, 1, 5, 5000)]
        flow = ps.join([*blocked, numbers], order="{order}").batch(2).open()
        for source in blocked[:2]:
            source.stalls.wait()
        ending()
    """)

    ended_well(script)


def test_the_interpreter_ends_though_the_driver_is_stuck_in_a_source():
    """One that was taken for quick, so that no thread of its own is stuck in it."""
    script = run_script("""
        source = Blocked(1000)
        flow = ps.join([source]).batch(1000).open()
        next(flow)
        source.stalls.wait()
        ending()
    """)

    ended_well(script)


def test_the_interpreter_ends_though_many_flows_are_stuck():
    """All are told first, and then waited for, so that their time of grace is one and the same."""
    script = run_script("""
        sources = [Blocked(0) for _ in range(5)]
        flows = [ps.join([source]).batch(1).open() for source in sources]
        for source in sources:
            source.stalls.wait()
        ending()
    """)

    ended_well(script)


def test_the_interpreter_ends_though_a_thread_waits_for_a_batch():
    """A daemon of the user's, blocked in `next()`: it hears that the flow is closed."""
    script = run_script("""
        source = Blocked(1)
        flow = ps.join([source]).batch(2).open()
        waiter = Thread(target=lambda: next(flow, None), daemon=True)
        waiter.start()
        source.stalls.wait()
        threading.excepthook = lambda args: print(args.exc_type.__name__, flush=True)
        ending()
    """)

    ended_well(script)
    assert script.lines in ([], ["FlowClosed"])


@pytest.mark.parametrize("where", ["waiting in next", "training"])
def test_ctrl_c_ends_the_program(where: str):
    """At any moment; a second one is not needed."""
    script = run_script(
        """
        source = Blocked(8)
        flow = ps.join([source]).batch(4).open()
        next(flow)
        source.stalls.wait()
        training = Event()
        ending()
        if sys.argv[1] == "training":
            strike(Event.wait)
            training.wait()
        strike(ps.Flow._first)
        for batch in flow:
            pass
        """,
        where,
    )

    ended_well(script, code=-2, errors="KeyboardInterrupt")


def test_ctrl_c_can_be_caught_and_the_loop_goes_on():
    """What was ready when it struck is the next batch."""
    script = run_script("""
        go, asked = Event(), Event()

        def read():
            yield from range(4)
            asked.set()
            go.wait()
            yield from range(4, 8)

        flow = ps.join([read]).batch(4).open()
        print(next(flow).tolist())
        asked.wait()
        try:
            strike(ps.Flow._first)
            next(flow)
        except KeyboardInterrupt:
            print("caught")
        go.set()
        ending()
        print([batch.tolist() for batch in flow])
        nothing_left()
    """)

    ended_well(script)
    assert script.lines == ["[0, 1, 2, 3]", "caught", "[[4, 5, 6, 7]]", NOTHING]


def test_ctrl_c_while_closing_can_be_followed_by_another_close():
    """Before Python 3.13 a join that is interrupted takes a thread for ended that is not; then nothing would be waited for."""
    script = run_script("""
        free = Event()

        def read():
            try:
                yield 1
                yield 2
            finally:
                free.wait()

        flow = ps.join([read]).batch(1).options(grace_s=10).open()
        next(flow)
        ending()
        try:
            strike(ps.Flow.close)
            flow.close()
        except KeyboardInterrupt:
            print("caught", sum(thread.name.startswith("ps-") for thread in threading.enumerate()) > 0)
        Thread(target=lambda: (free.set())).start()
        flow.close()
        print(sorted(thread.name for thread in threading.enumerate() if thread.name.startswith("ps-")))
    """)

    ended_well(script)
    assert script.lines == ["caught True", "[]"]


def test_a_source_that_does_not_come_back_is_left_and_named():
    """A thread inside the user's code cannot be ended from outside: after its time of grace it is left, and it is told why."""
    script = run_script("""
        source = Blocked(2)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            flow = ps.join({"slow disk": source, "other": numbers}).batch(4).open()
            next(flow)
            source.stalls.wait()
            ending()
            started = time.monotonic()
            flow.close()
            print(round(time.monotonic() - started))
            flow.close()
        (warning,) = caught
        print(warning.category.__name__)
        print(str(warning.message).splitlines()[0])
        print("Event().wait()" in str(warning.message) or "in __call__" in str(warning.message))
        print(sorted(thread.name for thread in threading.enumerate() if thread.name.startswith("ps-")))
    """)

    ended_well(script)
    assert script.lines == [
        "1",
        "PenstockWarning",
        "penstock: thread 'ps-read-0/flow' is still inside the code of source 'slow disk':",
        "True",
        "['ps-read-0/flow']",
    ]


def test_a_source_that_hangs_in_the_drivers_thread_is_named_too():
    """It was quick, so the driver pulls it itself."""
    script = run_script("""
        source = Blocked(1000)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            flow = ps.join({"slow disk": source, "other": numbers}).batch(1000).open()
            next(flow)
            source.stalls.wait()
            ending()
            flow.close()
        (warning,) = caught
        print(str(warning.message).splitlines()[0])
    """)

    ended_well(script)
    assert script.lines == ["penstock: thread 'ps-drive/flow' is still inside the code of source 'slow disk':"]


def test_a_source_with_cancel_comes_back_at_once():
    """Its `cancel()` is called by the thread that closes; the blocked call returns, and nothing is left."""
    script = run_script("""
        class Socket:
            def __init__(self):
                self.closed = Event()

            def __call__(self):
                yield 1
                self.closed.wait()

            def cancel(self):
                print(current_thread().name, flush=True)
                self.closed.set()

        with ps.join([Socket(), Socket()]).batch(2).options(grace_s=30).open() as flow:
            next(flow)
            ending()
        nothing_left()
    """)

    ended_well(script)
    assert script.lines == ["ps-coord/flow", "ps-coord/flow", NOTHING]


def test_a_cancel_that_raises_or_hangs_holds_nothing_up_for_long():
    """It is the user's code too: what it raises is told, and where it hangs it is left."""
    script = run_script("""
        class Raises:
            def __iter__(self):
                return iter(range(1000))

            def cancel(self):
                raise ValueError("cannot cancel")

        class Hangs(Raises):
            def cancel(self):
                Event().wait()

        for source in (Raises(), Hangs()):
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                flow = ps.join([source]).batch(2).options(grace_s=0.1).open()
                next(flow)
                ending()
                flow.close()
                print([str(warning.message).splitlines()[0] for warning in caught])
    """)

    ended_well(script)
    assert script.lines == [
        '["penstock: a source\'s `cancel()` raised:"]',
        "[\"penstock: thread 'ps-coord/flow' is still closing the flow:\"]",
    ]


def test_a_generator_is_closed_by_the_thread_that_runs_it():
    """A generator closed by another thread while it runs is an error; a file may be bound to its thread."""
    script = run_script("""
        ran, closed = {}, {}

        def read(name, wait):
            try:
                for i in itertools.count():
                    ran[name] = current_thread().name
                    if wait:
                        time.sleep(0.002)
                    yield i
            finally:
                closed[name] = current_thread().name

        with ps.join([lambda: read("quick", False)]).batch(500).open() as flow:
            next(flow), next(flow)
        with ps.join([lambda: read("slow", True)]).batch(5).open() as flow:
            next(flow), next(flow)
        ending()
        print(ran == closed, closed)
        nothing_left()
    """)

    ended_well(script)
    assert script.lines == ["True {'quick': 'ps-drive/flow', 'slow': 'ps-read-0/flow'}", NOTHING]


def test_a_flow_in_a_cycle_is_closed_by_whoever_collects_it():
    """A collection may run in any thread and under any lock, here the very one that the source waits for.

    The trap: a finalizer that joins would wait for the source, which waits for the lock, which this thread holds.
    """
    script = run_script("""
        import weakref

        lock, started = threading.Lock(), Event()

        def read():
            yield 1
            started.set()
            with lock:
                yield 2

        class Holder:
            pass

        # The trap, met: the thread is still there after the time that the finalizer gives it.
        holder = Holder()
        holder.self = holder
        thread = Thread(target=lambda: list(read()), daemon=True)
        weakref.finalize(holder, lambda: (thread.join(0.2), print("joined", not thread.is_alive())))
        with lock:
            thread.start()
            started.wait()
            del holder
            gc.collect()
        started.clear()

        holder = Holder()
        holder.self = holder
        holder.flow = ps.join([read]).batch(1).open()
        next(holder.flow)
        with lock:
            started.wait()
            del holder
            began = time.monotonic()
            gc.collect()
            print("collected at once", time.monotonic() - began < 0.2)
        ending()
        nothing_left()
    """)

    ended_well(script)
    assert script.lines == ["joined False", "collected at once True", NOTHING]


@pytest.mark.parametrize("where", ["source", "function"])
def test_a_flow_may_be_collected_by_one_of_its_own_threads(where: str):
    """A thread cannot join itself: a finalizer that did would raise, and leave the rest running."""
    script = run_script(
        """
        dropped = Event()

        def collect(example):
            if example == 8:
                dropped.wait()
                gc.collect()
            return example

        def read():
            for i in itertools.count():
                yield collect(i) if sys.argv[1] == "source" else i

        class Holder:
            pass

        holder = Holder()
        holder.self = holder
        pipeline = ps.join([read, numbers])
        holder.flow = (pipeline.map(collect) if sys.argv[1] == "function" else pipeline).batch(10).open()
        next(holder.flow)
        del holder
        dropped.set()
        ending()
        nothing_left()
        """,
        where,
    )

    ended_well(script)
    assert script.lines == [NOTHING]


def test_a_forked_child_has_no_flow_and_the_parent_goes_on():
    """Threads do not survive a fork: in the child a flow is closed, and closing it does nothing."""
    script = run_script("""
        flow = ps.join([Blocked(40), numbers]).batch(8).open()
        first = next(flow).tolist()
        warnings.simplefilter("ignore")
        child = os.fork()
        if child == 0:
            try:
                next(flow)
            except ps.FlowClosed as error:
                print(error, flush=True)
            flow.close()
            flow.close()
            del flow
            gc.collect()
            with ps.join([numbers]).batch(2).open() as own:
                print(next(own).tolist(), flush=True)
            ending()
            sys.exit(7)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
        print(next(flow).tolist(), flush=True)
        flow.close()
    """)

    assert script.code == 0, script.errors
    assert script.ended_s < 2 * LIMIT_S
    assert script.lines == [
        "expected a flow of this process, got one that was opened before a fork - open it after the fork",
        "[0, 1]",
        "7",
        "[4, 4, 5, 5, 6, 6, 7, 7]",
    ]


def test_closing_from_another_thread_wakes_the_loop():
    """`next()` that waits comes back with an error at once."""
    script = run_script("""
        source = Blocked(3)
        flow = ps.join([source]).batch(2).options(grace_s=0.1).open()
        next(flow)
        Thread(target=lambda: (source.stalls.wait(), ending(), flow.close())).start()
        try:
            next(flow)
        except ps.FlowClosed as error:
            print(error, error.__context__)
    """)

    ended_well(script, errors="is still inside the code of source")
    assert script.lines == ["expected an open flow, got one that was closed - open the pipeline again None"]


def test_a_signal_handler_may_close_the_flow():
    """A scheduler asks a job to end with SIGTERM; the handler runs inside whatever the main thread is in, `next()` mostly."""
    script = run_script("""
        source = Blocked(8)
        flow = ps.join([source, numbers]).batch(4).options(grace_s=0.1).open()
        warnings.simplefilter("ignore")

        def leave(signum, frame):
            ending()
            flow.close()

        signal.signal(signal.SIGTERM, leave)
        for _ in range(4):
            next(flow)
        source.stalls.wait()  # Only now: while batches are ready, nobody need ask the source for more.
        strike(ps.Flow._first, signal.SIGTERM)
        try:
            next(flow)
        except ps.FlowClosed:
            print("closed")
    """)

    ended_well(script)
    assert script.lines == ["closed"]


def test_a_source_may_close_the_flow_that_reads_it():
    """It is not waited for by itself for ever."""
    script = run_script("""
        flows, opened = [], Event()

        def read():
            yield from range(8)
            opened.wait()
            flows[0].close()
            yield 8

        pipeline = ps.join([read, Blocked(8)]).batch(8).options(grace_s=0.2)
        warnings.simplefilter("ignore")
        flows.append(pipeline.open())
        opened.set()
        ending()
        try:
            print(len(list(flows[0])))
        except ps.FlowClosed:
            print("closed")
    """)

    ended_well(script)
    assert script.lines[-1] in ("2", "closed")


def test_a_flow_that_cannot_be_built_leaves_no_thread():
    """What was started before the error is stopped."""
    script = run_script("""
        read = numbers()
        pipeline = ps.join([read, numbers]).batch(2)
        ending()
        for _ in range(3):
            try:
                with pipeline.open() as flow:
                    print(next(flow).tolist())
            except ps.PipelineError as error:
                print(str(error)[:39])
        nothing_left()
    """)

    ended_well(script)
    assert script.lines == ["[0, 0]", *["expected a source that can be opened ag"] * 2, NOTHING]


@pytest.mark.parametrize(
    "pipeline",
    [
        "ps.join([numbers]).map(slow).batch(3000)",
        "ps.join([ps.join([numbers]).map(slow)]).batch(3000)",
        "ps.join([numbers]).filter(lambda x: slow(x) < 0).batch(2)",
        "ps.join([numbers]).filter(lambda x: False).batch(2)",
        "ps.join([numbers, numbers]).filter(lambda x: False).map(abs).batch(2)",
        "ps.join([ps.join([numbers]).filter(lambda x: False), numbers]).batch(2)",
        "ps.join([ps.join([numbers]).filter(lambda x: False), numbers], order='arrival').batch(2)",
        "ps.join([numbers]).skip(10**12).batch(2)",
        "ps.join([ps.join([slow_numbers]).skip(10**12), numbers]).batch(2)",
        "ps.join([ps.join([ps.join([numbers]).filter(lambda x: False), numbers]), numbers], order='arrival').batch(2)",
        "ps.join([[1, 2, 3]]).repeat().filter(lambda x: False).batch(2)",
        "ps.join([numbers, numbers]).batch(10**7)",
    ],
)
def test_a_flow_that_works_and_gives_nothing_yet_is_closed_at_once(pipeline: str):
    """A filter that keeps nothing goes on for ever, and a batch of slow functions for seconds; both hear of the end soon."""
    script = run_script(f"""
        def slow(example):
            time.sleep(0.001)
            return example

        warnings.simplefilter("error")
        flow = {pipeline}.options(grace_s=30).open()  # which would be waited out, were it needed
        Event().wait(0.15)
        ending()
        flow.close()
        nothing_left()
    """)

    ended_well(script)
    assert script.lines == [NOTHING]
