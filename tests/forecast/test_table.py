"""A forecast as text."""

import io

import pytest

from forecast.files import foretold, labels_of
from penstock.forecast.table import Table, ends, parts, plain, show


def test_it_writes_classes_repeats_and_sentences():
    """What the command prints, line for line."""
    seen = foretold(labels_of([900, 70, 20, 10], ["fine", "spam", "fraud", "bug"], seed=3), batch_size=16, repeats=2)

    assert plain(parts(seen)) == [
        "clicks.csv: 1,000 examples, 4 classes by `label`",
        "target uniform, batches of 16, repeats=2",
        "",
        "class  examples  arriving  target    uses  longest gap  held",
        "fine        900    90.00%  25.00%  0.0222            3   224",
        "spam         70     7.00%  25.00%   0.286           61    70",
        "fraud        20     2.00%  25.00%    1.00          165    20",
        "bug          10     1.00%  25.00%    2.00          238    10",
        "",
        "repeats  batches  by counts  in/out  bound  coverage  uses if used",
        "1              2          2    31.2   25.0     3.20%          1.00",
        "2              5          5    12.5   12.5     6.70%          1.19",
        "3              7          7    8.93   8.33     8.30%          1.35",
        "4             10         10    6.25   6.25     9.90%          1.62",
        "",
        "The first batch comes after 92 inputs.",
        "Up to 324 examples wait at a time.",
        "The class that is scarcest for what is asked of it: bug.",
        "- class bug gives 10 examples; the 62 batches of a pass without a target would take 248: repeats would be 25",
        "- class bug gives 1 in 100: at repeats=2 a batch of 16 needs 200 inputs",
    ]


def test_many_classes_are_shown_by_their_ends_and_the_rest_summed():
    """The ten most frequent, the ten rarest, and one line that adds up the others."""
    seen = foretold(labels_of(range(30, 5, -1)))

    first, between, last = ends(seen)
    table = next(part for part in parts(seen) if isinstance(part, Table))

    assert [len(numbers) for numbers in (first, between, last)] == [10, 5, 10]
    assert sorted(first + between + last) == list(range(25))
    assert [row[0] for row in table.rows] == [*map(str, range(10)), "(5 more)", *map(str, range(15, 25))]
    assert table.rows[10][1] == str(20 + 19 + 18 + 17 + 16)
    assert table.rows[10][3] == "20.00%"


def test_twenty_classes_are_all_shown():
    """As many as `penstock peek` shows."""
    assert ends(foretold(labels_of([3] * 20)))[1:] == ([], [])


def test_a_terminal_shows_the_same_words():
    """By rich; a label that looks like its markup is only text."""
    rich_console = pytest.importorskip("rich.console")
    seen = foretold(labels_of([90, 10], ["[red]fine[/red]", "bug"]))
    out = io.StringIO()

    show(
        parts(seen), rich_console.Console(file=out, width=120, force_terminal=True, color_system=None, highlight=False)
    )

    words = " ".join(plain(parts(seen))).split()
    shown = out.getvalue().split()
    assert [word for word in words if word not in shown] == []
