"""Three mistakes, verified for real: what, where and what to look for stand on the first screen."""

import numpy as np
import pytest

from gradcheck import Subject, array, check, mask
from gradcheck.emit import run_of_reports
from gradcheck.report import render


def softmax(scores, keep):
    e = np.where(keep, np.exp(scores), 0.0)
    return e / np.maximum(e.sum(-1, keepdims=True), 1e-300)


def leaking(u, scores, keep):
    y = softmax(scores, np.ones_like(keep))
    return {"scores": y * (u - (u * y).sum(-1, keepdims=True))}


DENSE = Subject(
    "dense",
    lambda x, W, b: x @ W + b,
    lambda u, x, W, b: {"x": u @ W.T, "W": u.T @ x, "b": u.sum(0)},
    {"x": "batch features", "W": "features units", "b": "units"},
)
MASKED = Subject(
    "masked softmax",
    softmax,
    leaking,
    {
        "scores": array("batch time", low=-9, high=9),
        "keep": mask("batch time", of="scores", true="keep"),
    },
    dims={"time": (1, 8)},
)
RELU = Subject(
    "relu",
    lambda x: np.maximum(x, 0),
    lambda u, x: {"x": u * (x >= 0)},
    {"x": "n"},
    kinks=0.0,
    traits=("elementwise",),
)


@pytest.fixture(scope="module")
def page():
    return render(run_of_reports(check(s, seed=7) for s in (DENSE, MASKED, RELU)))


@pytest.fixture
def hero(page, parse):
    return " ".join(parse(page).panel("verdict").split())


def test_there_are_three_mistakes_and_each_is_told_once(hero):
    assert "Three mistakes" in hero
    for name in ("dense", "masked softmax", "relu"):
        assert hero.count(f"{name} ·") == 1


@pytest.mark.parametrize(
    "words",
    [
        ("The gradient of W is transposed", "features and units are exchanged"),
        ("W[", "expected", "returned", "In the code: a .T, a swapped pair of axes"),
        ("The gradient of scores ignores keep: masked entries leak into it",),
        ("In the code: multiply by keep, or fill with zeros, in vjp as in forward",),
        ("At the kink x[0] = 0 the declared convention (alpha = 0) asks for 0",),
        ("(alpha = 1)", ">= where > is meant"),
    ],
)
def test_the_first_screen_says_what_where_and_what_to_look_for(hero, words):
    assert [said for said in words if said not in hero] == []


def test_every_panel_below_is_fed_by_the_run(page, parse):
    found = parse(page)
    assert "The claim differs from them in 2 subjects" in " ".join(found.panel("oracles").split())
    tried = found.panel("coverage")
    assert "Distance to the nearest kink" in tried
    assert "What Hypothesis drew them for" in tried
