"""Weight decay, coupled and decoupled (Loshchilov & Hutter 2019): a step made of a step.

coupled:    the rule sees g + decay w              torch's weight_decay, an L2 penalty decay/2 |w|^2
decoupled:  w <- (1 - lr decay) w, then the rule   AdamW

Under plain SGD they are the same to rounding. Under an adaptive rule the coupled penalty is
rescaled with the gradient; the decoupled one is not.
"""

from reference.optimizers import arguments


def coupled(step, decay):
    """`step` with the penalty's gradient added to the gradient. decay: not negative."""
    arguments.rate("decay", decay, float)

    def decayed(weights, gradient, state=None, **options):
        weights, gradient = arguments.arrays(weights, gradient)
        penalty = weights.dtype.type(decay) * weights
        return step(weights, gradient + penalty, state, **options)

    return decayed


def decoupled(step, decay):
    """`step` from weights shrunk by the factor 1 - lr decay. The rate must be given as `lr=`."""
    arguments.rate("decay", decay, float)

    def decayed(weights, gradient, state=None, *, lr, **options):
        weights, gradient = arguments.arrays(weights, gradient)
        shrink = arguments.rate("lr", lr, weights.dtype) * weights.dtype.type(decay)
        return step(weights * (1 - shrink), gradient, state, lr=lr, **options)

    return decayed
