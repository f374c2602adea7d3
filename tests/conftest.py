"""Hypothesis as every test here uses it: the same examples at each run, no clock."""

import pytest
from hypothesis import HealthCheck, settings

from penstock.engine import lane, shots

settings.register_profile(
    "penstock",
    derandomize=True,
    database=None,
    deadline=None,  # The cores are shared; how long an example takes says nothing.
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("penstock")

collect_ignore = ["typing"]  # Read by mypy, never run.


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """A snapshot as often as there can be one, so that little data shows what is in them; else there is none in so little."""
    monkeypatch.setattr(shots, "PART", 0.0)
    monkeypatch.setattr(lane, "NOTING", 0.0)
