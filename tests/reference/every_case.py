"""Every layer and loss at one legal point: forward, vjp and all its arrays by name."""

from functools import partial

import numpy as np

from tests.reference.layers.cases import CASES as DOCUMENTED
from tests.reference.layers.cases import inputs_of
from tests.reference.layers.pairing import as_tuple
from tests.reference.losses.test_documented_losses import CASES as LOSSES
from tests.reference.users_cases import CASES as USERS


def _users(module, inputs, options):
    arrays = {key: value for key, value in options.items() if isinstance(value, np.ndarray)}
    rest = {key: value for key, value in options.items() if key not in arrays}
    return partial(module.forward, **rest), partial(module.vjp, **rest), inputs | arrays


CASES = {
    **{name: _users(*case) for name, case in USERS.items()},
    **{name: (*functions, inputs_of(name)) for name, (functions, _) in DOCUMENTED.items()},
    **LOSSES,
}


def cotangent_of(outputs, dtype=float, seed=1):
    """Random cotangents of this dtype, None for an output of integers beside others."""
    rng = np.random.default_rng(seed)
    drawn = tuple(
        None
        if isinstance(outputs, tuple) and y.dtype.kind == "i"
        else np.asarray(rng.standard_normal(np.shape(y)), dtype)
        for y in as_tuple(outputs)
    )
    return drawn if isinstance(outputs, tuple) else drawn[0]


def shapes_of(outputs):
    return [np.shape(y) for y in as_tuple(outputs)]
