"""More ways in which NumPy layers are written: the right one passes, a fault has its input."""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck import adapt, array, check, constant, integers
from tests.gradcheck.adapters.objects import RNG, GradsDict, Stores

LOOKUP = {"index": integers("n", 0, "words"), "table": "words units"}


class Network:
    """Parts of a network keep their gradients each in a `grads` of its own."""

    def __init__(self, kind=GradsDict):
        self.layers = [kind(3, 4), kind(4, 2)]

    def forward(self, x):
        for layer in self.layers:
            x = np.tanh(layer.forward(x))
            layer.out = x
        return x

    def backward(self, grad):
        for layer in reversed(self.layers):
            grad = layer.backward(grad * (1 - layer.out**2))
        return grad


class ParamsDict(GradsDict):
    def __init__(self, features=3, units=4):
        self.params = {"W": RNG.standard_normal((features, units)), "b": np.zeros(units)}

    W = property(lambda self: self.params["W"])
    b = property(lambda self: self.params["b"])


class Doubled(ParamsDict):
    def backward(self, grad):
        found = super().backward(grad)
        self.grads["W"] = 2 * self.grads["W"]
        return found


class LayersOfDicts:
    """layers[k]["W"] and grads[k]["W"]."""

    factor = 1.0

    def __init__(self):
        sizes = ((3, 4), (4, 2))
        self.layers = [{"W": RNG.standard_normal(s), "b": np.zeros(s[1])} for s in sizes]

    def forward(self, x):
        self.seen = []
        for layer in self.layers:
            self.seen.append(x)
            x = np.tanh(x @ layer["W"] + layer["b"])
        self.seen.append(x)
        return x

    def backward(self, grad):
        self.grads = [None, None]
        for k in (1, 0):
            grad = grad * (1 - self.seen[k + 1] ** 2)
            self.grads[k] = {"W": self.seen[k].T @ grad, "b": grad.sum(0)}
            grad = grad @ self.layers[k]["W"].T
        self.grads[1]["W"] *= self.factor
        return grad


def test_each_part_of_a_network_has_its_own_gradients(at_a_point, blames):
    report = at_a_point(Network(ParamsDict))
    assert report.passed, str(report)
    assert "layers.1.params.W" in report.detectable
    wrong = Network(ParamsDict)
    wrong.layers[1] = Doubled(4, 2)
    found = blames(wrong, "layers.1.params.W")
    assert {finding.input for finding in found.findings} == {"layers.1.params.W"}


def test_gradients_that_mirror_a_list_of_dicts(at_a_point, blames):
    report = at_a_point(LayersOfDicts())
    assert report.passed, str(report)
    assert {"layers.0.W", "layers.1.b"} <= report.detectable.keys()

    class Wrong(LayersOfDicts):
        factor = 0.9

    blames(Wrong(), "layers.1.W")


def test_what_backward_gives_no_gradient_is_said():
    class Forgets(Stores):
        def backward(self, grad):
            return grad @ self.W.T

    remarks = " ".join(adapt(Forgets()).remarks)
    assert "`W`, `b`: read by forward, given no gradient by backward" in remarks
    assert adapt(Stores()).remarks == ()


def lookup_forward(index, table):
    return table[index], (index, table.shape)


def lookup_backward(dout, cache):
    index, shape = cache
    found = np.zeros(shape)
    np.add.at(found, index, dout)
    return None, found


def test_none_stands_for_an_argument_without_gradient(at_a_point):
    assert at_a_point((lookup_forward, lookup_backward), LOOKUP).passed
    swapped = {"table": "words units", "index": LOOKUP["index"]}  # declared in another order
    assert at_a_point((lookup_forward, lookup_backward), swapped).passed

    def overwrites(dout, cache):
        _, found = lookup_backward(dout, cache)
        index, _ = cache
        found[index] = dout
        return None, found

    point = {"index": np.array([1, 1, 0]), "table": RNG.standard_normal((3, 2))}
    report = check((lookup_forward, overwrites), LOOKUP, at=point, seed=1)
    assert {finding.input for finding in report.findings} == {"table"}


class Scaled:
    """An optional second argument; backward always returns two."""

    factor = 1.0

    def forward(self, x, scale=None):
        self.x, self.scale = x, scale
        return np.sin(x) if scale is None else np.sin(x) * scale

    def backward(self, grad):
        slope = self.factor * np.cos(self.x) * grad
        if self.scale is None:
            return slope, None
        return slope * self.scale, np.sin(self.x) * grad


@pytest.mark.parametrize(
    "inputs", [None, {"x": "n", "scale": None}, {"x": "n", "scale": "n"}], ids=str
)
def test_an_optional_argument(inputs, at_a_point, blames):
    report = at_a_point(Scaled(), inputs)
    assert report.passed, str(report)

    class Wrong(Scaled):
        factor = -1.0

    blames(Wrong(), "x", inputs)


def test_an_array_of_a_parameter_is_not_that_of_an_index(at_a_point, blames):
    class Shifted(Stores):
        """Two arguments, one of them an index; two gradients, one of them a parameter's."""

        def forward(self, x, index):
            self.index = index
            return super().forward(x)[index]

        def backward(self, grad):
            whole = np.zeros((len(self.x), self.W.shape[1]))
            np.add.at(whole, self.index, grad)
            dx, dW, self.db = self.gradients(whole)
            return dx, dW

    inputs = {"x": "batch 3", "index": integers("picked", 0, "batch")}
    report = at_a_point(Shifted(), inputs)
    assert report.passed, str(report)
    assert "W" in report.detectable

    class Wrong(Shifted):
        def backward(self, grad):
            dx, dW = super().backward(grad)
            return dx, 2 * dW

    blames(Wrong(), "W", inputs)


def net_forward(x, params):
    seen = []
    for W, b in zip(params["W"], params["b"], strict=True):
        seen.append(x)
        x = np.tanh(x @ W + b)
    return x, (seen, x, params)


def net_backward(dout, cache, factor=1.0):
    seen, out, params = cache
    found = {"W": [], "b": []}
    for x, W in zip(seen[::-1], params["W"][::-1], strict=True):
        dout = dout * (1 - out**2)
        found["W"].insert(0, x.T @ dout)
        found["b"].insert(0, factor * dout.sum(0))
        dout, out = dout @ W.T, x
    return dout, found


NESTED = {"x": "n 3", "params": {"W": ["3 4", "4 2"], "b": [array("4"), array("2")]}}


def test_gradients_in_the_containers_of_their_argument(at_a_point, blames):
    report = at_a_point((net_forward, net_backward), NESTED)
    assert report.passed, str(report)

    def wrong(dout, cache):
        return net_backward(dout, cache, factor=2.0)

    blames((net_forward, wrong), "params.b.0", NESTED)


def norm_forward(x, gamma, options):
    mean, spread = x.mean(0), np.sqrt(x.var(0) + options["eps"])
    kept = options.get("running", np.zeros(x.shape[1]))
    options["running"] = 0.9 * kept + 0.1 * mean
    centred = (x - mean) / spread
    return gamma * centred, (centred, gamma, spread)


def norm_backward(dout, cache, whole=1.0):
    centred, gamma, spread = cache
    inner = dout * gamma
    off = inner.mean(0) + whole * centred * (inner * centred).mean(0)
    return (inner - off) / spread, (dout * centred).sum(0)


def test_a_dict_of_options_in_which_forward_keeps_figures(blames):
    inputs = {"x": "n units", "gamma": "units", "options": constant({"eps": 1e-3})}
    report = check((norm_forward, norm_backward), inputs, dims={"n": (1, 6)}, examples=8, seed=1)
    assert report.passed, str(report)
    assert not report.discards

    def wrong(dout, cache):
        return norm_backward(dout, cache, whole=0.0)

    blames((norm_forward, wrong), "x", inputs, dims={"n": (1, 6)})


def cell_forward(x, h, c):
    new = np.tanh(x + h) * c
    out = np.tanh(new)
    return out, new, (x, h, c, out)


def cell_backward(dout, dnew, cache, through=1.0):
    x, h, c, out = cache
    dnew = dnew + through * dout * (1 - out**2)
    inner = dnew * c * (1 - np.tanh(x + h) ** 2)
    return inner, inner, dnew * np.tanh(x + h)


def test_two_outputs_and_a_cache(at_a_point, blames):
    inputs = dict.fromkeys("xhc", "n")
    assert at_a_point((cell_forward, cell_backward), inputs).passed

    def wrong(dout, dnew, cache):
        return cell_backward(dout, dnew, cache, through=0.0)

    blames((cell_forward, wrong), "c", inputs)


class Calls:
    """Takes its sizes from its first input, and keeps calls until they are flushed."""

    factor = 1.0

    def __init__(self, units=4):
        self.units, self.ready, self.X = units, False, []
        self.parameters, self.gradients, self.kept = {"W": None}, {}, {}

    def forward(self, X):
        if not self.ready:
            self.parameters = {"W": RNG.standard_normal((X.shape[1], self.units))}
            self.gradients = {"W": np.zeros((X.shape[1], self.units))}
            self.kept, self.ready = {"Z": []}, True
        self.X.append(X)
        self.kept["Z"].append(X @ self.parameters["W"])
        return np.tanh(self.kept["Z"][-1])

    def backward(self, grads):
        grads = grads if isinstance(grads, list) else [grads]
        found = []
        for grad, X, Z in zip(grads, self.X, self.kept["Z"], strict=False):
            inner = grad * (1 - np.tanh(Z) ** 2)
            self.gradients["W"] += self.factor * X.T @ inner
            found.append(inner @ self.parameters["W"].T)
        return found[0] if len(self.X) == 1 else found

    def flush_gradients(self):
        self.X, self.kept = [], {"Z": []}
        self.gradients["W"] = np.zeros_like(self.parameters["W"])


class CallsWrong(Calls):
    factor = 0.5


def test_parameters_that_the_first_forward_makes():
    report = check(Calls(), {"X": "batch 3"}, examples=8, seed=1)
    assert report.passed, str(report)
    assert "parameters.W" in report.detectable
    report = check(CallsWrong(), {"X": "batch 3"}, examples=8, seed=1)
    assert {finding.input for finding in report.findings} == {"parameters.W"}


def test_calls_that_wait_until_they_are_flushed():
    layer = Calls()
    layer.forward(np.ones((2, 3)))
    layer.flush_gradients()
    report = check(layer, examples=8, seed=1)
    assert report.passed, str(report)


def test_a_list_that_only_grows_is_a_stale_cache():
    class Grows:
        def __init__(self):
            self.seen = []

        def forward(self, x):
            self.seen.append(x)
            return np.sin(x)

        def backward(self, grad):
            return grad * np.cos(self.seen[0])

    assert not check(Grows(), {"x": "n"}, examples=8, seed=1).passed


def test_a_table_that_the_first_forward_makes_is_no_parameter():
    class Encodes(Stores):
        table = None

        def forward(self, x):
            if self.table is None:
                self.table = np.linspace(0.0, 1.0, 3)
            return super().forward(x + self.table)

    report = check(Encodes(), examples=6, seed=1)
    assert report.passed, str(report)
    assert set(report.detectable) == {"x", "W", "b"}


class Product:
    """A context first, as torch.autograd.Function has it."""

    @staticmethod
    def forward(ctx, x, y):
        ctx.save_for_backward(x, y)
        return x * y

    @staticmethod
    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        return grad * y, grad * x


def test_a_context_is_made_for_each_forward(at_a_point, blames):
    inputs = {"x": "n", "y": "n"}
    assert at_a_point(Product, inputs).passed

    class Wrong(Product):
        @staticmethod
        def backward(ctx, grad):
            x, _ = ctx.saved_tensors
            return grad * x, grad * x

    blames(Wrong, "x", inputs)


class Column:
    """Columns, one at a time: W x + b with b of shape (units, 1), updated in place."""

    sign = -1

    def __init__(self, features=3, units=4):
        self.W, self.b = RNG.standard_normal((units, features)), np.zeros((units, 1))

    def forward(self, x):
        self.x = x
        return self.W @ x + self.b

    def backward(self, grad, learning_rate):
        back = self.W.T @ grad
        self.W += self.sign * learning_rate * (grad @ self.x.T)
        self.b -= learning_rate * grad
        return back


def test_a_shape_that_runs_by_an_accident_of_broadcasting_is_not_taken(at_a_point, blames):
    assert adapt(Column()).inputs["x"].shape.text == "3 1"
    assert at_a_point(Column()).passed

    class Wrong(Column):
        sign = 1

    blames(Wrong(), "W")


def test_keyword_only_arguments_without_shapes(at_a_point):
    class Square:
        def forward(self, *, x, scale=2.0):
            self.x, self.scale = x, scale
            return scale * x**2

        def backward(self, grad):
            return 2 * self.scale * self.x * grad

    assert at_a_point(Square()).passed
