"""Random numbers by their place: those that were published, and fair."""

from collections import Counter

from penstock.sampling.splitmix import coin, swaps


def test_coins_are_those_of_splitmix64():
    """The first numbers of seed 1234567, as Vigna's C program prints them."""
    published = [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]

    assert [coin(1234567, number) for number in range(5)] == published


def test_a_shuffle_is_fair():
    """Six orders of three things, 1,000 times each by expectation: five sigma are 5 * sqrt(6000 * 5 / 36) = 145."""
    seen: Counter[str] = Counter()
    for number in range(6000):
        things = list("abc")
        for one, other in swaps(7, number, 3):
            things[one], things[other] = things[other], things[one]
        seen["".join(things)] += 1

    assert len(seen) == 6
    assert all(abs(count - 1000) < 145 for count in seen.values())


def test_nothing_and_one_thing_are_in_order():
    """There is nothing to swap."""
    assert [list(swaps(0, 0, n)) for n in (0, 1)] == [[], []]
