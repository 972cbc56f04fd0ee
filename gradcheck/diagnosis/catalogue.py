"""Every name a fault may be given: what it looks like, and what to look for in the code."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """name: as in `Finding.fault`; "scaled by k" stands for "scaled by 2", "scaled by 1/batch".

    family: the file of `tests/faults/catalogue` that plants it.
    """

    name: str
    family: str
    looks: str
    look_for: str


CATALOGUE: tuple[Fault, ...] = (
    Fault("transposed", "places", "M g for M^T g, an axis pair exchanged, J u for J^T u",
          "a .T that is missing or one too many, a product in the wrong order"),
    Fault("sign flipped", "values", "returned = -expected", "a difference taken the other way"),
    Fault("scaled by k", "values", "returned = k expected; k is named by sizes and scalar inputs",
          "a mean, a 2, a learning rate, a sqrt(d) that forward has not, or has already"),
    Fault("always zero", "values", "zero whatever the cotangent: detached",
          "a detach, an item(), a gradient array that is never filled"),
    Fault("gradients swapped", "values", "one input gets the gradient of another",
          "the order in which gradients are returned"),
    Fault("precision lost", "values", "right to seven digits only", "float32, a cast, a buffer"),
    Fault("one wrong entry", "values", "one index, the same at every example", "a literal index"),
    Fault("missing batch sum", "sums", "one sample's share only, or an axis too many",
          ".sum(0), a loop with = for +="),
    Fault("missing broadcast sum", "sums", "the shape before broadcasting is not restored",
          "a sum over every axis that forward broadcast"),
    Fault("mean instead of sum", "values", "scaled by 1/n over a dimension the input lacks",
          ".mean( where forward takes no mean"),
    Fault("path missing", "sums", "what is missing is the gradient through a mean, a variance, a "
          "norm, a normaliser, a skip, an output, a factor", "every use of the input in forward"),
    Fault("path added", "frameworks", "what outputs contribute that do not depend on the input, or "
          "the cotangent itself", "a mask, a branch or a residual that only one side has"),
    Fault("wrong windows", "frameworks", "windows laid out with another stride or dilation",
          "stride, dilation and padding, in vjp as in forward"),
    Fault("wrong axis", "frameworks", "taken over other axes than forward's",
          "axis= and keepdims=, in vjp as in forward"),
    Fault("wrong factor", "frameworks", "the output or an input as a factor once more or once less",
          "each factor of the derivative, one by one"),
    Fault("wrong beyond a bound", "frameworks", "right on one side of a value, or outside a range",
          "a branch, a clip or a threshold on the values"),
    Fault("truncated through time", "sums", "what later steps contribute is missing",
          "the gradient of the state, carried from each step to the one before"),
    Fault("cotangent ignored", "functions", "the gradient for a cotangent of ones",
          "every term times the cotangent, once"),
    Fault("absolute cotangent", "functions", "|u| for u", "abs, a norm"),
    Fault("squared cotangent", "functions", "u^2 for u", "the cotangent used twice"),
    Fault("term without cotangent", "functions", "not zero at a zero cotangent",
          "weight decay, a constant added"),
    Fault("gradient clipped", "functions", "no entry above a bound",
          "a clip that belongs in the optimizer"),
    Fault("derivative of another activation", "functions", "sigmoid' for tanh', or none at all",
          "the function in forward against the derivative in vjp"),
    Fault("derivative at the output", "functions", "f'(f(x)) for f'(x)", "the argument of f'"),
    Fault("wrong derivative", "functions", "f for f', f' squared, 1/f'", "the formula of f'"),
    Fault("not multiplied by the cotangent at the kink", "functions", "a constant where x == 0",
          "grad[x == 0] = alpha, where *= is meant"),
    Fault("wrong convention at the kink", "functions",
          "outside both sides, or not the alpha declared", "> against >= at the kink"),
    Fault("point defect", "functions", "wrong at one point where both sides agree",
          "a guard x == 0"),
    Fault("rolled", "places", "shifted, wrapped round", "np.roll the wrong way"),
    Fault("off by one", "places", "shifted by one, zeros moved in; an index one too small",
          "a slice that starts or ends one too early or too late"),
    Fault("flipped", "places", "reversed along an axis", "a [::-1], a kernel not turned round"),
    Fault("permuted", "places", "another order along an axis", "argsort against its inverse"),
    Fault("wrong at first index", "places", "all but the first right", "a range that starts at 1"),
    Fault("wrong at last index", "places", "all but the last right", "a range that stops early"),
    Fault("wrong at boundary index", "places", "both ends wrong", "padding, ends of a loop"),
    Fault("wrong in the tail", "places", "the last n mod k entries", "a block loop over n // k"),
    Fault("wrong for odd sizes", "places", "right for even sizes", "n // 2"),
    Fault("wrong for size one", "places", "right above one", "squeeze, a division by n - 1"),
    Fault("wrong where negative", "functions", "right for positive entries",
          "a branch on the sign"),
    Fault("duplicate overwritten", "places", "one contribution of several is kept",
          "g[idx] = where np.add.at is meant"),
    Fault("mask leak", "masks", "masked entries get a gradient", "the mask, in vjp as in forward"),
    Fault("mask inverted", "masks", "exactly the masked entries get one", "~mask"),
    Fault("fully masked row", "masks", "NaN where nothing is kept", "0/0, -inf - -inf"),
    Fault("conjugate missing", "complex", "the conjugate of the right one, or of a factor",
          ".conj()"),
    Fault("part of a complex number lost", "complex", "the real part alone, or the imaginary one",
          "a .real, an astype(float), a buffer of real numbers"),
    Fault("stale cache", "state", "the gradient at another call's inputs",
          "values saved by forward"),
    Fault("hidden state", "state", "another result at every call", "a counter, a generator"),
    Fault("buffer reuse", "state", "a later call alters an earlier result", "out=, a kept array"),
    Fault("mutation", "state", "cotangent or input changed", "+=, *=, out= on an argument"),
    Fault("contiguous assumption", "state", "wrong for strided arrays", "raw pointers, .view"),
    Fault("input without gradient", "state", "a name is missing from what vjp returns",
          "a branch that returns early"),
)  # fmt: skip
