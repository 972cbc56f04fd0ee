"""What all code of a process shares is left as it was: settings, threads, random state."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from gradcheck import Subject, check

torch = pytest.importorskip("torch")


def sine(effect=lambda: None, before=lambda: None):
    def forward(x):
        before()
        return np.sin(x)

    def vjp(u, x):
        effect()
        return {"x": u * np.cos(x)}

    return Subject("sine", forward, vjp, {"x": "n"})


SETTINGS = {
    "NumPy's error handling": lambda: np.seterr(all="raise"),
    "torch's default dtype": lambda: torch.set_default_dtype(torch.float64),
    "torch's grad mode": lambda: torch.set_grad_enabled(False),
    "torch's anomaly mode": lambda: torch.autograd.set_detect_anomaly(True),
}


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_setting_that_is_left_changed_is_found_and_put_back(setting):
    held = torch.get_default_dtype(), torch.is_grad_enabled(), torch.is_anomaly_enabled()
    for layer, role in ((sine(SETTINGS[setting]), "vjp"), (sine(before=SETTINGS[setting]), "for")):
        report = check(layer, seed=1, examples=8)
        assert report.verdict == "broken"
        assert any(setting in f.message and f.message.startswith(role) for f in report.findings)
    assert held == (
        torch.get_default_dtype(),
        torch.is_grad_enabled(),
        torch.is_anomaly_enabled(),
    )


def test_a_setting_that_is_put_back_is_nobodys_business():
    def quietly():
        with np.errstate(all="raise"), torch.no_grad():
            pass

    assert check(sine(quietly, quietly), seed=1, examples=8).passed


def test_threads_that_pile_up():
    stop = threading.Event()

    def start():
        threading.Thread(target=stop.wait, daemon=True).start()

    try:
        assert "thread" in str(check(sine(start), seed=1, examples=3))
    finally:
        stop.set()


def test_threads_that_end_and_pools_that_stay():
    def joined():
        thread = threading.Thread(target=lambda: None)
        thread.start()

    assert check(sine(joined), seed=1, examples=8).passed
    with ThreadPoolExecutor(3) as pool:
        assert check(sine(lambda: pool.submit(lambda: None).result()), seed=1, examples=8).passed


def test_the_random_state_of_forward_too():
    seeding = check(sine(before=lambda: np.random.seed(0)), seed=1, examples=8)
    assert [f.message for f in seeding.findings] == ["forward changed the global random state"]
    own = np.random.default_rng(0)
    assert check(sine(before=own.random), seed=1, examples=8).passed
