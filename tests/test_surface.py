"""What `import penstock` gives, and what it does not do."""

import inspect
import json
import subprocess
import sys
import types

import pytest

import penstock

LOOK = """
import json, logging, sys, threading
import numpy
before = set(sys.modules)
import penstock
print(json.dumps({
    "imported": sorted({name.partition(".")[0] for name in set(sys.modules) - before}),
    "threads": threading.active_count(),
    "handlers": len(logging.getLogger().handlers) + len(logging.getLogger("penstock").handlers),
    "level": logging.getLogger("penstock").level,
}))
"""


@pytest.fixture(scope="module")
def after_import() -> dict:
    ran = subprocess.run([sys.executable, "-W", "error", "-c", LOOK], capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def test_the_public_names_are_sorted_and_complete():
    """What a user can reach without a dot is meant for users, and stands in one list."""
    reachable = {
        name
        for name in dir(penstock)
        if not name.startswith("_") and not isinstance(getattr(penstock, name), types.ModuleType)
    }

    assert penstock.__all__ == sorted(set(penstock.__all__))
    assert {name for name in penstock.__all__ if not name.startswith("_")} == reachable


def test_every_public_name_is_documented():
    """The docstring is the reference page."""

    def documented(name: str) -> bool:
        thing = getattr(penstock, name)
        text = (vars(thing).get("__doc__") if inspect.isclass(thing) else inspect.getdoc(thing)) or ""
        return bool(text.strip()) and not text.startswith(f"{name}(")  # What a dataclass writes for itself.

    assert [name for name in penstock.__all__ if not name.startswith("_") and not documented(name)] == []


def test_importing_penstock_imports_only_numpy_and_the_standard_library(after_import: dict):
    """A feed should not cost the start of a framework that this program does not use."""
    known = sys.stdlib_module_names | {"numpy", "penstock"}
    # What Cython's own modules register for each other is no package that was found anywhere.
    foreign = [
        name
        for name in after_import["imported"]
        if name not in known and not name.startswith(("_cython_", "cython_runtime"))
    ]

    assert foreign == []


def test_importing_penstock_starts_no_thread(after_import: dict):
    """Threads run inside an open flow, and only there."""
    assert after_import["threads"] == 1


def test_importing_penstock_configures_no_logging(after_import: dict):
    """Logging belongs to the program, not to a library."""
    assert (after_import["handlers"], after_import["level"]) == (0, 0)
