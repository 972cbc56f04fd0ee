"""Sums, norms, moments, softmax and friends, where they cancel, saturate or underflow."""

from __future__ import annotations

import numpy as np

from benchmarks.zoo.entry import decades, each, member, normal, of, uniform
from benchmarks.zoo.stiff import DECADES

CANCELS = "cancellation leaves few of the output's digits"


def hard(name, forward, vjp, *, limit="", rounding=1e-9, **samples):
    """A numerically hard reduction."""
    return member(name, forward, vjp, each(**samples), nasty=True, limit=limit, rounding=rounding)


def total(x):
    """Sum as an array of one element."""
    return np.sum(x, keepdims=True)


def last(x):
    """Sum over the last axis, kept."""
    return np.sum(x, axis=-1, keepdims=True)


def softmax(x):
    """Softmax over the last axis."""
    e = np.exp(x - np.max(x, axis=-1, keepdims=True))
    return e / last(e)


def softmax_vjp(u, x):
    """P (u - <u, p>)."""
    p = softmax(x)
    return {"x": p * (u - last(u * p))}


def logsumexp(x):
    """Over the last axis, kept."""
    top = np.max(x, axis=-1, keepdims=True)
    return top + np.log(last(np.exp(x - top)))


def log_softmax_vjp(u, x):
    """U - p sum(u)."""
    return {"x": u - softmax(x) * last(u)}


def cold(x):
    """Softmax at temperature 1e-3."""
    return softmax(1e3 * x)


def variance_naive(x):
    """E[x^2] - E[x]^2 over the last axis."""
    return np.mean(x * x, axis=-1, keepdims=True) - np.mean(x, axis=-1, keepdims=True) ** 2


def centred(x):
    """X less its mean."""
    return x - np.mean(x, axis=-1, keepdims=True)


def variance(x):
    """Mean square about the mean."""
    return np.mean(centred(x) ** 2, axis=-1, keepdims=True)


def variance_vjp(u, x):
    """2 (x - mean) / n."""
    return {"x": u * 2 * centred(x) / x.shape[-1]}


def deviation_vjp(u, x):
    """(x - mean) / (n std)."""
    return {"x": u * centred(x) / (x.shape[-1] * np.sqrt(variance(x)))}


def length(x):
    """Euclidean norm over the last axis, kept."""
    return np.sqrt(last(x * x))


def scaled_length(x):
    """The same, safe from overflow."""
    top = np.max(np.abs(x), axis=-1, keepdims=True)
    return top * length(x / top)


def unit_vjp(u, x):
    """(u - y <u, y>) / |x|."""
    y = x / length(x)
    return {"x": (u - y * last(u * y)) / length(x)}


def p_norm(x, p=50):
    """The 50-norm, close to the maximum."""
    top = np.max(np.abs(x), axis=-1, keepdims=True)
    return top * last(np.abs(x / top) ** p) ** (1 / p)


def p_norm_vjp(u, x, p=50):
    """sign(x) (|x| / norm)^(p - 1)."""
    return {"x": u * np.sign(x) * np.abs(x / p_norm(x)) ** (p - 1)}


def product(x):
    """Product of all entries."""
    return np.prod(x, keepdims=True)


def product_vjp(u, x):
    """Product of the others: no division, zeros are welcome."""
    before = np.cumprod(np.append(1.0, x[:-1]))
    after = np.cumprod(np.append(1.0, x[:0:-1]))[::-1]
    return {"x": u * before * after}


def with_zeros(count):
    """Normal numbers, `count` of them exactly zero."""

    def sample(rng):
        x = rng.standard_normal(7)
        x[rng.permutation(7)[:count]] = 0.0
        return x

    return sample


def one_minus_cosine(x, y):
    """1 - cosine similarity, naively."""
    return 1 - total(x * y) / np.sqrt(total(x * x) * total(y * y))


def one_minus_cosine_vjp(u, x, y):
    """Gradient through the rejection of each on the other, which does not cancel."""
    a, b = length(x), length(y)
    p, q = x / a, y / b
    d = q - p
    half = total(d * d) / 2
    return {"x": -u * (d + p * half) / a, "y": -u * (-d + q * half) / b}


def nearly_parallel(rng):
    """Two vectors 1e-3 apart in direction."""
    x = rng.standard_normal(6)
    return {"x": x, "y": 2 * x + 1e-3 * rng.standard_normal(6)}


def gram_distance(x, y):
    """Squared distance as |x|^2 + |y|^2 - 2 <x, y>."""
    return total(x * x) + total(y * y) - 2 * total(x * y)


def close_pair(rng):
    """Two vectors 1e-6 apart."""
    x = rng.standard_normal(6)
    return {"x": x, "y": x + 1e-6 * rng.standard_normal(6)}


def entropy_vjp(u, x):
    """Gradient of the entropy of softmax(x)."""
    p = softmax(x)
    s = np.log(p)
    return {"x": -u * p * (s - last(p * s))}


def entropy(x):
    """Entropy of softmax(x)."""
    p = softmax(x)
    return -last(p * np.log(p))


def kurtosis(x):
    """Fourth moment over squared variance."""
    return np.mean(centred(x) ** 4, axis=-1, keepdims=True) / variance(x) ** 2


def kurtosis_vjp(u, x):
    """4/n (c^3 - mean c^3 - k v c) / v^2."""
    c, v = centred(x), variance(x)
    third = np.mean(c**3, axis=-1, keepdims=True)
    return {"x": u * 4 / x.shape[-1] * (c**3 - third - kurtosis(x) * v * c) / v**2}


def heron(x):
    """Area of a triangle from its sides, by Heron's formula."""
    a, b, c = x
    s = (a + b + c) / 2
    return np.sqrt(np.atleast_1d(s * (s - a) * (s - b) * (s - c)))


def heron_vjp(u, x):
    """dA/da = a (b^2 + c^2 - a^2) / (8 A)."""
    s = np.sum(x * x) - 2 * x * x
    return {"x": u * x * s / (8 * heron(x))}


def needle(rng):
    """Sides of a triangle that is almost a line."""
    a, b = rng.uniform(1, 2, 2)
    return np.array([a, b, a + b - 10 ** rng.uniform(-8, -6)])


def discounted(x):
    """Products of all prefixes."""
    return np.cumprod(x, axis=-1)


def discounted_vjp(u, x):
    """Reverse cumulative sum of u y, over x."""
    return {"x": np.cumsum((u * discounted(x))[::-1])[::-1] / x}


def masked_logits(rng):
    """Logits with two entries masked by -1e30."""
    x = rng.standard_normal((3, 6))
    mask = np.zeros((3, 6))
    mask[:, rng.permutation(6)[:2]] = -1e30
    return {"x": x, "mask": mask}


def weighted(u, x):
    """Gradient of a geometric mean."""
    return {"x": u * np.exp(np.mean(np.log(x))) / (x.size * x)}


ENTRIES = [
    member("sum", total, lambda u, x: {"x": np.broadcast_to(u, x.shape) + 0}, each(x=normal(50))),
    member(
        "mean of rows",
        lambda x: np.mean(x, axis=1),
        lambda u, x: {"x": np.repeat(u[:, None] / x.shape[1], x.shape[1], 1)},
        each(x=normal(4, 6)),
    ),
    member("softmax", softmax, softmax_vjp, each(x=normal(3, 5))),
    member("logsumexp", logsumexp, lambda u, x: {"x": u * softmax(x)}, each(x=normal(3, 5))),
    member(
        "cumulative sum",
        of("x", np.cumsum),
        lambda u, x: {"x": np.cumsum(u[::-1])[::-1]},
        each(x=normal(30)),
    ),
    member("unit vector", lambda x: x / length(x), unit_vjp, each(x=normal(3, 4))),
    member(
        "standard deviation", lambda x: np.sqrt(variance(x)), deviation_vjp, each(x=normal(3, 8))
    ),
    member("product", product, product_vjp, each(x=normal(7))),
    hard(
        "logsumexp shifted by 1e8",
        logsumexp,
        lambda u, x: {"x": u * softmax(x)},
        x=normal(3, 5, shift=1e8),
        limit="the shift leaves eight digits",
    ),
    hard(
        "logsumexp of 1e3 x",
        logsumexp,
        lambda u, x: {"x": u * softmax(x)},
        x=normal(3, 5, scale=1e3),
    ),
    hard(
        "softmax saturated",
        softmax,
        softmax_vjp,
        x=normal(3, 5, scale=100),
        limit="saturated: gradients down to 1e-100 beside outputs of 1",
        rounding=2.0,
    ),
    hard(
        "softmax at temperature 1e-3",
        cold,
        lambda u, x: {"x": 1e3 * softmax_vjp(u, 1e3 * x)["x"]},
        x=normal(3, 5, scale=3e-3),
    ),
    hard(
        "log softmax of 1e3 x",
        lambda x: x - logsumexp(x),
        log_softmax_vjp,
        x=normal(3, 5, scale=1e3),
    ),
    member(
        "masked softmax",
        lambda x, mask: softmax(x + mask),
        lambda u, x, mask: softmax_vjp(u, x + mask),
        masked_logits,
        fixed=("mask",),
        nasty=True,
    ),
    hard("variance naive, mean 1e3", variance_naive, variance_vjp, x=normal(2, 10, shift=1e3)),
    hard(
        "variance naive, mean 1e8",
        variance_naive,
        variance_vjp,
        x=normal(2, 10, shift=1e8),
        limit=CANCELS,
        rounding=1e-7,
    ),
    hard("variance, mean 1e6", variance, variance_vjp, x=normal(2, 10, shift=1e6)),
    hard(
        "deviation of a constant signal",
        lambda x: np.sqrt(variance(x)),
        deviation_vjp,
        x=normal(2, 8, shift=1, scale=1e-7),
    ),
    hard("unit vector of 1e-12", lambda x: x / length(x), unit_vjp, x=normal(3, 4, scale=1e-12)),
    hard(
        "norm of 1e200",
        scaled_length,
        lambda u, x: {"x": u * x / scaled_length(x)},
        x=normal(2, 5, scale=1e200),
    ),
    hard(
        "norm of mixed magnitudes",
        length,
        lambda u, x: {"x": u * x / length(x)},
        x=decades(-8, 4, 1, 8, signed=True),
    ),
    hard("50-norm", p_norm, p_norm_vjp, x=normal(2, 6)),
    hard("product with one zero", product, product_vjp, x=with_zeros(1)),
    hard("product with two zeros", product, product_vjp, x=with_zeros(2)),
    hard("product of 60 factors", product, product_vjp, x=uniform(0.1, 3, 60)),
    hard("product of mixed magnitudes", product, product_vjp, x=decades(-6, 6, 12, signed=True)),
    member(
        "1 - cosine, nearly parallel",
        one_minus_cosine,
        one_minus_cosine_vjp,
        nearly_parallel,
        nasty=True,
    ),
    member(
        "distance by Gram products, close pair",
        gram_distance,
        lambda u, x, y: {"x": 2 * u * (x - y), "y": 2 * u * (y - x)},
        close_pair,
        nasty=True,
        limit=CANCELS,
    ),
    hard(
        "entropy of logits",
        entropy,
        entropy_vjp,
        x=normal(2, 6, scale=20),
        limit="a row saturates now and then: log p moves in steps of an ulp",
    ),
    hard(
        "kurtosis with an outlier",
        kurtosis,
        kurtosis_vjp,
        x=lambda rng: np.append(rng.standard_normal((1, 30)), [[1e4]], 1),
    ),
    member(
        "needle triangle",
        heron,
        heron_vjp,
        each(x=needle),
        nasty=True,
        limit=CANCELS,
        rounding=1e-5,
    ),
    hard("cumulative product", discounted, discounted_vjp, x=uniform(0.5, 1.5, 40)),
    hard(
        "geometric mean of decades",
        lambda x: np.exp(np.mean(np.log(x), keepdims=True)),
        weighted,
        x=decades(-9, 9, 8),
        limit=DECADES,
    ),
    hard(
        "harmonic mean of decades",
        lambda x: x.size / total(1 / x),
        lambda u, x: {"x": u * x.size / (x * total(1 / x)) ** 2},
        x=decades(-5, 5, 8),
    ),
    hard(
        "sum of squares of decades",
        lambda x: total(x * x),
        lambda u, x: {"x": u * 2 * x},
        x=decades(-8, 8, 10, signed=True),
    ),
    hard(
        "difference of large sums",
        lambda x: total(1e10 * x) - total(1e10 * x[1:]),
        lambda u, x: {"x": u * np.append(1e10, np.zeros(x.size - 1))},
        x=normal(8),
    ),
]
