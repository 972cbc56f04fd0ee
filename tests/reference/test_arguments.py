"""A wrong argument of any layer or loss gives one line of ours, and nothing broadcasts."""

import numpy as np
import pytest

from tests.reference.every_case import CASES, cotangent_of, shapes_of
from tests.reference.layers.pairing import as_tuple

OF_NUMPY = ("broadcast", "operand", "matmul", "unpack", "subscript", "np.int64", "must match exact")
OPTIONAL = ("mask", "weights", "h0", "c0")


def raised(function, *args, **arrays):
    """The message of the ValueError that the call raises, "" where it raises nothing."""
    try:
        function(*args, **arrays)
    except ValueError as error:
        message = str(error)
        assert "\n" not in message
        assert not any(word in message for word in OF_NUMPY), message
        return message
    return ""


def other_shapes(array):
    """The array with one axis more, one less, or another size along one axis."""
    yield array[..., None]
    for axis in range(array.ndim):
        first = array.take([0], axis)
        yield np.concatenate([array, first], axis)
        yield array.take(0, axis)
        if array.shape[axis] != 1:
            yield first


def kinds(array):
    """What is no array of real numbers, and what the message says of it."""
    yield [array.tolist()], "is a list"
    yield array.astype(complex), "complex128"
    yield np.full(array.shape, "1"), "dtype"
    yield None, "is a NoneType"


@pytest.mark.parametrize("name", CASES)
def test_an_array_of_another_shape_fits_or_is_refused(name):
    """Where forward takes it, vjp takes the old cotangent only if it still has y's shape."""
    forward, vjp, inputs = CASES[name]
    outputs = forward(**inputs)
    cotangent, shapes = cotangent_of(outputs), shapes_of(outputs)
    for key, array in inputs.items():
        for other in other_shapes(array):
            changed = inputs | {key: other}
            fits = not raised(forward, **changed) and shapes_of(forward(**changed)) == shapes
            refused = raised(vjp, cotangent, **changed)
            assert fits == (not refused), (key, other.shape, refused)


@pytest.mark.parametrize("name", CASES)
def test_a_cotangent_of_another_shape_is_refused(name):
    forward, vjp, inputs = CASES[name]
    cotangent = cotangent_of(forward(**inputs))
    parts = as_tuple(cotangent)
    for place, part in enumerate(parts):
        for other in other_shapes(part) if part is not None else ():
            changed = (*parts[:place], other, *parts[place + 1 :])
            given = changed if isinstance(cotangent, tuple) else other
            assert "cotangent" in raised(vjp, given, **inputs), (place, other.shape)


@pytest.mark.parametrize("name", CASES)
def test_what_is_no_array_of_real_numbers_is_named(name):
    forward, vjp, inputs = CASES[name]
    cotangent = cotangent_of(forward(**inputs))
    for key, array in inputs.items():
        named = "x" if name == "shared" and key.startswith("x") else key  # the layer's own word
        for wrong, words in kinds(array):
            if wrong is None and key in OPTIONAL:
                continue
            given = inputs | {key: wrong}
            for message in (raised(forward, **given), raised(vjp, cotangent, **given)):
                assert message.startswith(named), (key, words, message)
                assert words in message


@pytest.mark.parametrize("name", CASES)
def test_what_is_no_cotangent_is_named(name):
    forward, vjp, inputs = CASES[name]
    cotangent = cotangent_of(forward(**inputs))
    if isinstance(cotangent, tuple):
        wrong = [cotangent[0], cotangent[:-1], (*cotangent, cotangent[0]), np.zeros((2, 2)), None]
    else:
        wrong = [one for one, _ in kinds(cotangent)] + [(cotangent,)]
    for one in wrong:
        assert raised(vjp, one, **inputs).startswith("cotangent"), one
