"""Masks that leak, that are turned round, that leave nothing."""

from __future__ import annotations

import numpy as np

from tests.faults.catalogue.base import Fault, bend, masked_mean, masked_sum

FAULTS: list[Fault] = [
    (
        "leak",
        bend(masked_sum, "leak", "x",
             lambda g, u, i: u[..., None] * (1 - np.tanh(i["x"]) ** 2)),
        masked_sum,
        "x",
        "mask leak",
    ),
    (
        "inverted",
        bend(masked_sum, "inverted", "x",
             lambda g, u, i: np.where(i["m"], 0.0, u[..., None] * (1 - np.tanh(i["x"]) ** 2))),
        masked_sum,
        "x",
        "mask inverted",
    ),
    (
        "empty row",
        bend(masked_mean, "0/0", "x",
             lambda g, u, i: u[:, None] * i["m"] / i["m"].sum(-1)[:, None]),
        masked_mean,
        "x",
        "fully masked row",
    ),
]  # fmt: skip
