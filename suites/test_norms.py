"""Normalisation layers, with eps from negligible to large."""

from gradcheck import array, constant, parametrize_with_checks
from reference.layers import (
    batch_norm,
    batch_norm_eval,
    group_norm,
    instance_norm,
    layer_norm,
    rms_norm,
    standardise,
)
from suites.building import BATCHED, F, subject, torch

AFFINE = {"gamma": "channels", "beta": "channels"}


def standardised(x, axes, eps):
    centred = x - x.mean(axes, keepdim=True)
    return centred / torch.sqrt((centred * centred).mean(axes, keepdim=True) + eps)


def in_training(x, gamma, beta):
    """torch.batch_norm itself: the functional form refuses a single value a channel."""
    return torch.batch_norm(x, gamma, beta, None, None, True, 0.0, 1e-5, False)


SUBJECTS = [
    subject(
        standardise,
        {"x": "batch features", "axes": constant((-1,)), "eps": constant(1e-2)},
        twin=standardised,
    ),
    subject(
        standardise,
        {"x": "batch rows columns", "axes": constant((0, 2)), "eps": constant(1e-2)},
        name="standardise-two-axes",
        twin=standardised,
    ),
    subject(
        layer_norm,
        {"x": "... features", "gamma": "features", "beta": "features"},
        twin=lambda x, gamma, beta: F.layer_norm(x, gamma.shape, gamma, beta),
    ),
    subject(
        layer_norm,
        {"x": "... features", "gamma": "features", "beta": "features", "eps": constant(0.5)},
        name="layer_norm-large-eps",
        twin=lambda x, gamma, beta, eps: F.layer_norm(x, gamma.shape, gamma, beta, eps),
    ),
    subject(
        rms_norm,
        {"x": "... features", "gamma": "features", "eps": constant(1e-3)},
        twin=lambda x, gamma, eps: F.rms_norm(x, gamma.shape, gamma, eps),
    ),
    subject(
        batch_norm,
        {"x": "batch channels", **AFFINE},
        name="batch_norm-rows",
        dims={"channels": (1, 5)},
        traits=("permutation",),
        twin=in_training,
    ),
    subject(
        batch_norm,
        {"x": "batch channels height width", **AFFINE},
        name="batch_norm-images",
        dims={"channels": (1, 5), "height": (1, 4), "width": (1, 4)},
        traits=("permutation",),
        twin=in_training,
    ),
    subject(
        batch_norm_eval,
        traits=BATCHED,
        dims={"channels": (1, 5)},
        inputs={
            "x": "batch channels length",
            **AFFINE,
            "mean": array("channels", differentiable=False),
            "variance": array("channels", low=0.01, high=9, differentiable=False),
        },
        twin=lambda x, gamma, beta, mean, variance: F.batch_norm(x, mean, variance, gamma, beta),
    ),
    *[
        subject(
            group_norm,
            {
                "x": f"batch {groups}*size length",
                "gamma": f"{groups}*size",
                "beta": f"{groups}*size",
                "groups": constant(groups),
            },
            name=f"group_norm-{groups}",
            traits=BATCHED,
            dims={"size": (1, 4), "length": (1, 5)},
            twin=lambda x, gamma, beta, groups: torch.group_norm(x, groups, gamma, beta),
        )
        for groups in (1, 2, 3)
    ],
    subject(
        instance_norm,
        {"x": "batch channels length", **AFFINE},
        traits=BATCHED,
        dims={"length": (1, 19)},
        twin=lambda x, gamma, beta: instance_by_hand(x, gamma, beta, 1e-5),
    ),
    subject(
        instance_norm,
        {"x": "batch channels height width", **AFFINE},
        traits=BATCHED,
        name="instance_norm-images",
        dims={"height": (1, 5), "width": (1, 5)},
        twin=lambda x, gamma, beta: instance_by_hand(x, gamma, beta, 1e-5),
    ),
]


def instance_by_hand(x, gamma, beta, eps):
    """F.instance_norm refuses a single position, so the formula stands here."""
    shape = (-1, *(1,) * (x.ndim - 2))
    axes = tuple(range(2, x.ndim))
    return gamma.reshape(shape) * standardised(x, axes, eps) + beta.reshape(shape)


@parametrize_with_checks(SUBJECTS)
def test_norms(subject, check):
    check(subject)
