"""`penstock plan`: what it prints, and with which exit code it ends."""

import contextlib
import io
import json
import re
import shlex
from fractions import Fraction
from pathlib import Path

import pytest

import penstock as ps
from forecast.files import foretold, labels_of
from penstock.cli import main
from penstock.data import shards

PAGE = (Path(__file__).parents[2] / "docs" / "howto" / "plan.md").read_text(encoding="utf-8")


@pytest.fixture
def clicks(tmp_path: Path) -> str:
    """Lines of labels, which need no package."""
    path = tmp_path / "clicks.txt"
    path.write_text("fine\n" * 9 + "bug\n" + "fine\n" * 9 + "bug\n")
    return str(path)


@pytest.mark.slow
def test_the_page_shows_what_is_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Every command of the how-to page, on the file that the page makes."""
    pytest.importorskip("pyarrow")
    monkeypatch.chdir(tmp_path)
    made = re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert made is not None
    with contextlib.redirect_stdout(io.StringIO()):
        exec(made[1], {})
    commands = re.findall(r"```console\n\$ (.*?)\n(.*?)```", PAGE, re.DOTALL)

    assert len(commands) == 2
    for command, shown in commands:
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            assert main(shlex.split(command)[1:]) == 0
        assert out.getvalue().rstrip() == shown.rstrip()


def test_files_of_two_formats_are_foretold_together(capsys: pytest.CaptureFixture[str]):
    """The demo's own data, by globs that penstock expands."""
    pytest.importorskip("pyarrow")
    folder = shards("train")[0].parent

    code = main(["plan", f"{folder}/train-*.parquet", f"{folder}/train-*.jsonl", "--by", "digit", "--batch", "50"])

    shown = capsys.readouterr()
    assert (code, shown.err) == (0, "")
    assert "1,500 examples, 10 classes by `digit`" in shown.out
    assert "target uniform, batches of 50, repeats=1" in shown.out


def test_json_holds_every_class_and_the_sentences(clicks: str, capsys: pytest.CaptureFixture[str]):
    """And nothing else is on the standard output."""
    code = main(["plan", clicks, "--by", "example", "--target", "fine:0.5,bug:0.5", "--batch", "2", "--json"])

    record = json.loads(capsys.readouterr().out)
    assert code == 0
    assert [(one["label"], one["examples"]) for one in record["classes"]] == [("fine", 18), ("bug", 2)]
    assert record["by_repeats"][0]["batches"] == 2
    assert record["remarks"] == [
        "class bug gives 2 examples; the 10 batches of a pass without a target would take 10: repeats would be 5",
        "class bug gives 10.00%: at repeats=1 a batch of 2 needs 10 inputs",
    ]


@pytest.mark.slow
def test_a_picture_is_drawn_and_named(clicks: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """Beside the tables."""
    pytest.importorskip("matplotlib")

    code = main(["plan", clicks, "--by", "example", "--png", str(tmp_path / "plan.png")])

    assert code == 0
    assert (tmp_path / "plan.png").stat().st_size > 1000
    assert capsys.readouterr().out.rstrip().endswith(f"picture: {tmp_path}/plan.png")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--by", "label"], "expected `example`, which is what a line of text is called, got `label` - at --by"),
        (["--by", "example", "--target", "even"], "expected `uniform`, `natural`, `temperature:0.3`"),
        (["--by", "example", "--target", "fine:1,spam:1"], "expected classes of the file, `fine`, `bug`, got `spam`"),
        (["--by", "example", "--target", "fine:0.5"], "expected --target to sum to 1 within 1e-6, got 0.5"),
        (["--by", "example", "--batch", "2000000"], "expected at most 1,048,576, got 2,000,000 - at --batch"),
        (["--by", "example", "--repeats", "2000000"], "expected at most 1,048,576, got 2,000,000 - at --repeats"),
    ],
)
def test_a_wrong_input_is_one_line(arguments: list[str], message: str, clicks: str, capsys: pytest.CaptureFixture[str]):
    """No traceback, and exit code 2."""
    code = main(["plan", clicks, *arguments])

    shown = capsys.readouterr()
    assert (code, shown.out, shown.err.count("\n")) == (2, "", 1)
    assert shown.err.startswith(f"penstock: {message}")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["plan", "x.csv"], "the following arguments are required: --by"),
        (["plan", "--by", "x"], "the following arguments are required: FILE"),
        (["plan", "x.csv", "--by", "x", "--batch", "0"], "argument --batch: invalid integer >= 1 value: '0'"),
        (["plan", "x.csv", "--by", "x", "--repeats", "x"], "argument --repeats: invalid integer >= 1 value: 'x'"),
        (["plan", "x.csv", "--by", "x", "--nulls", "keep"], "argument --nulls: invalid choice: 'keep'"),
    ],
)
def test_a_wrong_argument_ends_with_two(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]):
    """With a line that says which."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)

    assert ended.value.code == 2
    assert message in capsys.readouterr().err


def test_a_missing_file_is_the_storages_fault(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """As of every reader."""
    code = main(["plan", str(tmp_path / "nowhere.parquet"), "--by", "label"])

    assert code == 2
    assert capsys.readouterr().err == f"penstock: expected a file, got none - at '{tmp_path}/nowhere.parquet'\n"


@pytest.mark.parametrize("repeats", [1, 4])
def test_it_comes_as_it_was_foretold(repeats: int):
    """What `stratify` gives of the same examples is no more, since it thins what it has enough of, and hardly less."""
    labels = labels_of([9000, 700, 200, 100], seed=5)
    target = {0: Fraction(1, 4), 1: Fraction(1, 4), 2: Fraction(1, 4), 3: Fraction(1, 4)}
    seen = foretold(labels, "0:1/4,1:1/4,2:1/4,3:1/4", batch_size=16, repeats=repeats)

    with ps.from_arrays({"label": labels.order}).stratify("label", target, repeats=repeats).batch(16).open() as flow:
        given = sum(1 for _ in flow)

    assert 0.97 * seen.chosen.batches <= given <= seen.chosen.batches
