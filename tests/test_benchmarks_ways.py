"""The ways to change class proportions are measured rightly: what is called exact is, and what is not is not."""

from dataclasses import replace
from itertools import islice

import numpy as np
import pytest

pytest.importorskip("psutil")

from benchmarks import proportions, rivals, workloads
from benchmarks.delivered import delivered, least_off, least_read, off_target
from benchmarks.recorded import recorded
from benchmarks.samplers import SAMPLERS
from benchmarks.stream import Stream

EXAMPLES = 8192
STEADY = workloads.skewed(EXAMPLES)
# What a package brings takes its time to be imported.
WAYS = [
    pytest.param(sampler, id=sampler.key, marks=[pytest.mark.slow] if sampler.packages else [])
    for sampler in SAMPLERS
    if sampler.installed
]


@pytest.fixture(params=WAYS, scope="module")
def way(request):
    return request.param


@pytest.fixture(scope="module")
def steady(way):
    return delivered(way.module, way.setting, STEADY)


def test_each_way_gives_the_same_on_every_run(way, steady):
    """So what is quoted of it is a matter of the data, and of nothing else."""
    again = delivered(way.module, way.setting, STEADY)

    assert again == steady


def test_each_way_comes_near_equal_shares(way, steady):
    """At least 10 batches of 256 by chance: a share is off by 5 sqrt(0.1 * 0.9 / 2560), 3 %, at most.

    TF1's estimate begins with ten of each class, which shifts the first batches by as much again.
    """
    shares = np.sum(steady.counts, axis=0) / steady.examples

    assert len(steady.counts) >= 10
    assert np.abs(shares - 0.1).max() < 0.06


@pytest.mark.parametrize("repeats", [1, 4])
def test_what_is_said_to_be_the_least_is_not_beaten(repeats):
    """On a stream without drift the quota ring comes within one batch of it, and not below."""
    given = delivered("ours", {"repeats": repeats}, STEADY)
    least = least_read(STEADY.arrays[1], repeats)

    assert least <= given.inputs_per_output <= EXAMPLES / (EXAMPLES / least - 2 * 256)


@pytest.mark.parametrize("drift", [False, True])
@pytest.mark.parametrize("repeats", [1, 4])
def test_the_quota_ring_is_as_near_as_whole_examples_can_be(repeats, drift):
    """In every batch, with drift and without; nothing is decoded that is not given."""
    given = delivered("ours", {"repeats": repeats}, workloads.skewed(EXAMPLES, drift=drift))

    assert given.off == pytest.approx(least_off(256))
    assert given.most == repeats
    assert given.decodes_per_output == 1


def test_a_batch_of_one_class_is_wholly_wrong_but_for_its_share():
    """Total variation: of ten classes asked for alike, a tenth is right."""
    off = off_target([[256, *[0] * 9], [26, 26, 26, 26, 26, 26, 25, 25, 25, 25]])

    assert off == pytest.approx([0.9, least_off(256)])


def test_the_rarest_class_says_how_much_must_be_read():
    """Of 40 examples 2 are of the rarest class, so 20 can be given, or 80 where each is given four times."""
    labels = np.repeat(np.arange(10), [2, 4, 4, 4, 4, 4, 4, 4, 5, 5])

    assert least_read(labels, 1) == 2
    assert least_read(labels, 4) == 0.5


def test_the_shares_are_reversed_half_way():
    """The first half is the stream without drift."""
    steady, drift = (workloads.skewed(EXAMPLES, drift=drift).arrays[1] for drift in (False, True))
    half = EXAMPLES // 2

    assert np.array_equal(steady[:half], drift[:half])
    assert np.array_equal(steady[half:], 9 - drift[half:])


def test_what_rejection_gives_is_not_called_exact():
    """What is timed as exact is checked to be; rejection's batches fail that check, though their contents are right."""
    workload = workloads.skewed_chunk(16384)

    with pytest.raises(AssertionError, match="batch 0 is not within one of its shares"):
        proportions.check(workload, rivals.rejection(workload, Stream(workload).accepted))


def test_what_the_quota_ring_gives_is_exact():
    """And every example is the source's own, in single examples and in chunks."""
    for workload in (workloads.skewed(16384), workloads.skewed_chunk(16384)):
        assert proportions.check(workload, proportions.feed(workload)) > 16384 * 0.3


def test_batches_that_are_exact_one_by_one_are_not_yet_so_together():
    """Each class may have one example more than in another batch, but not the same class every time."""
    workload = workloads.skewed(16384)
    first = next(iter(proportions.feed(workload)))
    unlimited = replace(workload, examples=16384 * 16384)

    with pytest.raises(AssertionError, match=r"^[23] batches are not within one of their shares"):
        proportions.check(unlimited, [first] * 4)


def test_rejection_by_hand_gives_the_stream_in_its_order():
    """The rival of W6 does what it is said to do: whole batches of what a coin keeps, by class."""
    workload = workloads.skewed_chunk(65536)
    numbers = [workload.match(workload, batch) for batch in rivals.rejection(workload, Stream(workload).accepted)]
    every = np.concatenate(numbers)

    assert {len(batch) for batch in numbers} == {256}
    assert (np.diff(every) > 0).all()
    # 65,536 inputs of which 0.3414 are kept: five sigma of the binomial is 607, and a batch may be missing.
    assert abs(len(every) - 0.3414 * 65536) < 607 + 256


def test_reads_and_decodes_are_counted_as_they_happen():
    """What is not asked for is not counted."""
    stream = Stream(workloads.skewed(1024))

    for example in islice(stream.open(), 100):
        stream.decode(example)

    assert (stream.read, stream.decoded) == (100, 100)


def test_the_recorded_figures_are_those_of_tf1():
    """250,000 read, 85,100 given with the shares known, and nothing where it estimated them."""
    known, estimated = recorded()

    assert (known.read, known.examples, estimated.read, estimated.examples) == (250000, 85100, 250000, 0)
    assert known.off == pytest.approx(0.0045, abs=0.0005)
