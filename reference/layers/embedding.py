"""Embedding: each index takes its row of a table.

Formula
    y_i = E[index_i]
    dE[k] = sum of g_i over all i with index_i = k, the transpose of the one-hot rows times g

Shapes
    index (...) of integers, E (vocabulary, features), y (..., features)

Errors
    ValueError where the index is not of integers, or one lies outside [0, vocabulary).

Source
    (002) "(Embedding, etc.)" as a shared transformation
"""

import numpy as np
from scipy.sparse import csr_array

from reference.shapes import expect, integers


def forward(index, E):
    """y_i = E[index_i]."""
    expect(index=(index, "..."), E=(E, "vocabulary features"))
    _check(index, E)
    return E[index]


def vjp(cotangent, index, E):
    """dE[k] = sum of g_i over all i with index_i = k."""
    expect(
        index=(index, "..."), E=(E, "vocabulary features"), cotangent=(cotangent, "... features")
    )
    _check(index, E)
    positions = np.arange(index.size)
    # SciPy's sparse arrays know no float16
    rows = cotangent.astype(np.result_type(cotangent, np.float32)).reshape(index.size, E.shape[1])
    ones = np.ones(index.size, rows.dtype)
    one_hot = csr_array((ones, (index.ravel(), positions)), shape=(len(E), index.size))
    return {"E": (one_hot @ rows).astype(cotangent.dtype)}


def _check(index, E):
    integers("index", index)
    outside = index[(index < 0) | (index >= len(E))]
    if outside.size:
        raise ValueError(f"index holds {outside.flat[0]}: E of shape {E.shape} has {len(E)} rows")
