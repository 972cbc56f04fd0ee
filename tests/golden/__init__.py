"""The documented numbers, and what this library computes in their place.

documented.json: {key: {"status", "tolerance", "value"}}. status says where the value comes from:
"exact" is printed in a document, "recomputed" follows from its inputs but is not printed there,
"stochastic" is a quantile of a distribution. tolerance is one of {"exact": true}, {"ulp32": n},
{"ulp64": n}, {"abs": a}, {"rel": r}; for a stochastic entry it belongs to its "ours". Where a
tolerance is wider than those beside it, "why" says why.
"""

import hashlib
import json
from functools import cache
from pathlib import Path

import numpy as np

FILE = Path(__file__).with_name("documented.json")


@cache
def entries():
    """All entries by key."""
    return json.loads(FILE.read_text())


def digest():
    """SHA-256 of the data file."""
    return hashlib.sha256(FILE.read_bytes()).hexdigest()


def value(key):
    """The documented value of one entry."""
    return entries()[key]["value"]


def mismatch(wanted, got, tolerance):
    """How `got` differs from `wanted`, as one line; None where it is within the tolerance."""
    if "exact" in tolerance:
        got = got.tolist() if isinstance(got, np.ndarray | np.generic) else got
        return None if got == wanted else f"{got!r} is not {wanted!r}"
    wanted = np.array(_numbers(wanted), dtype=float)
    got = np.asarray(got)
    if wanted.shape != got.shape:
        return f"shape {got.shape} is not {wanted.shape}"
    error = _error(wanted, got, tolerance)
    if np.all(error <= 1):
        return None
    worst = np.unravel_index(np.argmax(np.where(np.isnan(error), np.inf, error)), error.shape)
    return f"at {tuple(map(int, worst))}: {got[worst]!r} is not {wanted[worst]!r} ({tolerance})"


def _numbers(value):
    """Nested lists with "nan", "inf" and "-inf" as floats."""
    return [_numbers(v) for v in value] if isinstance(value, list) else float(value)


def _error(wanted, got, tolerance):
    """Distance over tolerance, 0 where the numbers are the same or both NaN."""
    (kind, size), *_ = tolerance.items()
    with np.errstate(all="ignore"):
        if kind in ("ulp32", "ulp64"):
            dtype = np.float32 if kind == "ulp32" else np.float64
            wanted, got = wanted.astype(dtype), got.astype(dtype)
            distance = np.abs(wanted - got) / np.spacing(np.abs(wanted))
        else:
            distance = np.abs(wanted - got) / (np.abs(wanted) if kind == "rel" else 1)
        error = np.where(distance <= size, distance <= -1, 2 * np.ones(distance.shape))
    alike = (wanted == got) | (np.isnan(wanted) & np.isnan(got))
    return np.where(alike, 0, error)
