"""Arrays of shape (batch, channels, ...): what layers with one parameter a channel share."""

from reference.shapes import expect


def expect_channels(x, **vectors):
    """Check that x has a channel axis, and each vector one entry a channel."""
    expect(x=(x, "..."))
    if x.ndim < 2:
        raise ValueError(f"x has shape {x.shape}: (batch, channels, ...) is needed")
    expect(**{name: (vector, "channels") for name, vector in vectors.items()})
    for name, vector in vectors.items():
        if len(vector) != x.shape[1]:
            raise ValueError(
                f"{name} has shape {vector.shape} and x has shape {x.shape}: "
                f"`channels` cannot be both {len(vector)} and {x.shape[1]}"
            )


def per_channel(vector, x):
    """The vector as a view that multiplies x's channel axis."""
    return vector.reshape(len(vector), *(1,) * (x.ndim - 2))


def other_axes(x):
    """Every axis but that of the channels."""
    return (0, *range(2, x.ndim))
