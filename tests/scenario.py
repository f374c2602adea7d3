"""Runs a script in a process of its own, and tells how it ended: for what only an ending process shows."""

import os
import subprocess
import sys
import textwrap
import time
from dataclasses import dataclass

PATIENCE_S = 30.0
"""A process that has not ended by then is killed. [s]"""

PRELUDE = """
import gc, itertools, os, signal, sys, threading, time, warnings
from threading import Event, Thread, current_thread

import penstock as ps

before = set(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else set()

def ending():
    '''From here on the clock runs.'''
    print("ending", time.monotonic(), flush=True)

def nothing_left():
    '''Waits for the threads that are ending; says what is left.'''
    for thread in threading.enumerate():
        if thread.name.startswith("ps-"):
            while thread.ident is None:
                time.sleep(0)
            thread.join(1.5)
    threads = sorted(thread.name for thread in threading.enumerate() if thread is not threading.main_thread())
    files = set(os.listdir("/proc/self/fd")) - before if before else set()
    print("left", threads, sorted(files), flush=True)

class Blocked:
    '''Gives numbers, then waits for ever.'''

    def __init__(self, count):
        self.count, self.stalls = count, Event()

    def __call__(self):
        yield from range(self.count)
        self.stalls.set()
        Event().wait()

def numbers():
    yield from itertools.count()

def slow_numbers():
    for number in itertools.count():
        time.sleep(0.001)
        yield number

def strike(function, signum=signal.SIGINT):
    '''Sends the signal, from another thread, as soon as the main thread waits inside a function.

    Waits: a signal that comes just before a wait begins is not heard before it is over; that is Python's way with locks.
    '''
    def stack():
        frame = sys._current_frames()[threading.main_thread().ident]
        while frame is not None:
            yield frame.f_code, frame.f_lasti
            frame = frame.f_back

    def run():
        before = None
        while True:
            now = list(stack())
            if now == before and any(code is function.__code__ for code, _ in now):
                os.kill(os.getpid(), signum)
                return
            before = now
            time.sleep(0.02)

    Thread(target=run, daemon=True).start()
"""


@dataclass(frozen=True)
class Ended:
    """How a script ended."""

    code: int
    """Its exit status; negative for a signal."""
    lines: list[str]
    """What it printed, but for `ending`."""
    errors: str
    """What it wrote to the standard error."""
    ended_s: float
    """From where it said `ending` to the end of the process. [s]"""


def run_script(body: str, *arguments: str, patience_s: float = PATIENCE_S) -> Ended:
    """Runs a script behind the prelude."""
    script = PRELUDE + textwrap.dedent(body)
    command = [sys.executable, "-X", "faulthandler", "-W", "default", "-c", script, *arguments]
    process = subprocess.run(
        command, capture_output=True, text=True, timeout=patience_s, env={**os.environ, "PYTHONUNBUFFERED": "1"}
    )
    now = time.monotonic()
    lines = process.stdout.splitlines()
    started = [float(line.split()[1]) for line in lines if line.startswith("ending ")]
    assert started, f"the script did not come to its ending:\n{process.stdout}\n{process.stderr}"
    printed = [line for line in lines if not line.startswith("ending ")]
    return Ended(process.returncode, printed, process.stderr, now - started[-1])
