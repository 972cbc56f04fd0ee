"""A torch.nn.Module; its parameters are found by themselves, its gradient is autograd's.

    gradcheck verify examples.torch_module:faulty      # exit status 1
    gradcheck verify examples.torch_module:correct     # exit status 0

The shapes are found by trial here. Where a forward takes several inputs, say them:
check(torch.nn.MultiheadAttention(8, 2), {"query": "time batch 8", "key": "source batch 8", ...}).
"""

from __future__ import annotations

import torch


class Standardise(torch.nn.Module):
    """Rows minus their mean, over their standard deviation, times a weight."""

    def __init__(self, features):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(features))

    def spread(self, centred):
        return torch.sqrt(centred.square().mean(dim=-1, keepdim=True) + 1e-3)

    def forward(self, x):
        centred = x - x.mean(dim=-1, keepdim=True)
        return centred / self.spread(centred) * self.weight


class Detached(Standardise):
    """The same, with a detach that cuts the gradient's path through the deviation."""

    def spread(self, centred):
        return super().spread(centred).detach()


correct = Standardise(4)
faulty = Detached(4)


if __name__ == "__main__":
    from gradcheck import check

    print(check(correct), check(faulty), sep="\n")
