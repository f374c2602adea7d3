"""TF1's errors, by their names: what goes wrong while something runs; what is wrong when it is written is a ValueError.

    OpError
    ├── OutOfRangeError          the data have ended
    ├── CancelledError           whoever waited was told to stop waiting: a queue or session was closed
    ├── InvalidArgumentError     an example does not fit, as `SpecError`
    ├── DataLossError            a file is broken, as `SourceError`
    ├── NotFoundError            there is no such file
    ├── FailedPreconditionError, DeadlineExceededError, AbortedError, AlreadyExistsError, InternalError,
    │   PermissionDeniedError, ResourceExhaustedError, UnauthenticatedError, UnavailableError, UnimplementedError,
    └── UnknownError             for code that names them

What a user's own code raises is none of these: it arrives as the same object, as everywhere in penstock.
"""

from __future__ import annotations

from typing import Any

from penstock.errors import (
    FlowClosed,
    PenstockError,
    PipelineError,
    QueueClosed,
    QueueExhausted,
    SourceError,
    SpecError,
)

__all__ = [
    "AbortedError",
    "AlreadyExistsError",
    "CancelledError",
    "DataLossError",
    "DeadlineExceededError",
    "FailedPreconditionError",
    "FeedEnd",
    "FormError",
    "InternalError",
    "InvalidArgumentError",
    "NotFoundError",
    "OpError",
    "OutOfRangeError",
    "PermissionDeniedError",
    "ResourceExhaustedError",
    "UnauthenticatedError",
    "UnavailableError",
    "UnimplementedError",
    "UnknownError",
    "translated",
]


class OpError(PenstockError):
    """Something that a step was to do could not be done.

    Made from a message alone, or as TF1 did it, from a node definition, an operation and a message.
    """

    error_code = 2
    """TF1's number of the error."""

    def __init__(self, *arguments: Any) -> None:
        self.node_def, self.op = arguments[:2] if len(arguments) > 1 else (None, None)
        self.message = str(arguments[2] if len(arguments) > 2 else arguments[0] if len(arguments) == 1 else "")
        super().__init__(self.message)


class CancelledError(OpError):
    """A queue or session was closed while somebody waited, or before they came."""

    error_code = 1


class UnknownError(OpError):
    """There is no better name for it."""


class InvalidArgumentError(OpError, ValueError):
    """A value cannot be what it is: its shape, dtype, label or number."""

    error_code = 3


class DeadlineExceededError(OpError):
    """It took too long."""

    error_code = 4


class NotFoundError(OpError):
    """There is no such file."""

    error_code = 5


class AlreadyExistsError(OpError):
    """It is there already."""

    error_code = 6


class PermissionDeniedError(OpError):
    """It must not be read."""

    error_code = 7


class ResourceExhaustedError(OpError):
    """There is no room left."""

    error_code = 8


class FailedPreconditionError(OpError):
    """Something had to be done first."""

    error_code = 9


class AbortedError(OpError):
    """It was given up."""

    error_code = 10


class OutOfRangeError(OpError):
    """The data have ended."""

    error_code = 11


class UnimplementedError(OpError):
    """It cannot be done here."""

    error_code = 12


class InternalError(OpError):
    """Something that must hold does not."""

    error_code = 13


class UnavailableError(OpError):
    """It is not there at the moment."""

    error_code = 14


class DataLossError(OpError):
    """A file is broken: it cannot be read further."""

    error_code = 15


class UnauthenticatedError(OpError):
    """Nobody said who asks."""

    error_code = 16


class FeedEnd(OutOfRangeError, StopIteration):
    """The data of a feed have ended, which ends a `for` loop over it too.

    Only a feed's `next` raises it: where generators run, a `StopIteration` would turn into a `RuntimeError`.
    """


class FormError(PipelineError, TypeError):
    """Something is handed over in a form that TF1 refused too: a bare handle in place of a list, for example."""


TRANSLATED: dict[type[Exception], type[OpError]] = {
    SpecError: InvalidArgumentError,
    SourceError: DataLossError,
    FlowClosed: CancelledError,
    QueueExhausted: OutOfRangeError,
    QueueClosed: CancelledError,
}


def translated(error: BaseException) -> BaseException:
    """Gives an error of penstock's own under its TF1 name, with its notes; any other as it is."""
    for ours, theirs in TRANSLATED.items():
        if isinstance(error, ours):
            named = theirs(str(error))
            named.__cause__ = error
            for note in getattr(error, "__notes__", ()):
                named.add_note(note)
            return named
    return error
