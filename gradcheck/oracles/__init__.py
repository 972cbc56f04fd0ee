"""Independent derivatives, each with its own error."""

from __future__ import annotations

__all__ = ["ORACLES"]

# name -> module: the one list a new oracle is added to.
ORACLES = {
    "finite_difference": "gradcheck.oracles.finite_difference",
    "complex_step": "gradcheck.oracles.complex_step",
    "replicas": "gradcheck.oracles.replicas",
}
