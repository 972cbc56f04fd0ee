"""The verdict engine: a claimed VJP against numerical derivatives, with no tolerance to tune.

Names are loaded when first used: `kinks/` and `oracles/` build on modules of this package, and its
verdicts on them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradcheck.lazy import loader

_WHERE = {
    "judge": "gradcheck.judgement.joint",
    "judge_jointly": "gradcheck.judgement.joint",
    "numerical_gradient": "gradcheck.judgement.jacobian",
}

__all__ = list(_WHERE)

if TYPE_CHECKING:
    from gradcheck.judgement.jacobian import numerical_gradient as numerical_gradient
    from gradcheck.judgement.joint import judge as judge
    from gradcheck.judgement.joint import judge_jointly as judge_jointly

__getattr__ = loader(__name__, _WHERE)
