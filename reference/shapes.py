"""Shape checks that name the argument and both shapes: nothing broadcasts in silence."""

import numpy as np


def expect(**arguments):
    """Check arrays against shapes with named dimensions; return the sizes by name.

    Each argument is a pair (array, shape): `x=(x, "batch features")`. A number stands for
    itself, `...` for any leading dimensions; None in place of an array is skipped. A name means
    the same size everywhere, the first argument that has it decides.

    Raises ValueError naming the argument, its shape, the dimension at fault, and the argument
    and shape that say otherwise.
    """
    sizes, origins = {}, {}
    for name, (array, shape) in arguments.items():
        if array is not None:
            _bind(name, np.shape(array), shape.split(), sizes, origins)
    return sizes


def _bind(name, actual, wanted, sizes, origins):
    tail = actual
    if wanted[:1] == ["..."]:
        wanted = wanted[1:]
        lead = len(actual) - len(wanted)
        if lead < 0:
            raise ValueError(f"{name} has shape {actual}: at least {_words(wanted)} is needed")
        _bind_one(name, actual, "...", actual[:lead], sizes, origins)
        tail = actual[lead:]
    if len(tail) != len(wanted):
        raise ValueError(f"{name} has shape {actual}: {_words(wanted)} is needed{_seen(origins)}")
    for word, size in zip(wanted, tail, strict=True):
        _bind_one(name, actual, word, size, sizes, origins)


def _bind_one(name, actual, word, size, sizes, origins):
    if word.isdigit() and size != int(word):
        raise ValueError(f"{name} has shape {actual}: a dimension is {size}, not {word}")
    if not word.isdigit() and sizes.setdefault(word, size) != size:
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
    other = mask[(mask != 0) & (mask != 1)]
    if other.size:
        raise ValueError(f"{name} holds {other.flat[0]}: only 0 and 1 are a mask")


def indices_below(name, indices, size):
    """Raise ValueError for an index outside [0, size); negative ones do not count from the end."""
    indices = np.asarray(indices)
    if not np.issubdtype(indices.dtype, np.integer):
        raise ValueError(f"{name} has dtype {indices.dtype}: integers are needed")
    outside = (indices < 0) | (indices >= size)
    if outside.any():
        raise ValueError(f"{name} holds {indices[outside][0]}: it must lie in [0, {size})")


def multiple_of(name, value, other, divisor):
    """Raise ValueError where one size does not divide another."""
    if divisor < 1 or value % divisor:
        raise ValueError(f"{name} is {value} and {other} is {divisor}: {other} must divide {name}")


def expect_shape(name, array, shape, of="the output"):
    """Raise ValueError where an array has not the shape that the inputs give."""
    if np.shape(array) != tuple(shape):
        raise ValueError(f"{name} has shape {np.shape(array)} and {of} has shape {tuple(shape)}")
