"""`tf.logging`: Python's own `logging`, in the logger `tensorflow`."""

import logging as python_logging

__all__ = [
    "DEBUG",
    "ERROR",
    "FATAL",
    "INFO",
    "WARN",
    "debug",
    "error",
    "fatal",
    "get_verbosity",
    "info",
    "log",
    "set_verbosity",
    "warn",
    "warning",
]

DEBUG, INFO, WARN = python_logging.DEBUG, python_logging.INFO, python_logging.WARNING
ERROR, FATAL = python_logging.ERROR, python_logging.CRITICAL

_logger = python_logging.getLogger("tensorflow")
debug, info, warning, warn = _logger.debug, _logger.info, _logger.warning, _logger.warning
error, fatal, log = _logger.error, _logger.critical, _logger.log


def get_verbosity() -> int:
    """From which level on messages are shown."""
    return _logger.getEffectiveLevel()


def set_verbosity(v: int) -> None:
    """Shows messages from a level on: on stderr, unless the program has set up `logging` otherwise."""
    _logger.setLevel(v)
    if not _logger.hasHandlers():
        _logger.addHandler(python_logging.StreamHandler())
