"""One-dimensional convolution: valid and same, with stride and dilation."""

from gradcheck import parametrize_with_checks
from reference.layers import conv1d
from suites.building import F
from suites.documented import documented


def twin(stride, dilation, padding):
    """The conv1d of torch, channels first, with Keras' zeros for "same".

    Torch wants at least one channel and one filter: it is given one more of each, all zero.
    """

    def convolve(x, K, b):
        x, K = F.pad(x, (0, 1)).transpose(1, 2), F.pad(K, (0, 1, 0, 1)).permute(2, 1, 0)
        if padding == "same":
            x = F.pad(x, same_zeros(x.shape[2], K.shape[2]))
        y = F.conv1d(x, K, F.pad(b, (0, 1)), stride=stride, dilation=dilation)
        return y[:, :-1].transpose(1, 2)

    def same_zeros(length, width):
        steps = -(-length // stride)
        zeros = max((steps - 1) * stride + dilation * (width - 1) + 1 - length, 0)
        return zeros // 2, zeros - zeros // 2

    return convolve


def convolution(name, stride=1, dilation=1, padding="valid"):
    """A subject under these options, on lengths that the kernel fits."""
    options = {"stride": stride, "dilation": dilation, "padding": padding}

    def fits(length, width, **_):
        return padding == "same" or length >= dilation * (width - 1) + 1

    return documented(
        name,
        conv1d,
        {"x": "batch length channels", "K": "width channels filters", "b": "filters"},
        options=options,
        twin=twin(**options),
        traits=("batched", "permutation"),
        dims={"width": (1, 4), "length": (1 if padding == "same" else 0, 9)},
        where=fits,
        source="(002) Conv1D(5, 3)",
    )


SUBJECTS = [
    convolution("conv1d"),
    convolution("conv1d stride 2", stride=2),
    convolution("conv1d dilation 2", dilation=2),
    convolution("conv1d same", padding="same"),
    convolution("conv1d same stride 3", stride=3, padding="same"),
    convolution("conv1d stride 2 dilation 3", stride=2, dilation=3),
]


@parametrize_with_checks(SUBJECTS)
def test_convolution_1d(subject, check):
    """Forward and VJP at every length the kernel fits."""
    check(subject)
