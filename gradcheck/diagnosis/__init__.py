"""From a wrong gradient to the name of its fault: one fault family a file.

A family is a module with `explain(evidence, judgement) -> Explanation | None`, named in
`gradcheck.diagnosis.explain.MODULES`.
"""

from __future__ import annotations

from gradcheck.diagnosis import budget
from gradcheck.diagnosis.explain import MODULES, explain
from gradcheck.diagnosis.explanation import Explanation, plain
from gradcheck.diagnosis.group import relate
from gradcheck.diagnosis.words import quoted

__all__ = ["MODULES", "Explanation", "budget", "explain", "plain", "quoted", "relate"]
