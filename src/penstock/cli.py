"""The command line: `penstock demo`, `peek FILE…`, `plan FILE…`, `migrate SCRIPT`, `replay TICKET …`, `doctor`."""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from pkgutil import resolve_name

from penstock import demo, doctor, forecast, peek
from penstock.errors import PenstockError, PipelineError, mismatch
from penstock.later import later
from penstock.pipeline import Pipeline
from penstock.replaying import replay

__all__ = ["main"]

RAISED = 1
FAILED = 2
INTERRUPTED = 130  # 128 and the number of SIGINT, as shells have it.


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a command, and gives the exit code: 0, 1 if a replayed example raises, 2 after a wrong input, 130 after Ctrl-C.

    Args:
      argv: the arguments; those of the process if `None`.
    """
    arguments = _parser().parse_args(argv)
    try:
        if arguments.command == "demo" and arguments.resume:
            demo.go_on(batch_size=arguments.batch_size)
            return 0
        if arguments.command == "demo":
            demo.run(out=arguments.out, epochs=arguments.epochs, batch_size=arguments.batch_size)
            return 0
        if arguments.command == "peek":
            return _peek(arguments.files, arguments.column, arguments.n)
        if arguments.command == "plan":
            forecast.run(
                arguments.files,
                by=arguments.by,
                target=arguments.target,
                batch_size=arguments.batch,
                repeats=arguments.repeats,
                batches=arguments.batches,
                nulls=arguments.nulls,
                png=arguments.png,
                as_json=arguments.json,
            )
            return 0
        if arguments.command == "replay":
            return _replay(arguments.ticket, arguments.pipeline)
        if arguments.command == "migrate":
            later("migrate").run(arguments.script, output=arguments.output, in_place=arguments.in_place)
            return 0
        print("\n".join(doctor.examine()))
        return 0
    except PenstockError as error:
        return _fail(error)
    except KeyboardInterrupt:
        print("penstock: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever reads us, such as `head`, has seen enough; Python would complain when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _peek(files: Sequence[Path], column: str | None, n: int) -> int:
    """Peeks into each file; one that cannot be read does not hide the others."""
    code = 0
    for file in files:
        try:
            lines = peek.look(file, column=column, n=n).lines()
        except PenstockError as error:
            code = _fail(error)
        else:
            print("\n".join([*lines, ""]))
    return code


def _replay(ticket: str, name: str) -> int:
    """Replays an example; what the user's own code raises is shown as Python shows it."""
    pipeline = _named(name)
    try:
        replay(pipeline, ticket)
    except PenstockError:
        raise
    except Exception:
        traceback.print_exc()
        return RAISED
    return 0


def _named(name: str) -> Pipeline:
    """The pipeline that a name leads to: `"train:pipeline"`, or `"train:make"`, a function that gives one."""
    at = "--pipeline"
    module, _, attribute = name.partition(":")
    if not module or not attribute:
        raise PipelineError(mismatch("`module:name`", f"`{name}`", at=at))
    sys.path.insert(0, os.getcwd())  # as `python -m` does
    try:
        thing: object = resolve_name(name)
    except (ImportError, AttributeError) as error:
        if isinstance(error, ImportError) and error.name not in (module, module.partition(".")[0]):
            raise  # the module's own, for want of another
        raise PipelineError(mismatch(f"a pipeline, `{attribute}` of `{module}`", f"`{error}`", at=at)) from error
    finally:
        sys.path.remove(os.getcwd())
    if callable(thing):
        thing = thing()
    if not isinstance(thing, Pipeline):
        raise PipelineError(mismatch(f"a pipeline, `{attribute}` of `{module}`", f"`{type(thing).__name__}`", at=at))
    return thing


def _fail(error: PenstockError) -> int:
    print(f"penstock: {error}", file=sys.stderr)
    return FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="penstock", description="Joins any number of example streams into training batches."
    )
    version = importlib.metadata.version("penstock")
    parser.add_argument("--version", action="version", version=f"penstock {version}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    shown = commands.add_parser(
        "demo", help="trains a small model on real data from several files, and shows how it went"
    )
    shown.add_argument(
        "--out",
        type=Path,
        default=Path("penstock-demo.png"),
        metavar="PICTURE",
        help="where the picture goes; a second one goes beside it (%(default)s)",
    )
    shown.add_argument(
        "--epochs", type=_count(1), default=1, metavar="N", help="passes over the data, in the first part (%(default)s)"
    )
    shown.add_argument(
        "--batch-size",
        type=_count(1),
        default=32,
        metavar="N",
        help="examples in a batch, in the first part and the third (%(default)s)",
    )
    shown.add_argument(
        "--resume", action="store_true", help="runs the third part alone: stopped, and gone on in a new process"
    )

    looked = commands.add_parser("peek", help="shows what is in a file: its spec, its first examples, its classes")
    looked.add_argument(
        "files", type=Path, nargs="+", metavar="FILE", help=f"a file that ends in {', '.join(peek.ENDINGS)}"
    )
    looked.add_argument("--column", metavar="NAME", help="counts the values of this component")
    looked.add_argument("-n", type=_count(0), default=3, metavar="N", help="how many examples to show (%(default)s)")

    _add_plan(commands)
    replayed = commands.add_parser(
        "replay", help="runs one example through a pipeline, and shows what each word makes of it"
    )
    replayed.add_argument(
        "ticket", metavar="TICKET", help="of the example, as an error or a report prints it: `2:0:118`"
    )
    replayed.add_argument(
        "--pipeline", required=True, metavar="MODULE:NAME", help="the pipeline, or a function that gives it"
    )
    _add_migrate(commands)
    commands.add_parser("doctor", help="says what this install has: its native part, optional packages, cores")
    return parser


def _add_plan(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    planned = commands.add_parser(
        "plan", help="predicts what class proportions would give of a file: batches, repeats, coverage"
    )
    planned.add_argument(
        "files", nargs="+", metavar="FILE", help=f"a file or glob that ends in {', '.join(peek.ENDINGS)}"
    )
    planned.add_argument("--by", required=True, metavar="NAME", help="the component that holds the labels")
    planned.add_argument(
        "--target",
        default="uniform",
        metavar="TARGET",
        help="`uniform`, `natural`, `temperature:0.3`, shares such as `0:0.5,1:0.5`, or a .json file (%(default)s)",
    )
    planned.add_argument("--batch", type=_count(1), default=64, metavar="N", help="examples in a batch (%(default)s)")
    planned.add_argument(
        "--repeats", type=_count(1), default=1, metavar="N", help="how often one example may be used (%(default)s)"
    )
    planned.add_argument(
        "--batches", type=_count(1), metavar="N", help="batches that you want of one pass (as many as without a target)"
    )
    planned.add_argument(
        "--nulls", choices=("error", "skip"), default="error", help="what a missing label means (%(default)s)"
    )
    planned.add_argument("--png", type=Path, metavar="PICTURE", help="draws a picture there")
    planned.add_argument("--json", action="store_true", help="prints JSON, with every class")


def _add_migrate(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    moved = commands.add_parser("migrate", help="moves the input side of a TensorFlow 1 script to penstock.tf1")
    moved.add_argument("script", type=Path, metavar="SCRIPT", help="the script, which stays as it is")
    moved.add_argument("--output", type=Path, metavar="FILE", help="writes the new script there; it must not exist")
    moved.add_argument("--in-place", action="store_true", help="writes the new script over the old one")


def _count(least: int) -> Callable[[str], int]:
    """An argument that is an integer of at least `least`."""

    def count(text: str) -> int:
        number = int(text)
        if number < least:
            raise ValueError
        return number

    count.__name__ = f"integer >= {least}"  # argparse says it: "invalid integer >= 1 value: '0'"
    return count
