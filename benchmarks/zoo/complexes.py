"""Complex inputs and outputs, with the real inner product Re <u, dy> (torch's convention)."""

from __future__ import annotations

import numpy as np

from benchmarks.zoo.entry import Sample, each, member, near, of
from benchmarks.zoo.jumps import CUT
from benchmarks.zoo.linear_algebra import inverse
from benchmarks.zoo.precise import imag, is_exact, real


def plane(*shape: int, scale: float = 1.0) -> Sample:
    """Complex Gaussian numbers."""
    return lambda rng: scale * (rng.standard_normal(shape) + 1j * rng.standard_normal(shape))


def holomorphic(name, f, slope, sample, **facts):
    """Y = f(z): the gradient is u conj(f'(z))."""
    return member(
        name,
        of("z", f),
        lambda u, z: {"z": u * np.conj(slope(z))},
        each(z=sample),
        elementwise=True,
        **facts,
    )


def modulus_squared(z):
    """|z|^2."""
    return real(z) ** 2 + imag(z) ** 2


def modulus(z):
    """|z|."""
    return np.sqrt(modulus_squared(z))


def fourier(x):
    """Discrete Fourier transform."""
    if not is_exact(x):
        return np.fft.fft(x)
    k = np.arange(len(x))
    return np.exp(-2j * np.pi * np.outer(k, k) / len(x)) @ x


def matmul_vjp(u, A, B):
    """U B^H and A^H u."""
    return {"A": u @ np.conj(B).T, "B": np.conj(A).T @ u}


def inverse_vjp(u, a):
    """-A^-H u A^-H."""
    b = np.conj(np.linalg.inv(a)).T
    return {"a": -b @ u @ b}


def power_spectrum(x):
    """|FFT x|^2 of a real signal."""
    return modulus_squared(fourier(x + 0j))


def power_spectrum_vjp(u, x):
    """2 Re n ifft(u X)."""
    return {"x": 2 * x.size * np.fft.ifft(u * np.fft.fft(x)).real}


def behind_the_cut(rng):
    """Points 1e-6 .. 1e-3 from the negative half axis."""
    return -rng.uniform(0.5, 2, 5) + 1j * near([0.0], -6, -3, 5)(rng)


def to_complex(x, y):
    """R exp(i phi)."""
    return x * np.exp(1j * y)


def to_complex_vjp(u, x, y):
    """Real parts of u conj(dy)."""
    e = np.exp(1j * y)
    return {"x": (np.conj(u) * e).real, "y": (np.conj(u) * 1j * x * e).real}


def mixed(rng):
    """Real parts of 1e6, imaginary parts of 1e-6."""
    return 1e6 * rng.standard_normal(5) + 1e-6j * rng.standard_normal(5)


ENTRIES = [
    holomorphic("complex square", lambda z: z * z, lambda z: 2 * z, plane(5)),
    holomorphic("complex exp", np.exp, np.exp, plane(5)),
    holomorphic(
        "complex reciprocal", lambda z: 1 / z, lambda z: -1 / z**2, lambda rng: plane(5)(rng) + 3
    ),
    holomorphic("complex sin", np.sin, np.cos, plane(2, 3)),
    member("conjugate", of("z", np.conj), lambda u, z: {"z": np.conj(u)}, each(z=plane(5))),
    member("modulus squared", modulus_squared, lambda u, z: {"z": 2 * u * z}, each(z=plane(5))),
    member("real part", lambda z: real(z) + 0, lambda u, z: {"z": u + 0j}, each(z=plane(5))),
    member("complex matmul", lambda A, B: A @ B, matmul_vjp, each(A=plane(3, 4), B=plane(4, 2))),
    member("fft", fourier, lambda u, x: {"x": len(x) * np.fft.ifft(u)}, each(x=plane(8))),
    member(
        "polar to complex",
        to_complex,
        to_complex_vjp,
        lambda rng: {"x": rng.standard_normal(4), "y": rng.standard_normal(4)},
    ),
    holomorphic(
        "complex log near its cut",
        np.log,
        lambda z: 1 / z,
        behind_the_cut,
        nasty=True,
        kinks=True,
        limit=CUT,
    ),
    holomorphic(
        "complex pole", lambda z: 1 / z, lambda z: -1 / z**2, plane(5, scale=1e-6), nasty=True
    ),
    holomorphic(
        "complex exp of 300", np.exp, np.exp, lambda rng: 300 + plane(5, scale=10)(rng), nasty=True
    ),
    holomorphic(
        "complex square of mixed parts", lambda z: z * z, lambda z: 2 * z, mixed, nasty=True
    ),
    member(
        "modulus near 0",
        modulus,
        lambda u, z: {"z": u * z / np.abs(z)},
        each(z=plane(5, scale=1e-9)),
        nasty=True,
        kinks=True,
    ),
    member(
        "complex inverse, nearly singular",
        inverse,
        inverse_vjp,
        nasty=True,
        rounding=1e-7,
        make_inputs=each(a=lambda rng: np.ones((4, 4)) + 1e-3 * plane(4, 4)(rng)),
        limit="the condition number amplifies the rounding of the forward pass",
    ),
    member(
        "power spectrum, 6 decades",
        power_spectrum,
        power_spectrum_vjp,
        nasty=True,
        make_inputs=each(x=lambda rng: rng.standard_normal(16) + 1e6),
    ),
]
