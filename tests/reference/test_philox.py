"""Philox 4x32-10 against its published vectors, and the streams TensorFlow draws from it."""

import random

import numpy as np
import pytest

from reference import philox

# Random123's known answers for philox4x32-10: (counter, key, result).
ONES = 0xFFFFFFFF
KNOWN = [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((ONES,) * 4, (ONES,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]


@pytest.mark.parametrize(("counter", "key", "expected"), KNOWN)
def test_known_answers(counter, key, expected):
    assert philox.philox(counter, key) == expected


def test_draws_may_be_taken_in_pieces():
    whole = philox.uniform_integers(0, 1999, 42, 40)
    np.testing.assert_array_equal(whole[25:], philox.uniform_integers(0, 1999, 42, 15, skip=25))
    assert whole.min() >= 0
    assert whole.max() < 1999


def test_unit_floats_cover_the_unit_interval():
    bits = np.array([0, 0x7FFFFF, 0x800000], dtype=np.uint32)
    np.testing.assert_array_equal(philox.unit_floats(bits), [0, 1 - 2.0**-23, 0])


def test_glorot_stays_inside_its_limit_and_moves_the_stream():
    stream = random.Random(0)
    first, second = philox.glorot_uniform((50, 40), stream), philox.glorot_uniform((50, 40), stream)
    limit = np.sqrt(6 / 90)
    assert first.dtype == np.float32
    assert np.abs(first).max() <= limit
    assert np.abs(first).max() > 0.99 * limit
    assert not np.array_equal(first, second)
    assert abs(first.mean()) < 3 * limit / np.sqrt(3 * first.size)


def test_bad_arguments():
    with pytest.raises(ValueError, match="low is 3 and high is 3"):
        philox.uniform_integers(3, 3, 42, 1)
    with pytest.raises(ValueError, match="count is -1"):
        philox.uniform_integers(0, 3, 42, -1)
