"""Convolutions and transposed ones, over stride, padding, dilation and groups."""

from gradcheck import constant, parametrize_with_checks
from reference.layers import conv2d, conv_transpose1d, conv_transpose2d
from suites.building import BATCHED, F, subject, torch_function

IMAGE = {"height": (1, 7), "width": (1, 7), "kh": (1, 3), "kw": (1, 3)}
FEW = {"batch": (0, 3), "channels": (1, 3), "filters": (1, 3)}


def convolution(name, groups=1, **options):
    """conv2d at one choice of options; torch's takes them by the same names."""
    return subject(
        conv2d,
        {
            "x": f"batch {groups}*channels height width",
            "W": f"{groups}*filters channels kh kw",
            "b": f"{groups}*filters",
            "groups": constant(groups),
            **{option: constant(value) for option, value in options.items()},
        },
        name=name,
        traits=BATCHED,
        dims=IMAGE | FEW,
        twin=torch_function("nn.functional.conv2d"),
    )


def transposed(module, space, taps, name, groups=1, **options):
    def twin(x, W, b, extra=0, **others):
        function = F.conv_transpose1d if module is conv_transpose1d else F.conv_transpose2d
        return function(x, W, b, output_padding=extra, **others)

    dims = dict.fromkeys(space.split(), (1, 4)) | dict.fromkeys(taps.split(), (1, 3))
    return subject(
        module,
        {
            "x": f"batch {groups}*channels {space}",
            "W": f"{groups}*channels filters {taps}",
            "b": f"{groups}*filters",
            "groups": constant(groups),
            **{option: constant(value) for option, value in options.items()},
        },
        name=name,
        traits=BATCHED,
        dims=FEW | dims,
        twin=twin,
    )


SUBJECTS = [
    convolution("conv2d"),
    convolution("conv2d-strided", stride=2, padding=1),
    convolution("conv2d-rectangular", stride=(1, 3), padding=(2, 0), dilation=(2, 1)),
    convolution("conv2d-dilated", dilation=2, padding=1),
    convolution("conv2d-groups", groups=2, padding=1),
    transposed(conv_transpose2d, "height width", "kh kw", "conv_transpose2d"),
    transposed(
        conv_transpose2d,
        "height width",
        "kh kw",
        "conv_transpose2d-strided",
        stride=(2, 3),
        padding=(1, 0),
        extra=(1, 2),
    ),
    transposed(
        conv_transpose2d, "height width", "kh kw", "conv_transpose2d-groups", groups=2, dilation=2
    ),
    transposed(conv_transpose1d, "length", "taps", "conv_transpose1d"),
    transposed(
        conv_transpose1d,
        "length",
        "taps",
        "conv_transpose1d-strided",
        groups=2,
        stride=3,
        padding=1,
        dilation=2,
        extra=2,
    ),
]


@parametrize_with_checks(SUBJECTS)
def test_convolution(subject, check):
    check(subject)
