import subprocess
import sys

import numpy as np
import pytest

from penstock.deliver import converter
from penstock.errors import MissingExtra, PipelineError

DTYPES = [*np.typecodes["All"], "T", "V4", ">i2", "i4,f8"]


@pytest.mark.parametrize("dtype", DTYPES)
def test_numpy_gets_the_array_itself(dtype: str):
    """It is what was assembled, whatever it holds, and nothing is copied."""
    array = np.zeros((2, 3), dtype)

    assert converter("numpy")(array, "x") is array


def test_a_view_of_the_users_chunk_stays_a_read_only_view():
    """NumPy has read-only arrays, so that no copy is needed to keep the user's chunk as it is."""
    chunk = np.arange(8)
    rows = chunk[2:4]
    rows.flags.writeable = False

    delivered = converter("numpy")(rows, "x")

    assert np.shares_memory(delivered, chunk)
    assert not delivered.flags.writeable


def test_an_unknown_framework_is_named():
    """A misspelt name is an error where it is written."""
    with pytest.raises(PipelineError) as caught:
        converter("pytorch")

    assert str(caught.value) == (
        'expected one of "numpy", "torch", "jax", "tensorflow", got `\'pytorch\'` - at to(framework)'
    )


@pytest.mark.parametrize(("framework", "extra"), [("torch", "torch"), ("jax", "jax"), ("tensorflow", "tf")])
def test_a_framework_that_is_not_installed_is_an_error_that_names_the_extra(
    framework: str, extra: str, monkeypatch: pytest.MonkeyPatch
):
    """The one thing to do about it is to install it, and the message says how."""
    monkeypatch.setitem(sys.modules, framework, None)

    with pytest.raises(MissingExtra) as caught:
        converter(framework)

    assert str(caught.value) == (
        f"expected the package `{framework}`, got none - install it with: pip install 'penstock[{extra}]'"
    )


def test_no_framework_is_loaded_before_it_is_asked_for():
    """Each takes seconds to load and some take a whole device; who uses one pays for none of the others."""
    asks = "import sys, penstock.deliver; print(sorted({'torch', 'jax', 'tensorflow'} & set(sys.modules)))"

    answer = subprocess.run([sys.executable, "-c", asks], capture_output=True, text=True, check=True)

    assert answer.stdout.strip() == "[]"


@pytest.mark.parametrize("framework", ["numpy", "torch", "jax", "tensorflow"])
@pytest.mark.parametrize(
    "keep", [lambda batch: batch, lambda batch: batch[2:5], np.asarray], ids=["it", "rows", "numpy"]
)
def test_what_the_user_keeps_is_not_overwritten_by_later_batches(framework: str, keep, pool):
    """Every buffer that nobody holds is filled again at once; every seventh batch is kept, or a part of it."""
    pytest.importorskip(framework)
    deliver = converter(framework)
    kept = []

    for number in range(140):
        array = pool.lend(32 * 8).view(np.float32).reshape(32, 2)
        array[:] = number
        delivered = deliver(array, "x")
        if number % 7 == 0:
            kept.append(keep(delivered))
        del array, delivered

    assert [np.unique(part).tolist() for part in map(np.asarray, kept)] == [[number] for number in range(0, 140, 7)]
    assert pool.made <= 2 * len(kept), "what nobody keeps comes back"
