"""Losses: one module a loss, each with `forward` and `vjp`. A new one adds its line here."""

LOSSES = [
    "cross_entropy",
    "hinge",
    "huber",
    "log_softmax",
    "masked_mse",
    "masked_sequence_mse",
    "mse",
    "multi_margin",
    "nll",
    "odr",
    "softmax_mse",
]
