"""Products, contractions, solves, complex numbers."""

import numpy as np

from gradcheck import array
from tests.faults.frameworks.planted import plant


def sizes(names):
    return dict.fromkeys(names.split(), (1, 5))


def batched(A, B):
    return np.einsum("bmn,bnk->bmk", A, B)


def batched_backward(u, A, B):
    return {"A": np.einsum("bmk,bnk->bmn", u, B), "B": np.einsum("bmn,bmk->bnk", A, u)}


def bilinear(x, W, y):
    return np.einsum("bm,mn,bn->b", x, W, y)


def bilinear_backward(u, x, W, y):
    return {"x": u[:, None] * (y @ W.T), "W": np.einsum("b,bm,bn->mn", u, x, y),
            "y": u[:, None] * (x @ W)}  # fmt: skip


def solved(A, b):
    return np.linalg.solve(A + 4 * np.eye(len(A)), b)


def solved_backward(u, A, b):
    g = np.linalg.solve(A.T + 4 * np.eye(len(A)), u)
    return {"A": -np.outer(g, solved(A, b)), "b": g}


def gram(X):
    return X @ X.T


def quadratic(x, A):
    return x @ A @ x


def magnitude(z):
    return (z * z.conj()).real


def low_rank(x, A, B):
    return x + 0.5 * (x @ A) @ B


def low_rank_backward(u, x, A, B):
    return {"x": u + 0.5 * u @ B.T @ A.T, "A": 0.5 * x.T @ (u @ B.T), "B": 0.5 * (x @ A).T @ u}


def rotated(x, y):
    """Product of complex numbers."""
    return x * y


def dense(x, W, b):
    return np.tanh(x @ W + b)


def dense_backward(u, x, W, b):
    dz = u * (1 - np.tanh(x @ W + b) ** 2)
    return {"x": dz @ W.T, "W": x.T @ dz, "b": dz.sum(0)}


FAULTS = [
    plant("batched product: operands in the other order", batched, batched_backward,
          lambda u, A, B: {"A": np.einsum("bmk,bkn->bmn", u, B) if B.shape[1] == B.shape[2]
                           else batched_backward(u, A, B)["A"]},
          {"A": "b m n", "B": "b n k"}, "A", "`n` equals `k`", dims=sizes("b k m n")),
    plant("bilinear: W for its transpose", bilinear, bilinear_backward,
          lambda u, x, W, y: {"x": u[:, None] * (y @ W)},
          {"x": "b n", "W": "n n", "y": "b n"}, "x", "transpose", dims=sizes("b n")),
    plant("solve: A for its transpose", solved, solved_backward,
          lambda u, A, b: {"b": np.linalg.solve(A + 4 * np.eye(len(A)), u)},
          {"A": array("n n", low=-0.5, high=0.5), "b": "n"}, "b", "transpose", dims=sizes("n")),
    plant("solve: minus forgotten", solved, solved_backward,
          lambda u, A, b: {"A": -solved_backward(u, A, b)["A"]},
          {"A": array("n n", low=-0.5, high=0.5), "b": "n"}, "A", "sign flipped", dims=sizes("n")),
    plant("gram: one of two uses", gram, lambda u, X: {"X": (u + u.T) @ X},
          lambda u, X: {"X": u @ X}, {"X": "m n"}, "X", "second use", dims=sizes("m n")),
    plant("gram: twice one use", gram, lambda u, X: {"X": (u + u.T) @ X},
          lambda u, X: {"X": 2 * u @ X}, {"X": "m n"}, "X", "one of its two uses",
          dims=sizes("m n")),
    plant("quadratic form: A taken for symmetric", quadratic,
          lambda u, x, A: {"x": u * (A + A.T) @ x, "A": u * np.outer(x, x)},
          lambda u, x, A: {"x": 2 * u * A @ x}, {"x": "n", "A": "n n"}, "x", "transpose",
          dims=sizes("n")),
    plant("complex product: conjugate missing", rotated,
          lambda u, x, y: {"x": u * y.conj(), "y": u * x.conj()},
          lambda u, x, y: {"x": u * y},
          {"x": array("n", complex=True), "y": array("n", complex=True)}, "x",
          "conjugate missing"),
    plant("magnitude: one of two uses", magnitude, lambda u, z: {"z": 2 * u * z},
          lambda u, z: {"z": u * z}, {"z": array("n", complex=True)}, "z", "scaled by 1/2"),
    plant("low rank: scale forgotten", low_rank, low_rank_backward,
          lambda u, x, A, B: {"A": x.T @ (u @ B.T)}, {"x": "b n", "A": "n r", "B": "r n"}, "A",
          "scaled by 2", dims=sizes("b n r")),
    plant("low rank: scale forgotten on the way to x", low_rank, low_rank_backward,
          lambda u, x, A, B: {"x": u + u @ B.T @ A.T}, {"x": "b n", "A": "n r", "B": "r n"}, "x",
          "product of `x` with `A` is scaled by 2",
          dims=sizes("b n r")),
    plant("dense: activation left out", dense, dense_backward,
          lambda u, x, W, b: {"W": x.T @ u}, {"x": "b n", "W": "n m", "b": "m"}, "W",
          "leaves out the derivative of tanh", dims=sizes("b m n")),
    plant("dense: bias mean over batch", dense, dense_backward,
          lambda u, x, W, b: {"b": dense_backward(u, x, W, b)["b"] / max(len(x), 1)},
          {"x": "batch n", "W": "n m", "b": "m"}, "b", "mean instead of sum",
          dims=sizes("batch m n")),
]  # fmt: skip
