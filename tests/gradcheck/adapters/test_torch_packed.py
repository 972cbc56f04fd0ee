"""Packed sequences: the numbers are differentiated, the lengths stay as they are."""

from __future__ import annotations

import pytest

from gradcheck import adapt, check
from gradcheck.adapters.torch_packed import is_packed

torch = pytest.importorskip("torch")
from torch.nn.utils.rnn import pack_sequence  # noqa: E402


def packed(lengths=(4, 3, 1), features=3, **options):
    torch.manual_seed(0)
    parts = [torch.randn(n, features, dtype=torch.float64) for n in lengths]
    return pack_sequence(parts, **options)


@pytest.mark.parametrize("make", [torch.nn.LSTM, torch.nn.GRU])
def test_recurrent_modules_pass_on_packed_sequences(make):
    report = check(make(3, 2), {"input": packed()}, seed=1, examples=8)
    assert report.passed, str(report)
    assert report.detectable["input"] < 1e-6


def test_the_lengths_of_an_unsorted_sequence_stay():
    sequence = packed((1, 4, 2), enforce_sorted=False)
    seen = []

    class Looks(torch.nn.Module):
        def forward(self, x):
            seen.append(x)
            return x.data.sin()

    report = check(Looks(), {"x": sequence}, seed=1, examples=4)
    assert report.passed, str(report)
    assert all(torch.equal(x.batch_sizes, sequence.batch_sizes) for x in seen)
    assert all(torch.equal(x.sorted_indices, sequence.sorted_indices) for x in seen)


def test_the_shape_is_that_of_the_data():
    subject = adapt(torch.nn.LSTM(3, 2), {"input": packed()})
    assert subject.inputs["input"].shape.sizes({}, ()) == (8, 3)
    assert "input" in subject.differentiable


def test_a_fault_on_packed_sequences_names_the_input():
    class Detaches(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.cell = torch.nn.GRU(3, 2)

        def forward(self, x):
            return self.cell(x._replace(data=x.data.detach()))[0]

    report = check(Detaches(), {"x": packed()}, seed=1, examples=4)
    assert ("wrong", "x") in {(f.kind, f.input) for f in report.findings}


def test_packed_sequences_at_given_numbers():
    sequence = packed()
    given = torch.nn.GRU(3, 2).double()
    weights = {name: value.detach() for name, value in given.named_parameters()}
    report = check(given, {"input": sequence}, at={"input": sequence, **weights}, seed=1)
    assert report.passed, str(report)
    bare = check(torch.nn.Tanh(), {"input": "3"}, at={"input": sequence.data}, seed=1)
    assert bare.passed


def test_at_alone_says_that_an_input_is_packed():
    seen = []

    class Looks(torch.nn.Module):
        def forward(self, x):
            seen.append(x)
            return x.data.sin()

    sequence = packed((1, 4, 2), enforce_sorted=False)
    assert check(Looks(), at={"x": sequence}, seed=1).passed
    assert any(torch.equal(x.data, sequence.data) for x in seen)
    assert all(torch.equal(x.batch_sizes, sequence.batch_sizes) for x in seen)


def test_what_is_no_packed_sequence_is_found_without_torch():
    assert is_packed(packed())
    assert not is_packed(packed().data)
    assert not is_packed(("data", "batch_sizes"))
