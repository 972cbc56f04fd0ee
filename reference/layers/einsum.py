"""Contraction of two arrays written as an Einstein sum, such as "bij,bjk->bik".

Formula
    y[out] = sum over every letter not in `out` of a[left] b[right]
    da[left] = sum over every letter not in `left` of g[out] b[right], and likewise db
    A letter that only a has is summed alone: da is the same all along it.

Shapes
    a, b, y: one axis a letter, the same size wherever a letter stands.
    spec: "left,right->out", no letter twice in one of the three, no letter of `out` from nowhere.

Errors
    ValueError: a spec that is not of this form; an axis too many or too few; sizes that disagree.

Source
    Einstein (1916); torch.einsum.
"""

import string

import numpy as np

from reference.shapes import expect, expect_shape

LETTERS = frozenset(string.ascii_letters)


def forward(a, b, *, spec):
    left, right, out, _ = _parse(a, b, spec)
    return np.einsum(f"{left},{right}->{out}", a, b, optimize=True)


def vjp(cotangent, a, b, *, spec):
    left, right, out, sizes = _parse(a, b, spec)
    expect_shape("cotangent", cotangent, [sizes[letter] for letter in out])
    return {
        "a": _pull_back(cotangent, out, b, right, a, left),
        "b": _pull_back(cotangent, out, a, left, b, right),
    }


def _pull_back(g, out, other, others, like, wanted):
    present = [letter for letter in wanted if letter in out or letter in others]
    d = np.einsum(f"{out},{others}->{''.join(present)}", g, other, optimize=True)
    alone = [axis for axis, letter in enumerate(wanted) if letter not in present]
    return np.broadcast_to(np.expand_dims(d, alone), like.shape).copy()


def _parse(a, b, spec):
    terms, arrow, out = str(spec).replace(" ", "").partition("->")
    left, comma, right = terms.partition(",")
    plain = all(set(t) <= LETTERS and len(set(t)) == len(t) for t in (left, right, out))
    if not (arrow and comma and plain and set(out) <= set(left + right)):
        raise ValueError(f"spec is {spec!r}: 'left,right->out' without repeated letters is needed")
    return left, right, out, expect(a=(a, " ".join(left)), b=(b, " ".join(right)))
