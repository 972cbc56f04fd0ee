"""Correct layers to plant faults in. A fault is (id, wrong subject, right subject, input, name)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradcheck import Subject, array, integers, mask

Fault = tuple[str, Subject, Subject, str | None, str]


def plant(right: Subject, name: str, vjp: Callable[..., Any], **changes: Any) -> Subject:
    """The same forward with another vjp."""
    return right.but(name=f"{right.name}, {name}", vjp=vjp, **changes)


def bend(right: Subject, name: str, of: str, bend: Callable[..., Any]) -> Subject:
    """One gradient of a correct vjp replaced by what `bend` makes of it, cotangent and inputs."""

    def vjp(cotangent: Any, **inputs: Any) -> dict[str, Any]:
        told = dict(right.vjp(cotangent, **inputs))
        told[of] = bend(told[of], cotangent, inputs)
        return told

    return plant(right, name, vjp)


dense = Subject(
    "dense",
    forward=lambda x, W, b: x @ W + b,
    vjp=lambda u, x, W, b: {"x": u @ W.T, "W": x.T @ u, "b": u.sum(0)},
    inputs={"x": "batch features", "W": "features units", "b": "units"},
)
affine = Subject(
    "affine",
    forward=lambda x, M, b: M @ x + b,
    vjp=lambda g, x, M, b: {"x": M.T @ g, "M": np.outer(g, x), "b": g},
    inputs={"x": "n", "M": "m n", "b": "m"},
)


def _mlp(x: Any, W: Any, b: Any, V: Any) -> Any:
    return np.tanh(x @ W + b) @ V


def mlp_vjp(u: Any, x: Any, W: Any, b: Any, V: Any, slope: Any = None) -> dict[str, Any]:
    z = x @ W + b
    d = (u @ V.T) * (1 - np.tanh(z) ** 2 if slope is None else slope(z))
    return {"x": d @ W.T, "W": x.T @ d, "b": d.sum(0), "V": np.tanh(z).T @ u}


mlp = Subject(
    "mlp",
    forward=_mlp,
    vjp=mlp_vjp,
    inputs={"x": "batch features", "W": "features hidden", "b": "hidden", "V": "hidden units"},
)
tanh = Subject(
    "tanh",
    forward=lambda x: np.tanh(x),  # noqa: PLW0108 - a ufunc takes no keyword
    vjp=lambda u, x: {"x": u * (1 - np.tanh(x) ** 2)},
    inputs={"x": "batch features"},
    traits=("elementwise",),
)
relu = Subject(
    "relu",
    forward=lambda x: np.maximum(x, 0),
    vjp=lambda u, x: {"x": u * (x > 0)},
    inputs={"x": "batch features"},
    traits=("elementwise",),
)
product = Subject(
    "product",
    forward=lambda a, b: a * b,
    vjp=lambda u, a, b: {"a": u * b, "b": u * a},
    inputs={"a": "batch features", "b": "batch features"},
)
mean_square = Subject(
    "mean square",
    forward=lambda p, t: np.mean((p - t) ** 2),
    vjp=lambda u, p, t: {"p": u * 2 * (p - t) / p.size, "t": -u * 2 * (p - t) / p.size},
    inputs={"p": "batch units", "t": "batch units"},
    dims={"batch": (1, 16), "units": (1, 16)},
)


def _softmax(x: Any) -> Any:
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def _softmax_vjp(u: Any, x: Any) -> dict[str, Any]:
    s = _softmax(x)
    return {"x": s * (u - (u * s).sum(-1, keepdims=True))}


softmax = Subject(
    "softmax",
    forward=_softmax,
    vjp=_softmax_vjp,
    inputs={"x": "batch classes"},
    dims={"classes": (1, 12)},
)
EPS = 1e-3


def normalised(x: Any) -> tuple[Any, Any]:
    mean = x.mean(-1, keepdims=True)
    scale = np.sqrt(((x - mean) ** 2).mean(-1, keepdims=True) + EPS)
    return (x - mean) / scale, scale


def layer_norm_vjp(
    u: Any, x: Any, gamma: Any, beta: Any, through_mean: bool = True, through_var: bool = True
) -> dict[str, Any]:
    n, scale = normalised(x)
    d = u * gamma
    inner = d.copy()
    if through_mean:
        inner = inner - d.mean(-1, keepdims=True)
    if through_var:
        inner = inner - n * (d * n).mean(-1, keepdims=True)
    return {"x": inner / scale, "gamma": (u * n).sum(0), "beta": u.sum(0)}


layer_norm = Subject(
    "layer norm",
    forward=lambda x, gamma, beta: normalised(x)[0] * gamma + beta,
    vjp=layer_norm_vjp,
    inputs={"x": "batch features", "gamma": "features", "beta": "features"},
    dims={"features": (1, 12)},
)


def _embed_vjp(u: Any, E: Any, idx: Any) -> dict[str, Any]:
    g = np.zeros_like(E)
    np.add.at(g, idx, u)
    return {"E": g}


embedding = Subject(
    "embedding",
    forward=lambda E, idx: E[idx],
    vjp=_embed_vjp,
    inputs={"E": "vocab width", "idx": integers("batch", 0, "vocab")},
    dims={"vocab": (1, 8)},
)
cumsum = Subject(
    "cumsum",
    forward=lambda x: np.cumsum(x, axis=1),
    vjp=lambda u, x: {"x": np.cumsum(u[:, ::-1], axis=1)[:, ::-1]},
    inputs={"x": "batch time"},
)


def _rnn(x: Any, W: Any, U: Any) -> Any:
    h, out = np.zeros((x.shape[1], U.shape[0])), []
    for step in x:
        h = np.tanh(step @ W + h @ U)
        out.append(h)
    return np.stack(out)


def rnn_vjp(u: Any, x: Any, W: Any, U: Any, carry: Any = 1.0) -> dict[str, Any]:
    h = _rnn(x, W, U)
    before = np.concatenate([np.zeros_like(h[:1]), h[:-1]])
    dx, dW, dU = np.zeros_like(x), np.zeros_like(W), np.zeros_like(U)
    back = np.zeros_like(h[0])
    for t in reversed(range(len(x))):
        d = (u[t] + carry * back) * (1 - h[t] ** 2)
        dx[t], back = d @ W.T, d @ U.T
        dW += x[t].T @ d
        dU += before[t].T @ d
    return {"x": dx, "W": dW, "U": dU}


rnn = Subject(
    "rnn",
    forward=_rnn,
    vjp=rnn_vjp,
    inputs={"x": "time batch features", "W": "features hidden", "U": "hidden hidden"},
    dims={"time": (1, 8), "batch": (1, 3), "features": (1, 4), "hidden": (1, 4)},
)


def _conv(x: Any, k: Any) -> Any:
    n = len(x) - len(k) + 1
    return sum(k[j] * x[j : j + n] for j in range(len(k)))


def conv_vjp(u: Any, x: Any, k: Any) -> dict[str, Any]:
    dx, n = np.zeros_like(x), len(u)
    for j in range(len(k)):
        dx[j : j + n] += k[j] * u
    return {"x": dx, "k": np.array([x[j : j + n] @ u for j in range(len(k))])}


conv = Subject(
    "conv",
    forward=_conv,
    vjp=conv_vjp,
    inputs={"x": "length", "k": "width"},
    dims={"length": (1, 24), "width": (1, 5)},
    where=lambda length, width: length >= width,
)
masked_sum = Subject(
    "masked sum",
    forward=lambda x, m: np.where(m, np.tanh(x), 0.0).sum(-1),
    vjp=lambda u, x, m: {"x": np.where(m, u[..., None] * (1 - np.tanh(x) ** 2), 0.0)},
    inputs={"x": "batch time", "m": mask("batch time", of="x")},
)


def _masked_mean(x: Any, m: Any) -> Any:
    return (x * m).sum(-1) / np.maximum(m.sum(-1), 1)


masked_mean = Subject(
    "masked mean",
    forward=_masked_mean,
    vjp=lambda u, x, m: {"x": u[:, None] * m / np.maximum(m.sum(-1), 1)[:, None]},
    inputs={"x": "batch time", "m": mask("batch time", of="x")},
)

__all__ = [name for name in dir() if not name.startswith("_")] + ["array", "np"]
