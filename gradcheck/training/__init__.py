"""Optimizers and training steps: an update is held against what its gradient asks for."""

from __future__ import annotations

from gradcheck.training.optimizer import check_optimizer
from gradcheck.training.step import check_training

__all__ = ["check_optimizer", "check_training"]
