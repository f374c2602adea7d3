"""Hypothesis as every test here uses it: the same examples at each run, no clock."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "penstock",
    derandomize=True,
    database=None,
    deadline=None,  # The cores are shared; how long an example takes says nothing.
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("penstock")

collect_ignore = ["typing"]  # Read by mypy, never run.
