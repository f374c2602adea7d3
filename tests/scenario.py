"""Runs a script in a process of its own, and tells how it ended: for what only an ending process shows.

The process is forked from one that has imported penstock, and has done nothing else: an interpreter and its imports take
longer than most scripts. It runs the script as the interpreter's main module and then goes on to its end, as after `-c`.
"""

import atexit
import functools
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import textwrap
import time
from dataclasses import dataclass
from typing import IO

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


FORKED = """
import gc, itertools, json, os, signal, socket, struct, sys, threading, time, warnings
import penstock

control = socket.socket(fileno=int(sys.argv[1]))
while True:
    asked, handles, *_ = socket.recv_fds(control, 1 << 20, 2)
    if not asked:
        break
    while not asked.endswith(b"\\n"):
        asked += control.recv(1 << 20)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # NumPy's threads are not used, and Python does not know.
        child = os.fork()
    if child == 0:
        control.close()
        for handle, place in zip(handles, (1, 2)):
            os.dup2(handle, place)
            os.close(handle)
        script, sys.argv[1:] = json.loads(asked)
        break
    for handle in handles:
        os.close(handle)
    control.send(struct.pack("i", child))
    control.send(struct.pack("i", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])))

if asked:
    del control, asked, handles, handle, place, child
    exec(compile(script, "<string>", "exec"))
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


@functools.cache
def forking() -> socket.socket:
    """The process that has imported penstock, started when first asked for; it ends with this one."""
    own, its = socket.socketpair(socket.AF_UNIX)
    command = [sys.executable, "-X", "faulthandler", "-W", "default", "-c", FORKED, str(its.fileno())]
    process = subprocess.Popen(
        command, pass_fds=[its.fileno()], start_new_session=True, env={**os.environ, "PYTHONUNBUFFERED": "1"}
    )
    its.close()

    def end() -> None:
        own.close()
        process.wait()

    atexit.register(end)
    return own


def run_script(body: str, *arguments: str, patience_s: float = PATIENCE_S) -> Ended:
    """Runs a script behind the prelude."""
    asked = json.dumps([PRELUDE + textwrap.dedent(body), arguments]).encode() + b"\n"
    control = forking()
    with tempfile.TemporaryFile() as printed, tempfile.TemporaryFile() as errors:
        control.settimeout(patience_s)
        socket.send_fds(control, [asked], [printed.fileno(), errors.fileno()])
        child = number(control)
        try:
            code = number(control)
        except BaseException:
            os.kill(child, signal.SIGKILL)
            control.settimeout(None)
            number(control)
            raise
        now = time.monotonic()
        lines, said = written(printed).splitlines(), written(errors)
    started = [float(line.split()[1]) for line in lines if line.startswith("ending ")]
    assert started, f"the script did not come to its ending:\n{lines}\n{said}"
    return Ended(code, [line for line in lines if not line.startswith("ending ")], said, now - started[-1])


def number(control: socket.socket) -> int:
    """The next number that the other process tells."""
    return int(struct.unpack("i", control.recv(4, socket.MSG_WAITALL))[0])


def written(file: IO[bytes]) -> str:
    """What stands in a file that another process wrote."""
    file.seek(0)
    return file.read().decode()
