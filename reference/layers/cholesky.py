"""Cholesky factor of the symmetric part of a matrix.

Formula
    L L^T = (A + A^T) / 2,  L lower triangular with a positive diagonal
    P = h(L^T g),  h: the lower triangle with its diagonal halved
    S = L^-T P L^-1,  dA = (S + S^T) / 2
    Entries of g above the diagonal meet entries of L that are always 0: they do not count.

Shapes
    A, L (..., n, n); the symmetric part of A is positive definite.

Errors
    ValueError: A not square; cotangent not of A's shape; float16, which LAPACK has not;
    LinAlgError, which is a ValueError, where the
    symmetric part is not positive definite.

Source
    Murray (2016), section 3.1; torch.linalg.cholesky, which reads only one triangle and so has
    the same gradient for a symmetric A.
"""

import numpy as np

from reference.shapes import expect, lapack


def forward(A):
    expect(A=(A, "... n n"))
    lapack(A=A)
    return np.linalg.cholesky(_symmetric(A))


def vjp(cotangent, A):
    L = forward(A)
    expect(A=(A, "..."), cotangent=(cotangent, "..."))
    P = np.tril(_transpose(L) @ np.tril(cotangent))
    P *= 1 - 0.5 * np.eye(A.shape[-1], dtype=A.dtype)
    inner = np.linalg.solve(_transpose(L), P)
    S = _transpose(np.linalg.solve(_transpose(L), _transpose(inner)))
    return {"A": _symmetric(S)}


def _symmetric(A):
    return (A + _transpose(A)) / 2


def _transpose(A):
    return np.swapaxes(A, -1, -2)
