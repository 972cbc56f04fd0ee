"""The verdict engine: a claimed VJP against numerical derivatives, with no tolerance to tune.

Names are loaded when first used: `kinks/` and `oracles/` build on modules of this package, and its
verdicts on them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'gradcheck.judgement' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_WHERE[name]), name)
