"""The code in docs/verify-your-layer.md runs, and what it says of adapters and options is so."""

from __future__ import annotations

import re
from pathlib import Path

from gradcheck.adapters import numpy, torch_module

PAGE = Path(__file__).parents[2] / "docs" / "verify-your-layer.md"


class Sine:
    """The `layer` of the page's first lines."""

    def forward(self, x):
        import numpy as np

        self.x = x
        return np.sin(x)

    def backward(self, grad):
        import numpy as np

        return grad * np.cos(self.x)


def test_its_code_runs():
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    assert len(blocks) >= 3
    namespace: dict = {"layer": Sine()}
    for block in blocks:
        exec(compile(block, PAGE.name, "exec"), namespace)


def test_the_options_it_names_exist():
    text = PAGE.read_text("utf-8")
    for option in ("parameters", "frozen", "forward", "backward", "learning_rate"):
        assert f"{option}=" in text
        assert option in numpy.OPTIONS
    assert "train" in torch_module.OPTIONS
