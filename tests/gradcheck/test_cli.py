"""The command line: exit status 0, 1 and 2, and one clear line for every misuse."""

from __future__ import annotations

import pytest

from gradcheck.cli import main

LAYERS = """
import numpy as np
from gradcheck import Subject

def raises(x):
    raise ValueError("no such size")

sine = Subject("sine", np.sin, lambda u, x: {"x": u * np.cos(x)}, {"x": "n"})
wrong = Subject("wrong", np.sin, lambda u, x: {"x": u * np.sin(x)}, {"x": "n"})
forgets = Subject("forgets", lambda x, y: x * y, lambda u, x, y: {"x": u * y}, {"x": "n", "y": "n"})
never = Subject("never", raises, lambda u, x: {"x": u}, {"x": "n"})
number = 3

class Layer:
    def forward(self, x):
        return np.tanh(x)
    def backward(self, g):
        return g
"""


@pytest.fixture(autouse=True)
def layers(tmp_path, monkeypatch):
    (tmp_path / "cli_layers.py").write_text(LAYERS)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.chdir(tmp_path)


def test_a_correct_layer_is_status_0(capsys):
    assert main(["verify", "cli_layers:sine", "--seed", "1"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("sine: correct")
    assert "would have detected" in said


def test_a_wrong_layer_is_status_1_and_the_page_is_written(capsys, tmp_path):
    page = tmp_path / "page.html"
    assert main(["verify", "cli_layers:wrong", "--report", str(page)]) == 1
    assert "wrong" in capsys.readouterr().out
    assert "<html" in page.read_text(encoding="utf-8")


def test_a_vjp_that_forgets_an_input_is_a_finding(capsys):
    assert main(["verify", "cli_layers:forgets"]) == 1
    assert "no gradient for the differentiable input `y`" in capsys.readouterr().out


def test_power_adds_what_was_caught_to_the_page_of_a_run(capsys, tmp_path):
    folder = tmp_path / "reports"
    folder.mkdir()
    run = folder / "results.jsonl"
    assert main(["verify", "cli_layers:sine", "--seed", "1", "--report", str(run)]) == 0
    assert main(["power", "cli_layers:sine", "--seed", "1", "--report", str(folder)]) == 0
    assert "planted faults caught" in capsys.readouterr().out
    page = folder / "index.html"
    for command in ([], ["report", str(folder)]):
        if command:
            page.unlink()
            assert main(command) == 0
        text = page.read_text(encoding="utf-8")
        assert "faults planted in 1 subject" in text
        assert "Every gradient is right" in text


def test_the_script_of_a_finding_reproduces_it(tmp_path):
    import subprocess
    import sys

    from gradcheck import check
    from gradcheck.locate import locate

    report = check(locate("cli_layers:wrong"), seed=4)
    path = tmp_path / "again.py"
    path.write_text(report.findings[0].script)
    done = subprocess.run(
        [sys.executable, str(path)], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert done.returncode == 1, done.stderr
    assert "the gradient of `x`" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["verify", "no_such_module:x"], "no_such_module"),
        (["verify", "cli_layers:absent"], "has no 'absent'; it has"),
        (["verify", "cli_layers"], "expected package.module:object"),
        (["verify", "cli_layers:number"], "known: a Subject"),
        (["verify", "cli_layers:Layer", "--inputs", "x=batch ?"], "'batch ?'"),
        (["verify", "cli_layers:Layer", "--inputs", "x"], "expected NAME=SHAPE"),
        (["verify", "cli_layers:sine", "--inputs", "z=n"], "'z'"),
        (["verify", "cli_layers:never"], "forward raised at every one of"),
        (["verify", "cli_layers:sine", "--checks", "gradients"], "unknown check 'gradients'"),
        (["verify", "cli_layers:sine", "--dtype", "float8"], "dtype='float8'"),
        (["verify", "cli_layers:sine", "--examples", "0"], "examples=0"),
        (["verify", "cli_layers:sine", "--seconds", "-1"], "seconds=-1.0"),
        (["verify", "cli_layers:sine", "--report", "page.pdf"], "'page.pdf'"),
        (
            ["verify", "cli_layers:sine", "--dtype", "float32", "--checks", "second_order"],
            "none of",
        ),
        (["verify", "cli_layers:sine", "--checks", "twin"], "twin: no twin is declared"),
        (["verify", "cli_layers:Layer", "--inputs", "x=n", "x=m"], "'x' is given twice"),
        (["verify", "cli_layers:sine.vjpp"], "cli_layers.sine has no 'vjpp'"),
        (["power", "cli_layers:sine", "--examples", "0"], "examples=0"),
        (["power", "cli_layers:sine", "--report", "page.html"], "expected a folder"),
        (["campaign", "cli_layers:sine", "--out", "cli_layers.py"], "expected a folder"),
        (["report", "cli_layers.py"], "there is no record in it"),
        (["report", "nowhere", "--out", "page.pdf"], "'page.pdf'"),
        (["report", "nowhere"], "nowhere"),
        (["campaign", "cli_layers:absent"], "has no 'absent'"),
    ],
)
def test_misuse_is_one_line_and_status_2(capsys, arguments, said):
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith("gradcheck: ")
    assert said in error
    assert len(error.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "arguments are required: command"),
        (["frob"], "invalid choice: 'frob'"),
        (["verify"], "arguments are required: package.module:object"),
        (["verify", "cli_layers:sine", "--seed", "x"], "--seed: invalid int value: 'x'"),
        (["verify", "cli_layers:sine", "more"], "unrecognized arguments: more"),
        (["campaign"], "arguments are required"),
    ],
)
def test_a_command_line_that_cannot_be_read_is_one_line_and_status_2(capsys, arguments, said):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    error = capsys.readouterr().err
    assert error.startswith("gradcheck: ")
    assert said in error
    assert len(error.splitlines()) == 1
    assert "--help" in error
