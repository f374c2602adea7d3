"""TF1's initialisers: there is nothing to initialise, so they do nothing, but for one thing that TF1's did."""

from __future__ import annotations

from penstock.tf1.handles import Handle, Operation
from penstock.tf1.limits import restart
from penstock.tf1.ops import no_op

__all__ = [
    "disable_eager_execution",
    "disable_v2_behavior",
    "global_variables_initializer",
    "initialize_all_variables",
    "initialize_local_variables",
    "local_variables_initializer",
    "tables_initializer",
]


def global_variables_initializer() -> Handle:
    """Something to run that does nothing."""
    return no_op("global_variables_initializer")


def tables_initializer(name: str | None = None) -> Handle:
    """Something to run that does nothing."""
    return no_op("tables_initializer")


def local_variables_initializer() -> Handle:
    """Something to run that does nothing, but for `limit_epochs`, which begins to count anew, as in TF1."""
    return Handle(Operation("local_variables_initializer", lambda step: restart(step.session)))


initialize_all_variables = global_variables_initializer
initialize_local_variables = local_variables_initializer


def disable_v2_behavior() -> None:
    """Does nothing: there is no other behaviour."""


disable_eager_execution = disable_v2_behavior
