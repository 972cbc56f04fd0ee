"""Every example does what its first lines say: the commands there, and what they exit with."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "examples"
COMMAND = re.compile(r"^    gradcheck (?P<rest>verify .+)$", re.MULTILINE)

# What the diagnosis of each faulty one must say.
SAID = {
    "component_network": "`x` is multiplied by `M` where it should be by its transpose",
    "numpy_layer": "gradient of `b` is the mean over",
    "plain_subject": "gradient of `x`",
    "functions": "gradient of `x`",
    "torch_function": "gradient of `x`",
    "torch_module": "gradient of `x`",
    "torch_custom_op": "odd",
    "jax_custom_vjp": "gradient of `x`",
    "keras_layer": "gradient of `x`",
}
NEEDS = {"torch": "torch", "jax": "jax", "keras": "keras"}


def commands():
    for path in sorted(FOLDER.glob("*.py")):
        docstring = path.read_text("utf-8").split('"""')[1]
        for match in COMMAND.finditer(docstring):
            words = shlex.split(match["rest"], comments=True)
            yield pytest.param(path.stem, words, id=words[1])


def run(*words):
    environment = {**os.environ, "KERAS_BACKEND": "torch", "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, *words], cwd=ROOT, env=environment, capture_output=True, text=True,
        encoding="utf-8", check=False, timeout=300,
    )  # fmt: skip


@pytest.mark.parametrize(("stem", "words"), list(commands()))
def test_the_command_at_the_top(stem, words):
    for framework, package in NEEDS.items():
        if stem.startswith(framework) and find_spec(package) is None:
            pytest.skip(f"{package} is an extra, and is not installed")
    done = run("-m", "gradcheck", *words, "--seed", "1", "--examples", "12")
    faulty = "faulty" in words[1].lower()
    assert done.returncode == (1 if faulty else 0), done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    if faulty:
        assert SAID[stem] in done.stdout, done.stdout


def test_every_faulty_example_has_a_command_and_a_sentence():
    faulty = {param.values[0] for param in commands() if "faulty" in param.id.lower()}
    assert faulty == set(SAID)


def test_the_pytest_example():
    done = run("-m", "pytest", "examples/test_in_pytest.py", "-q", "-p", "no:randomly")
    assert done.returncode == 0, done.stdout


def test_the_workflow_names_options_that_exist(pytestconfig):
    text = (FOLDER / "github-actions.yml").read_text("utf-8")
    options = set(re.findall(r"--(gradcheck-[a-z]+)", text))
    assert options
    assert all(hasattr(pytestconfig.option, option.replace("-", "_")) for option in options)
