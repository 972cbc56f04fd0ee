"""A multilayer perceptron on rows, linear last layer, relu between. Source: (000), (001), (004).

h_0 = X, z_k = h_{k-1} W_k + b_k, h_k = relu(z_k), p = z_K. Weights are named W1, b1, W2, b2, ...
relu'(0) is `at_zero`, 0 by default as in TensorFlow and PuzzleLib.
"""

from reference.layers import linear, relu


def depth(weights):
    """Number of layers. Raises ValueError where the names are not W1, b1, W2, b2, ..."""
    count = len(weights) // 2
    wanted = {f"{letter}{k}" for k in range(1, count + 1) for letter in "Wb"}
    if not count or weights.keys() != wanted:
        raise ValueError(f"weights are {sorted(weights)}: W1, b1, W2, b2, ... are needed")
    return count


def forward(weights, X):
    """Predictions p (rows, outputs) for X (rows, features)."""
    return trace(weights, X)[-1]


def trace(weights, X):
    """The pre-activations z_1 .. z_K."""
    z = []
    for k in range(1, depth(weights) + 1):
        h = relu.forward(z[-1]) if z else X
        z.append(linear.forward(h, weights[f"W{k}"], weights[f"b{k}"]))
    return z


def vjp(cotangent, weights, X, z=None, at_zero=0.0):
    """Gradients by name of <cotangent, p>. z: the `trace` at X, where it is known."""
    z, gradient = trace(weights, X) if z is None else z, {}
    for k in range(depth(weights), 0, -1):
        h = relu.forward(z[k - 2]) if k > 1 else X
        pulled = linear.vjp(cotangent, h, weights[f"W{k}"], weights[f"b{k}"])
        gradient |= {f"W{k}": pulled["W"], f"b{k}": pulled["b"]}
        if k > 1:
            cotangent = relu.vjp(pulled["x"], z[k - 2], at_zero=at_zero)["x"]
    return gradient
