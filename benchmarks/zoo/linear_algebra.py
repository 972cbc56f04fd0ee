"""Inverses, factorisations, eigenvalues: well and badly conditioned."""

from __future__ import annotations

import numpy as np

from benchmarks.zoo.entry import each, member, normal
from benchmarks.zoo.precise import array, ctx, is_exact, matrix

AMPLIFIED = "the condition number amplifies the rounding of the forward pass"


def hard(name, forward, vjp, make_inputs, **facts):
    """An ill-conditioned member."""
    return member(name, forward, vjp, make_inputs, nasty=True, **facts)


def conditioned(n, log_condition, *, symmetric=False):
    """A matrix with singular values from 1 down to 10^-log_condition."""

    def sample(rng):
        left, right = (np.linalg.qr(rng.standard_normal((n, n)))[0] for _ in range(2))
        values = np.logspace(0, -log_condition, n)
        a = (left * values) @ (left if symmetric else right).T
        return (a + a.T) / 2 if symmetric else a

    return sample


def inverse(a):
    """Matrix inverse."""
    return array(matrix(a) ** -1) if is_exact(a) else np.linalg.inv(a)


def inverse_vjp(u, a):
    """-A^-T u A^-T."""
    b = np.linalg.inv(a).T
    return {"a": -b @ u @ b}


def solve(a, b):
    """X with a x = b."""
    if is_exact(a) or is_exact(b):
        return array(ctx.lu_solve(matrix(a), matrix(b[:, None]))).ravel()
    return np.linalg.solve(a, b)


def solve_vjp(u, a, b):
    """One solve with the transpose."""
    g = np.linalg.solve(a.T, u)
    return {"a": -np.outer(g, np.linalg.solve(a, b)), "b": g}


def determinant(a):
    """Determinant, as an array of one."""
    return np.array([ctx.det(matrix(a))]) if is_exact(a) else np.linalg.det(a)[None]


def determinant_vjp(u, a):
    """det(a) a^-T."""
    return {"a": u * np.linalg.det(a) * np.linalg.inv(a).T}


def log_determinant(a):
    """Log |det a|."""
    if is_exact(a):
        return np.array([ctx.log(abs(ctx.det(matrix(a))))])
    return np.linalg.slogdet(a)[1][None]


def cholesky(a):
    """Lower factor of the symmetric part."""
    s = (a + a.T) / 2
    return array(ctx.cholesky(matrix(s))) if is_exact(a) else np.linalg.cholesky(s)


def cholesky_vjp(u, a):
    """L^-T Phi(L^T u) L^-1, symmetrised."""
    low = np.linalg.cholesky((a + a.T) / 2)
    p = np.tril(low.T @ u)
    p[np.diag_indices_from(p)] /= 2
    inv = np.linalg.inv(low)
    s = inv.T @ p @ inv
    return {"a": (s + s.T) / 2}


def eigenvalues(a):
    """Ascending eigenvalues of the symmetric part."""
    s = (a + a.T) / 2
    if is_exact(a):
        return array(sorted(ctx.eigsy(matrix(s), eigvals_only=True)))
    return np.linalg.eigvalsh(s)


def eigenvalues_vjp(u, a):
    """V diag(u) V^T."""
    v = np.linalg.eigh((a + a.T) / 2)[1]
    return {"a": (v * u) @ v.T}


def projector(a):
    """Projector on the eigenvector of the largest eigenvalue."""
    v = np.linalg.eigh((a + a.T) / 2)[1][:, -1]
    return np.outer(v, v)


def projector_vjp(u, a):
    """Coupling to every other eigenvector over the gap."""
    w, v = np.linalg.eigh((a + a.T) / 2)
    top, rest = v[:, -1], v[:, :-1]
    coupling = rest.T @ (u + u.T) @ top / (w[-1] - w[:-1])
    g = np.outer(rest @ coupling, top)
    return {"a": (g + g.T) / 2}


def gapped(gap):
    """A symmetric matrix whose two largest eigenvalues differ by `gap`."""

    def sample(rng):
        q = np.linalg.qr(rng.standard_normal((5, 5)))[0]
        a = (q * np.array([-1.0, 0.2, 0.5, 2.0, 2.0 + gap])) @ q.T
        return {"a": (a + a.T) / 2}

    return sample


def singular_vjp(u, a):
    """U diag(u) V^T."""
    left, _, right = np.linalg.svd(a, full_matrices=False)
    return {"a": (left * u) @ right}


def power(a, times=12):
    """a^12."""
    y = a
    for _ in range(times - 1):
        y = y @ a
    return y


def power_vjp(u, a, times=12):
    """Sum of a^T^i u a^T^(11 - i)."""
    powers = [np.eye(len(a))]
    for _ in range(times - 1):
        powers.append(powers[-1] @ a.T)
    return {"a": sum(powers[i] @ u @ powers[times - 1 - i] for i in range(times))}


def least_squares(A, b):
    """Minimiser of |A x - b| by the normal equations."""
    return solve(A.T @ A, A.T @ b)


def least_squares_vjp(u, A, b):
    """Through both sides of the normal equations."""
    x = np.linalg.lstsq(A, b, rcond=None)[0]
    g = np.linalg.solve(A.T @ A, u)
    return {"A": np.outer(b - A @ x, g) - np.outer(A @ g, x), "b": A @ g}


def gaussian(a, x):
    """Negative log density of x under covariance a, up to a constant."""
    return (x @ solve(a, x) + log_determinant(a)) / 2


def gaussian_vjp(u, a, x):
    """(a^-T - a^-T x x a^-T) / 2."""
    inv = np.linalg.inv(a)
    outer = np.outer(inv.T @ x, inv @ x)
    return {"a": u * (inv.T - outer) / 2, "x": u * ((inv + inv.T) @ x) / 2}


def gram_schmidt(a):
    """Q of the QR factorisation with a positive diagonal."""
    if is_exact(a):
        q, r = ctx.qr(matrix(a), mode="skinny")
        q, r = array(q), array(r)
    else:
        q, r = np.linalg.qr(a)
    return q * np.where(np.diag(r) > 0, 1, -1)


def gram_schmidt_vjp(u, a):
    """(u + Q copyltu(-u^T Q)) R^-T."""
    q, r = np.linalg.qr(a)
    sign = np.where(np.diag(r) > 0, 1.0, -1.0)
    q, r = q * sign, r * sign[:, None]
    m = -u.T @ q
    low = np.tril(m) + np.tril(m, -1).T
    return {"a": np.linalg.solve(r, (u + q @ low).T).T}


def pair(log_condition, n=6):
    """A matrix of given condition, and a vector."""
    return each(a=conditioned(n, log_condition), b=normal(n))


def spd(log_condition):
    """A positive definite matrix."""
    return each(a=conditioned(5, log_condition, symmetric=True))


ENTRIES = [
    member("inverse", inverse, inverse_vjp, each(a=conditioned(5, 1))),
    member("solve", solve, solve_vjp, pair(1)),
    member("determinant", determinant, determinant_vjp, each(a=conditioned(5, 1))),
    member(
        "log determinant",
        log_determinant,
        lambda u, a: {"a": u * np.linalg.inv(a).T},
        each(a=conditioned(5, 1)),
    ),
    member("cholesky", cholesky, cholesky_vjp, spd(1)),
    member("eigenvalues", eigenvalues, eigenvalues_vjp, spd(2)),
    member("power 12", power, power_vjp, each(a=conditioned(4, 0.3))),
    member("gram schmidt", gram_schmidt, gram_schmidt_vjp, each(a=normal(6, 4))),
    hard(
        "inverse, condition 1e6",
        inverse,
        inverse_vjp,
        each(a=conditioned(5, 6)),
        rounding=1e-7,
        limit=AMPLIFIED,
    ),
    hard(
        "inverse, condition 1e10",
        inverse,
        inverse_vjp,
        each(a=conditioned(5, 10)),
        rounding=1e-4,
        limit=AMPLIFIED,
    ),
    hard("solve, condition 1e6", solve, solve_vjp, pair(6), rounding=1e-7, limit=AMPLIFIED),
    hard("solve, condition 1e10", solve, solve_vjp, pair(10), rounding=1e-3, limit=AMPLIFIED),
    hard(
        "determinant of 1e-30",
        determinant,
        determinant_vjp,
        each(a=lambda rng: 1e-5 * conditioned(6, 2)(rng)),
    ),
    hard(
        "determinant, condition 1e8",
        determinant,
        determinant_vjp,
        each(a=conditioned(5, 8)),
        rounding=1e-5,
    ),
    hard(
        "log determinant, condition 1e8",
        log_determinant,
        lambda u, a: {"a": u * np.linalg.inv(a).T},
        each(a=conditioned(5, 8)),
        rounding=1e-5,
        limit=AMPLIFIED,
    ),
    hard("cholesky, condition 1e8", cholesky, cholesky_vjp, spd(8), rounding=1e-4, limit=AMPLIFIED),
    hard("eigenvalues over 10 decades", eigenvalues, eigenvalues_vjp, spd(10), limit=AMPLIFIED),
    hard(
        "eigenvalues, gap 1e-6",
        eigenvalues,
        eigenvalues_vjp,
        gapped(1e-6),
        exact=False,
        limit=AMPLIFIED,
    ),
    hard("eigenvector, gap 1e-3", projector, projector_vjp, gapped(1e-3), exact=False),
    hard(
        "eigenvector, gap 1e-6",
        projector,
        projector_vjp,
        gapped(1e-6),
        exact=False,
        limit=AMPLIFIED,
    ),
    hard(
        "singular values, condition 1e8",
        lambda a: np.linalg.svd(a, compute_uv=False),
        singular_vjp,
        each(a=conditioned(5, 8)),
        exact=False,
        limit=AMPLIFIED,
    ),
    hard(
        "power 12 of a large matrix",
        power,
        power_vjp,
        each(a=lambda rng: 30 * conditioned(4, 2)(rng)),
    ),
    hard(
        "least squares, condition 1e4",
        least_squares,
        least_squares_vjp,
        rounding=1e-6,
        limit=AMPLIFIED,
        make_inputs=each(
            A=lambda rng: np.vstack([conditioned(4, 4)(rng), 1e-3 * normal(3, 4)(rng)]), b=normal(7)
        ),
    ),
    hard(
        "gaussian likelihood, condition 1e6",
        gaussian,
        gaussian_vjp,
        each(a=conditioned(5, 6, symmetric=True), x=normal(5)),
        rounding=1e-7,
        limit=AMPLIFIED,
    ),
    hard(
        "gram schmidt, condition 1e6",
        gram_schmidt,
        gram_schmidt_vjp,
        each(a=conditioned(5, 6)),
        rounding=1e-4,
    ),
]
