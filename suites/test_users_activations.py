"""Activations that users plug in: each against its numerical derivative and torch's autograd."""

from gradcheck import array, constant, parametrize_with_checks
from reference.layers import (
    elu,
    gelu,
    gelu_tanh,
    hardshrink,
    hardsigmoid,
    hardswish,
    hardtanh,
    log_sigmoid,
    mish,
    relu6,
    selu,
    softplus,
    softshrink,
    swish,
    threshold,
)
from suites.building import F, points, subject, torch, torch_function


def activation(module, *, at=None, bounds=(None, None), **options):
    """A subject of one input; `at` are points that half of its numbers are put at."""
    low, high = bounds
    inputs = {"x": array("...", low=low, high=high, values=points(*at) if at else None)}
    constants = {name: constant(value) for name, value in options.pop("constants", {}).items()}
    return subject(module, inputs | constants, traits=("elementwise",), **options)


SUBJECTS = [
    activation(elu, kinks="twin", twin=torch_function("nn.functional.elu")),
    activation(
        elu,
        name="elu-steep",
        kinks=0.0,
        constants={"alpha": 2.5},
        twin=torch_function("nn.functional.elu"),
    ),
    activation(selu, kinks=0.0, twin=torch_function("nn.functional.selu")),
    # torch's gelu loses its digits far below 0, where 1 + erf or 1 + tanh cancels: by hand there.
    activation(gelu, twin=lambda x: x * torch.exp(torch.special.log_ndtr(x))),
    activation(
        gelu,
        name="gelu-near-zero",
        bounds=(-4, 8),
        twin=torch_function("nn.functional.gelu"),
    ),
    activation(
        gelu_tanh, twin=lambda x: x * torch.sigmoid(1.5957691216057308 * (x + 0.044715 * x**3))
    ),
    activation(
        gelu_tanh,
        name="gelu_tanh-near-zero",
        bounds=(-4, 8),
        twin=torch_function("nn.functional.gelu", approximate="tanh"),
    ),
    activation(softplus, twin=torch_function("nn.functional.softplus")),
    activation(
        softplus,
        name="softplus-sharp",
        constants={"beta": 3.0},
        twin=torch_function("nn.functional.softplus"),
    ),
    activation(swish, twin=torch_function("nn.functional.silu")),
    activation(
        swish,
        name="swish-beta",
        constants={"beta": 1.5},
        twin=lambda x, beta: x * torch.sigmoid(beta * x),
    ),
    activation(mish, twin=torch_function("nn.functional.mish")),
    activation(log_sigmoid, twin=torch_function("nn.functional.logsigmoid")),
    activation(hardtanh, at=(-1, 1), kinks="twin", twin=torch_function("nn.functional.hardtanh")),
    activation(
        hardtanh,
        name="hardtanh-bounds",
        at=(-0.5, 2),
        kinks="twin",
        constants={"low": -0.5, "high": 2.0},
        twin=torch_function("nn.functional.hardtanh", {"low": "min_val", "high": "max_val"}),
    ),
    activation(relu6, at=(0, 6), kinks="twin", twin=torch_function("nn.functional.relu6")),
    # By hand: torch multiplies the float64 gradient of hardsigmoid by 1/6 in float32.
    activation(hardsigmoid, at=(-3, 3), kinks="twin", twin=lambda x: F.relu6(x + 3) / 6),
    activation(hardswish, at=(-3, 3), kinks="twin", twin=torch_function("nn.functional.hardswish")),
    activation(
        softshrink, at=(-0.5, 0.5), kinks="twin", twin=torch_function("nn.functional.softshrink")
    ),
    # Jumps: at the jump itself nothing is a derivative, so the points there are moved away.
    activation(hardshrink, kinks="avoid", twin=torch_function("nn.functional.hardshrink")),
    activation(
        threshold,
        name="threshold-jump",
        kinks="avoid",
        constants={"theta": 0.3, "value": -2.0},
        twin=torch_function("nn.functional.threshold", {"theta": "threshold"}),
    ),
    activation(
        threshold,
        kinks=0.0,
        at=(0.25,),
        constants={"theta": 0.25, "value": 0.25},
        twin=torch_function("nn.functional.threshold", {"theta": "threshold"}),
    ),
]


@parametrize_with_checks(SUBJECTS)
def test_users_activations(subject, check):
    check(subject)
