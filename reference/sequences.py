"""What the recurrent layers share: time first, order, masks, and the cotangent of every state."""

import numpy as np

from reference.shapes import expect, zeros_and_ones


def in_order(x, mask, go_backwards):
    """Steps x (time, batch, features) and keep (time, batch, 1) in the order of processing."""
    order = slice(None, None, -1 if go_backwards else 1)
    if mask is None:
        mask = np.ones(x.shape[:2], bool)
    zeros_and_ones("mask", mask)
    return x.swapaxes(0, 1)[order], np.asarray(mask, bool).T[order, :, None]


def initial(state, x, U):
    """The given state, or zeros (batch, units)."""
    return np.zeros((len(x), len(U)), x.dtype) if state is None else state


def outputs(h, return_sequences):
    """What a layer returns of its states h_0 .. h_T: all but the first, or the last."""
    return h[1:].swapaxes(0, 1).copy() if return_sequences else h[-1].copy()


def state_cotangents(cotangent, h, return_sequences):
    """The cotangent of each of h_0 .. h_T, from that of `outputs(h, return_sequences)`."""
    steps, batch, units = h.shape
    if return_sequences:
        expect(cotangent=(cotangent, f"{batch} {steps - 1} {units}"))
    else:
        expect(cotangent=(cotangent, f"{batch} {units}"))
    g = np.zeros_like(h)
    if return_sequences:
        g[1:] = cotangent.swapaxes(0, 1)
    else:
        g[-1] = cotangent
    return g


def over_steps(a, b):
    """The sum over time and batch of a^T b, rows being samples."""
    return np.tensordot(a, b, ((0, 1), (0, 1)))


def input_gradient(dx, go_backwards):
    """(batch, time, features) in the order of the input, from time first and as processed."""
    return dx[:: -1 if go_backwards else 1].swapaxes(0, 1).copy()
