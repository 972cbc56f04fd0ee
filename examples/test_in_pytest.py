"""Layers of one's own under pytest: one item for each layer and law, with stable ids.

pytest examples/test_in_pytest.py
pytest examples/test_in_pytest.py --gradcheck-report=gradcheck-report
"""

from __future__ import annotations

from examples.component_network import correct
from examples.numpy_layer import Dense
from examples.plain_subject import correct as masked_mean
from gradcheck import adapt, check, parametrize_with_checks


@parametrize_with_checks([masked_mean, adapt(Dense), adapt(correct)])
def test_layer(subject, check):
    check(subject)


def test_by_one_call():
    check(Dense, {"x": "batch features"}, seed=1).raise_if_failed()
