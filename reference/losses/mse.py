"""Squared error, in each of the forms that go by its name.

Formula
    mean: L = sum (p - t)^2 / size, dp = 2 (p - t) / size
    half mean: L = sum (p - t)^2 / (2 size), dp = (p - t) / size
    sum: L = sum (p - t)^2, dp = 2 (p - t)
    half sum: L = sum (p - t)^2 / 2, dp = p - t
    dt = -dp; every gradient times the scalar cotangent

Shapes
    prediction, target (...), the same, in any units; L () in their square

Errors
    ValueError: shapes differ, (n, 1) against (n,) too; the mean of no element; unknown form.

Source
    mean: (000), (001), (002) mask and nolearn; half mean: (004) Error; sum: (002) relu demo;
    half sum: (003) Network.learn
"""

import numpy as np

from reference.shapes import expect, floating, one_of, some_elements

FORMS = ("mean", "half mean", "sum", "half sum")


def forward(prediction, target, *, form="mean"):
    """L, a scalar."""
    weight = _weight(prediction, target, form)
    return weight * np.square(floating(prediction) - floating(target)).sum()


def vjp(cotangent, prediction, target, *, form="mean"):
    weight = _weight(prediction, target, form)
    expect(cotangent=(cotangent, ""))
    dp = cotangent * 2 * weight * (floating(prediction) - floating(target))
    return {"prediction": dp, "target": -dp}


def _weight(prediction, target, form):
    one_of("form", form, FORMS)
    expect(prediction=(prediction, "..."), target=(target, "..."))
    if form.endswith("mean"):
        some_elements("prediction", prediction)
    size = prediction.size if form.endswith("mean") else 1
    return (0.5 if form.startswith("half") else 1.0) / size
