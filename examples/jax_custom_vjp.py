"""A JAX function with a derivative of its own, custom_vjp.

    gradcheck verify examples.jax_custom_vjp:faulty      # exit status 1
    gradcheck verify examples.jax_custom_vjp:correct     # exit status 0

It is run in float64, whatever the process is set to.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp


def soft_plus(x):
    """log(1 + exp(x)), without overflow."""
    return jnp.logaddexp(x, 0.0)


def remember_input(x):
    return soft_plus(x), x


def at_input(x, cotangent):
    return (cotangent * jax.nn.sigmoid(x),)


def remember_output(x):
    y = soft_plus(x)
    return y, y


correct = jax.custom_vjp(soft_plus)
correct.defvjp(remember_input, at_input)

# The derivative taken at the output instead of the input.
faulty = jax.custom_vjp(soft_plus)
faulty.defvjp(remember_output, at_input)


if __name__ == "__main__":
    from gradcheck import check

    print(check(correct, {"x": "n"}), check(faulty, {"x": "n"}), sep="\n")
