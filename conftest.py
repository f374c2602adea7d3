"""What every test and every example in a docstring runs under: it leaves no thread and no file behind."""

import doctest
import gc
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

DATA_SUFFIXES = {".arrow", ".csv", ".feather", ".jsonl", ".parquet", ".txt"}
GRACE_S = 2.0


def pytest_configure() -> None:
    """A shell starts what is to run in the background deaf to Ctrl-C, and so would be every process that a test starts."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish() -> None:
    """What was imported to collect the tests is passed over by every later search for garbage, which is quick then.

    A test that calls `gc.collect()` looks through what it made itself, and not through all of torch again.
    """
    gc.collect()
    gc.freeze()


def pytest_report_header() -> str:
    try:
        from penstock.assemble import NATIVE
    except ImportError as error:
        return f"penstock: no assembler ({error})"
    return "penstock: native" if NATIVE else "penstock: NumPy twin"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """An example in a docstring that needs an extra is skipped where that is not installed; tests say it themselves."""
    try:
        return (yield)
    except doctest.UnexpectedException as failure:
        from penstock.errors import MissingExtra  # Here, so that a package that does not import breaks only its tests.

        if isinstance(failure.exc_info[1], MissingExtra):
            pytest.skip(str(failure.exc_info[1]))
        raise


def threads_left(before: set[threading.Thread]) -> list[str]:
    """Waits for the feed's threads to end, all together no longer than the grace; names those that did not."""
    deadline = time.monotonic() + GRACE_S
    ours = [thread for thread in threading.enumerate() if thread.name.startswith("ps-") and thread not in before]
    for thread in ours:
        while thread.ident is None and time.monotonic() < deadline:
            time.sleep(0)  # It is just being started, and cannot be joined before.
        thread.join(max(0.0, deadline - time.monotonic()))
    return sorted(thread.name for thread in ours if thread.is_alive())


def open_data_files(under: Path) -> set[tuple[str, str]]:
    """Descriptors of files that a source could have opened; those of libraries and of pytest do not count."""
    found = set()
    for descriptor in os.listdir("/proc/self/fd") if Path("/proc/self/fd").is_dir() else []:
        try:
            target = Path(os.readlink(f"/proc/self/fd/{descriptor}"))
        except FileNotFoundError:  # The listing's own.
            continue
        if target.is_relative_to(under) or target.suffix in DATA_SUFFIXES:
            found.add((descriptor, str(target)))
    return found


@pytest.fixture(autouse=True)
def nothing_left_behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    under = tmp_path_factory.getbasetemp()
    threads, files = set(threading.enumerate()), open_data_files(under)

    yield

    left = threads_left(threads)
    still_open = open_data_files(under) - files
    if still_open:
        gc.collect()  # A file that only a cycle holds is closed late, but it is closed.
        still_open = open_data_files(under) - files
    assert not left, f"threads left behind: {', '.join(left)}"
    assert not still_open, f"files left open: {', '.join(sorted(target for _, target in still_open))}"
