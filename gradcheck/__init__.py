"""gradcheck: verify gradients over generated shapes, masks and kinks, with no tolerance to tune.

Names are loaded when first used: importing the package imports neither NumPy nor Hypothesis.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradcheck.lazy import loader

__version__ = "0.1.0"

_WHERE = {
    "Subject": "gradcheck.subject",
    "array": "gradcheck.inputs",
    "integers": "gradcheck.inputs",
    "mask": "gradcheck.inputs",
    "constant": "gradcheck.inputs",
    "check": "gradcheck.api",
    "adapt": "gradcheck.adapters",
    "gradcheck": "gradcheck.dropin",
    "check_optimizer": "gradcheck.training",
    "check_training": "gradcheck.training",
    "Report": "gradcheck.findings",
    "Finding": "gradcheck.findings",
    "parametrize_with_checks": "gradcheck.parametrize",
    "GradcheckError": "gradcheck.errors",
    "UsageError": "gradcheck.errors",
    "MissingExtra": "gradcheck.errors",
    "GradientError": "gradcheck.errors",
}

__all__ = list(_WHERE)

if TYPE_CHECKING:
    from gradcheck.adapters import adapt as adapt
    from gradcheck.api import check as check
    from gradcheck.errors import GradcheckError as GradcheckError
    from gradcheck.errors import GradientError as GradientError
    from gradcheck.errors import MissingExtra as MissingExtra
    from gradcheck.errors import UsageError as UsageError
    from gradcheck.findings import Finding as Finding
    from gradcheck.findings import Report as Report
    from gradcheck.inputs import array as array
    from gradcheck.inputs import constant as constant
    from gradcheck.inputs import integers as integers
    from gradcheck.inputs import mask as mask
    from gradcheck.parametrize import parametrize_with_checks as parametrize_with_checks
    from gradcheck.subject import Subject as Subject


__getattr__ = loader(__name__, _WHERE)


def __dir__() -> list[str]:
    return sorted(__all__)
