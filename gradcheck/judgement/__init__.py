"""The verdict engine: a claimed VJP against numerical derivatives, with no tolerance to tune."""

from __future__ import annotations

from gradcheck.judgement.jacobian import numerical_gradient
from gradcheck.judgement.joint import judge, judge_jointly

__all__ = ["judge", "judge_jointly", "numerical_gradient"]
