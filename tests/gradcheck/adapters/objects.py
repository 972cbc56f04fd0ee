"""NumPy layers in the shapes that people write them, each right."""

from __future__ import annotations

import numpy as np

RNG = np.random.default_rng(7)


class Stores:
    """Returns dx, keeps dW and db."""

    def __init__(self, features=3, units=4):
        self.W = RNG.standard_normal((features, units))
        self.b = RNG.standard_normal(units)

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def gradients(self, grad):
        return grad @ self.W.T, self.x.T @ grad, grad.sum(axis=0)

    def backward(self, grad):
        dx, self.dW, self.db = self.gradients(grad)
        return dx


class Accumulates(Stores):
    """Adds to stores that exist from the start, as with zero_grad between steps."""

    def __init__(self, features=3, units=4):
        super().__init__(features, units)
        self.W_grad, self.b_grad = np.zeros_like(self.W), np.zeros_like(self.b)

    def backward(self, grad):
        dx, dW, db = self.gradients(grad)
        self.W_grad += dW
        self.b_grad += db
        return dx


class ReturnsTuple(Stores):
    def backward(self, grad):
        return self.gradients(grad)


class ReturnsMapping(Stores):
    def backward(self, grad):
        dx, dW, db = self.gradients(grad)
        return {"x": dx, "dW": dW, "grad_b": db}


class GradsDict(Stores):
    def backward(self, grad):
        dx, dW, db = self.gradients(grad)
        self.grads = {"W": dW, "b": db}
        return dx


class ParamsLists:
    """params and grads side by side."""

    def __init__(self, features=3, units=4):
        self.params = [RNG.standard_normal((features, units)), np.zeros(units)]
        self.grads = [np.zeros_like(p) for p in self.params]

    def forward(self, x):
        self.x = x
        return x @ self.params[0] + self.params[1]

    def backward(self, grad):
        self.grads[0][...] = self.x.T @ grad
        self.grads[1][...] = grad.sum(axis=0)
        return grad @ self.params[0].T


class Parameter:
    def __init__(self, data):
        self.data, self.grad = data, None


class ParameterObjects:
    """Parameters with data and grad, as small frameworks have them."""

    def __init__(self, features=3, units=4):
        self.weight = Parameter(RNG.standard_normal((features, units)))

    def forward(self, x):
        self.x = x
        return x @ self.weight.data

    def backward(self, grad):
        self.weight.grad = self.x.T @ grad
        return grad @ self.weight.data.T


class Updates(Stores):
    """Moves its parameters at the rate it holds."""

    def __init__(self, features=3, units=4, lr=0.125):
        super().__init__(features, units)
        self.lr = lr

    def backward(self, grad):
        dx, dW, db = self.gradients(grad)
        self.W -= self.lr * dW
        self.b -= self.lr * db
        return dx


class UpdatesAtGivenRate(Stores):
    """Takes the rate as an argument."""

    def backward(self, output_gradient, learning_rate):
        dx, dW, db = self.gradients(output_gradient)
        self.W = self.W - learning_rate * dW
        self.b = self.b - learning_rate * db
        return dx


class ScaledBefore:
    """Column vectors; the cotangent is scaled already, and `alpha` is not its rate."""

    def __init__(self, inputs=3, outputs=4):
        self.M = RNG.standard_normal((outputs, inputs))
        self.b = RNG.standard_normal(outputs)
        self.alpha = 0.1

    def __call__(self, x):
        self.input = x
        return self.M @ x + self.b

    def backprop(self, slope):
        dx = self.M.T @ slope
        self.M -= np.outer(slope, self.input)
        self.b -= slope
        return dx


class Momentum(Updates):
    """Keeps a velocity, so that only its first step is the gradient."""

    def __init__(self, features=3, units=4):
        super().__init__(features, units)
        self.velocity = np.zeros_like(self.W)

    def backward(self, grad):
        dx, dW, db = self.gradients(grad)
        self.velocity = 0.9 * self.velocity - self.lr * dW
        self.W += self.velocity
        self.b -= self.lr * db
        return dx


class ArgumentsOnly:
    """Parameters are arguments, gradients come back in their order."""

    def forward(self, x, W):
        self.seen = x, W
        return np.tanh(x @ W)

    def backward(self, grad):
        x, W = self.seen
        inner = grad * (1 - np.tanh(x @ W) ** 2)
        return inner @ W.T, x.T @ inner


class TwoOutputs:
    """Two outputs; backward takes a cotangent for each."""

    def forward(self, x):
        self.x = x
        return np.sin(x), x**2

    def backward(self, d_sine, d_square):
        return d_sine * np.cos(self.x) + d_square * 2 * self.x


class Loss:
    """Half the mean square error; forward gives a plain number, backward takes nothing."""

    def forward(self, prediction, target):
        self.off = prediction - target
        return float(np.mean(self.off**2) / 2)

    def backward(self):
        return self.off / self.off.size


class LossAtPoint(Loss):
    """Its backward takes the point again."""

    def backward(self, prediction, target):
        return (prediction - target) / prediction.size


class Dropout:
    """Draws a mask from the global generator."""

    def forward(self, x):
        self.keep = np.random.rand(*x.shape) < 0.7
        return x * self.keep

    def backward(self, grad):
        return grad * self.keep


class Elementwise:
    """np.vectorize over Python functions, as in document (003)."""

    def __init__(self, function, slope):
        self.function, self.slope = np.vectorize(function), np.vectorize(slope)

    def __call__(self, x):
        self.input = x
        return self.function(x)

    def backprop(self, grad):
        return self.slope(self.input) * grad


STORING = (Stores, Accumulates, ReturnsTuple, ReturnsMapping, GradsDict)
UPDATING = (Updates, UpdatesAtGivenRate, Momentum)
EVERY = (*STORING, ParamsLists, ParameterObjects, *UPDATING, ScaledBefore, TwoOutputs, Dropout)
