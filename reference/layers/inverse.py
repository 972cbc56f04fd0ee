"""Inverse of a square matrix.

Formula
    Y = A^-1,  dA = -Y^T g Y^T

Shapes
    A, Y (..., n, n)

Errors
    ValueError: A not square; cotangent not of A's shape; float16, which LAPACK has not;
    LinAlgError, which is a ValueError, where A is
    singular.

Source
    Giles (2008), section 2.2.3; torch.linalg.inv.
"""

import numpy as np

from reference.shapes import expect, lapack


def forward(A):
    expect(A=(A, "... n n"))
    lapack(A=A)
    return np.linalg.inv(A)


def vjp(cotangent, A):
    transposed = np.swapaxes(forward(A), -1, -2)
    expect(A=(A, "..."), cotangent=(cotangent, "..."))
    return {"A": -transposed @ cotangent @ transposed}
