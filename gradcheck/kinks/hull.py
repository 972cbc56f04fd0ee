"""Whether a claim is a convex combination of the gradients around it."""

from __future__ import annotations

import numpy as np
from scipy.optimize import nnls

from gradcheck.kinks.sides import NAMED, Sides

# Places that show something new by this share have not shown all there is.
MANY_WAYS = 0.75


def in_span(sides: Sides) -> bool:
    """Whether the claim satisfies the linear relations that all the sides satisfy.

    At a tie the sides sum to one: "all" and "none" do not, though each entry lies between 0 and 1.
    """
    where = sides.kinked
    left = np.abs(sides.claim - projected(sides))[where]
    limit = NAMED * np.max(sides.high[where] - sides.low[where])
    return bool(np.all(left <= limit + sides.firm[where]))


def spanned(sides: Sides) -> bool:
    """Whether more places would show no more: of a long tie the patterns see a part alone."""
    rows = sides.probes[:, sides.kinked]
    sizes = np.linalg.svd(rows - rows.mean(axis=0), compute_uv=False)
    return _rank(sizes) < MANY_WAYS * len(rows)


def _rank(sizes: np.ndarray) -> int:
    return int(np.sum(sizes > 1e-6 * sizes[0])) if sizes.size and sizes[0] > 0 else 0


def projected(sides: Sides) -> np.ndarray:
    """The claim, its kinked entries moved to where the sides' linear relations hold.

    As it is where there are more kinks than patterns, and no relation can be told.
    """
    where = sides.kinked
    rows = sides.probes[:, where]
    middle = rows.mean(axis=0)
    _, sizes, basis = np.linalg.svd(rows - middle, full_matrices=False)
    rank = _rank(sizes)
    nearest = sides.claim.copy()
    if rank + 3 <= len(rows):
        offset = sides.claim[where] - middle
        nearest[where] = middle + basis[:rank].T @ (basis[:rank] @ offset)
    return nearest


def in_hull(sides: Sides) -> bool:
    """Whether the claim is a convex combination of what was seen: weights >= 0 that sum to 1."""
    return beyond(sides) is None


def beyond(sides: Sides) -> np.ndarray | None:
    """From what was seen to the claim, the way out of its hull; None where it is not outside."""
    unit = float(np.max(np.abs(sides.probes))) or 1.0
    rows = np.vstack([sides.probes.T / unit, np.ones(len(sides.probes))])
    # The triangular factor is the same problem in as many rows as there are columns.
    table = np.column_stack([rows, np.append(sides.claim / unit, 1.0)])
    small = np.asarray(np.linalg.qr(table, mode="r"))
    try:
        weights, _ = nnls(small[:, :-1], small[:, -1])
    except RuntimeError:  # no convergence
        return np.zeros_like(sides.claim)
    away = sides.claim - weights @ sides.probes
    limit = sides.firm + NAMED * np.max(sides.high - sides.low)
    inside = np.all((np.abs(away) <= limit)[~sides.edge])
    return None if inside and abs(np.sum(weights) - 1.0) <= NAMED else away


def two_valued(sides: Sides) -> bool:
    """Whether every kinked entry is seen at two values only: one kink each."""
    spread = sides.high - sides.low
    near = sides.tolerance + 1e-3 * spread
    ends = (np.abs(sides.probes - sides.low) <= near) | (np.abs(sides.probes - sides.high) <= near)
    return bool(np.all(ends[:, sides.kinked]))
