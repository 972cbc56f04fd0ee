r"""LaTeX, the part of it that formulas of layers need, -> MathML, which browsers draw themselves.

Letters, numbers, operators, ^ _ { }, \frac{}{} \sqrt{} \text{} \mathrm{} \mathbf{} \hat{} \bar{}
\tilde{} \vec{}, Greek letters, named functions and the signs below. Anything else is shown as it
is written.
"""

from __future__ import annotations

import re

from markupsafe import Markup

from gradcheck.report.svg import tag
from gradcheck.report.text import LONG


def _pairs(words: str) -> dict[str, str]:
    found = words.split()
    return dict(zip(found[::2], found[1::2], strict=True))


_IDENTIFIERS = _pairs(
    "alpha α beta β gamma γ delta δ epsilon ε varepsilon ε zeta ζ eta η theta θ iota ι kappa κ "
    "lambda λ mu μ nu ν xi ξ pi π rho ρ sigma σ tau τ phi φ varphi φ chi χ psi ψ omega ω Gamma Γ "
    "Delta Δ Theta Θ Lambda Λ Xi Ξ Pi Π Sigma Σ Phi Φ Psi Ψ Omega Ω ell ℓ"
)
_OPERATORS = _pairs(
    "cdot · times × odot ⊙ otimes ⊗ oplus ⊕ sum ∑ prod ∏ int ∫ partial ∂ nabla ∇ in ∈ notin ∉ "
    "le ≤ leq ≤ ge ≥ geq ≥ ne ≠ neq ≠ approx ≈ equiv ≡ to → rightarrow → leftarrow ← mapsto ↦ "
    "top ⊤ infty ∞ pm ± mp ∓ langle ⟨ rangle ⟩ lVert ‖ rVert ‖ ldots … dots … cdots ⋯ forall ∀ "
    "mid ∣ star ⋆ ast ∗ circ ∘ lfloor ⌊ rfloor ⌋ lceil ⌈ rceil ⌉ colon : land ∧ lor ∨ cup ∪ cap ∩"
)
_FUNCTIONS = re.compile(
    "exp|log|ln|sin|cos|tan|tanh|sinh|cosh|max|min|arg|sign|det|dim|sup|inf|erf|lim|softmax"
)
_ACCENTS = {"hat": "^", "bar": "¯", "tilde": "~", "vec": "→", "dot": "˙"}
_SPACES = re.compile(r"[,;:! \\]|quad|qquad|left|right|big|Big|displaystyle")
_TOKEN = re.compile(r"\\[A-Za-z]+|\\.|\d+(?:\.\d+)?|[A-Za-z]|\s+|.", re.DOTALL)
_DEEPEST = 40


def formula(source: str) -> Markup:
    """`source` as a <math> element; its alternative text is the source itself."""
    tokens = [t for t in _TOKEN.findall(source[:LONG]) if not t.isspace()]
    row = _Parser(tokens).row()
    return tag("math", tag("mrow", *row), aria_label=source[:LONG], display="block")


class _Parser:
    def __init__(self, tokens: list[str]) -> None:
        self.tokens, self.at, self.depth = tokens, 0, 0

    def row(self, end: str = "") -> list[Markup]:
        """Atoms with their scripts, up to `end` or the end of the formula."""
        parts: list[Markup] = []
        while self.at < len(self.tokens):
            if self.tokens[self.at] == end:
                self.at += 1
                break
            atom = self.atom()
            if atom is not None:
                parts.append(self.scripts(atom))
        return parts

    def scripts(self, base: Markup) -> Markup:
        """The base with what stands below and above it."""
        found: dict[str, Markup] = {}
        while self.at < len(self.tokens) and self.tokens[self.at] in "_^'":
            mark = self.tokens[self.at]
            self.at += 1
            found["^" if mark == "'" else mark] = tag("mo", "′") if mark == "'" else self.argument()
        if len(found) == 2:
            return tag("msubsup", base, found["_"], found["^"])
        if found:
            (mark, script) = next(iter(found.items()))
            return tag("msub" if mark == "_" else "msup", base, script)
        return base

    def argument(self) -> Markup:
        """What a command or script applies to: a group in braces or one atom."""
        while self.at < len(self.tokens):
            atom = self.atom()
            if atom is not None:
                return atom
        return tag("mrow")

    def atom(self) -> Markup | None:
        token = self.tokens[self.at]
        self.at += 1
        if token == "{" and self.depth < _DEEPEST:
            self.depth += 1
            inside = self.row("}")
            self.depth -= 1
            return tag("mrow", *inside)
        if token.startswith("\\") and len(token) > 1:
            return self.command(token[1:])
        if token[0].isdecimal():
            return tag("mn", token)
        return tag("mi", token) if token.isalpha() else tag("mo", "−" if token == "-" else token)

    def command(self, name: str) -> Markup | None:
        if _SPACES.fullmatch(name):
            return None
        if name == "frac":
            return tag("mfrac", self.argument(), self.argument())
        if name == "sqrt":
            return tag("msqrt", self.argument())
        if name in ("text", "mathrm", "operatorname"):
            return tag("mtext", self.words())
        if name in ("mathbf", "boldsymbol"):
            return tag("mrow", self.argument(), class_="bold")
        if name in _ACCENTS:
            return tag("mover", self.argument(), tag("mo", _ACCENTS[name]), accent="true")
        return self.symbol(name)

    def symbol(self, name: str) -> Markup:
        if name in _IDENTIFIERS:
            return tag("mi", _IDENTIFIERS[name])
        if name in _OPERATORS:
            return tag("mo", _OPERATORS[name])
        if _FUNCTIONS.fullmatch(name):
            return tag("mi", name)
        return tag("mo", name) if len(name) == 1 else tag("mtext", f"\\{name}")

    def words(self) -> str:
        """The letters of a group, as text."""
        if self.at >= len(self.tokens) or self.tokens[self.at] != "{":
            return ""
        end = self.at + 1
        while end < len(self.tokens) and self.tokens[end] != "}":
            end += 1
        found = "".join(self.tokens[self.at + 1 : end])
        self.at = end + 1
        return found
