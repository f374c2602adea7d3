"""`tf.app.flags`: settings that a script declares, and the command line sets.

`FLAGS` is one object of the whole program, as the command line is; old scripts name it so.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import Any, final

from penstock.errors import mismatch

__all__ = [
    "DEFINE_bool",
    "DEFINE_boolean",
    "DEFINE_enum",
    "DEFINE_float",
    "DEFINE_integer",
    "DEFINE_list",
    "DEFINE_string",
    "FLAGS",
    "Flags",
]


@final
class Flags:
    """Settings by name; the command line is read when the first of them is asked for, as in TF1.

    >>> flags = Flags()
    >>> flags.declare("batch_size", 32, "examples", int)
    >>> flags(["train.py", "--batch_size=64", "more"]), flags.batch_size
    (['train.py', 'more'], 64)
    """

    _declared: dict[str, dict[str, Any]]
    _values: dict[str, Any] | None

    def __init__(self) -> None:
        self.__dict__.update(_declared={}, _values=None)

    def declare(
        self,
        name: str,
        default: Any,
        told: str | None,
        kind: Callable[[str], Any] = str,
        choices: Sequence[str] | None = None,
    ) -> None:
        """Adds a setting.

        Args:
          name: how it is called.
          default: its value where the command line is silent.
          told: what `--help` tells of it.
          kind: makes a value of text.
          choices: which texts there are; any if `None`.
        """
        text = (told or "").replace("%", "%%")
        self._declared[name] = {"default": default, "help": text, "type": kind, "choices": choices}
        if self._values is not None:
            self._values.setdefault(name, default)

    def __call__(self, argv: Sequence[str]) -> list[str]:
        """Reads a command line, the name of the program first, and gives what of it is no setting."""
        parser = argparse.ArgumentParser(prog=argv[0], allow_abbrev=False)
        # `--shuffle` takes no value behind it, and `--noshuffle` is the other.
        said: dict[str, str] = {}
        for name, declared in self._declared.items():
            parser.add_argument(f"-{name}", f"--{name}", dest=name, **declared)
            if declared["type"] is _bool:
                said |= {f"{dash}{no}{name}": f"--{name}={not no}" for dash in ("-", "--") for no in ("", "no")}
        found, rest = parser.parse_known_args([said.get(word, word) for word in argv[1:]])
        self.__dict__["_values"] = vars(found)
        return [*argv[:1], *rest]

    def flag_values_dict(self) -> dict[str, Any]:
        """The settings, by name."""
        return dict(self._read())

    def _read(self) -> dict[str, Any]:
        if self._values is None:
            self(sys.argv)
        assert self._values is not None, "it was read"
        return self._values

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name not in self._declared:
            raise AttributeError(mismatch("a flag that was declared", f"`{name}`", at="FLAGS"))
        return self._read()[name]

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in self._declared:
            raise AttributeError(mismatch("a flag that was declared", f"`{name}`", at="FLAGS"))
        self._read()[name] = value


FLAGS = Flags()


def _bool(text: str) -> bool:
    if text.lower() not in ("true", "t", "1", "false", "f", "0"):
        raise ValueError(mismatch("`true` or `false`", f"`{text}`", at="a flag"))
    return text.lower() in ("true", "t", "1")


def DEFINE_string(name: str, default: str | None, help: str | None = None) -> None:  # noqa: N802
    """Declares a text."""
    FLAGS.declare(name, default, help)


def DEFINE_integer(name: str, default: int | None, help: str | None = None) -> None:  # noqa: N802
    """Declares an integer."""
    FLAGS.declare(name, default, help, int)


def DEFINE_float(name: str, default: float | None, help: str | None = None) -> None:  # noqa: N802
    """Declares a number."""
    FLAGS.declare(name, default, help, float)


def DEFINE_boolean(name: str, default: bool | None, help: str | None = None) -> None:  # noqa: N802
    """Declares yes or no: `--name`, `--name=false`, `--noname`."""
    FLAGS.declare(name, default, help, _bool)


def DEFINE_enum(  # noqa: N802
    name: str, default: str | None, enum_values: Sequence[str], help: str | None = None
) -> None:
    """Declares one of some texts."""
    FLAGS.declare(name, default, help, choices=enum_values)


def DEFINE_list(name: str, default: Any, help: str | None = None) -> None:  # noqa: N802
    """Declares texts between commas."""
    FLAGS.declare(name, default, help, lambda text: text.split(","))


DEFINE_bool = DEFINE_boolean
