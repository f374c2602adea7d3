"""The guard under every test can itself fail."""

import threading
from pathlib import Path

import pytest

import conftest


def test_a_thread_left_behind_is_named(monkeypatch: pytest.MonkeyPatch):
    """Without this, the guard could be blind and every test would pass."""
    monkeypatch.setattr(conftest, "GRACE_S", 0.0)
    before, release = set(threading.enumerate()), threading.Event()
    thread = threading.Thread(target=release.wait, name="ps-read-0/left", daemon=True)
    thread.start()

    left = conftest.threads_left(before)
    release.set()
    thread.join()

    assert left == ["ps-read-0/left"]


def test_a_thread_that_is_ending_is_waited_for():
    """Closing a flow from a finalizer ends its threads a moment later, which is no leak."""
    before, release = set(threading.enumerate()), threading.Event()
    thread = threading.Thread(target=release.wait, name="ps-read-0/ending", daemon=True)
    thread.start()
    release.set()

    assert conftest.threads_left(before) == []


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="this system does not list open files")
def test_a_file_left_open_is_named(tmp_path: Path):
    """Descriptors are few; a source that keeps one a shard runs out of them."""
    path = tmp_path / "shard.bin"
    before = conftest.open_data_files(tmp_path)

    with path.open("wb"):
        opened = conftest.open_data_files(tmp_path) - before

    assert [target for _, target in opened] == [str(path)]
    assert conftest.open_data_files(tmp_path) == before
