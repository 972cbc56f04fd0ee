"""The checks at work: each planted fault in one reference layer must be caught.

`gradcheck power package.module:object` plants all of them in one layer.
"""

import pytest

from gradcheck.power import BENDS, STATEFUL
from suites.test_activations import SUBJECTS as ACTIVATIONS
from suites.test_affine import SUBJECTS as AFFINE
from suites.test_masks import SUBJECTS as MASKS
from suites.test_norms import SUBJECTS as NORMS

FAULTS = [*BENDS, *STATEFUL]
NAMES = ("dense tanh", "softmax", "relu 0 at zero", "sequence mask", "standardise")
BY_NAME = {subject.name: subject for subject in [*AFFINE, *ACTIVATIONS, *MASKS, *NORMS]}
# The faults take turns: all of them in every layer would say little more and take minutes.
TURNS = [(BY_NAME[name], FAULTS[k :: len(NAMES)]) for k, name in enumerate(NAMES)]


@pytest.mark.parametrize(("subject", "faults"), TURNS, ids=NAMES)
def test_planted_faults_are_caught(planted, subject, faults):
    assert planted(subject, faults)
