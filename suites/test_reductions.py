"""Sums, products, norms and contractions along axes."""

import numpy as np

from gradcheck import array, constant, parametrize_with_checks
from reference.layers import (
    bilinear,
    cosine_similarity,
    cumprod,
    cumsum,
    einsum,
    logsumexp,
    norm,
    prod,
)
from suites.building import BATCHED, points, subject, torch, torch_function


def along(module, function, axis, low=0, **options):
    """A layer along the last axis, or along the first of two."""
    short = module.__name__.rpartition(".")[2]
    return subject(
        module,
        {"x": "... length" if axis == -1 else "length columns", "axis": constant(axis)},
        name=short if axis == -1 else f"{short}-columns",
        dims={"length": (low, 9)},
        twin=torch_function(function, {"axis": "dim"}),
        **options,
    )


def vector_norm(p):
    """Torch's norms take the subgradient 0 at 0, and share the inf norm among the tied."""
    return subject(
        norm,
        {"x": "... length", "p": constant(p)},
        name=f"norm-{p}",
        kinks="twin" if p != 3 else "subgradient",
        dims={"length": (1, 9)},
        twin=lambda x, p: torch.linalg.vector_norm(x, p, -1),
    )


def cosine(a, b, eps):
    """By hand: torch clamps the norms outside autograd, so below eps its own gradient is off."""
    a, b = (x / torch.linalg.vector_norm(x, dim=-1, keepdim=True).clamp_min(eps) for x in (a, b))
    return (a * b).sum(-1)


def around_eps(rng, shape):
    """Normal vectors, a third of them exactly 0.25 long: there the norm takes over from eps."""
    along = 0.25 * (np.arange(shape[-1]) == 0)
    short = rng.random((*shape[:-1], 1)) < 1 / 3
    return np.where(short, along, rng.standard_normal(shape))


def contraction(spec, a, b):
    return subject(
        einsum,
        {"a": a, "b": b, "spec": constant(spec)},
        name=f"einsum {spec}",
        twin=lambda a, b, spec: torch.einsum(spec, a, b),
    )


WITH_ZEROS = points(0.0, 1.0, -1.0, spread=1.0)

SUBJECTS = [
    along(cumsum, "cumsum", -1, traits=("linear",)),
    along(cumsum, "cumsum", 0, traits=("linear",)),
    along(cumprod, "cumprod", -1),
    along(cumprod, "cumprod", 0),
    along(prod, "prod", -1),
    along(prod, "prod", 0),
    *[
        subject(
            module,
            {"x": array("rows length", values=WITH_ZEROS)},
            name=f"{name}-zeros",
            dims={"length": (1, 17)},
            twin=torch_function(name, dim=-1),
        )
        for name, module in {"prod": prod, "cumprod": cumprod}.items()
    ],
    along(logsumexp, "logsumexp", -1, low=1),
    along(logsumexp, "logsumexp", 0, low=1),
    *map(vector_norm, (1, 2, 3, np.inf)),
    subject(
        cosine_similarity,
        {
            "a": array("... length", values=around_eps),
            "b": array("... length", values=around_eps),
            "eps": constant(0.25),
        },
        dims={"length": (1, 9)},
        kinks="twin",
        twin=cosine,
    ),
    subject(
        bilinear,
        {
            "a": "batch left",
            "b": "batch right",
            "W": "outputs left right",
            "c": "outputs",
        },
        traits=BATCHED,
        dims={"batch": (0, 5), "left": (1, 5), "right": (1, 5), "outputs": (1, 5)},
        twin=torch_function("nn.functional.bilinear"),
    ),
    contraction("ij,jk->ik", "i j", "j k"),
    contraction("bij,bjk->bik", "b i j", "b j k"),
    contraction("ij,ik->jk", "i j", "i k"),
    contraction("i,j->ij", "i", "j"),
    contraction("ijs,kj->ki", "i j s", "k j"),
    contraction("ij,ij->", "i j", "i j"),
]


@parametrize_with_checks(SUBJECTS)
def test_reductions(subject, check):
    check(subject)
