"""Which of TensorFlow's names are in `penstock.tf1`, which of them are always input, and what to do about some others."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from penstock import tf1
from penstock.tf1 import coding, examples, parsing, python_io, queues, readers, train
from penstock.tf1.contrib import training

__all__ = ["Path", "advice", "is_input", "is_known", "is_module", "makes_handles"]

Path = tuple[str, ...]
"""A name of TensorFlow's without the module's own: `("train", "batch")`."""

# Threads and sessions are TensorFlow's where the model is; the input needs none.
THREADS = {
    "Coordinator",
    "LooperThread",
    "MonitoredSession",
    "MonitoredTrainingSession",
    "SingularMonitoredSession",
    "Supervisor",
}
STARTS = {"start_queue_runners", "Server"}
MESSAGES = {*examples.__all__}

INPUT: set[Path] = {
    *[("train", name) for name in train.__all__ if name not in THREADS | STARTS],
    *[("contrib", "training", name) for name in training.__all__],
    *[("python_io", name) for name in python_io.__all__],
    *[(name,) for module in (readers, queues) for name in module.__all__ if hasattr(tf1, name)],
    *[(name,) for name in parsing.__all__],
    *[("io", name) for name in parsing.__all__],
    *[("io", name) for name in ("decode_csv", "decode_raw")],
    *[(module, name) for module in ("io", "queue") for name in queues.__all__],
    *[(name,) for name in coding.__all__ if name.startswith("decode_")],
}

MISSING = object()

ADVICE: dict[Path, str] = {
    ("train", "start_queue_runners"): "threads need not be started any more: delete it",
    ("train", "MonitoredTrainingSession"): "its loop ends with the feed: `for values in feed:` around `sess.run`",
    ("train", "Supervisor"): "its loop ends with the feed: `for values in feed:` around `sess.run`",
    ("contrib", "slim"): "`tf1.data_provider(source).get([...])`, a penstock source in place of slim's `Dataset`",
    ("app",): "`tf1.app` is the same; or `argparse`, and a `main()` that is called",
    ("app", "flags"): "`tf1.flags` is the same; or `argparse`",
    ("flags",): "`tf1.flags` is the same; or `argparse`",
    ("logging",): "`tf1.logging` is the same; or Python's own `logging`",
    ("gfile",): "`tf1.gfile` is the same, on this machine; or `open`, `glob.glob`, `os.path`, fsspec",
    ("python", "platform", "gfile"): "`from penstock.tf1 import gfile` is the same, on this machine",
    ("python", "platform", "flags"): "`from penstock.tf1 import flags` is the same",
    ("python", "platform", "app"): "`from penstock.tf1 import app` is the same",
    ("data",): "tf.data goes on as it is, and is a source of penstock's too: `ps.join([dataset])`",
    ("contrib", "data"): "tf.data goes on as it is, without `contrib`",
    ("contrib", "learn"): "`tf.contrib` is gone from TensorFlow 2: an input function returns `next(tf1.feed(...))`",
    ("contrib", "framework"): "`tf.contrib` is gone from TensorFlow 2",
    ("image", "resize_bicubic"): "put it into `tf1.py_func`, with Pillow or OpenCV",
    ("image", "resize_area"): "put it into `tf1.py_func`, with Pillow or OpenCV",
    ("summary",): "a summary is of what the model is fed: of the placeholder that takes the handle's place",
}


def is_known(path: Path) -> bool:
    """Whether `penstock.tf1` has a name."""
    return _found(path) is not MISSING


def is_module(path: Path) -> bool:
    """Whether a name is of a module of `penstock.tf1`'s."""
    return isinstance(_found(path), ModuleType)


def _found(path: Path) -> Any:
    """What has a name in `penstock.tf1`."""
    found: Any = tf1
    for part in path:
        if not isinstance(found, (ModuleType, type)) or part.startswith("_"):
            return MISSING
        if isinstance(found, ModuleType) and part not in getattr(found, "__all__", ()):
            return MISSING
        found = getattr(found, part)
    return found


def is_input(path: Path) -> bool:
    """Whether a name is of the input side wherever it is used."""
    return path in INPUT and is_known(path)


def makes_handles(path: Path) -> bool:
    """Whether what a call of it gives is a handle, or something that gives handles."""
    return path[-1] not in MESSAGES and path[0] not in ("python_io", "errors")


def advice(path: Path) -> str | None:
    """What to do about a name that stays, if there is a word for it."""
    return next((ADVICE[path[:size]] for size in range(len(path), 0, -1) if path[:size] in ADVICE), None)
