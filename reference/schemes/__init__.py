"""Training schemes: one module each, a generator of steps. A new one adds its line here.

Each has `loss_and_gradient(weights, ...) -> (loss, gradient)` on mappings of arrays, the function
its steps descend, and one or more generators of `step.Step`.
"""

SCHEMES = [
    "baseline",
    "components",
    "dense_sgd",
    "lift",
    "masked_training",
    "nolearn",
    "odr",
    "puzzlelib",
    "relu_demo",
    "scalar",
    "tutorial",
    "two_layer",
]

TOOLS = [
    "bench",
    "data",
    "descent",
    "flat",
    "mlp",
    "step",
    "stop",
]
