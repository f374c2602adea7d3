"""A forecast's picture: whatever the classes, all that is written can be read."""

from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("matplotlib")

from forecast.files import foretold, labels_of
from penstock.errors import PipelineError
from penstock.forecast.outlook import Forecast
from penstock.forecast.picture import check_path, draw, figure_of

ZIPF = (4000 / np.arange(1, 1001)).astype(int)
CASES: dict[str, Callable[[], Forecast]] = {
    "two classes": lambda: foretold(labels_of([19_600, 400])),
    "two classes, one of them hardly there": lambda: foretold(labels_of([20_000, 2]), repeats=64),
    "ten classes": lambda: foretold(labels_of(ZIPF[:10]), "temperature:0.3", repeats=8),
    "a thousand classes": lambda: foretold(labels_of(ZIPF, [f"species_{n:04}" for n in range(1000)]), batch_size=256),
    "long labels": lambda: foretold(labels_of([900, 100, 3], ["W" * 40, "$x^2$", "a\nb"]), repeats=2),
    "no batch": lambda: foretold(labels_of([100, 2])),
    "a class without a target": lambda: foretold(labels_of([5000, 3000, 2000]), "0:0.7,1:0.3"),
    "one class": lambda: foretold(labels_of([1000])),
    "nothing to do": lambda: foretold(labels_of([500] * 4), "natural", repeats=1),
    "many repeats": lambda: foretold(labels_of([900, 1]), repeats=1 << 16, batch_size=1024),
    "a long target": lambda: foretold(
        labels_of([10] * 30), ",".join(f"{n}:1/30" for n in range(30)), batch_size=1_000_000, repeats=1000
    ),
}


def texts(figure: Any) -> dict[Any, Any]:
    """What is written, with the box that it takes; matplotlib keeps ticks beyond an axis, but does not draw them."""
    figure.canvas.draw()
    renderer = figure.canvas.get_renderer()
    found = figure.findobj(lambda artist: hasattr(artist, "get_text") and artist.get_visible() and artist.get_text())
    beyond = set()
    for axis in [axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)]:
        low, high = sorted(axis.get_view_interval())
        ticks = [*axis.get_major_ticks(), *axis.get_minor_ticks()]
        beyond |= {label for tick in ticks if not low <= tick.get_loc() <= high for label in (tick.label1, tick.label2)}
    return {text: text.get_window_extent(renderer) for text in found if text not in beyond}


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_nothing_that_is_written_is_cut_off_or_written_over(case: str):
    """Every text lies within the picture, and no two of them overlap."""
    figure = figure_of(CASES[case]())
    shown = texts(figure)
    width, height = figure.bbox.width, figure.bbox.height

    outside = [
        text.get_text() for text, box in shown.items() if box.x0 < 0 or box.y0 < 0 or box.x1 > width or box.y1 > height
    ]
    over = [
        (one.get_text(), other.get_text())
        for (one, box), (other, its) in combinations(shown.items(), 2)
        if min(box.x1, its.x1) - max(box.x0, its.x0) > 1 and min(box.y1, its.y1) - max(box.y0, its.y0) > 1
    ]

    assert len(shown) > 10
    assert outside == []
    assert over == []


@pytest.mark.slow
def test_it_shows_every_number_that_it_is_drawn_for():
    """Each class with its examples and uses, and each number of repeats."""
    seen = CASES["two classes"]()

    written = {text.get_text() for text in texts(figure_of(seen))}

    assert {"0", "1", "19,600", "400", "0.0816", "4.00", "2", "4"} <= written
    assert "20,000 examples, target uniform, batches of 64, repeats=4" in written
    assert (
        "One pass gives 50 batches: 6.25 examples read for each that is delivered; 10.00% of the examples are used"
        in [text.removesuffix(" at least once.") for text in written]
    )


@pytest.mark.slow
@pytest.mark.parametrize(("name", "begins"), [("plan.png", b"\x89PNG\r\n\x1a\n"), ("plan.svg", b"<?xml")])
def test_the_ending_says_in_which_format(name: str, begins: bytes, tmp_path: Path):
    """A picture for a page, too."""
    check_path(tmp_path / name)
    draw(tmp_path / name, CASES["one class"]())

    assert (tmp_path / name).read_bytes().startswith(begins)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("picture.doc", "expected a picture's ending, such as `.png` or `.svg`, got `picture.doc` - at --png"),
        ("nowhere/picture.png", "expected a folder that exists, got `{}/nowhere` - at --png"),
        ("folder.png", "expected a file to write, got the folder `{}/folder.png` - at --png"),
    ],
)
def test_a_picture_that_cannot_be_written_is_said_at_once(name: str, message: str, tmp_path: Path):
    """Not after a long file was read."""
    (tmp_path / "folder.png").mkdir()

    with pytest.raises(PipelineError) as raised:
        check_path(tmp_path / name)

    assert str(raised.value) == message.format(tmp_path)
