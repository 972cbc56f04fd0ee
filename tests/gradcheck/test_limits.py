"""A call that takes too long is a finding, and the run goes on; a quick twin is not told."""

from __future__ import annotations

import contextlib
import signal
import threading
import time

import numpy as np
import pytest

from gradcheck import Subject, check
from gradcheck.limits import LONGEST_CALL, SHORTEST_LIMIT, Limit, TookTooLong, limit_of
from gradcheck.runner import MOST_LATE

POSIX = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no interval timer here")
SINE = Subject("sine", np.sin, lambda u, x: {"x": u * np.cos(x)}, {"x": "n"})


@pytest.fixture(autouse=True)
def _alarm_is_given_back():
    before = signal.getsignal(signal.SIGALRM) if hasattr(signal, "SIGALRM") else None
    yield
    if before is not None:
        assert signal.getsignal(signal.SIGALRM) is before
        assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


@pytest.fixture
def short(monkeypatch):
    """A limit that does not make the tests slow."""
    monkeypatch.setattr("gradcheck.limits.SHORTEST_LIMIT", 0.2)


def sleeps(when=lambda x: True, seconds=60.0):
    def vjp(u, x):
        if when(x):
            time.sleep(seconds)
        return {"x": u * np.cos(x)}

    return vjp


def spins(u, x):
    while True:
        x = x + 0.0


def swallows(u, x):
    while True:
        with contextlib.suppress(Exception):
            time.sleep(60)


def test_the_limit_follows_the_budget():
    assert limit_of(None) == LONGEST_CALL
    assert limit_of(30) == 30
    assert limit_of(1e-6) == SHORTEST_LIMIT
    assert limit_of(1e9) == LONGEST_CALL


@POSIX
@pytest.mark.parametrize("vjp", [sleeps(), spins, swallows], ids=["sleeps", "spins", "swallows"])
def test_a_vjp_that_never_ends_is_a_timeout(vjp, short):
    start = time.perf_counter()
    report = check(SINE.but(vjp=vjp), seconds=0.2, seed=1)
    assert time.perf_counter() - start < 10
    assert report.verdict == "timeout"
    finding = report.findings[0]
    assert finding.message.startswith("`vjp` took longer than 0.2 s at x: (")
    assert "timeout: `vjp` took longer" in str(report)


@POSIX
def test_a_forward_that_never_ends_is_a_timeout(short):
    def forward(x):
        time.sleep(60)

    report = check(SINE.but(forward=forward), seconds=0.2, seed=1)
    assert report.verdict == "timeout"
    assert report.findings[0].message.startswith("`forward` took longer than 0.2 s at x: (")


@POSIX
def test_the_run_goes_on_where_calls_are_quick(monkeypatch):
    """Slow at a single size only, without a budget: every check still runs, and judges."""
    monkeypatch.setattr("gradcheck.limits.LONGEST_CALL", 0.3)
    slow = SINE.but(vjp=sleeps(lambda x: x.size == 17))
    report = check(slow, seed=1, examples=20)
    assert report.verdict == "timeout"
    assert {f.kind for f in report.findings} == {"timeout"}
    assert report.findings[0].message.endswith("at x: (17,)")
    assert report.examples > 10
    assert all(o.examples for o in report.outcomes.values() if not o.not_run)
    wrong = SINE.but(vjp=lambda u, x: {"x": u + 0 * sleeps(lambda x: x.size == 17)(u, x)["x"]})
    assert {"timeout", "wrong"} <= {f.kind for f in check(wrong, seed=1, examples=20).findings}


@POSIX
def test_a_run_of_slow_calls_ends(monkeypatch):
    monkeypatch.setattr("gradcheck.limits.LONGEST_CALL", 0.2)
    calls = []
    slow = SINE.but(vjp=lambda u, x: calls.append(1) or sleeps()(u, x))
    report = check(slow, seed=1)
    assert len(calls) == MOST_LATE
    assert f"stopped after {MOST_LATE} examples: {MOST_LATE} calls took too long" in report.remarks


def test_a_quick_layer_is_not_told():
    report = check(SINE, seed=1, seconds=60)
    assert report.passed
    assert not report.remarks


def elsewhere(run):
    """What `run` returns on another thread."""
    found = []
    thread = threading.Thread(target=lambda: found.append(run()))
    thread.start()
    thread.join()
    return found[0]


def test_on_another_thread_a_call_is_timed_when_it_ends(short):
    slow = SINE.but(vjp=sleeps(seconds=0.4))
    report = elsewhere(lambda: check(slow, seconds=0.2, seed=1))
    assert report.verdict == "timeout"
    assert elsewhere(lambda: check(SINE, seconds=30, examples=3, seed=1)).passed


@POSIX
def test_a_handler_of_somebody_elses_is_left_alone(short):
    rang = []
    signal.signal(signal.SIGALRM, lambda *_: rang.append(1))
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    try:
        report = check(SINE.but(vjp=sleeps(seconds=0.5)), seconds=0.2, seed=1)
        assert report.verdict == "timeout"
        assert rang == [1]
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)


@POSIX
def test_a_handler_that_the_layer_sets_stays():
    def own(*_):
        raise AssertionError("its timer was stopped")

    with Limit(60.0).guarding():
        signal.signal(signal.SIGALRM, own)
        signal.setitimer(signal.ITIMER_REAL, 0.0)
    assert signal.getsignal(signal.SIGALRM) is own
    signal.signal(signal.SIGALRM, signal.SIG_DFL)


@POSIX
def test_a_framework_that_makes_an_error_of_its_own_of_it_changes_nothing(short):
    def vjp(u, x):
        try:
            time.sleep(60)
        except BaseException as error:
            raise RuntimeError("callback failed") from error

    report = check(SINE.but(vjp=vjp), seconds=0.2, seed=1)
    assert report.verdict == "timeout"
    assert report.findings[0].message.startswith("`vjp` took longer than 0.2 s")


@POSIX
def test_an_interruption_is_not_carried_into_the_next_call():
    limit = Limit(0.1)
    with limit.guarding():
        limit.begin("vjp")
        with contextlib.suppress(TookTooLong):
            time.sleep(5)
        # Its end was never reached; the next call is timed from its own beginning.
        limit.begin("vjp")
        limit.end()
        time.sleep(0.3)


@POSIX
def test_between_calls_nothing_is_interrupted():
    limit = Limit(0.1)
    with limit.guarding():
        limit.begin("vjp")
        limit.end()
        time.sleep(0.3)


@POSIX
def test_only_the_outermost_call_is_timed():
    limit = Limit(0.1)
    limit.begin("vjp")
    limit.begin("forward")
    limit.end()
    with limit.guarding(), pytest.raises(TookTooLong, match=r"`vjp` took longer than 0\.1 s"):
        time.sleep(5)


def test_a_call_under_a_debugger_may_take_its_time():
    limit = Limit(0.05)
    limit.begin("vjp")
    limit.excuse()
    time.sleep(0.1)
    limit.end()
    limit.begin("vjp")
    time.sleep(0.1)
    with pytest.raises(TookTooLong):
        limit.end()
