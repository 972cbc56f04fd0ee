"""Progress and colours: on a terminal, after a while; nothing anywhere else."""

from __future__ import annotations

import io
import re
import sys
import time

import numpy as np
import pytest

from gradcheck import Subject, check, terminal
from gradcheck.cli import main
from gradcheck.progress import Progress, tell, watching

LAYERS = """
import time
import numpy as np
from gradcheck import Subject

def slow(x):
    time.sleep(0.02)
    return np.sin(x)

cosine = lambda u, x: {"x": u * np.cos(x)}
quick = Subject("quick", np.sin, cosine, {"x": "n"})
late = Subject("late", slow, cosine, {"x": "n"})
wrong = Subject("wrong", np.sin, lambda u, x: {"x": u}, {"x": "n"})
"""
TTY = {"NO_COLOR": None, "FORCE_COLOR": None, "TERM": "xterm"}


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture(autouse=True)
def plain(monkeypatch, tmp_path):
    for name, value in TTY.items():
        monkeypatch.setenv(name, value) if value else monkeypatch.delenv(name, raising=False)
    (tmp_path / "terminal_layers.py").write_text(LAYERS)
    monkeypatch.syspath_prepend(str(tmp_path))


def verify(monkeypatch, layer, out, err, *options):
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", out)
        patch.setattr(sys, "stderr", err)
        main(["verify", f"terminal_layers:{layer}", "--seed", "1", *options])
    return out.getvalue(), err.getvalue()


def test_a_long_run_shows_progress_on_a_terminal_and_clears_it(monkeypatch):
    monkeypatch.setattr(terminal, "PATIENCE", 0.2)
    out, err = verify(monkeypatch, "late", io.StringIO(), Terminal(), "--examples", "5")
    lines = err.split("\r")
    assert any(re.match(r"\d+ of 5 examples, 0 findings, \d+ s: \w+", line) for line in lines)
    assert lines[-1] == ""
    assert lines[-2].strip() == ""  # written over with spaces
    assert "\n" not in err
    assert "\r" not in out


@pytest.mark.parametrize(
    ("layer", "error", "patience"),
    [("late", io.StringIO, 0.0), ("quick", Terminal, 60.0)],
    ids=["no terminal", "a short run"],
)
def test_otherwise_nothing_is_shown(monkeypatch, layer, error, patience):
    monkeypatch.setattr(terminal, "PATIENCE", patience)
    assert verify(monkeypatch, layer, io.StringIO(), error(), "--examples", "3")[1] == ""


def test_a_dumb_terminal_gets_no_line(monkeypatch):
    monkeypatch.setattr(terminal, "PATIENCE", 0.0)
    monkeypatch.setenv("TERM", "dumb")
    assert verify(monkeypatch, "quick", io.StringIO(), Terminal(), "--examples", "3")[1] == ""


def test_the_line_is_cleared_when_the_run_fails(monkeypatch):
    stream = Terminal()
    monkeypatch.setattr(terminal, "PATIENCE", 0.0)
    with pytest.raises(KeyboardInterrupt), terminal.shown(stream):  # noqa: PT012
        tell(1, 2, "gradient", 0)
        raise KeyboardInterrupt
    assert stream.getvalue().endswith("\r")
    assert "1 of 2 examples" in stream.getvalue()


def test_lines_come_at_a_pace(monkeypatch):
    stream = Terminal()
    monkeypatch.setattr(terminal, "PATIENCE", 0.0)
    line = terminal.Line(stream)
    start = time.perf_counter()
    for k in range(1000):
        line(Progress(k, 1000, "gradient", 0))
    allowed = 1 + (time.perf_counter() - start) / terminal.PACE
    assert 1 <= stream.getvalue().count("\r") <= allowed


def test_a_shorter_line_leaves_nothing_of_a_longer_one():
    stream = Terminal()
    line = terminal.Line(stream)
    line._write("a longer line")
    line._write("short")
    assert stream.getvalue() == "\ra longer line\rshort        "


def test_a_watcher_is_told_of_every_check_and_no_longer_than_it_watches():
    told = []
    sine = Subject("sine", np.sin, lambda u, x: {"x": u}, {"x": "n"})
    with watching(told.append):
        report = check(sine, examples=4, seed=1)
    assert {p.doing for p in told} >= {"contract", "gradient", "naming faults"}
    assert all(0 < p.examples <= p.of == 4 for p in told)
    assert told[-1].findings >= len(report.findings) > 0
    count = len(told)
    check(sine, examples=4, seed=1)
    assert len(told) == count


# -- colours ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stream", "environment", "wanted"),
    [
        (Terminal, {"TERM": "xterm"}, True),
        (Terminal, {"TERM": "xterm", "NO_COLOR": "1"}, False),
        (Terminal, {"TERM": "xterm", "NO_COLOR": ""}, True),
        (Terminal, {"TERM": "dumb"}, False),
        (io.StringIO, {"TERM": "xterm"}, False),
        (io.StringIO, {"FORCE_COLOR": "1"}, True),
        (io.StringIO, {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
    ],
)
def test_when_colours_are_wanted(stream, environment, wanted, monkeypatch):
    monkeypatch.setattr(terminal.os, "name", "posix")
    assert terminal.colours_wanted(stream(), environment) is wanted


def test_a_report_is_plain_where_it_is_no_terminal(monkeypatch):
    out, _ = verify(monkeypatch, "wrong", io.StringIO(), io.StringIO())
    assert "\x1b" not in out
    assert out.startswith("wrong: wrong (")


def test_verdict_words_are_coloured_on_a_terminal(monkeypatch):
    out, _ = verify(monkeypatch, "wrong", Terminal(), io.StringIO())
    red = f"{terminal.RED}wrong{terminal.PLAIN}"
    assert out.startswith(f"wrong: {red} (")
    assert f"\n  {red}" in out
    bare, _ = verify(monkeypatch, "wrong", io.StringIO(), io.StringIO())
    uncoloured = re.sub(r"\x1b\[\d+m", "", out)
    assert re.sub(r"\d\.\d\d s", "", uncoloured) == re.sub(r"\d\.\d\d s", "", bare)
    out, _ = verify(monkeypatch, "quick", Terminal(), io.StringIO())
    assert out.startswith(f"quick: {terminal.GREEN}correct{terminal.PLAIN} (")
    assert out.count("\x1b") == 2


def test_only_verdicts_are_coloured():
    text = (
        "the correct layer: wrong at kink (3 examples)\n\n"
        "  wrong at kink [off by one]: wrong: it is\n"
        "    same cause: broken: too\n"
        "    x = 'wrong: '\n"
        "  remark: wrong [x]: no verdict"
    )
    assert terminal.coloured(text) == (
        "the correct layer: \x1b[31mwrong at kink\x1b[0m (3 examples)\n\n"
        "  \x1b[31mwrong at kink\x1b[0m [off by one]: wrong: it is\n"
        "    same cause: \x1b[31mbroken\x1b[0m: too\n"
        "    x = 'wrong: '\n"
        "  remark: wrong [x]: no verdict"
    )
