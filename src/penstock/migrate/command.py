"""The command: reads a script, shows or writes the new one, and lists what is left."""

from __future__ import annotations

import difflib
from pathlib import Path

from penstock.errors import PipelineError, SourceError, mismatch
from penstock.migrate.rewriting import Migrated, migrated

__all__ = ["run"]


def run(script: Path, *, output: Path | None = None, in_place: bool = False) -> None:
    """Moves a script's input side to `penstock.tf1`, and prints the changes and what is left to do.

    Args:
      script: the old script.
      output: where the new one goes; it must not exist.
      in_place: whether the new one is written over the old.

    Raises:
      PipelineError: `output` exists, or both are asked for.
      SourceError: the script cannot be read, or is no Python 3.
    """
    if output is not None and in_place:
        raise PipelineError(mismatch("`--output` or `--in-place`", "both", at="migrate"))
    if output is not None and output.exists():
        do = "name another file; `--in-place` writes over the script itself"
        raise PipelineError(mismatch("a new file", "one that exists", at=f"'{output}'", do=do))
    try:
        source = script.read_bytes().decode("utf-8")  # with the ends of lines that it has
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(mismatch("a script", f"`{error}`", at=f"'{script}'")) from error
    made = migrated(source, str(script))
    target = script if in_place else output
    if (target is not None and made.text != source) or output is not None:
        assert target is not None, "one of both"
        target.write_bytes(made.text.encode("utf-8"))
    print("\n".join(_told(script, source, made, target)))


def _told(script: Path, source: str, made: Migrated, target: Path | None) -> list[str]:
    """What is printed."""
    lines: list[str] = []
    if target is None:
        lines += difflib.unified_diff(
            source.splitlines(), made.text.splitlines(), f"{script}", f"{script} (new)", lineterm=""
        )
    changed = sum(line.startswith("+") and not line.startswith("+++") for line in _difference(source, made.text))
    if not changed:
        lines.append(f"{script}: nothing of TF1's input side was found")
    elif made.whole:
        lines.append(f"{script}: it is input alone, and needs no TensorFlow any more")
    else:
        lines.append(f"{script}: {changed} line{'s' if changed != 1 else ''} changed")
    if target is not None:
        lines.append(f"written: {target}")
    if made.left:
        lines.append(f"left to do: {len(made.left)}")
        lines += [f"  {script}:{left.line}: {left.what} - {left.do}" for left in made.left]
    return lines


def _difference(source: str, text: str) -> list[str]:
    return list(difflib.unified_diff(source.splitlines(), text.splitlines(), lineterm=""))
