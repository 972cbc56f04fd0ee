"""Paths through a product of two inputs, products the wrong way round, kernels turned in part."""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck import Subject, check
from tests.faults.catalogue.base import bend


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def gated(x, W, V):
    return sigmoid(x @ W) * np.tanh(x @ V) + x


def gated_vjp(u, x, W, V, gate=1.0):
    t, h = sigmoid(x @ W), np.tanh(x @ V)
    dt, dh = u * h * t * (1 - t), u * t * (1 - h * h)
    return {"x": u + gate * dt @ W.T + dh @ V.T, "W": x.T @ dt, "V": x.T @ dh}


highway = Subject("gated", gated, gated_vjp, {"x": "batch dim", "W": "dim dim", "V": "dim dim"})
quadratic = Subject(
    "quadratic form",
    forward=lambda x, A: np.einsum("bi,ij,bj->b", x, A, x),
    vjp=lambda u, x, A: {
        "x": u[:, None] * (x @ (A + A.T)),
        "A": np.einsum("b,bi,bj->ij", u, x, x),
    },
    inputs={"x": "batch dim", "A": "dim dim"},
)


def cell(h, U):
    units = h.shape[1]
    c = h @ U
    return sigmoid(c[:, :units]) * h + np.tanh(c[:, units:])


def cell_vjp(u, h, U, second=1.0):
    units = h.shape[1]
    c = h @ U
    z, n = sigmoid(c[:, :units]), np.tanh(c[:, units:])
    dc = np.concatenate([u * h * z * (1 - z), u * (1 - n * n)], 1)
    both = np.concatenate([dc[:, :units], second * dc[:, units:]], 1)
    return {"h": u * z + both @ U.T, "U": h.T @ dc}


carried = Subject(
    "cell", cell, cell_vjp, {"h": "batch units", "U": "units 2*units"}, dims={"units": (1, 5)}
)


def attend(q, k, v):
    return softmax(q @ k.transpose(0, 2, 1)) @ v


def attend_vjp(u, q, k, v, turned=False):
    p = softmax(q @ k.transpose(0, 2, 1))
    dp = u @ v.transpose(0, 2, 1)
    ds = p * (dp - (dp * p).sum(-1, keepdims=True))
    back = ds if turned else ds.transpose(0, 2, 1)
    return {"q": ds @ k, "k": back @ q, "v": p.transpose(0, 2, 1) @ u}


attention = Subject(
    "attention",
    attend,
    attend_vjp,
    {"q": "batch time dim", "k": "batch time dim", "v": "batch time values"},
    dims={"time": (1, 5), "dim": (1, 6)},
)


def run(x, U, W):
    state, states = np.zeros((len(x), U.shape[1])), []
    for t in range(x.shape[1]):
        state = np.tanh(x[:, t] @ U + state @ W)
        states.append(state)
    return np.stack(states, 1)


def run_vjp(u, x, U, W, first_alone=False):
    states = run(x, U, W)
    of_x, of_u, of_w = np.zeros_like(x), np.zeros_like(U), np.zeros_like(W)
    carry = np.zeros((len(x), U.shape[1]))
    for t in reversed(range(x.shape[1])):
        dz = (u[:, t] + carry) * (1 - states[:, t] ** 2)
        of_x[:, t], carry = dz @ U.T, dz @ W.T
        of_u = x[:, t].T @ dz + (0 if first_alone else of_u)
        of_w += states[:, t - 1].T @ dz if t else 0
    return {"x": of_x, "U": of_u, "W": of_w}


recurrent = Subject(
    "recurrent", run, run_vjp, {"x": "batch time features", "U": "features units",
                                "W": "units units"}, dims={"time": (1, 4)},
)  # fmt: skip


def convolve(x, W):
    h, w = x.shape[0] - W.shape[0] + 1, x.shape[1] - W.shape[1] + 1
    if min(h, w) < 1:
        raise ValueError("shorter than its kernel")
    return sum(W[a, b] * x[a : a + h, b : b + w] for a in range(len(W)) for b in range(W.shape[1]))


def convolve_vjp(u, x, W):
    of_x, of_w = np.zeros_like(x), np.zeros_like(W)
    h, w = u.shape
    for a, b in np.ndindex(W.shape):
        of_x[a : a + h, b : b + w] += W[a, b] * u
        of_w[a, b] = np.sum(u * x[a : a + h, b : b + w])
    return {"x": of_x, "W": of_w}


convolution = Subject(
    "convolution", convolve, convolve_vjp, {"x": "height width", "W": "kh kw"},
    dims={"height": (3, 6), "width": (3, 6), "kh": (1, 3), "kw": (1, 3)},
)  # fmt: skip
bilinear = Subject(
    "bilinear",
    forward=lambda x, W, y: np.einsum("bi,oij,bj->bo", x, W, y),
    vjp=lambda u, x, W, y: {
        "x": np.einsum("bo,oij,bj->bi", u, W, y),
        "W": np.einsum("bo,bi,bj->oij", u, x, y),
        "y": np.einsum("bo,oij,bi->bj", u, W, x),
    },
    inputs={"x": "batch dim", "W": "outs dim dim", "y": "batch dim"},
    dims={"dim": (1, 4), "outs": (1, 4), "batch": (1, 4)},
)

# Right subject, input, what is made of its gradient, the fault's name, words of the message.
PLANTED = [
    (highway, "x", lambda g, u, i: gated_vjp(u, **i, gate=0)["x"], "path missing",
     "product of `x` with `W` is missing"),
    (highway, "x", lambda g, u, i: gated_vjp(u, **i, gate=-1)["x"], "wrong factor",
     "has the wrong sign"),
    (highway, "x", lambda g, u, i: gated_vjp(u, **i, gate=2)["x"], "wrong factor",
     "is scaled by 2"),
    (highway, "x", lambda g, u, i: gated_vjp(u, **i, gate=0.5)["x"], "wrong factor",
     "is scaled by 1/2"),
    (quadratic, "x", lambda g, u, i: u[:, None] * (i["x"] @ i["A"].T), "path missing",
     "product of `x` with `A` is missing"),
    (carried, "h", lambda g, u, i: cell_vjp(u, **i, second=0)["h"], "path missing",
     "part 2 of 2 of `U`"),
    (attention, "k", lambda g, u, i: attend_vjp(u, **i, turned=True)["k"], "transposed",
     "should be transposed"),
    (recurrent, "U", lambda g, u, i: run_vjp(u, **i, first_alone=True)["U"],
     "missing broadcast sum", "first index of `time`"),
    (convolution, "W", lambda g, u, i: g[::-1, ::-1].copy(), "flipped", "along every axis"),
    (convolution, "x", lambda g, u, i: convolve_vjp(u, i["x"], i["W"][::-1, ::-1])["x"], "flipped",
     "flipped along every axis"),
    (bilinear, "y", lambda g, u, i: np.einsum("bo,oji,bi->bj", u, i["W"], i["x"]), "transposed",
     "exchanged"),
]  # fmt: skip


@pytest.mark.parametrize(("right", "name", "change", "fault", "words"), PLANTED)
def test_the_fault_is_named(right, name, change, fault, words):
    report = check(bend(right, "planted", name, change), seed=0)
    told = [f for f in report.findings if f.input == name and f.check == "gradient"]
    assert fault in [f.fault for f in told], str(report)
    assert any(words in f.message for f in told), str(report)


RIGHT = {right.name: right for right, *_ in PLANTED}


@pytest.mark.parametrize("right", RIGHT.values(), ids=RIGHT)
def test_its_correct_twin_passes(right):
    report = check(right, seed=0)
    assert report.passed, str(report)
