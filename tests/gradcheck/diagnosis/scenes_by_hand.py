"""Scenes of a forward and a claim given as plain NumPy functions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gradcheck.diagnosis.evidence import Scene
from gradcheck.inputs import as_inputs
from gradcheck.judgement.problem import Judgement

WRONG = Judgement("x", "wrong")


def scene(forward, vjp, arrays, shapes=None, sizes=None):
    """A scene at `arrays` with a random cotangent; vjp(u, **arrays) -> mapping."""
    output = np.asarray(forward(**arrays), dtype=float)
    cotangent = np.random.default_rng(1).standard_normal(output.shape)
    shapes = shapes or {n: " ".join(map(str, np.shape(a))) for n, a in arrays.items()}
    return Scene(
        arrays=arrays,
        outputs=(output,),
        cotangents=(cotangent,),
        names=tuple(n for n, a in arrays.items() if np.asarray(a).dtype.kind == "f"),
        forward=lambda a: (np.asarray(forward(**a), dtype=float),),
        vjp=lambda u, a: {n: np.asarray(g) for n, g in vjp(u[0], **a).items()},
        inputs=as_inputs(shapes, "by hand"),
        sizes=sizes or {},
    )


def pair(make, name="x"):
    """Evidence at two scenes, each with the other as `more`: make(rng, number) -> scene."""
    made = [make(np.random.default_rng(7 + k), k).of(name) for k in range(2)]
    return [replace(e, more=lambda o=o: (o,)) for e, o in zip(made, reversed(made), strict=True)]
