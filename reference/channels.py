"""Arrays of shape (batch, channels, ...): what layers with one parameter a channel share."""

import numpy as np

from reference.shapes import expect


def expect_channels(x, **vectors):
    """Check that x has a channel axis and each vector one entry a channel (None is skipped)."""
    if np.ndim(x) < 2:
        raise ValueError(f"x has shape {np.shape(x)}: (batch, channels, ...) is needed")
    given = {name: (vector, "channels") for name, vector in vectors.items()}
    sizes = expect(**given)
    if sizes and sizes["channels"] != x.shape[1]:
        name, vector = next((n, v) for n, v in vectors.items() if v is not None)
        raise ValueError(
            f"{name} has shape {vector.shape} and x has shape {x.shape}: "
            f"`channels` cannot be both {vector.shape[0]} and {x.shape[1]}"
        )


def per_channel(vector, x):
    """The vector as a view that multiplies x's channel axis."""
    return vector.reshape(len(vector), *(1,) * (x.ndim - 2))


def other_axes(x):
    """Every axis but that of the channels."""
    return (0, *range(2, x.ndim))
