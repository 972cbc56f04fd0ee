"""What the library computes for document (002): recurrent layers, relu at zero, ODR, masks."""

from functools import cache
from itertools import pairwise

import numpy as np

from reference.layers import conv1d, lstm, masked_dense, simple_rnn
from reference.losses import mse
from reference.optimizers import schedules
from reference.schemes import odr, relu_demo
from reference.schemes.step import last
from tests.golden import value

# What the question prints of its SimpleRNN: kernel, recurrent kernel; the bias is zero.
RNN_W = np.array([[0.91814435, 0.2490257, 1.09242284]])
RNN_U = np.array(
    [
        [-0.42028981, 0.68996912, -0.58932084],
        [-0.88647962, -0.17359462, 0.42897415],
        [0.19367599, 0.70271438, 0.68460363],
    ]
)
SEQUENCES = {"x=[1,1,1]": [1.0, 1, 1], "x=[1,-0.5,2]": [1, -0.5, 2], "x=0": [0.0, 0, 0]}
MASK = np.array([[0, 1], [1, 0], [0, 1]])
POINTS = np.arange(4.0)
NOISY = np.array([0.1, 0.9, 2.2, 2.8])


def rnn(sequence):
    x = np.array(sequence, dtype=float)[None, :, None]
    return simple_rnn.forward(x, RNN_W, RNN_U, np.zeros(3), return_sequences=True)[0]


def lengths():
    kernel, bias = np.zeros((3, 1, 5)), np.zeros(5)
    sizes = 50, 40, 30, 20, 10
    return [conv1d.forward(np.zeros((1, n, 1)), kernel, bias).shape[1] for n in sizes]


def counts():
    conv = 3 * 1 * 5 + 5
    recurrent = 5 * 40 + 10 * 40 + lstm.initial_bias(10).size
    dense = 50 * 2 + 2
    return {"conv": conv, "lstm": recurrent, "dense": dense, "total": conv + recurrent + dense}


@cache
def demo(at_zero):
    r = np.random.RandomState(1)
    x = np.column_stack([r.randn(4, 2), np.ones(4)])
    y, w1, w2 = r.randn(4, 1), r.randn(3, 30), r.randn(30, 1)
    return list(relu_demo.train(x, y, w1, w2, at_zero=at_zero))


def zero_start(at_zero):
    x, y = np.array([[1, 2, 1], [-1, 0.5, 1]]), np.array([[1.0], [-1]])
    w2 = np.array([[1.0], [-1], [0.5], [0.25]])
    return last(relu_demo.train(x, y, np.zeros((3, 4)), w2, lr=0.05, at_zero=at_zero)).loss


@cache
def fit(y=tuple(POINTS)):
    y = np.array(y)
    steps = list(odr.solve(POINTS, y, 1, 5))
    return steps, odr.summary(steps[-1].weights, POINTS, y, 1, 5)


def noisy():
    return fit(tuple(NOISY))[1]


def masked_gradient():
    """A layer whose gradient is the printed one: x, y from the relations it obeys."""
    printed = np.array(value("002.masked.printed_grad"))
    x = np.array([0.9, 0.5, 0.9 / value("002.masked.ratio")])
    y = np.array([1 + printed[1, 0] / x[1], 1 + printed[0, 1] / x[0]])
    W = np.full((3, 2), 0.1)
    b = y - x @ (MASK * W)
    at = masked_dense.forward(x[None], W, b, MASK)
    dy = mse.vjp(1.0, at, np.ones((1, 2)))["prediction"]
    return masked_dense.vjp(dy, x[None], W, b, MASK)["W"]


def ratio():
    printed = value("002.masked.printed_grad")
    return np.float64(printed[0][1] / printed[2][1])


def parameters():
    sizes = 2048, 8000, 4000, 2000, 1000, 26
    return sum((i + 1) * o for i, o in pairwise(sizes))


def adjusted(start, stop):
    rates = schedules.adjust_variable(start, stop, 1000)
    return np.append(rates[:3], schedules.linear(start, stop, 1000)[-1])


COMPUTED = {
    "002.simple_rnn.W": lambda: RNN_W,
    "002.simple_rnn.U": lambda: RNN_U,
    "002.simple_rnn.limit": lambda: np.sqrt(6 / sum(RNN_W.shape)),
    "002.simple_rnn.orthogonal": lambda: np.abs(RNN_U @ RNN_U.T - np.eye(3)).max(),
    **{f"002.simple_rnn.outputs.{k}": lambda x=x: rnn(x) for k, x in SEQUENCES.items()},
    "002.shared.lengths": lengths,
    "002.shared.params": counts,
    "002.relu.first_loss": lambda: demo(0.5)[0].loss,
    "002.relu.last_loss": lambda: demo(0.5)[-1].loss,
    "002.relu.alike": lambda: demo(0)[-1].loss == demo(0.5)[-1].loss == demo(1)[-1].loss,
    **{f"002.relu.zero_start.{c}": lambda c=c: zero_start(c) for c in (0, 0.5, 1)},
    "002.odr.printed.beta": lambda: fit()[1].beta,
    "002.odr.printed.sd_beta": lambda: fit()[1].sd_beta,
    "002.odr.printed.cov": lambda: fit()[1].cov,
    "002.odr.printed.res_var": lambda: np.float64(fit()[1].res_var),
    "002.odr.printed.inv_condnum": lambda: np.float64(fit()[1].inv_condnum),
    "002.odr.printed.steps_that_move": lambda: len(fit()[0]) - 1,
    "002.odr.cov": lambda: fit()[1].cov,
    "002.odr.scipy.cov": lambda: fit()[1].cov,
    "002.odr.scipy.inv_condnum": lambda: np.float64(fit()[1].inv_condnum),
    "002.odr.noisy.deming": lambda: odr.deming(POINTS, NOISY, 1.0, 5.0),
    "002.odr.noisy.beta": lambda: noisy().beta,
    "002.odr.noisy.sd_beta": lambda: noisy().sd_beta,
    "002.odr.noisy.sum_square": lambda: np.float64(noisy().sum_square),
    "002.odr.noisy.res_var": lambda: np.float64(noisy().res_var),
    "002.odr.noisy.cov": lambda: noisy().cov,
    "002.masked.printed_grad": masked_gradient,
    "002.masked.ratio": ratio,
    "002.nolearn.params": parameters,
    "002.nolearn.lr": lambda: adjusted(0.1, 0.001),
    "002.nolearn.momentum": lambda: adjusted(0.8, 0.999),
}
