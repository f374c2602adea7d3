"""`tf.app`, `tf.flags`, `tf.logging`, `tf.gfile`: what stands around the input of every old script."""

import logging
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock import tf1 as tf
from penstock.tf1.flags import Flags


@pytest.fixture
def flags(monkeypatch: pytest.MonkeyPatch) -> Iterator[Flags]:
    """Flags of this test alone, and a command line."""
    own = Flags()
    monkeypatch.setattr(tf.flags, "FLAGS", own)
    monkeypatch.setattr(sys, "argv", ["train.py", "--steps=5", "--rate", "0.5", "--noaugment", "--shuffle", "rest"])
    return own


def test_flags_are_read_when_the_first_is_asked_for(flags: Flags):
    """In TF1's spellings; those that the command line does not name keep their defaults."""
    tf.app.flags.DEFINE_integer("steps", 1, "how many, 100% of them")
    tf.app.flags.DEFINE_float("rate", 0.1, "of learning")
    tf.app.flags.DEFINE_string("data_dir", "/tmp/data", "where they are")
    tf.app.flags.DEFINE_boolean("shuffle", False, "whether")
    tf.app.flags.DEFINE_bool("augment", True)
    tf.app.flags.DEFINE_bool("quiet", None)
    tf.app.flags.DEFINE_enum("mode", "train", ["train", "eval"])
    tf.app.flags.DEFINE_list("names", ["a"])

    assert flags.flag_values_dict() == {
        "steps": 5,
        "rate": 0.5,
        "data_dir": "/tmp/data",
        "shuffle": True,
        "augment": False,
        "quiet": None,
        "mode": "train",
        "names": ["a"],
    }
    flags.steps = 7
    tf.flags.DEFINE_integer("later", 3)
    assert (flags.steps, flags.later) == (7, 3)
    with pytest.raises(AttributeError, match="expected a flag that was declared, got `step`"):
        flags.step  # noqa: B018
    with pytest.raises(AttributeError, match="expected a flag that was declared, got `step`"):
        flags.step = 3


def test_a_flag_that_is_set_to_nonsense_ends_the_program(flags: Flags, capsys: pytest.CaptureFixture[str]):
    """With a word on which."""
    tf.flags.DEFINE_boolean("shuffle", False)

    with pytest.raises(SystemExit):
        flags(["train.py", "--shuffle=maybe"])
    assert "-shuffle: invalid" in capsys.readouterr().err
    assert flags(["train.py", "--shuffle=1", "rest"]) == ["train.py", "rest"]
    assert flags.shuffle is True


def test_run_calls_main_with_the_rest(flags: Flags):
    """And ends the program with what it gives."""
    tf.flags.DEFINE_integer("steps", 1)
    given = []

    with pytest.raises(SystemExit) as ended:
        tf.app.run(main=given.append, argv=["train.py", "--steps=2", "rest"])
    assert ended.value.code is None
    assert given == [["train.py", "rest"]]
    assert flags.steps == 2


def test_messages_go_to_pythons_logging(caplog: pytest.LogCaptureFixture):
    """Under the logger's name that TensorFlow's have."""
    before = logging.getLogger("tensorflow").level
    try:
        tf.logging.set_verbosity(tf.logging.INFO)
        assert tf.logging.get_verbosity() == tf.logging.INFO
        tf.logging.info("step %d", 3)
        tf.logging.debug("not shown")
    finally:
        logging.getLogger("tensorflow").setLevel(before)

    assert caplog.record_tuples == [("tensorflow", logging.INFO, "step 3")]


def test_files(tmp_path: Path):
    """Of this machine, with TF1's names and errors."""
    folder = str(tmp_path / "a" / "b")
    path = f"{folder}/x.txt"
    assert not tf.gfile.Exists(folder)
    tf.gfile.MakeDirs(folder)
    tf.gfile.MkDir(f"{folder}/c")
    with tf.gfile.GFile(path, "w") as file:
        file.write("é")
    with tf.gfile.FastGFile(path, "rb") as file:
        assert file.read() == "é".encode()
    tf.gfile.Copy(path, f"{folder}/y.txt")
    with pytest.raises(tf.errors.AlreadyExistsError, match=r"y\.txt"):
        tf.gfile.Rename(path, f"{folder}/y.txt")
    tf.gfile.Rename(path, f"{folder}/y.txt", overwrite=True)

    assert tf.gfile.ListDirectory(folder) == ["c", "y.txt"]
    assert tf.gfile.Glob([f"{folder}/*.txt", f"{folder}/c"]) == [f"{folder}/y.txt", f"{folder}/c"]
    assert [names for _, _, names in tf.gfile.Walk(folder)] == [["y.txt"], []]
    assert tf.io.gfile.isdir(folder)
    assert tf.gfile.IsDirectory(folder)
    tf.gfile.Remove(f"{folder}/y.txt")
    tf.gfile.DeleteRecursively(folder)
    with pytest.raises(tf.errors.NotFoundError):
        tf.gfile.DeleteRecursively(folder)
    with pytest.raises(tf.errors.NotFoundError):
        tf.gfile.Open(path)
