"""The benchmark of the reference library counts what is slow."""

import time

from benchmarks import reference


def test_it_times_a_layer_and_finds_it_fast_enough(monkeypatch, capsys):
    monkeypatch.setattr(reference, "TIMED", 0.01)
    assert reference.main(["relu6"]) == 0
    assert "relu6" in capsys.readouterr().out


def test_a_slow_layer_is_counted(monkeypatch, capsys):
    monkeypatch.setattr(reference, "TIMED", 0.01)
    fast = next(subject for subject in reference.subjects() if subject.name == "relu6")

    def slow(x):
        time.sleep(1)
        return fast.forward(x)

    monkeypatch.setattr(reference, "subjects", lambda: [fast.but(forward=slow)])
    assert reference.main([]) == 1
    assert "over the limit" in capsys.readouterr().out
