"""Lift around Task: a network whose weights another network computes from the same input.

It is piecewise cubic in x: the weights are piecewise linear, and two layers multiply.

Formula
    f(x) = Task(x; w) with w = Lift(x; A, a, B, c)
    dx is the sum of the gradient through the Task's input and that through its weights

Shapes
    x (batch, features), A (features, hidden), a (hidden,), B (hidden, weights), c (weights,);
    y (batch, outputs)

Kinks
    both relus take 0 at zero

Errors
    ValueError: shapes disagree; `weights` fits no Task network.

Source
    (000) class lifter
"""

from reference.layers import lift, task


def forward(x, A, a, B, c, *, outputs=1):
    """f(x) = Task(x; Lift(x))."""
    return task.forward(x, lift.forward(x, A, a, B, c), outputs=outputs)


def vjp(cotangent, x, A, a, B, c, *, outputs=1):
    """Both paths of x, and the Lift's parameters."""
    inner = task.vjp(cotangent, x, lift.forward(x, A, a, B, c), outputs=outputs)
    outer = lift.vjp(inner["w"], x, A, a, B, c)
    return outer | {"x": inner["x"] + outer["x"]}
