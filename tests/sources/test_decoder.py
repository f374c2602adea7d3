import pytest

from penstock.errors import SourceError
from penstock.sources.decoder import BLOCK_BYTES, BLOCK_ROWS, Decoder, pieces, rows_in
from penstock.sources.lasting import Lasting
from penstock.sources.leaves import Plan
from penstock.sources.nulls import Nulls

pa = pytest.importorskip("pyarrow")


def test_rows_are_handled_in_powers_of_two():
    """So that most batches lie within a run of rows."""
    assert rows_in(8, 1) == BLOCK_ROWS
    assert rows_in(0, 0) == BLOCK_ROWS or rows_in(0, 0) == 1
    assert rows_in(1000 * 3000, 1000) == 1024
    assert rows_in(10 * BLOCK_BYTES, 1) == 1


def test_a_large_batch_is_cut_into_pieces_that_share_its_memory():
    """A record batch may be the whole file."""
    batch = pa.record_batch({"c": range(3 * BLOCK_ROWS + 1)})

    found = list(pieces(batch))

    assert [(start, piece.num_rows) for start, piece in found] == [
        (0, BLOCK_ROWS),
        (BLOCK_ROWS, BLOCK_ROWS),
        (2 * BLOCK_ROWS, BLOCK_ROWS),
        (3 * BLOCK_ROWS, 1),
    ]
    assert found[1][1].column(0).buffers()[1].address == batch.column(0).buffers()[1].address


def test_a_part_of_a_large_table_is_not_cut_as_if_it_were_the_whole():
    """A slice has few bytes of its own, though it holds all."""
    batch = pa.record_batch({"c": range(100 * BLOCK_ROWS)}).slice(5, 100)

    assert [piece.num_rows for _, piece in pieces(batch)] == [100]


@pytest.mark.parametrize("kind", ["string", "string_view"])
def test_text_that_is_not_utf_8_is_an_error_behind_the_examples_before_it(kind: str):
    """It names column and row."""
    raw = pa.array([b"a", b"b", b"\xff", b"d"], pa.type_for_alias(kind.replace("string", "binary")))
    bad = pa.Array.from_buffers(pa.type_for_alias(kind), 4, raw.buffers())
    batch = pa.record_batch({"n": [1, 2, 3, 4], "c": bad})
    plan = Plan(batch.schema, ["n", "c"], where="'f'")
    blocks = Lasting(Decoder(plan, Nulls("error", at=""), where="'f'", do="").blocks(batch, range(10, 14)))

    first = next(blocks)
    with pytest.raises(SourceError) as caught:
        next(blocks)

    assert first == [{"n": 1, "c": "a"}, {"n": 2, "c": "b"}]
    assert str(caught.value) == "expected text in UTF-8, got other bytes - at column `c`, row 12 of 'f'"
