"""Strides change the order of sums: at a tie that may pick another branch, which is no fault."""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck import Subject, check

NUMBERS = np.random.default_rng(0).standard_normal((7, 5))
INPUTS = {"a": "rows columns", "b": "rows columns"}


def summed(x):
    """The sum in the order of memory."""
    return np.cumsum(x.ravel(order="K"))[-1] if x.size else 0.0


def smaller(a, b):
    return np.minimum(summed(a), summed(b))


def smaller_vjp(cotangent, a, b):
    first = summed(a) <= summed(b)
    return {"a": cotangent * first + 0 * a, "b": cotangent * (not first) + 0 * b}


def laid_out(vjp, at=None):
    subject = Subject("smaller sum", smaller, vjp, INPUTS)
    return check(subject, checks=["layouts"], seed=2, examples=12, at=at)


def test_a_tie_broken_by_rounding_is_no_fault():
    # The sums tie where both are laid out alike, and only there.
    assert summed(NUMBERS) != summed(np.asfortranarray(NUMBERS))
    report = laid_out(smaller_vjp, at={"a": NUMBERS, "b": NUMBERS})
    assert report.passed, str(report)


def test_a_contiguity_fault_at_the_same_tie_is_found():
    def wrong(cotangent, a, b):
        found = smaller_vjp(cotangent, a, b)
        order = "C" if a.flags.c_contiguous else "F"
        return {**found, "a": found["a"] + 0.1 * a.ravel(order).reshape(a.shape)}

    assert not laid_out(wrong, at={"a": NUMBERS, "b": NUMBERS}).passed
    assert not laid_out(wrong).passed
    assert laid_out(smaller_vjp).passed


def test_an_empty_array_has_no_layout():
    def vjp(cotangent, a, b):
        if not (a.size or cotangent.flags.owndata):
            raise ValueError("a view")
        return {"a": cotangent * b, "b": cotangent * a}

    report = check(Subject("product", lambda a, b: a * b, vjp, INPUTS), checks=["layouts"], seed=2)
    assert report.passed, str(report)


def test_a_layout_that_forward_refuses_is_none_of_the_vjps_business():
    def strict(x):
        if not x.flags.c_contiguous:
            raise ValueError("contiguous arrays only")
        return np.sin(x)

    def vjp(u, x):
        strict(x)
        return {"x": u * np.cos(x)}

    refuses = Subject("sine", strict, vjp, {"x": "n m"})
    assert check(refuses, seed=0, checks=["layouts"]).verdict == "correct"
    alone = refuses.but(forward=np.sin)
    assert check(alone, seed=0, checks=["layouts"]).verdict == "broken"


def misread(where):
    """A sine whose backward takes the cotangent for another where it lies in memory like this."""

    def vjp(u, x):
        return {"x": u * np.cos(x) * (2 if u.size > 1 and where(u) else 1)}

    return vjp


MISREAD = {
    "expanded, one dimension": ("n", lambda u: u.strides[0] == 0),
    "expanded, last axis": ("n m", lambda u: u.strides[-1] == 0 and u.shape[-1] > 1),
    "last axis backwards": ("n m", lambda u: u.strides[-1] < 0),
    "rows apart": ("n m", lambda u: u.strides[0] > u.shape[1] * u.strides[1] > 0),
    "inner axes swapped": (
        "n m k",
        lambda u: min(u.shape) > 1 and u.strides[0] > u.strides[2] > u.strides[1],
    ),
}


@pytest.mark.parametrize(("shape", "where"), MISREAD.values(), ids=MISREAD)
def test_every_way_to_lie_in_memory_is_tried(shape, where):
    inputs = {"x": shape}
    report = check(Subject("sine", np.sin, misread(where), inputs), checks=["layouts"], seed=2)
    assert {f.fault for f in report.findings} == {"contiguous assumption"}, str(report)
    right = Subject("sine", np.sin, misread(lambda u: False), inputs)
    assert check(right, checks=["layouts"], seed=2).passed


def cumulative(x):
    """Sums in the order of memory: another function in another layout."""
    return np.cumsum(x.ravel(order="K"))


def remembered(u, x):
    back = np.cumsum(u[::-1])[::-1]
    fortran = x.flags.f_contiguous and not x.flags.c_contiguous
    return {"x": back.reshape(x.shape, order="F" if fortran else "C")}


def test_a_forward_that_reads_memory_is_judged_as_what_it_computes():
    reads = Subject("cumulative", cumulative, remembered, {"x": "n m"})
    report = check(reads, seed=0)
    assert report.passed, str(report)
    assert any("forward gives another result" in remark for remark in report.remarks)
    wrong = reads.but(vjp=lambda u, x: {"x": np.cumsum(u[::-1])[::-1].reshape(x.shape)})
    found = check(wrong, seed=0)
    assert found.verdict == "broken"
    assert found.findings[0].fault == "contiguous assumption"
    assert "forward gives another result when input `x` is Fortran order" in str(found)


def test_a_forward_alone_that_assumes_contiguity_is_found():
    """Of a linear function the gradient is the same in every layout, and of this one wrong."""

    def first(x):
        flat = x.base if x.base is not None and x.base.size >= x.size else x
        return 3 * flat.ravel()[: x.size].reshape(x.shape)

    raw = Subject("triple", first, lambda u, x: {"x": 3 * u}, {"x": "n m"})
    assert check(raw, seed=0).verdict == "broken"
    assert check(raw.but(forward=lambda x: 3 * x), seed=0).verdict == "correct"


def test_one_number_for_all_is_a_cotangent_too():
    def repeats(u, x):
        return {"x": (u[:1, :1] if 0 in u.strides else u) * np.cos(x) + 0.5 * (0 in u.strides)}

    sine = Subject("sine", np.sin, lambda u, x: {"x": u * np.cos(x)}, {"x": "n m"})
    assert check(sine, seed=0).verdict == "correct"
    report = check(sine.but(vjp=repeats), seed=0)
    assert report.verdict == "broken"
    assert "when the cotangent is expanded" in str(report)
