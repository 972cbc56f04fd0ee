"""Runs of a scheme beside torch's own, and how a suite shows them in the report.

Weights after every step are those of a torch run of the same scheme, within the bound each test
names; where the two differ only by rounding, that bound is what rounding does to the run.
"""

import numpy as np

from suites import torch_schemes
from suites.building import torch

FLOAT64 = 1e-12
FLOAT32 = 2e-6


def beside(steps, loss, optimizer="SGD", **options):
    """(our steps, torch's largest relative distance from our weights, its last weights)."""
    ours, far, end = [], 0.0, None
    for step, end in torch_schemes.run(steps, loss, optimizer, **options):
        ours.append(step)
        far = max(far, torch_schemes.apart(step.weights, end))
    return ours, far, {k: w.copy() for k, w in end.items()}


def table(*rows):
    return {"columns": ["figure", "documented", "ours", "torch"], "rows": [_row(r) for r in rows]}


def _row(row):
    return [cell if isinstance(cell, str) else f"{cell:.8g}" for cell in row]


def curve(name, losses, every=1):
    """Losses by step, finite ones; zero has no place on a logarithmic axis."""
    shown = [(k + 1, float(v)) for k, v in enumerate(losses) if np.isfinite(v) and v > 0][::every]
    return {"name": name, "x": [k for k, _ in shown], "y": [v for _, v in shown]}


def losses(steps):
    return [float(np.mean(s.loss)) for s in steps]


def in_torch(loss, *arrays):
    """loss(weights, rows of the arrays that the step used)."""
    held = [torch.tensor(a) for a in arrays]
    return lambda w, step: loss(w, *(a[step.batch] for a in held))
