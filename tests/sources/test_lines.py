import gzip
from pathlib import Path

import pytest

from penstock.sources.lines import opened, parts


@pytest.mark.parametrize("name", ["a.txt", "a.txt.gz"])
def test_a_file_comes_in_parts_of_the_same_size(name: str):
    """Where a part ends must not depend on how a system or a decompressor hands out bytes."""
    data = bytes(range(256)) * 1000
    Path(name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)

    with opened(name) as file:
        found = list(parts(file, 100_000))

    assert [len(part) for part in found] == [100_000, 100_000, 56_000]
    assert b"".join(found) == data


def test_what_could_be_read_comes_before_the_error():
    """Half a file is half a file's examples, then an error."""
    import random

    data = random.Random(0).randbytes(300_000)
    Path("a.gz").write_bytes(gzip.compress(data)[:200_000])
    found: list[bytes] = []

    with opened("a.gz") as file, pytest.raises(EOFError):
        found.extend(parts(file, 65_536))

    read = b"".join(found)
    assert len(read) > 150_000
    assert data.startswith(read)
