"""Solution of a linear system with one or more right-hand sides.

Formula
    A y = b;  db = A^-T g,  dA = -db y^T

Shapes
    A (..., n, n); b, y (..., n, sides)

Errors
    ValueError: shapes that disagree; float16, which LAPACK has not;
    LinAlgError, which is a ValueError, where A is singular.

Source
    Giles (2008), section 2.3.1; torch.linalg.solve.
"""

import numpy as np

from reference.shapes import expect, lapack


def forward(A, b):
    expect(A=(A, "... n n"), b=(b, "... n sides"))
    lapack(A=A, b=b)
    return np.linalg.solve(A, b)


def vjp(cotangent, A, b):
    y = forward(A, b)
    expect(b=(b, "..."), cotangent=(cotangent, "..."))
    db = np.linalg.solve(np.swapaxes(A, -1, -2), cotangent)
    return {"A": -db @ np.swapaxes(y, -1, -2), "b": db}
