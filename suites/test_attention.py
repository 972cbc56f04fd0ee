"""Attention: masks, fully masked rows, causal order, grouped heads."""

from gradcheck import constant, mask, parametrize_with_checks
from reference.layers import attention, multi_head_attention
from suites.building import BATCHED, F, subject, torch

SMALL = {"batch": (0, 3), "heads": (1, 3), "queries": (0, 4), "keys": (0, 4)}
SMALL |= {"width": (1, 4), "values": (1, 4)}


def heads(ratio=1, **more):
    return {
        "q": f"batch {ratio}*heads queries width",
        "k": "batch heads keys width",
        "v": "batch heads keys values",
        **more,
    }


def attend(q, k, v, mask=None, causal=False, scale=None):
    """The formula on tensors: torch's fused kernels differ in fully masked rows by version."""
    k, v = (x.repeat_interleave(q.shape[1] // x.shape[1], 1) for x in (k, v))
    seen = torch.ones(q.shape[2], k.shape[2], dtype=torch.bool, device=q.device)
    seen = (seen.tril() if causal else seen)[None, None]
    seen = seen if mask is None else seen & mask[:, None]
    scores = (scale or q.shape[-1] ** -0.5) * q @ k.mT
    weights = torch.softmax(scores.masked_fill(~seen, -1e30), -1)
    return torch.where(seen, weights, 0.0) @ v


def fused(q, k, v, causal=False):
    return F.scaled_dot_product_attention(q, k, v, is_causal=causal, enable_gqa=True)


def multi_head(query, key, value, W_in, b_in, W_out, b_out, heads, mask=None):
    def split(x):
        return x.unflatten(-1, (heads, -1)).transpose(1, 2)

    weights, biases = W_in.chunk(3), b_in.chunk(3)
    projected = [
        split(F.linear(x, W, b))
        for x, W, b in zip((query, key, value), weights, biases, strict=True)
    ]
    return F.linear(attend(*projected, mask).transpose(1, 2).flatten(-2), W_out, b_out)


def projections(heads, **more):
    width = f"{heads}*size"
    return {
        "query": f"batch queries {width}",
        "key": f"batch keys {width}",
        "value": f"batch keys {width}",
        "W_in": f"{3 * heads}*size {width}",
        "b_in": f"{3 * heads}*size",
        "W_out": f"{width} {width}",
        "b_out": width,
        **more,
        "heads": constant(heads),
    }


SUBJECTS = [
    subject(attention, heads(), traits=BATCHED, dims=SMALL | {"keys": (1, 4)}, twin=fused),
    subject(
        attention,
        heads(mask=mask("batch queries keys", of="v")),
        name="attention-masked",
        traits=BATCHED,
        dims=SMALL,
        twin=attend,
    ),
    subject(
        attention,
        heads(causal=constant(True)),
        name="attention-causal",
        traits=BATCHED,
        dims=SMALL | {"keys": (1, 4), "queries": (1, 4)},
        twin=fused,
    ),
    subject(
        attention,
        heads(2),
        name="attention-grouped",
        traits=BATCHED,
        dims=SMALL | {"heads": (1, 2), "keys": (1, 4), "queries": (1, 4)},
        twin=fused,
    ),
    subject(
        attention,
        heads(
            2, mask=mask("batch queries keys", of="v"), causal=constant(True), scale=constant(0.7)
        ),
        name="attention-grouped-causal-masked",
        traits=BATCHED,
        dims=SMALL | {"heads": (1, 2)},
        twin=attend,
    ),
    *[
        subject(
            multi_head_attention,
            projections(count),
            name=f"multi_head_attention-{count}",
            traits=BATCHED,
            dims={"batch": (0, 3), "queries": (0, 4), "keys": (0, 4), "size": (1, 3)},
            twin=multi_head,
        )
        for count in (1, 2)
    ],
    subject(
        multi_head_attention,
        projections(2, mask=mask("batch queries keys", of="value")),
        name="multi_head_attention-masked",
        traits=BATCHED,
        dims={"batch": (0, 3), "queries": (0, 4), "keys": (0, 4), "size": (1, 3)},
        twin=multi_head,
    ),
]


@parametrize_with_checks(SUBJECTS)
def test_attention(subject, check):
    check(subject)
