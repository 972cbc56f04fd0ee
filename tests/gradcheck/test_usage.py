"""What a call does wrong is one line that names the argument and the value."""

import numpy as np
import pytest

from gradcheck import Subject, UsageError, array, check, constant, devices
from gradcheck.cli import USAGE, main


def sine(**fields):
    return Subject("s", np.sin, lambda u, x: {"x": u * np.cos(x)}, {"x": "n"}, **fields)


def said(*args, **options):
    with pytest.raises(UsageError) as raised:
        check(*args, **options)
    message = str(raised.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seed": "abc"}, "seed='abc', expected an integer, 0 or above"),
        ({"seed": -1}, "seed=-1, expected an integer, 0 or above"),
        ({"seconds": "1"}, "seconds='1', expected a positive number"),
        ({"device": "tpu"}, "device='tpu', expected 'cpu' or 'cuda'"),
        ({"inputs": ["n"]}, "inputs=['n'], expected a mapping of name to shape"),
        ({"inputs": "n"}, "inputs='n', expected a mapping of name to shape"),
    ],
)
def test_an_argument_that_cannot_be_used(options, message):
    assert message in said(sine(), **options)


def test_cuda_where_there_is_none(monkeypatch, capsys):
    monkeypatch.setattr(devices, "has_cuda", lambda: False)
    assert "device='cuda': no CUDA device is available" in said(sine(), device="cuda")
    path = "gradcheck.report.demo:Report"
    assert main(["verify", path, "--inputs", "x=n", "--device", "cuda"]) == USAGE
    assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.mark.parametrize("dims", [None, {"n": 3}])
def test_where_no_sizes_are_legal(dims):
    assert "where: no sizes are legal" in said(sine(where=lambda n: False, dims=dims))
    assert check(sine(where=lambda n: n == 2), seed=0).passed


def test_where_that_takes_other_names_or_raises():
    message = said(sine(where=lambda m: True))
    assert "where(n=" in message
    assert "unexpected keyword argument 'n'" in message
    assert "ZeroDivisionError" in said(sine(where=lambda n: 1 // 0))


def test_nothing_to_verify():
    inputs = {"x": array("n", differentiable=False), "k": constant(2)}
    fixed = Subject("s", lambda x, k: k * x, lambda u, x, k: {}, inputs)
    assert "nothing to verify: no input of 's' is differentiable" in said(fixed)


def test_an_input_that_is_empty_in_one_example_is_verified():
    assert check(sine(dims={"n": (0, 3)}), seed=0).passed
