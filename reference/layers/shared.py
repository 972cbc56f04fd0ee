"""One layer, with one set of weights, applied to several inputs.

`layer` is a pair (forward, vjp) of one input x and named parameters.

Formula
    y1, y2, ... = f(x1; w), f(x2; w), ...
    dx_k = the pullback of g_k at x_k
    dw = sum over k of the pullback of g_k to w at x_k

Shapes
    those of the layer; the inputs may differ in shape where the layer allows it

Kinks
    those of the layer

Errors
    ValueError: no input; as many cotangents as inputs are needed; those of the layer.

Source
    (002) shared_f and shared_LSTM
"""

from reference.shapes import pieces


def forward(*inputs, layer, **parameters):
    """y1, y2, ... as a tuple."""
    _some(inputs)
    return tuple(layer[0](x, **parameters) for x in inputs)


def vjp(cotangents, *inputs, layer, **parameters):
    """Gradients x1, x2, ... and each parameter's, summed over the inputs."""
    _some(inputs)
    pieces("cotangents", cotangents, len(inputs))
    pulled = [layer[1](g, x, **parameters) for g, x in zip(cotangents, inputs, strict=True)]
    gradients = {f"x{k}": one["x"] for k, one in enumerate(pulled, 1)}
    shared = [name for name in parameters if name in pulled[0]]  # a mask, say, has none
    return gradients | {name: sum(one[name] for one in pulled) for name in shared}


def _some(inputs):
    if not inputs:
        raise ValueError("inputs is empty: a shared layer has at least one input")
