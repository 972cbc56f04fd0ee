"""Optimizers: one module a rule, each with `step`. A new one adds its line here.

step(weights, gradient, state=None, *, lr, ...) -> (weights, state): arrays of one shape, nothing
changed in place, arithmetic in the dtype of the weights. `leafwise` lifts a step to mappings.
"""

OPTIMIZERS = [
    "adam",
    "momentum",
    "nesterov",
    "rmsprop",
    "sgd",
]

TOOLS = [
    "arguments",
    "clipping",
    "early_stopping",
    "schedules",
    "weight_decay",
]


def leafwise(step):
    """The same rule on mappings from name to array, each name with a state of its own.

    Raises ValueError where weights and gradient have different names.
    """

    def mapped(weights, gradient, state=None, **options):
        if weights.keys() != gradient.keys():
            raise ValueError(f"weights are {sorted(weights)} and gradient is {sorted(gradient)}")
        state = state or dict.fromkeys(weights)
        stepped = {k: step(weights[k], gradient[k], state[k], **options) for k in weights}
        return {k: s[0] for k, s in stepped.items()}, {k: s[1] for k, s in stepped.items()}

    return mapped
