"""Places that fitted and were false: what else must hold where a mistake is said to be."""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck import Subject, array, integers
from tests.gradcheck.diagnosis.test_false_names import of_x, told

# -- where, and only where -----------------------------------------------------------------------


def clamped(wrong):
    """Log of a variance that is held above 0.01; the gradient goes through the clamp."""

    def forward(x, v):
        held = np.maximum(v, 0.01)
        return 0.5 * (np.log(held) + x**2 / held)

    def vjp(u, x, v):
        held = np.maximum(v, 0.01)
        slope = 0.5 * (1 / held - x**2 / held**2)
        return {"x": u * x / held, "v": u * np.where(wrong(v), slope, slope * (v > 0.01))}

    return Subject("clamped", forward, vjp, {"x": "n", "v": array("n", low=0)})


@pytest.mark.parametrize("seed", [11, 12, 13])
def test_only_where_it_is_0_is_right_a_step_beside(seed):
    finding = told(clamped(lambda v: v >= 0), seed, "v")
    assert "only where" not in finding.message
    assert finding.fault in ("wrong beyond a bound", None)
    if finding.fault:
        assert "`v` is nearer to 0 than about 0.01" in finding.message


def test_only_where_it_is_0_is_said_of_a_guard():
    finding = told(of_x(lambda x: x**2, lambda x: np.where(x == 0, np.nan, 2 * x)))
    assert finding.fault == "wrong at zero"
    assert "only where `x` is 0" in finding.message


def length(off):
    """The lengths of the rows of W, and what `off` makes of a length."""

    def vjp(u, W):
        return {"W": u * W * off(np.sqrt((W * W).sum(1, keepdims=True)), W.shape[1])}

    return Subject("length", lambda W: np.sqrt((W * W).sum(1)).sum(), vjp,
                   {"W": array("n m", low=1e-4)})  # fmt: skip


@pytest.mark.parametrize("seed", [11, 12])
def test_a_size_at_which_a_mistake_fades_is_not_right(seed):
    finding = told(length(lambda n, m: 1 / (n + 1e-6)), seed, "W")
    assert "only where" not in finding.message
    finding = told(length(lambda n, m: (1 + 1e-3 * (m == 1)) / n), seed, "W")
    assert "only where `m` is 1" in finding.message


def best_path(e, T):
    score, back = e[0], []
    for step in e[1:]:
        back.append((score[:, None] + T).argmax(0))
        score = (score[:, None] + T).max(0) + step
    return score, back


def transitions(take):
    """The score of the best path through T; `take` says what each transition gets."""

    def vjp(u, e, T):
        score, back = best_path(e, T)
        k, by_t, by_e = score.argmax(), np.zeros_like(T), np.zeros_like(e)
        by_e[len(back), k] = u
        for t in range(len(back) - 1, -1, -1):
            j = back[t][k]
            take(by_t, j, k, u)
            by_e[t, j], k = u, j
        return {"e": by_e, "T": by_t}

    return Subject("best path", lambda e, T: best_path(e, T)[0].max(), vjp,
                   {"e": "time tags", "T": "tags tags"},
                   dims={"time": (1, 6), "tags": (1, 4)})  # fmt: skip


@pytest.mark.parametrize("seed", [11, 12])
def test_a_rule_of_places_holds_for_the_entries_that_other_numbers_use(seed):
    def overwrites(table, j, k, u):
        table[j, k] = u

    assert told(transitions(overwrites), seed, "T").fault != "wrong on the diagonal"

    def doubles_stays(table, j, k, u):
        table[j, k] += u * (1 + (j == k))

    assert told(transitions(doubles_stays), seed, "T").fault == "wrong on the diagonal"


@pytest.mark.parametrize("seed", [11, 12])
def test_a_slope_that_cancels_to_rounding_refutes_no_place(seed):
    def slope(x):
        s = np.sign(np.diff(x))
        return np.concatenate([-s[:1], 0 * x[1:-1], s[-1:]]) if len(x) > 1 else 0 * x

    ends = of_x(lambda x: np.abs(np.diff(x)).sum(), slope, dims={"n": (1, 9)})
    assert told(ends, seed).fault == "wrong inside"


# -- precision, and repeats ----------------------------------------------------------------------


@pytest.mark.parametrize("seed", [11, 12])
def test_a_wave_that_is_finer_than_a_roundoff_is_no_cast(seed):
    def slope(x):
        return 1e4 * np.cos(1e4 * x) * np.exp(-x * x)

    wave = of_x(lambda x: np.sin(1e4 * x) * np.exp(-x * x), slope)
    assert told(wave, seed).fault != "precision lost"
    cast = of_x(lambda x: np.sin(x) * x, lambda x: np.float16(np.cos(x)) * x + np.sin(x))
    assert told(cast, seed).fault == "precision lost"


def test_a_mistake_that_needs_equal_labels_is_not_what_an_index_accumulates():
    """Scores that no label points at, weighed by how many neighbours among the labels are equal."""

    def vjp(u, x, y):
        return {"x": u * (np.cos(x) + np.sum(y[1:] == y[:-1]) * np.sin(x))}

    pairs = Subject("pairs", lambda x, y: np.sin(x).sum() + 0.0 * y.sum(), vjp,
                    {"x": "8", "y": integers("labels", 0, "classes")},
                    dims={"labels": (2, 3), "classes": (3, 9)})  # fmt: skip
    assert told(pairs).fault != "duplicate overwritten"


def test_what_an_index_overwrites_is():
    def vjp(u, w, i):
        out = np.zeros_like(w)
        out[i] = u * np.cos(w[i])
        return {"w": out}

    table = Subject("table", lambda w, i: np.sin(w[i]).sum(), vjp,
                    {"w": "vocab", "i": integers("n", 0, "vocab")})  # fmt: skip
    assert told(table, name="w").fault == "duplicate overwritten"


@pytest.mark.parametrize("seed", [11, 12])
def test_an_entry_that_only_longer_examples_have_is_no_matter_of_size(seed):
    """Wrong within a tenth of 0.3, which the sixth number of an example happens to be."""
    bent = of_x(lambda x: x * x, lambda x: np.where(np.abs(x - 0.3) < 0.1, 0.6, 2 * x))
    assert "`n` is at least" not in told(bent, seed).message
    long = of_x(np.sin, lambda x: np.cos(x) * (1 + (len(x) >= 8)))
    assert "only where `n` is at least 8" in told(long, seed).message
