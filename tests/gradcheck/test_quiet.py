"""A layer that prints is told so once, and is not heard; one that does not is not told."""

from __future__ import annotations

import contextlib
import logging
import subprocess
import sys
import threading

import numpy as np
import pytest

from gradcheck import Subject, check
from gradcheck.quiet import Quiet

QUIETLY = Subject("sine", np.sin, lambda u, x: {"x": u * np.cos(x)}, {"x": "n"})


def printing(file=None):
    def forward(x):
        print("shape", x.shape, file=file() if file else None)
        return np.sin(x)

    return forward


def vjp_that_prints(u, x):
    sys.stderr.write("backward\n")
    return {"x": u * np.cos(x)}


@pytest.mark.parametrize(
    ("changes", "who"),
    [
        ({"forward": printing()}, "forward"),
        ({"forward": printing(lambda: sys.stderr)}, "forward"),
        ({"vjp": vjp_that_prints}, "vjp"),
    ],
)
def test_a_layer_that_prints_is_told_once_and_not_heard(changes, who, capsys):
    report = check(QUIETLY.but(**changes), seed=1)
    heard = capsys.readouterr()
    assert report.passed
    assert heard.out == heard.err == ""
    assert [r for r in report.remarks if "prints" in r] == [
        f"`{who}` prints: kept quiet while it is verified"
    ]


def test_a_silent_layer_is_told_nothing(capsys):
    report = check(QUIETLY, seed=1)
    assert not [r for r in report.remarks if "prints" in r]
    assert capsys.readouterr().out == ""


def test_a_wrong_layer_that_prints_is_still_wrong(capsys):
    wrong = QUIETLY.but(forward=printing(), vjp=lambda u, x: {"x": u})
    assert check(wrong, seed=1).verdict == "wrong"
    assert capsys.readouterr().out == ""


def test_the_streams_come_back_after_an_exception(capsys):
    before, quiet = sys.stdout, Quiet()
    with contextlib.suppress(ValueError), quiet:
        print("lost")
        raise ValueError("inside")
    assert sys.stdout is before
    assert quiet.heard
    print("shown")
    assert capsys.readouterr().out == "shown\n"


def test_inside_itself_it_stays_quiet(capsys):
    quiet = Quiet()
    with quiet:
        with quiet:
            print("inner")
        print("outer")
    assert capsys.readouterr().out == ""


def test_a_stream_that_the_layer_put_there_stays(monkeypatch):
    import io

    own = io.StringIO()
    monkeypatch.setattr(sys, "stdout", sys.stdout)
    with Quiet():
        sys.stdout = own
    assert sys.stdout is own


def test_a_handler_made_inside_writes_afterwards(capsys):
    with Quiet():
        handler = logging.StreamHandler()
    handler.emit(logging.makeLogRecord({"msg": "later"}))
    assert capsys.readouterr().err == "later\n"


def test_other_threads_are_heard(capsys):
    quiet = Quiet()
    with quiet:
        other = threading.Thread(target=print, args=("from elsewhere",))
        other.start()
        other.join()
    assert capsys.readouterr().out == "from elsewhere\n"
    assert not quiet.heard


def test_a_debugger_gets_through():
    code = """
import numpy as np
from gradcheck import Subject, check
calls = []
def forward(x):
    calls.append(1)
    if len(calls) == 1:
        breakpoint()
    return np.sin(x)
report = check(Subject("sine", forward, lambda u, x: {"x": u * np.cos(x)}, {"x": "n"}), examples=2)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], input="p 6 * 7\nprint(6 * 9)\nc\n",
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "(Pdb)" in done.stdout
    assert "42" in done.stdout
    assert "54" in done.stdout
