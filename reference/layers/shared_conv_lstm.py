"""Several sequences through one shared Conv1D and one shared LSTM, concatenated, classified.

Formula
    s_k = LSTM(relu(Conv1D(x_k; K, k)); W, U, b), the same weights for every k
    y = softmax([s1 | s2 | ...] V + v)
    the gradients of K, k, W, U, b are summed over the inputs

Shapes
    x_k (batch, length_k, channels), K (width, channels, filters), k (filters,);
    W (filters, 4 units), U (units, 4 units), b (4 units,);
    V (inputs times units, classes), v (classes,), y (batch, classes)

Kinks
    relu after the convolution takes 0 at zero

Errors
    ValueError: shapes disagree; no input; a sequence shorter than the kernel.

Source
    (002) shared Conv1D(5, 3) and LSTM(10) on lengths 50, 40, 30, 20, 10, Dense(2)
"""

from reference.layers import concatenate, conv1d, dense, lstm, relu, shared, softmax
from reference.shapes import expect, expect_shape

_SOFTMAX = (softmax.forward, softmax.vjp)


def forward(*inputs, K, k, W, U, b, V, v):
    _check(inputs, K, k, W, U, b, V, v)
    states = shared.forward(*inputs, layer=(_branch, _branch_vjp), K=K, k=k, W=W, U=U, b=b)
    return dense.forward(concatenate.forward(*states), V, v, activation=_SOFTMAX)


def vjp(cotangent, *inputs, K, k, W, U, b, V, v):
    """Back through the softmax, the pieces of the concatenation, and the shared branch."""
    _check(inputs, K, k, W, U, b, V, v, cotangent=(cotangent, "batch classes"))
    branch = {"layer": (_branch, _branch_vjp), "K": K, "k": k, "W": W, "U": U, "b": b}
    states = shared.forward(*inputs, **branch)
    joined = concatenate.forward(*states)
    top = dense.vjp(cotangent, joined, V, v, activation=_SOFTMAX)
    pieces = concatenate.vjp(top["x"], *states)
    return shared.vjp(tuple(pieces.values()), *inputs, **branch) | {"V": top["W"], "v": top["b"]}


def _branch(x, K, k, W, U, b):
    return lstm.forward(relu.forward(conv1d.forward(x, K, k)), W, U, b)


def _branch_vjp(cotangent, x, K, k, W, U, b):
    convolved = conv1d.forward(x, K, k)
    recurrent = lstm.vjp(cotangent, relu.forward(convolved), W, U, b)
    before = relu.vjp(recurrent.pop("x"), convolved)["x"]
    conv = conv1d.vjp(before, x, K, k)
    return recurrent | {"x": conv["x"], "K": conv["K"], "k": conv["b"]}


def _check(inputs, K, k, W, U, b, V, v, **more):
    named = {f"x{n}": x for n, x in enumerate(inputs, 1)}
    expect(
        K=(K, "width channels filters"),
        k=(k, "filters"),
        W=(W, "filters gates"),
        U=(U, "units gates"),
        b=(b, "gates"),
        V=(V, "states classes"),
        v=(v, "classes"),
        **{name: (x, f"batch length_of_{name} channels") for name, x in named.items()},
        **more,
    )
    for name, x in named.items():
        if x.shape[1] < len(K):
            raise ValueError(f"{name} has shape {x.shape} and K has shape {K.shape}: too short")
    shape = (len(inputs) * len(U), V.shape[1])
    expect_shape("V", V, shape, f"a matrix for {len(inputs)} states of U's units")
