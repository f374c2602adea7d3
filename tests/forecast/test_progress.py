"""How far long work has got."""

import io

import pytest

from penstock.forecast import progress


@pytest.mark.parametrize(("total", "of"), [(2_500_000, " of 2,500,000"), (None, "")])
def test_a_line_is_written_for_each_million(total: int | None, of: str):
    """However it is cut; with the total where it is known."""
    out = io.StringIO()

    with progress.lines("reading labels", total, out) as advance:
        for _ in range(5):
            advance(500_000)

    assert out.getvalue().splitlines() == [
        f"penstock: reading labels: 1,000,000{of} examples",
        f"penstock: reading labels: 2,000,000{of} examples",
    ]


def test_quick_work_shows_nothing(capsys: pytest.CaptureFixture[str]):
    """The standard error is no terminal here."""
    with progress.bar_or_lines("reading labels", None) as advance:
        advance(999_999)

    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("total", [10, None])
def test_a_bar_goes_away_at_the_end(total: int | None, monkeypatch: pytest.MonkeyPatch):
    """On a terminal; what follows begins on a clean line."""
    pytest.importorskip("rich")
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)

    with progress.bar_or_lines("reading labels", total) as advance:
        advance(10)

    assert "reading labels" in terminal.getvalue()
    assert terminal.getvalue().rstrip().endswith("\x1b[2K")


class Terminal(io.StringIO):
    """A file that says it is a terminal."""

    def isatty(self) -> bool:
        return True
