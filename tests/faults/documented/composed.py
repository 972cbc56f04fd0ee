"""Faults where layers are put together: shared, joined, lifted, masked, looked up."""

import numpy as np

from suites.test_convolution_1d import SUBJECTS as CONVOLUTIONS
from suites.test_masks import SUBJECTS as MASKS
from suites.test_networks import SUBJECTS as NETWORKS
from tests.faults.documented.planted import plant, spoil, subject

SHARED, EMBEDDING = subject(NETWORKS, "shared linear"), subject(NETWORKS, "embedding")
LIFT, HYPER, TASK = (subject(NETWORKS, name) for name in ("lift", "hypernetwork", "task"))
STEPS, GRU = (
    subject(NETWORKS, name) for name in ("time distributed linear", "time distributed f, then gru")
)
CONCATENATE, CONV = subject(NETWORKS, "concatenate"), subject(CONVOLUTIONS, "conv1d")
DENSE, MASKED_RELU, DROPOUT, PADDING = (
    subject(MASKS, name)
    for name in ("masked dense linear", "masked dense relu", "dropout", "padding")
)


def last_use_only(right, cotangent, x1, x2, x3, W, b):
    """(002) each use of the shared weights overwrites the gradient of the one before."""
    gradients = right.vjp(cotangent, x1=x1, x2=x2, x3=x3, W=W, b=b)
    return dict(gradients) | {"W": x3.T @ cotangent[2], "b": cotangent[2].sum(0)}


def mean_of_uses(gradient):
    """(002) averaged over the three uses."""
    return gradient / 3


def linear_hidden_layer(x, A, a, B, c):
    """(000) the helper lift(): no relu."""
    return (x @ A + a) @ B + c


def weights_held_constant(right, cotangent, x, A, a, B, c):
    """(000) x's gradient through the Task's input only, as if Lift(x) were a constant."""
    w = LIFT.forward(x=x, A=A, a=a, B=B, c=c)
    direct = TASK.vjp(cotangent, x=x, w=w)["x"]
    return dict(right.vjp(cotangent, x=x, A=A, a=a, B=B, c=c)) | {"x": direct}


def first_matrix_in_columns(w):
    """(000) W1's gradient flattened by columns where rows belong."""
    hidden = (w.shape[1] - 1) // 5
    W1 = w[:, : 3 * hidden].reshape(len(w), 3, hidden)
    turned = W1.swapaxes(1, 2).reshape(len(w), 3 * hidden)
    return np.concatenate([turned, w[:, 3 * hidden :]], axis=1)


def overwritten(right, cotangent, index, E):
    """The last of equal indices wins."""
    dE = np.zeros_like(E)
    dE[index] = cotangent
    return {"E": dE}


def unmasked(right, cotangent, x, W, b, mask):
    """(002) dL/d(mask W) for dL/dW: the masked weights move."""
    return dict(right.vjp(cotangent, x=x, W=W, b=b, mask=mask)) | {"W": x.T @ cotangent}


def inverted(right, cotangent, x, W, b, mask):
    """The gradient where the mask is off."""
    return dict(right.vjp(cotangent, x=x, W=W, b=b, mask=mask)) | {
        "W": np.where(mask, 0, x.T @ cotangent)
    }


def unmasked_weights(right, cotangent, x, W, b, mask):
    """The input's gradient through weights that are not there."""
    return dict(right.vjp(cotangent, x=x, W=W, b=b, mask=mask)) | {"x": cotangent @ W.T}


def last_step_only(right, cotangent, x, W, b):
    """The weights' gradient from the last step only."""
    return dict(right.vjp(cotangent, x=x, W=W, b=b)) | {
        "W": np.einsum("nti,nto->io", x[:, -1:], cotangent[:, -1:])
    }


def open_at_zero(right, cotangent, x, W, b, mask):
    """(002) relu's slope is 1 at 0 in the demo; this layer declares 0."""
    kept = W * mask
    dz = cotangent * (x @ kept + b >= 0)
    return {"x": dz @ kept.T, "W": mask * (x.T @ dz), "b": dz.sum(0)}


def hidden_units_open_at_zero(right, cotangent, x, A, a, B, c):
    """(000) Keras takes 0 at relu's kink."""
    dz = (cotangent @ B.T) * (x @ A + a >= 0)
    gradients = dict(right.vjp(cotangent, x=x, A=A, a=a, B=B, c=c))
    return gradients | {"x": dz @ A.T, "A": x.T @ dz, "a": dz.sum(0)}


FAULTS = [
    plant(
        "masked dense: 1 at relu's kink, where 0 is declared",
        MASKED_RELU,
        ("convention",),
        vjp=open_at_zero,
        twin=MASKED_RELU.twin,
    ),
    plant(
        "lift: 1 at relu's kink, where 0 is declared",
        LIFT,
        ("convention",),
        vjp=hidden_units_open_at_zero,
        twin=LIFT.twin,
    ),
    plant("shared: the last use overwrites", SHARED, ("`W`",), vjp=last_use_only),
    plant(
        "shared: mean over the uses",
        SHARED,
        ("scaled by 1/3",),
        vjp=spoil(W=mean_of_uses, b=mean_of_uses),
    ),
    plant(
        "lift: no relu in the helper",
        LIFT,
        ("`A`",),
        forward=linear_hidden_layer,
    ),
    plant(
        "hypernetwork: weights held constant",
        HYPER,
        ("`x`", "lacks a path"),
        vjp=weights_held_constant,
    ),
    plant("task: W1 by columns", TASK, ("`w`",), vjp=spoil(w=first_matrix_in_columns)),
    plant("embedding: overwritten", EMBEDDING, ("duplicate",), vjp=overwritten),
    plant("masked dense: mask not on dW", DENSE, ("`W`", "mask leak"), vjp=unmasked),
    plant("masked dense: mask inverted on dW", DENSE, ("`W`", "mask inverted"), vjp=inverted),
    plant("masked dense: mask not on dx", DENSE, ("`x`", "mask leak"), vjp=unmasked_weights),
    plant(
        "dropout: not rescaled",
        DROPOUT,
        ("scaled by 3/4",),
        vjp=spoil(x=lambda g: 0.75 * g),
    ),
    plant(
        "padding: the gradient of the packed rows in order",
        PADDING,
        ("`x`", "another order"),
        vjp=lambda right, cotangent, x, keep: {"x": np.where(keep[..., None], cotangent, 0)},
    ),
    plant(
        "concatenate: pieces swapped",
        CONCATENATE.but(inputs={"x1": "batch n", "x2": "batch n", "x3": "batch n"}),
        ("swapped",),
        vjp=lambda right, cotangent, x1, x2, x3: dict(
            zip(
                ("x2", "x1", "x3"),
                right.vjp(cotangent, x1=x1, x2=x2, x3=x3).values(),
                strict=True,
            )
        ),
    ),
    plant(
        "time distributed: the last step only",
        STEPS,
        ("`W`", "last index of `time`"),
        vjp=last_step_only,
    ),
    plant(
        "time distributed gru: f's weights detached",
        GRU,
        ("`V`", "zero"),
        vjp=spoil(V=np.zeros_like),
    ),
    plant(
        "conv1d: the kernel turned round",
        CONV,
        ("`K`", "flipped"),
        vjp=spoil(K=lambda g: g[::-1].copy()),
    ),
]
