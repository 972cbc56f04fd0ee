"""A name explains the mistake that is there, is said at sizes that tell, and in one clause."""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck import Subject, array, check, integers
from gradcheck.diagnosis import budget, quoted
from gradcheck.diagnosis.evidence import explains
from gradcheck.diagnosis.sizes import _telling
from gradcheck.diagnosis.words import LONGEST, clause


def found(subject, **options):
    """The one finding of the gradient check."""
    findings = [f for f in check(subject, seed=0, **options).findings if f.check == "gradient"]
    assert len(findings) == 1, findings
    return findings[0]


def of_x(forward, slope, x="n", **others):
    return Subject(
        "planted", forward, lambda u, **inputs: {"x": u * slope(u, **inputs)}, {"x": x}, **others
    )


def test_a_candidate_leaves_little_of_the_mistake():
    truth = np.array([1.0, 2.0, 3.0])
    assert explains(2 * truth, 2 * truth, truth)
    assert not explains(truth, truth * (1 + 1e-9), truth)
    assert not explains(truth * (1 + 1e-9), truth * (1 + 2e-9), truth)
    assert explains(truth * (1 + 1e-9), truth * (1 + 1e-9), truth, 1e-12)


@pytest.mark.parametrize("size", [3e-9, 3e-8])
def test_a_small_term_added_is_not_another_gradient(size):
    """Near the truth, anything that equals the truth seems to fit: an odd, an even, a symmetric."""
    told = found(of_x(np.sin, lambda u, x: np.cos(x) + size * np.cos(3 * x)))
    assert told.fault not in ("evaluated at another point", "permuted", "transposed", "rolled")


def test_a_narrow_even_gradient_is_lost_precision():
    def narrow(u, x):
        return (x.astype(np.float32) ** 2).astype(float)

    told = found(of_x(lambda x: x**3 / 3, narrow))
    assert told.fault == "precision lost"


def test_equal_slopes_beyond_a_threshold_do_not_hide_it():
    """Far above the threshold both agree to seven digits: the mistake fades, it does not end."""
    told = found(of_x(lambda x: np.logaddexp(0, x),
                      lambda u, x: np.where(x > 3, 1, 1 / (1 + np.exp(-x)))))  # fmt: skip
    assert told.fault == "wrong beyond a bound"
    assert "`x` > 3" in told.message


def test_an_entry_that_is_zero_in_truth_and_claim_says_nothing_of_a_place():
    """Odd sizes leave the last entry out of every pair: it is not right, it does not matter."""

    def forward(x):
        return x[: len(x) // 2 * 2].reshape(-1, 2).max(1)

    def vjp(u, x):
        return {"x": np.concatenate([np.repeat(u, 2) / 2, np.zeros(len(x) % 2)])}

    told = found(Subject("pairs", forward, vjp, {"x": "n"}, dims={"n": (2, 12)}))
    assert told.fault != "wrong before last index"


def test_ties_are_told_from_zeros():
    def largest(x):
        return x.max(1)

    def nan_at_ties(u, x):
        best = x == x.max(1, keepdims=True)
        alone = best.sum(1, keepdims=True) == 1
        with np.errstate(all="ignore"):
            return {"x": u[:, None] * np.where(best, np.where(alone, 1.0, np.nan), 0.0)}

    told = found(Subject("max", largest, nan_at_ties, {"x": "rows n"}, dims={"n": (1, 6)}))
    assert told.fault in ("wrong at ties", None)
    told = found(of_x(lambda x: x**2, lambda u, x: np.where(x == 0, np.nan, 2 * x)))
    assert told.fault == "wrong at zero"


@pytest.mark.parametrize(
    ("wrong", "right", "told"),
    [((5,), (0, 1, 2, 3, 4), False), ((5, 6, 7), (4,), False), ((3, 5, 6, 7, 9), (4, 8), True)],
)
def test_a_tail_needs_wrong_sizes_on_both_sides_of_a_right_one(wrong, right, told):
    seen = {n: n in wrong for n in (*wrong, *right)}
    assert _telling("wrong in the tail", seen) is told


def test_a_scale_by_a_count_is_named():
    def forward(x, index):
        out = np.zeros((3, *x.shape[1:]))
        np.add.at(out, index, x)
        return out

    def vjp(u, x, index):
        count = np.bincount(index, minlength=3)[index][:, None]
        return {"x": u[index] / count}

    told = found(Subject("segments", forward, vjp, {"x": "n d", "index": integers("n", 0, 3)},
                         dims={"n": (1, 8), "d": (1, 3)}))  # fmt: skip
    assert "how often `index` repeats" in told.message


def test_a_message_ends_with_a_clause():
    assert clause("short") == "short"
    long = "the gradient of `x` is wrong: " + "because of this and that, " * 20
    assert len(clause(long)) <= LONGEST
    assert not clause(long).endswith((",", ":", " "))


def test_a_quoted_exception_stays_inside_its_sentence():
    said = quoted("ValueError: an element with a sequence. The shape was (3,).\n" + "more " * 80)
    assert len(said) <= 120
    assert ". " not in said.removesuffix("...")


def test_names_of_one_report_share_a_budget():
    def vjp(u, a, b):
        return {"a": 2 * u * np.cos(a), "b": 3 * u}

    subject = Subject("two", lambda a, b: np.sin(a) + b, vjp, {"a": "n", "b": array("n")})
    with budget.of_report(0.0):
        assert budget.spent()
        assert budget.of_finding().passed
    assert not budget.spent()
    faults = {f.input: f.fault for f in check(subject, seed=0).findings if f.check == "gradient"}
    assert faults == {"a": "scaled by 2", "b": "scaled by 3"}


def test_a_report_out_of_budget_keeps_its_findings(monkeypatch):
    subject = of_x(np.sin, lambda u, x: 2 * np.cos(x))
    told = found(subject)
    assert told.fault == "scaled by 2"
    monkeypatch.setattr(budget, "SECONDS", -1.0)
    told = found(subject.but(name="late"))
    assert told.fault is None
    assert "should get" in told.message


@pytest.mark.parametrize("block", [16, 32])
def test_a_tail_of_long_blocks_is_named_by_its_block(block):
    def slope(u, x):
        whole = len(x) // block * block
        return np.cos(x) * (np.arange(len(x)) < whole if len(x) >= block else 1.0)

    told = found(of_x(np.sin, slope))
    assert told.fault == "wrong in the tail"
    assert f"above {block} and not a multiple" in told.message


def test_a_constant_term_that_is_added_is_not_one_that_is_missing():
    subject = Subject(
        "leak", np.sin, lambda u, x: {"x": u * np.cos(x) + 1e-8 * np.sum(u)}, {"x": "n"}
    )
    told = found(subject)
    assert told.fault != "permuted"
    assert "missing" not in told.message
