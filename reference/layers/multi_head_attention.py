"""Multi-head attention: three projections, attention in every head, and a projection back.

Formula
    q = query Wq^T + bq,  k = key Wk^T + bk,  v = value Wv^T + bv,  each split into heads
    y = join(attention(q, k, v)) Wo^T + bo
    The rows of W_in are those of Wq, Wk, Wv; of b_in, bq, bk, bv.
    d join = g Wo,  dWo = g^T join,  dbo = sum g, then attention's VJP, then for each projection
    d query = dq Wq,  dWq = dq^T query,  dbq = sum dq.

Shapes
    query (batch, queries, width); key, value (batch, keys, width); W_in (3 width, width);
    b_in (3 width); W_out (width, width); b_out (width); heads divides width;
    mask (batch, queries, keys), True for keys that are seen, or None; y (batch, queries, width).
    A query that sees no key gets b_out.

Errors
    ValueError: shapes that disagree; heads not dividing width; a mask of anything but 0 and 1; a
    width of 0.

Source
    Vaswani et al. (2017), section 3.2.2; the layout is torch.nn.MultiheadAttention's
    (batch_first=True).
"""

import numpy as np

from reference.layers import attention
from reference.rows import over_rows
from reference.shapes import expect, multiple_of


def forward(query, key, value, W_in, b_in, W_out, b_out, mask=None, *, heads=1, causal=False):
    projected = _project(query, key, value, W_in, b_in, W_out, b_out, mask, heads)
    return _join(attention.forward(*projected, mask, causal=causal)) @ W_out.T + b_out


def vjp(
    cotangent, query, key, value, W_in, b_in, W_out, b_out, mask=None, *, heads=1, causal=False
):
    projected = _project(query, key, value, W_in, b_in, W_out, b_out, mask, heads)
    expect(query=(query, "..."), cotangent=(cotangent, "..."))
    joined = _join(attention.forward(*projected, mask, causal=causal))
    inner = attention.vjp(_split(cotangent @ W_out, heads), *projected, mask, causal=causal)
    d = [_join(inner[name]) for name in ("q", "k", "v")]
    sources = query, key, value
    gradients = [dp @ W for dp, W in zip(d, _thirds(W_in), strict=True)]
    return {
        **dict(zip(("query", "key", "value"), gradients, strict=True)),
        "W_in": np.concatenate([over_rows(dp, s) for dp, s in zip(d, sources, strict=True)]),
        "b_in": np.concatenate([np.sum(dp, (0, 1)) for dp in d]),
        "W_out": over_rows(cotangent, joined),
        "b_out": np.sum(cotangent, (0, 1)),
    }


def _project(query, key, value, W_in, b_in, W_out, b_out, mask, heads):
    sizes = expect(
        query=(query, "batch queries width"),
        key=(key, "batch keys width"),
        value=(value, "batch keys width"),
        W_in=(W_in, "rows width"),
        b_in=(b_in, "rows"),
        W_out=(W_out, "width width"),
        b_out=(b_out, "width"),
        mask=(mask, "batch queries keys?"),
    )
    width = sizes["width"]
    if sizes["rows"] != 3 * width:
        raise ValueError(f"W_in has shape {W_in.shape}: three times width, {3 * width}, is needed")
    multiple_of("width", width, "heads", heads)
    parts = zip((query, key, value), _thirds(W_in), _thirds(b_in), strict=True)
    return [_split(s @ W.T + b, heads) for s, W, b in parts]


def _thirds(stacked):
    return np.split(stacked, 3)


def _split(x, heads):
    batch, length, width = x.shape
    return x.reshape(batch, length, heads, width // heads).swapaxes(1, 2)


def _join(x):
    batch, heads, length, width = x.shape
    return x.swapaxes(1, 2).reshape(batch, length, heads * width)
