"""Masks: over weights, over units, over time, and the zero padding that needs one."""

from gradcheck import mask, parametrize_with_checks
from reference.layers import dropout, identity, masked_dense, padding, sequence_mask
from suites.building import torch
from suites.documented import documented

LINEAR = {"activation": (identity.forward, identity.vjp)}
DENSE = {
    "x": "batch features",
    "W": "features units",
    "b": "units",
    "mask": mask("features units", of="W", true="keep"),
}
SEQUENCE = {
    "x": "batch time features",
    "keep": mask("batch time", of="x", true="keep"),
}


def pad(x, keep):
    """The kept steps, packed one after another and padded again."""
    return padding.forward(x[keep], keep.sum(1), time=keep.shape[1])


def pad_vjp(cotangent, x, keep):
    """The packed gradient, back at the steps it came from."""
    dx = x * 0
    packed = padding.vjp(cotangent, x[keep], keep.sum(1), time=keep.shape[1])
    dx[keep] = packed["x"]
    return {"x": dx}


def pad_twin(x, keep):
    """The kept steps moved to the front by a stable sort."""
    order = torch.argsort((~keep).to(torch.int8), dim=1, stable=True)
    kept = torch.where(keep[..., None], x, torch.zeros_like(x))
    return torch.take_along_dim(kept, order[..., None].expand(x.shape), dim=1)


SUBJECTS = [
    documented(
        "masked dense relu",
        masked_dense,
        DENSE,
        twin=lambda x, W, b, mask: torch.relu(x @ (W * mask) + b),
        kinks="twin",
        traits=("batched", "permutation"),
        source="(002) masked weights",
    ),
    documented(
        "masked dense linear",
        masked_dense,
        DENSE,
        options=LINEAR,
        twin=lambda x, W, b, mask: x @ (W * mask) + b,
        traits=("batched", "permutation"),
        source="(002) masked weights",
    ),
    documented(
        "dropout",
        dropout,
        {"x": "...", "mask": mask("...", of="x", true="keep")},
        options={"rate": 0.25},
        twin=lambda x, mask: x * mask / 0.75,
        traits=("linear", "elementwise"),
        source="(002) nolearn dropout, p = 0.25",
    ),
    documented(
        "dropout at evaluation",
        dropout,
        {"x": "...", "mask": mask("...")},
        options={"training": False},
        twin=lambda x, mask: x.clone(),
        traits=("linear", "elementwise"),
        source="(002) nolearn dropout, off at evaluation",
    ),
    documented(
        "sequence mask",
        sequence_mask,
        {"x": "batch time features", "mask": mask("batch time", of="x", true="keep")},
        twin=lambda x, mask: torch.where(mask[..., None], x, 0.0),
        traits=("linear", "batched", "permutation"),
        source="(002) masks for padded sequences",
    ),
    documented(
        "padding",
        (pad, pad_vjp),
        SEQUENCE,
        twin=pad_twin,
        traits=("linear", "batched", "permutation"),
        source="(002) zero padding",
    ),
]


@parametrize_with_checks(SUBJECTS)
def test_masks(subject, check):
    """What is masked changes nothing and gets exactly zero."""
    check(subject)
