"""Shape checks that name the argument and both shapes: nothing broadcasts in silence."""

import operator
from functools import cache

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

ARRAYS = np.ndarray, np.generic
NUMBERS = float, int


def expect(**arguments):
    """Check arrays against shapes with named dimensions; return the sizes by name.

    Each argument is a pair (array, shape): `x=(x, "batch features")`. A number stands for
    itself, `...` for any leading dimensions; after a final `?` the argument may be None. A name
    means the same size everywhere, the first argument that has it decides. Where the shape is (),
    Python's own numbers will do.

    Raises ValueError naming the argument, its shape, the dimension at fault, and the argument
    and shape that say otherwise; or what the argument is, where it is no array of real numbers.
    """
    kinds = [
        (shape, type(array), getattr(array, "shape", None), getattr(array, "dtype", None))
        for array, shape in arguments.values()
    ]
    key = (*arguments, *kinds)
    sizes = _AGREED.get(key)
    if sizes is None:
        if len(_AGREED) >= AGREED:
            _AGREED.clear()
        sizes = _AGREED[key] = _bound(arguments)
    return sizes.copy()


# Sizes by what was asked before: layers that loop over small arrays ask the same for ever.
AGREED = 1024
_AGREED = {}


def _bound(arguments):
    sizes, origins = {}, {}
    for name, (array, shape) in arguments.items():
        words, leading, optional = _parsed(shape)
        if array is None and optional:
            continue
        if shape or not isinstance(array, NUMBERS):
            real_numbers(name, array)
        actual = np.shape(array)
        tail = actual[len(actual) - len(words) :] if leading else actual
        if len(tail) != len(words):
            least = "at least " if leading else ""
            seen = "" if leading else _seen(origins)
            raise ValueError(f"{name} has shape {actual}: {least}{_words(words)} is needed{seen}")
        if leading:
            _bind(name, actual, "...", actual[: len(actual) - len(words)], sizes, origins)
        for word, size in zip(words, tail, strict=True):
            _bind(name, actual, word, size, sizes, origins)
    return sizes


@cache
def _parsed(shape):
    """The words of a shape, whether any leading dimensions may come first, and `?`."""
    words = tuple(shape.removesuffix("?").split())
    leading = words[:1] == ("...",)
    return words[leading:], leading, shape.endswith("?")


def real_numbers(name, array):
    """Raise ValueError for anything but an array, or NumPy scalar, of real numbers or truths."""
    if not isinstance(array, ARRAYS):
        raise ValueError(f"{name} is a {type(array).__name__}: a NumPy array is needed")
    if array.dtype.kind not in "fiub":
        raise ValueError(f"{name} has dtype {array.dtype}: real numbers are needed")


def _bind(name, actual, word, size, sizes, origins):
    if word.isdigit():
        if size != int(word):
            raise ValueError(f"{name} has shape {actual}: a dimension is {size}, not {word}")
    elif sizes.setdefault(word, size) != size:
        other, shape = origins[word]
        dimension = "leading dimensions" if word == "..." else f"`{word}`"
        raise ValueError(
            f"{name} has shape {actual} and {other} has shape {shape}: "
            f"{dimension} cannot be both {size} and {sizes[word]}"
        )
    origins.setdefault(word, (name, actual))


def _words(wanted):
    return "(" + ", ".join(wanted) + ("," if len(wanted) == 1 else "") + ")"


def _seen(origins):
    shapes = dict(origins.values())
    return "".join(f"; {name} has shape {shape}" for name, shape in shapes.items())


def some_elements(name, array):
    """Raise ValueError where a mean would be taken over nothing."""
    if np.size(array) == 0:
        raise ValueError(f"{name} has shape {np.shape(array)}: the mean of nothing is undefined")


def float_type(*arrays):
    """The dtype that the arrays share, float64 where they hold integers only."""
    shared = np.result_type(*arrays)
    return shared if shared.kind == "f" else np.dtype(float)


def floating(x):
    """The array as it is, or in float64 where it holds integers: differences of those wrap."""
    return np.asarray(x, float_type(x))


def pieces(name, value, count):
    """The parts of a tuple of so many arrays; ValueError for anything else, one array included."""
    if not isinstance(value, tuple | list):
        raise ValueError(f"{name} is a {type(value).__name__}: a tuple of {count} arrays is needed")
    if len(value) != count:
        raise ValueError(f"{name} holds {len(value)} arrays: {count} are needed")
    return value


def without(shape, axis):
    """The shape that is left when one axis has been summed over."""
    (axis,) = normalize_axis_tuple(axis, len(shape), "axis")
    return shape[:axis] + shape[axis + 1 :]


def whole(name, value, low):
    """The option as an int; ValueError where it is no integer or below the smallest it can be."""
    try:
        number = operator.index(value)
    except TypeError:
        raise ValueError(f"{name} is {value!r}: an integer is needed") from None
    at_least(name, number, low)
    return number


def at_least(name, value, low):
    """Raise ValueError where an option is below the smallest value it can take."""
    if not value >= low:
        raise ValueError(f"{name} is {value}: it must be at least {low}")


def in_range(name, value, low, high):
    """Raise ValueError where an option is outside the closed interval [low, high]."""
    if not low <= value <= high:
        raise ValueError(f"{name} is {value}: it must lie between {low} and {high}")


def one_of(name, value, choices):
    """Raise ValueError where an option is none of the known words."""
    if value not in choices:
        raise ValueError(f"{name} is {value!r}: it must be one of {', '.join(map(repr, choices))}")


def positive(name, value):
    """Raise ValueError where an option must be above zero and is not."""
    if not value > 0:
        raise ValueError(f"{name} is {value}: it must be positive")


def zeros_and_ones(name, mask):
    """Raise ValueError where a mask holds anything but False and True, or 0 and 1."""
    mask = np.asarray(mask)
    if mask.dtype == bool:
        return
    other = mask[(mask != 0) & (mask != 1)]
    if other.size:
        raise ValueError(f"{name} holds {other.flat[0]}: only 0 and 1 are a mask")


def indices_below(name, indices, size):
    """Raise ValueError for an index outside [0, size); negative ones do not count from the end."""
    integers(name, indices)
    outside = (indices < 0) | (indices >= size)
    if outside.any():
        raise ValueError(f"{name} holds {indices[outside][0]}: it must lie in [0, {size})")


def lapack(**arrays):
    """Raise ValueError for arrays of float16: LAPACK has none."""
    for name, array in arrays.items():
        if array.dtype == np.float16:
            raise ValueError(f"{name} has dtype float16: LAPACK has float32 and float64")


def integers(name, array):
    """Raise ValueError for an array of anything but integers."""
    real_numbers(name, array)
    if array.dtype.kind not in "iu":
        raise ValueError(f"{name} has dtype {array.dtype}: integers are needed")


def multiple_of(name, value, other, divisor):
    """Raise ValueError where one size does not divide another."""
    if whole(other, divisor, 1) and value % divisor:
        raise ValueError(f"{name} is {value} and {other} is {divisor}: {other} must divide {name}")


def expect_shape(name, array, shape, of="the output"):
    """Raise ValueError where an array has not the shape that the inputs give."""
    if shape or not isinstance(array, NUMBERS):
        real_numbers(name, array)
    if np.shape(array) != tuple(shape):
        raise ValueError(f"{name} has shape {np.shape(array)} and {of} has shape {tuple(shape)}")
