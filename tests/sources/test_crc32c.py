"""The checksum: known answers, and native and twin agree to the bit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.sources import crc32c, kernels

BOTH = [crc32c.masked_crc32c, kernels.masked_crc32c]


def unmasked(masked: int) -> int:
    rotated = (masked - crc32c.MASK_DELTA) & 0xFFFFFFFF
    return (rotated >> 17 | rotated << 15) & 0xFFFFFFFF


@pytest.mark.parametrize("checksum", BOTH, ids=["twin", "as used"])
@pytest.mark.parametrize(
    ("data", "crc"),
    [
        (b"", 0),
        (b"123456789", 0xE3069283),
        (bytes(32), 0x8A9136AA),
        (b"\xff" * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
        (bytes(range(31, -1, -1)), 0x113FDB5C),
    ],
)
def test_the_checksums_are_those_of_the_standard(checksum, data: bytes, crc: int):
    """The check value of the polynomial, and the examples of RFC 3720, appendix B.4."""
    assert unmasked(checksum(data)) == crc


@given(st.binary(max_size=300))
def test_native_and_twin_agree(data: bytes):
    """Whatever the length, the eight tables do what the one does."""
    assert kernels.masked_crc32c(data) == crc32c.masked_crc32c(data)
