"""What the recurrent layers share: time first, order, masks, and the cotangent of every state."""

import numpy as np

from reference.shapes import expect_shape, float_type, zeros_and_ones


def in_order(x, mask, go_backwards):
    """Steps x (time, batch, features) and keep (time, batch, 1) in the order of processing.

    A step that is left out is read as zeros: it may hold anything.
    """
    order = slice(None, None, -1 if go_backwards else 1)
    steps = x.swapaxes(0, 1)[order]
    if mask is None:
        return steps, np.ones((*steps.shape[:2], 1), bool)
    zeros_and_ones("mask", mask)
    keep = mask.astype(bool).T[order, :, None]
    return np.where(keep, steps, 0), keep


def initial(state, x, U):
    """The given state, or zeros (batch, units)."""
    return np.zeros((len(x), len(U)), x.dtype) if state is None else state


def empty_states(xs, W, U, b):
    """An array for the states h_0 .. h_T of the steps xs; integers give states in float64."""
    return np.empty((len(xs) + 1, xs.shape[1], len(U)), float_type(xs, W, U, b))


def outputs(h, return_sequences):
    """What a layer returns of its states h_0 .. h_T: all but the first, or the last."""
    return h[1:].swapaxes(0, 1).copy() if return_sequences else h[-1].copy()


def state_cotangents(cotangent, h, return_sequences):
    """The cotangent of each of h_0 .. h_T, from that of `outputs(h, return_sequences)`."""
    states, batch, units = h.shape
    times = (states - 1,) if return_sequences else ()
    expect_shape("cotangent", cotangent, (batch, *times, units))
    g = np.zeros_like(h)
    if return_sequences:
        g[1:] = cotangent.swapaxes(0, 1)
    else:
        g[-1] = cotangent
    return g


def input_gradient(dx, go_backwards):
    """(batch, time, features) in the order of the input, from time first and as processed."""
    return dx[:: -1 if go_backwards else 1].swapaxes(0, 1).copy()


def by_gate(z, count):
    """(batch, count units) as so many parts (batch, units), one for each gate."""
    return z.reshape(len(z), count, z.shape[1] // count).swapaxes(0, 1)
