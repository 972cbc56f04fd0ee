"""Fine staircases: a quantiser's treads are its derivative, a number format's are not."""

import numpy as np
import pytest

from gradcheck import Subject, array, check
from gradcheck.judgement.problem import Domain
from tests.gradcheck.judgement.cases import normal, one

QUANTISERS = {
    "three decimals": lambda x: np.round(x, 3),
    "four decimals": lambda x: np.round(x, 4),
    "8 bits": lambda x: np.round(x * 256) / 256,
}
POINTS = {
    "one entry": 5.3 * normal(1, seed=4),
    "near five": 5 + normal(30),
    "large": 64 * normal(9),
}


def nothing(u, x):
    return 0 * u


@pytest.mark.parametrize("name", QUANTISERS)
@pytest.mark.parametrize("where", POINTS)
def test_a_quantiser_has_a_gradient_of_zero(name, where):
    for seed in range(4):
        assert one(QUANTISERS[name], nothing, POINTS[where], seed).verdict == "correct"


@pytest.mark.parametrize("where", POINTS)
def test_a_number_format_has_not(where):
    for seed in range(4):
        found = one(lambda x: x.astype(np.float32).astype(float), nothing, POINTS[where], seed)
        assert found.verdict == "wrong"


def test_nor_has_what_float64_rounds_away_inside():
    found = one(lambda x: (x + 1e8) - 1e8, nothing, normal(20))
    assert found.verdict == "wrong"


def test_a_domain_leaves_room_to_tell_or_it_does_not():
    x = 3 + np.abs(normal(1))
    three = QUANTISERS["three decimals"]
    wide, narrow = ({"x": Domain(low, high)} for low, high in ((0, 100), (2, 8)))
    assert one(three, nothing, x, domains=wide).verdict == "correct"
    assert one(three, nothing, x, domains=narrow).verdict in ("correct", "inconclusive")


def test_in_a_whole_run():
    def subject(forward):
        return Subject("q", forward, lambda u, x: {"x": 0 * u}, {"x": array("m n")})

    for seed in range(2):
        assert check(subject(QUANTISERS["three decimals"]), seed=seed).verdict == "correct"
    assert check(subject(lambda x: x.astype(np.float32) + 0.0), seed=0).verdict != "correct"
