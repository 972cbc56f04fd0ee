"""Hard swish: x times its hard sigmoid.

Formula
    y = x min(max(x + 3, 0), 6) / 6
    dx = 0  for x <= -3,  g (2 x + 3) / 6  between,  g  for x >= 3

Shapes
    x, y: any, the same.

Kinks
    x = -3: 0, the left slope. x = 3: 1, the right slope.

Errors
    ValueError: cotangent not of x's shape.

Source
    Howard et al. (2019); torch.nn.functional.hardswish.
"""

import numpy as np

from reference.shapes import expect


def forward(x):
    expect(x=(x, "..."))
    return x * (np.clip(x + 3, 0, 6) / 6)


def vjp(cotangent, x):
    expect(x=(x, "..."), cotangent=(cotangent, "..."))
    between = (2 * np.clip(x, -3, 3) + 3) / 6
    return {"x": cotangent * np.where(x <= -3, 0, np.where(x >= 3, 1, between))}
