"""The table of adapters, and what `adapt` does with what none of them knows."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import gradcheck.adapters
from gradcheck import MissingExtra, Subject, UsageError, adapt
from gradcheck.adapters import ADAPTERS, adapters


def tanh(x):
    return np.tanh(x)


TANH = Subject(
    "tanh",
    tanh,
    lambda u, x: {"x": u * (1 - np.tanh(x) ** 2)},
    {"x": "n"},
)


def test_every_adapter_is_in_the_table():
    folder = Path(gradcheck.adapters.__file__).parent
    files = {f.stem for f in folder.glob("*.py") if "\ndef knows(" in f.read_text("utf-8")}
    assert files == set(ADAPTERS), "add the missing line to ADAPTERS"


def test_every_adapter_says_what_it_takes():
    for module in adapters():
        assert module.NAME
        assert module.OPTIONS is None or isinstance(module.OPTIONS, frozenset)


def test_the_table_imports_no_framework():
    code = (
        "import sys; from gradcheck.adapters import adapters; adapters(); "
        "sys.exit(bool({'torch', 'jax', 'keras'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("thing", [3, "dense", object(), None])
def test_what_no_adapter_knows_is_one_line_that_lists_what_is(thing):
    with pytest.raises(UsageError) as raised:
        adapt(thing)
    text = str(raised.value)
    assert "\n" not in text
    assert repr(thing)[:20] in text
    assert "torch.nn.Module" in text
    assert "(fun, jac)" in text


def test_a_subject_passes_through():
    assert adapt(TANH) == TANH


def test_options_are_applied_to_a_subject():
    changed = adapt(TANH, {"x": "3 n"}, name="other", traits="elementwise", dims={"n": (1, 4)})
    assert changed.name == "other"
    assert changed.traits == {"elementwise"}
    assert changed.inputs["x"].shape.text == "3 n"
    assert changed.dims == {"n": (1, 4)}
    with pytest.raises(UsageError, match="unknown option 'learning_rate'"):
        adapt(TANH, learning_rate=1)


def test_a_numpy_function_without_a_gradient_is_an_error():
    with pytest.raises(UsageError, match=r"without a gradient: give one as check\(\(fun, jac\)"):
        adapt(np.sort, {"x": "n"})


def test_a_twin_for_free():
    pytest.importorskip("torch")
    generic = Subject("square", lambda x: x * x, lambda u, x: {"x": 2 * u * x}, {"x": "n"})
    assert adapt(generic, twin="auto").twin is generic.forward
    assert adapt(TANH, twin="auto").twin == "auto", "np.tanh does not differentiate tensors"


def test_a_missing_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtra, match=r"gradcheck\[torch\]"):
        adapt(TANH, twin="auto")
    monkeypatch.setitem(sys.modules, "jax", None)
    with pytest.raises(MissingExtra, match=r"gradcheck\[jax\]"):
        adapt(lambda x: x, {"x": "n"}, framework="jax")
