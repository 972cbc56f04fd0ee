"""Shape strings."""

from __future__ import annotations

import pytest

from gradcheck.dimensions import parse_shape, shape_of
from gradcheck.errors import UsageError


@pytest.mark.parametrize(
    ("text", "sizes", "expected"),
    [
        ("", {}, ()),
        ("3", {}, (3,)),
        ("batch features", {"batch": 2, "features": 5}, (2, 5)),
        ("batch, features", {"batch": 2, "features": 5}, (2, 5)),
        ("batch 4*units", {"batch": 2, "units": 3}, (2, 12)),
        ("length - 2", {"length": 5}, (3,)),
        ("length - 2 channels", {"length": 5, "channels": 7}, (3, 7)),
        ("(a + b) c", {"a": 1, "b": 2, "c": 4}, (3, 4)),
        ("a (b+1)", {"a": 1, "b": 2}, (1, 3)),
        ("n // 2", {"n": 5}, (2,)),
        ("n - 2", {"n": 1}, (-1,)),
    ],
)
def test_sizes(text, sizes, expected):
    assert parse_shape(text).sizes(sizes) == expected


def test_leading_axes_come_first():
    assert parse_shape("... n").sizes({"n": 3}, (2, 1)) == (2, 1, 3)
    assert parse_shape("...").sizes({}, (4,)) == (4,)


def test_names_are_in_order_and_once():
    assert parse_shape("b 4*u b u-1").names == ("b", "u")


@pytest.mark.parametrize("given", ["batch 3", ("batch", 3), ["batch", "3"]])
def test_sequences_are_shapes(given):
    assert shape_of(given).sizes({"batch": 2}) == (2, 3)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("batch ? features", "'?"),
        ("* n", "starts with"),
        ("n ...", "'...' may only stand first"),
        ("n +", "integer expression"),
        ("(n", "integer expression"),
        ("n)", "integer expression"),
        ("2.5", "cannot read"),
    ],
)
def test_a_shape_that_does_not_parse_is_named(text, said):
    with pytest.raises(UsageError) as error:
        parse_shape(text).sizes({"n": 1})
    assert repr(text) in str(error.value) or said in str(error.value)
