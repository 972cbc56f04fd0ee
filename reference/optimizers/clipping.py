"""Gradient clipping (Pascanu et al. 2013): by value, or by the norm over all arrays together.

Neither is linear in the gradient: folding the learning rate into the gradient first, as the
component network (003) does, changes what is clipped.
"""

import numpy as np

from reference.optimizers import arguments


def by_value(gradient, limit):
    """Each entry of an array moved into [-limit, limit]."""
    limit = arguments.rate("limit", limit, float)
    return np.clip(gradient, -limit, limit)


def by_norm(gradients, limit, epsilon=0.0):
    """A mapping of arrays scaled by min(1, limit / (norm + epsilon)), one norm over all of them.

    epsilon: 1e-6 is torch's clip_grad_norm_; 0 leaves the result exactly at the limit.
    A norm that is not finite is refused: there is no direction left to scale.
    """
    limit = arguments.rate("limit", limit, float)
    norm = np.sqrt(sum(float(np.sum(np.square(g))) for g in gradients.values()))
    if not np.isfinite(norm):
        raise ValueError(f"the gradient's norm is {norm}: it cannot be clipped")
    factor = min(1.0, limit / (norm + epsilon)) if norm + epsilon > 0 else 1.0
    return {name: g * g.dtype.type(factor) for name, g in gradients.items()}
