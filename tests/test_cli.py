"""The command line: what it prints, and with which exit code it ends."""

import importlib.metadata
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from penstock.cli import main
from penstock.data import shards


def test_the_version_is_the_installs(capsys: pytest.CaptureFixture[str]):
    """`penstock --version`."""
    with pytest.raises(SystemExit) as ended:
        main(["--version"])

    assert ended.value.code == 0
    assert capsys.readouterr().out == f"penstock {importlib.metadata.version('penstock')}\n"


def test_the_help_names_every_command(capsys: pytest.CaptureFixture[str]):
    """`penstock --help`."""
    with pytest.raises(SystemExit) as ended:
        main(["--help"])

    shown = capsys.readouterr().out
    assert ended.value.code == 0
    assert all(f"\n    {command} " in shown for command in ("demo", "peek", "doctor"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "the following arguments are required: COMMAND"),
        (["open"], "invalid choice: 'open'"),
        (["demo", "--epochs", "0"], "argument --epochs: invalid integer >= 1 value: '0'"),
        (["demo", "--batch-size", "x"], "argument --batch-size: invalid integer >= 1 value: 'x'"),
        (["peek"], "the following arguments are required: FILE"),
        (["peek", "x.csv", "-n", "-1"], "argument -n: invalid integer >= 0 value: '-1'"),
    ],
)
def test_a_wrong_argument_ends_with_two(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]):
    """As every command line does, with a line that says which."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)

    assert ended.value.code == 2
    assert message in capsys.readouterr().err


def test_doctor_prints_its_findings(capsys: pytest.CaptureFixture[str]):
    """`penstock doctor`."""
    code = main(["doctor"])

    shown = capsys.readouterr().out
    assert code == 0
    assert "assembler" in shown
    assert "optional packages" in shown


def test_peek_shows_each_file(capsys: pytest.CaptureFixture[str]):
    """`penstock peek FILE FILE`."""
    pytest.importorskip("pyarrow")
    files = [str(path) for path in shards("heldout")]

    code = main(["peek", *files, "--column", "digit", "-n", "1"])

    shown = capsys.readouterr()
    assert (code, shown.err) == (0, "")
    assert [line for line in shown.out.splitlines() if line in files] == files
    assert shown.out.count("  digit: 10 values") == 2


def test_a_file_that_cannot_be_read_is_one_line_and_does_not_hide_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    """No traceback, and exit code 2, however many files were fine."""
    pytest.importorskip("pyarrow")

    code = main(["peek", str(tmp_path / "nowhere.parquet"), str(shards("train")[5])])

    shown = capsys.readouterr()
    assert code == 2
    assert shown.err.startswith("penstock: expected ")
    assert "nowhere.parquet" in shown.err
    assert shown.err.count("\n") == 1
    assert "  examples  51" in shown.out


@pytest.mark.parametrize(
    ("name", "content"),
    [("empty.parquet", b""), ("broken.parquet", b"PAR1 and no more"), ("broken.jsonl", b'{"a": 1}\n{"a": \n')],
)
def test_a_broken_file_is_one_line(name: str, content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """What a user's download left behind."""
    pytest.importorskip("pyarrow")
    (tmp_path / name).write_bytes(content)

    code = main(["peek", str(tmp_path / name)])

    shown = capsys.readouterr()
    assert (code, shown.out) == (2, "")
    assert shown.err.startswith("penstock: expected ")
    assert shown.err.count("\n") == 1
    assert name in shown.err


def test_a_picture_that_cannot_be_written_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """Before anything is trained."""
    pytest.importorskip("matplotlib")

    code = main(["demo", "--out", str(tmp_path / "nowhere" / "picture.png")])

    shown = capsys.readouterr()
    assert (code, shown.out) == (2, "")
    assert shown.err == f"penstock: expected a folder that exists, got `{tmp_path}/nowhere` - at --out\n"


@pytest.mark.slow
def test_ctrl_c_ends_the_demo_with_one_line(tmp_path: Path):
    """In the midst of training: no traceback, the exit code that shells know, and no picture."""
    for package in ("pyarrow", "matplotlib", "rich"):
        pytest.importorskip(package)
    picture = tmp_path / "picture.png"
    command = [sys.executable, "-m", "penstock", "demo", "--epochs", "100000", "--out", str(picture)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    process.stdout.readline()  # It has begun.

    process.send_signal(signal.SIGINT)
    try:
        _, said = process.communicate(timeout=30)
    finally:
        process.kill()  # One that did not hear it must not train on beside the tests that follow.

    assert (process.returncode, said) == (130, "penstock: interrupted\n")
    assert not picture.exists()


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="a closed pipe looks otherwise elsewhere")
def test_a_reader_that_has_seen_enough_is_no_error(tmp_path: Path):
    """`penstock peek FILE | head -1`."""
    (tmp_path / "lines.txt").write_text("a line of text\n" * 5000)
    command = [sys.executable, "-m", "penstock", "peek", str(tmp_path / "lines.txt"), "-n", "5000"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()

    assert process.stderr is not None
    said = process.stderr.read()
    process.stderr.close()
    assert (process.wait(timeout=30), said) == (0, "")
