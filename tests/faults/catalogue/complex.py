"""Conjugates that are missing."""

from __future__ import annotations

import numpy as np

from gradcheck import Subject, array
from tests.faults.catalogue.base import Fault, bend

times = Subject(
    "complex product",
    forward=lambda a, b: a * b,
    vjp=lambda u, a, b: {"a": u * np.conj(b), "b": u * np.conj(a)},
    inputs={"a": array("n", complex=True), "b": array("n", complex=True)},
)
modulus = Subject(
    "squared modulus",
    forward=lambda z: z.real**2 + z.imag**2,
    vjp=lambda u, z: {"z": 2 * u * z},
    inputs={"z": array("n", complex=True)},
)

FAULTS: list[Fault] = [
    ("factor", bend(times, "b", "a", lambda g, u, i: u * i["b"]), times, "a", "conjugate missing"),
    ("result", bend(modulus, "conj", "z", lambda g, u, i: np.conj(g)), modulus, "z",
     "conjugate missing"),
    ("real part", bend(times, "real", "a", lambda g, u, i: g.real + 0j), times, "a",
     "part of a complex number lost"),
]  # fmt: skip
