"""Errors, by whose fault they are.

    PenstockError
    ├── PipelineError(ValueError)     you described something impossible     - raised before anything runs
    ├── SpecError(ValueError)         an example does not fit its spec       - the data's fault
    ├── SourceError(OSError)          a file cannot be opened or parsed      - the storage's fault
    ├── StateError(ValueError)        a state is of another pipeline, damaged, or cannot be had
    ├── OverBudget(RuntimeError)      more was skipped than you allowed
    ├── Stalled(TimeoutError)         nothing came for as long as you had said
    ├── FlowClosed(RuntimeError)      you used a flow after it was closed
    ├── QueueClosed(RuntimeError)     nothing more goes into a queue, or your wait for one was cancelled
    ├── QueueExhausted(EOFError)      a closed queue holds fewer elements than you asked for
    └── MissingExtra(ImportError)     an optional package is not installed

    PenstockWarning(UserWarning)      something is left behind or will surprise you

    Aborted(BaseException)            a flow is being stopped: unwinds penstock's own threads, and never reaches the user

The end of the data is not an error: iteration stops.
What a user's own code raises is never wrapped: it arrives as the same object, with a note that says where.
"""

from __future__ import annotations

__all__ = [
    "Aborted",
    "FlowClosed",
    "MissingExtra",
    "OverBudget",
    "PenstockError",
    "PenstockWarning",
    "PipelineError",
    "QueueClosed",
    "QueueExhausted",
    "SourceError",
    "SpecError",
    "Stalled",
    "StateError",
    "mismatch",
    "placed",
]


class PenstockError(Exception):
    """Every error that penstock itself raises."""


class PipelineError(PenstockError, ValueError):
    """A pipeline was described that cannot work; nothing has run yet."""


class SpecError(PenstockError, ValueError):
    """An example does not fit the spec: the data's fault."""


class SourceError(PenstockError, OSError):
    """A file or stream cannot be opened or parsed: the storage's fault."""


class StateError(PenstockError, ValueError):
    """A saved state belongs to another pipeline or to other data, is damaged, or cannot be had of these sources."""


class OverBudget(PenstockError, RuntimeError):
    """More was skipped than `on_error=Skip(...)` allows; its cause is the last error."""


class Stalled(PenstockError, TimeoutError):
    """Nothing has come for `watchdog_s` seconds; says who is waited for, and shows the stacks of the flow's threads."""


class FlowClosed(PenstockError, RuntimeError):
    """A flow was used after it was closed, or in a process that is not its own."""


class QueueClosed(PenstockError, RuntimeError):
    """Something was put into a queue that is closed; or a call that waited for a queue was cancelled."""


class QueueExhausted(PenstockError, EOFError):
    """A queue is closed, and holds fewer elements than were asked for."""


class MissingExtra(PenstockError, ImportError):
    """An optional package is needed and not installed."""


class Aborted(BaseException):
    """The flow is being stopped; unwinds a thread of penstock's own, and never reaches the user."""


class PenstockWarning(UserWarning):
    """Something was left behind, or works otherwise than one would guess."""


def mismatch(expected: object, got: object, *, at: str | None = None, do: str | None = None) -> str:
    """Writes a message in the one form that all of penstock's have: expected, got, where, what to do.

    Args:
      expected: what was asked for; types and specs in backticks.
      got: what came.
      at: the place: a word of the pipeline, or component, example and source.
      do: what to do about it, if one thing is obvious.

    >>> mismatch("`float32[?, 28]`", "`float32[12, 30]`", at="example 118 of source 2", do="pad it")
    'expected `float32[?, 28]`, got `float32[12, 30]` - at example 118 of source 2 - pad it'
    """
    return f"expected {expected}, got {got}" + (f" - at {at}" if at else "") + (f" - {do}" if do else "")


def placed(error: BaseException, place: str) -> BaseException:
    """Notes on a user's exception where it happened, and gives back what is to be raised.

    It is the same object, but for a `StopIteration`, which would pass for the end of the data where it is raised again.

    Args:
      error: what the user's code raised.
      place: what penstock was doing, where: `"mapping example 5 of source 0 ('read')"`.
    """
    if isinstance(error, StopIteration):
        stopped = RuntimeError(
            f"expected an exception that is not the end of an iteration, got `StopIteration` while {place}"
        )
        stopped.__cause__ = error
        return stopped
    error.add_note(f"penstock: while {place}")
    return error
