"""Faults of recurrent layers and of their padding: document 002."""

import numpy as np

from suites.test_recurrent import SUBJECTS
from tests.faults.documented.planted import plant, spoil, subject

RNN, ALL, BACK, STATEFUL, MASKED = (
    subject(SUBJECTS, f"simple rnn{kind}")
    for kind in ("", " sequences", " backwards", " stateful", " masked")
)
LSTM, GRU = subject(SUBJECTS, "lstm"), subject(SUBJECTS, "gru")
BEFORE, GRU_MASKED = subject(SUBJECTS, "gru reset before"), subject(SUBJECTS, "gru masked")


def zero_padded(layer):
    """The layer over steps set to zero, as if that left them out."""

    def forward(x, mask, **weights):
        return layer.forward(x=np.where(mask[..., None], x, 0), **weights)

    return forward


def zero_padded_vjp(layer):
    """The pullback that goes with it."""

    def vjp(right, cotangent, x, mask, **weights):
        gradients = layer.vjp(cotangent, x=np.where(mask[..., None], x, 0), **weights)
        return dict(gradients) | {"x": np.where(mask[..., None], gradients["x"], 0)}

    return vjp


def bias_on_the_output(right, cotangent, **inputs):
    """The bias added to the output, as the answer says, in the gradient only."""
    return dict(right.vjp(cotangent, **inputs)) | {"b": cotangent.sum((0, 1))}


def truncated(right, cotangent, x, W, U, b):
    """Back through the last step only."""
    time = max(x.shape[1], 1)
    before = x[:, : time - 1]
    h0 = right.forward(x=before, W=W, U=U, b=b)
    last = dict(STATEFUL.vjp(cotangent, x=x[:, time - 1 :], W=W, U=U, b=b, h0=h0))
    del last["h0"]
    return last | {"x": np.concatenate([0 * before, last["x"]], axis=1)}


def not_masked(right, cotangent, x, mask, **weights):
    """The padded steps take part in the gradient, not in the forward."""
    return RNN.vjp(cotangent, x=x, **weights)


def gates_in_torch_order(g):
    """Columns i f g o read as i g f o."""
    i, f, c, o = np.split(g, 4, axis=-1)
    return np.concatenate([i, c, f, o], axis=-1)


def reset_first(right, cotangent, x, W, U, b):
    """The pullback of the other form, which has one bias."""
    gradients = dict(BEFORE.vjp(cotangent, x=x, W=W, U=U, b=b.sum(0)))
    return gradients | {"b": np.stack([gradients["b"]] * 2)}


FAULTS = [
    plant("simple rnn: bias on the output", ALL, ("`b`", "stays the same"), vjp=bias_on_the_output),
    plant("simple rnn: truncated through time", RNN, ("truncated",), vjp=truncated),
    plant(
        "simple rnn: dU transposed",
        RNN,
        ("`U`", "transpose"),
        vjp=spoil(U=lambda g: g.T),
    ),
    plant(
        "simple rnn: dx not turned round again",
        BACK,
        ("`x`", "flipped"),
        vjp=spoil(x=lambda g: g[:, ::-1].copy()),
    ),
    plant(
        "simple rnn: the state's gradient left out",
        STATEFUL,
        ("`h0`", "zero"),
        vjp=spoil(h0=np.zeros_like),
    ),
    plant("simple rnn: padded steps in the gradient", MASKED, ("mask",), vjp=not_masked),
    plant(
        "simple rnn: zero padding for a mask",
        MASKED,
        ("twin",),
        forward=zero_padded(RNN),
        vjp=zero_padded_vjp(RNN),
        twin=MASKED,
    ),
    plant(
        "lstm: gates of W in another order",
        LSTM,
        ("`W`", "parts 2 and 3 of 4", "swapped"),
        vjp=spoil(W=gates_in_torch_order),
    ),
    plant(
        "lstm: no gradient to the forget gate's bias",
        LSTM,
        ("`b`", "zero in part 2 of 4"),
        vjp=spoil(b=lambda g: g * np.repeat([1, 0, 1, 1], len(g) // 4)),
    ),
    plant("gru: the other form's gradient", GRU, ("`U`",), vjp=reset_first),
    plant(
        "gru: one bias for two",
        GRU,
        ("`b`",),
        vjp=spoil(b=lambda g: np.stack([g.sum(0), g.sum(0)])),
    ),
]
