"""The README's code blocks run, and it says what it must."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

README = Path(__file__).parents[2] / "README.md"
TEXT = README.read_text(encoding="utf-8")
PYTHON = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
COMMANDS = [line for block in re.findall(r"```bash\n(.*?)```", TEXT, re.DOTALL)
            for line in block.splitlines() if line.startswith("gradcheck ")]  # fmt: skip


def test_it_is_short():
    assert len(TEXT.splitlines()) < 150


@pytest.mark.parametrize("code", [c for c in PYTHON if "def test_" not in c])
def test_blocks_run(code, tmp_path):
    if "torch" in code:
        pytest.importorskip("torch", reason="the extra 'torch' is not installed")
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("code", [c for c in PYTHON if "def test_" in c])
def test_test_blocks_pass(code, pytester):
    pytester.makepyfile(code)
    result = pytester.runpytest_subprocess(
        "-p", "gradcheck.pytest_plugin", "--gradcheck-profile=quick"
    )
    assert result.ret == 0


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_do_what_is_said(command):
    arguments = command.split()[1:]
    done = subprocess.run(
        [sys.executable, "-m", "gradcheck", *arguments],
        cwd=README.parent, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert "multiplied by `M` where it should be by its transpose" in done.stdout


def test_links_lead_somewhere():
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", TEXT):
        assert (README.parent / target).exists(), target
