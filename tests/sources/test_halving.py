from hypothesis import given
from hypothesis import strategies as st

from penstock.sources.halving import rows_before


@given(st.integers(1, 1000), st.integers(0, 1000))
def test_the_rows_before_the_first_bad_one_are_found(count: int, bad: int):
    """Wherever it is, and also where there is none."""
    asked: list[int] = []

    def fits(n: int) -> bool:
        asked.append(n)
        return n <= bad

    found = rows_before(count, fits)

    assert found == min(count, bad)
    assert len(asked) <= 2 + count.bit_length()
