"""A custom operator of torch.library, with a CPU kernel that is wrong for odd lengths only.

    gradcheck verify examples.torch_custom_op:faulty      # exit status 1
    gradcheck verify examples.torch_custom_op:correct     # exit status 0

torch.library.opcheck is run too: it finds wrong schemas and registrations, not wrong gradients.
"""

from __future__ import annotations

import torch


def square_in_pairs(x, end):
    """Squares x, two columns at a time up to `end`, as a vectorised kernel would."""
    out = x.clone()
    for column in range(0, end, 2):
        out[:, column : column + 2] *= x[:, column : column + 2]
    return out


@torch.library.custom_op("gradcheck_examples::square", mutates_args=())
def correct(x: torch.Tensor) -> torch.Tensor:
    return square_in_pairs(x, x.shape[1])


@torch.library.custom_op("gradcheck_examples::square_without_tail", mutates_args=())
def faulty(x: torch.Tensor) -> torch.Tensor:
    return square_in_pairs(x, x.shape[1] - x.shape[1] % 2)


def save(ctx, inputs, output):
    ctx.save_for_backward(inputs[0])


def slope(ctx, grad):
    return grad * 2 * ctx.saved_tensors[0]


for operator in (correct, faulty):
    operator.register_fake(torch.empty_like)
    operator.register_autograd(slope, setup_context=save)


if __name__ == "__main__":
    from gradcheck import check

    print(check(correct, {"x": "rows columns"}), check(faulty, {"x": "rows columns"}), sep="\n")
