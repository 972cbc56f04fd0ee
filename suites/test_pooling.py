"""Pooling: ties go to the first of a window, as in torch."""

from gradcheck import constant, parametrize_with_checks
from reference.layers import avg_pool1d, avg_pool2d, max_pool1d, max_pool2d
from suites.building import BATCHED, subject, torch_function


def pooling(module, function, shape, name, kinks="subgradient", **options):
    return subject(
        module,
        {"x": shape} | {option: constant(value) for option, value in options.items()},
        name=name,
        kinks=kinks,
        traits=BATCHED,
        dims={"batch": (0, 3), "channels": (1, 3)},
        twin=torch_function(f"nn.functional.{function}", {"kernel": "kernel_size"}),
    )


LINE, IMAGE = "batch channels length", "batch channels height width"
SUBJECTS = [
    pooling(max_pool1d, "max_pool1d", LINE, "max_pool1d", "twin", kernel=2),
    pooling(
        max_pool1d,
        "max_pool1d",
        LINE,
        "max_pool1d-overlapping",
        "twin",
        kernel=3,
        stride=1,
        padding=1,
        dilation=2,
    ),
    pooling(max_pool2d, "max_pool2d", IMAGE, "max_pool2d", "twin", kernel=2),
    pooling(
        max_pool2d,
        "max_pool2d",
        IMAGE,
        "max_pool2d-overlapping",
        "twin",
        kernel=(3, 2),
        stride=(2, 1),
        padding=1,
    ),
    pooling(avg_pool1d, "avg_pool1d", LINE, "avg_pool1d", kernel=3),
    pooling(
        avg_pool1d, "avg_pool1d", LINE, "avg_pool1d-overlapping", kernel=3, stride=2, padding=1
    ),
    pooling(avg_pool2d, "avg_pool2d", IMAGE, "avg_pool2d", kernel=(2, 3)),
    pooling(
        avg_pool2d, "avg_pool2d", IMAGE, "avg_pool2d-overlapping", kernel=3, stride=1, padding=1
    ),
]


@parametrize_with_checks(SUBJECTS)
def test_pooling(subject, check):
    check(subject)
