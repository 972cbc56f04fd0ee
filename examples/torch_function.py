"""A torch.autograd.Function with a fault that a tolerance hides: its backward forgets epsilon.

    gradcheck verify examples.torch_function:Faulty   --inputs "x=batch features" w=features
    gradcheck verify examples.torch_function:RmsNorm  --inputs "x=batch features" w=features

The first exits with status 1, the second with 0. At ordinary points the fault is a relative error
of about 1e-5, which torch.autograd.gradcheck passes; where a row is zero it is a NaN.
"""

from __future__ import annotations

import torch

EPSILON = 1e-5


def row_scale(x, epsilon):
    """Root of the mean square of each row."""
    return torch.sqrt((x * x).mean(dim=-1, keepdim=True) + epsilon)


def pulled_back(grad, x, w, scale):
    """Gradients of x / scale * w at rows x, for the cotangent `grad`."""
    normal = x / scale
    weighted = grad * w
    grad_x = (weighted - normal * (weighted * normal).mean(dim=-1, keepdim=True)) / scale
    return grad_x, (grad * normal).sum(dim=0)


class RmsNorm(torch.autograd.Function):
    """y = w x / sqrt(mean(x^2) + epsilon), row by row."""

    @staticmethod
    def forward(ctx, x, w):
        ctx.save_for_backward(x, w)
        return x / row_scale(x, EPSILON) * w

    @staticmethod
    def backward(ctx, grad):
        x, w = ctx.saved_tensors
        return pulled_back(grad, x, w, row_scale(x, EPSILON))


class Faulty(RmsNorm):
    """The same forward; the backward recomputes the scale without epsilon."""

    @staticmethod
    def backward(ctx, grad):
        x, w = ctx.saved_tensors
        return pulled_back(grad, x, w, row_scale(x, 0.0))


if __name__ == "__main__":
    from gradcheck import check

    for function in (RmsNorm, Faulty):
        print(check(function, {"x": "batch features", "w": "features"}))
