"""Names that need long axes, and names of what a recurrence carries."""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck import Finding, Subject, check, integers
from gradcheck.diagnosis import relate


def told(name, forward, vjp, inputs, seed=0, **options):
    """The one finding of the gradient check about an input."""
    report = check(Subject("planted", forward, vjp, inputs, **options), seed=seed)
    findings = [f for f in report.findings if f.check == "gradient" and f.input == name]
    assert len(findings) == 1, report
    return findings[0]


def cell(x, W, U):
    """Two carriers: h by way of U, and c by way of a factor that depends on the input."""
    h = c = np.zeros((len(x), len(U)))
    out = []
    for t in range(x.shape[1]):
        a = np.tanh(x[:, t] @ W + h @ U)
        c = (1 - a * a) * c + a
        h = np.sin(c)
        out.append(h)
    return np.stack(out, 1)


def cell_vjp(u, x, W, U, by_h=1.0, by_c=1.0):
    h = c = np.zeros((len(x), len(U)))
    kept = []
    for t in range(x.shape[1]):
        a = np.tanh(x[:, t] @ W + h @ U)
        kept.append((h, c, a))
        c = (1 - a * a) * c + a
        h = np.sin(c)
        kept[-1] += (c,)
    dh, dc = np.zeros_like(h), np.zeros_like(h)
    found = {"x": np.zeros_like(x), "W": np.zeros_like(W), "U": np.zeros_like(U)}
    for t in reversed(range(x.shape[1])):
        h, before, a, c = kept[t]
        dc = by_c * dc + (u[:, t] + by_h * dh) * np.cos(c)
        dz = dc * (1 - 2 * a * before) * (1 - a * a)
        found["x"][:, t] = dz @ W.T
        found["W"] += x[:, t].T @ dz
        found["U"] += h.T @ dz
        dh, dc = dz @ U.T, dc * (1 - a * a)
    return found


CELL = {"x": "batch time features", "W": "features units", "U": "units units"}
SMALL = {"time": (1, 4), "batch": (1, 3), "features": (1, 3), "units": (1, 3)}


def carried(**wrong):
    def vjp(u, x, W, U):
        return {**cell_vjp(u, x, W, U), "x": cell_vjp(u, x, W, U, **wrong)["x"]}

    return told("x", cell, vjp, CELL, dims=SMALL)


def test_the_cell_is_right():
    assert check(Subject("planted", cell, cell_vjp, CELL, dims=SMALL), seed=0).passed


def test_what_a_matrix_carries_is_missing():
    found = carried(by_h=0.0)
    assert found.fault == "truncated through time"
    assert "what comes back through `U` is missing" in found.message


def test_what_is_carried_beside_a_matrix_is_missing():
    found = carried(by_c=0.0)
    assert found.fault == "truncated through time"
    assert "what does not come back through `U` is missing" in found.message


@pytest.mark.parametrize("wrong", [{"by_h": 0.5}, {"by_c": 0.5}])
def test_a_wrong_factor_of_what_is_carried_truncates_nothing(wrong):
    assert carried(**wrong).fault == "wrong before last index"


def test_later_steps_are_not_blamed_for_what_earlier_outputs_send():
    """The square of a sum so far, in vjp of the sum of all: each output is wrong itself."""

    def forward(x):
        return np.cumsum(x, 1) ** 2 / 2

    def vjp(u, x):
        s = np.cumsum(x, 1)
        s[:, :-1] = s[:, -1:]
        return {"x": np.cumsum((u * s)[:, ::-1], 1)[:, ::-1]}

    found = told("x", forward, vjp, {"x": "batch time"})
    assert "later steps" not in found.message


def rolled_rnn(shift):
    inputs = {**CELL, "b": "units"}

    def forward(x, W, U, b):
        h = np.zeros((len(x), len(U)))
        for t in range(x.shape[1]):
            h = np.tanh(x[:, t] @ W + h @ U + b)
        return h

    def vjp(u, x, W, U, b):
        h, kept = np.zeros((len(x), len(U))), []
        for t in range(x.shape[1]):
            kept.append(h)
            h = np.tanh(x[:, t] @ W + h @ U + b)
        kept.append(h)
        found = {"x": 0 * x, "W": 0 * W, "U": 0 * U, "b": 0 * b}
        for t in reversed(range(x.shape[1])):
            dz = u * (1 - kept[t + 1] ** 2)
            found["x"][:, t] = dz @ W.T
            found["W"] += x[:, t].T @ dz
            found["U"] += kept[t].T @ dz
            found["b"] += dz.sum(0)
            u = dz @ U.T
        return {**found, "x": np.roll(found["x"], shift, 1)}

    return forward, vjp, inputs


def test_rolled_where_every_example_has_a_short_axis():
    found = told("x", *rolled_rnn(1), dims={"time": (1, 4), "batch": (1, 4)})
    assert found.fault == "rolled"
    assert check(Subject("planted", *rolled_rnn(0)), seed=0).passed


def test_indices_off_by_one_where_every_example_has_a_short_axis():
    def vjp(u, ids, table):
        found = np.zeros_like(table)
        np.add.at(found, (ids + 1) % len(table), u)
        return {"table": found}

    inputs = {"ids": integers("batch time", 0, "vocab"), "table": "vocab dim"}
    found = told("table", lambda ids, table: table[ids], vjp, inputs, dims={"vocab": (2, 6)})
    assert found.fault in ("rolled", "off by one")


def dilated(x, W, by):
    n = x.shape[2]
    padded = np.pad(x, ((0, 0), (0, 0), (by, by)))
    return sum(
        np.einsum("bil,oi->bol", padded[:, :, k * by : k * by + n], W[:, :, k]) for k in range(3)
    )


def dilated_vjp(u, x, W, by, wrong):
    n, found = x.shape[2], {}
    padded, own = np.pad(x, ((0, 0), (0, 0), (by, by))), np.pad(0 * x, ((0, 0), (0, 0), (by, by)))
    taps = np.zeros_like(W)
    for k in range(3):
        at = by + (k - 1) * wrong
        own[:, :, at : at + n] += np.einsum("bol,oi->bil", u, W[:, :, k])
        taps[:, :, k] = np.einsum("bol,bil->oi", u, padded[:, :, k * by : k * by + n])
    found["x"], found["W"] = own[:, :, by : by + n], taps
    return found


@pytest.mark.parametrize("wrong", [1, 2])
def test_windows_that_padding_cuts_on_short_axes(wrong):
    inputs = {"x": "batch cin length", "W": "cout cin 3"}
    subject = Subject("planted", lambda x, W: dilated(x, W, 2),
                      lambda u, x, W: dilated_vjp(u, x, W, 2, wrong), inputs)  # fmt: skip
    report = check(subject, seed=0)
    assert report.passed is (wrong == 2)
    assert all(f.fault == "wrong windows" for f in report.findings)
    assert wrong == 2 or "dilation 1 where forward has dilation 2" in report.findings[0].message


def overwritten(x, y):
    out = x.copy()
    out[:, :2] = y
    return out


def test_what_forward_overwrites():
    found = told("x", overwritten, lambda u, x, y: {"x": u.copy(), "y": u[:, :2]},
                 {"x": "n m+2", "y": "n 2"})  # fmt: skip
    assert found.fault == "path added"


def test_slopes_of_one_value_tell_no_form():
    """-x for x: the reciprocal and the derivative are one; the square and the magnitude too."""
    signs = np.array([1.0, -1.0, 1.0, -1.0, 1.0])
    found = told("x", lambda x, y: x * signs + y,
                 lambda u, x, y: {"x": u.copy(), "y": u}, {"x": "5", "y": "5"})  # fmt: skip
    assert "reciprocal" not in found.message
    assert "square of the derivative" not in found.message


def test_an_activation_left_out_between_two_products():
    def vjp(u, x, A, B):
        h = np.tanh(x @ A)
        return {"x": u @ B.T @ A.T, "A": x.T @ ((u @ B.T) * (1 - h * h)), "B": h.T @ u}

    found = told("x", lambda x, A, B: np.tanh(x @ A) @ B, vjp,
                 {"x": "batch dim", "A": "dim hidden", "B": "hidden outs"})  # fmt: skip
    assert found.fault == "derivative of another activation"
    assert "`x` = 0" in found.message


def test_a_label_that_is_ignored_in_forward_alone():
    def forward(z, t):
        shifted = z - z.max(1, keepdims=True)
        logs = shifted - np.log(np.exp(shifted).sum(1, keepdims=True))
        return -(logs[np.arange(len(t)), t] * (t != 0)).sum()

    def vjp(u, z, t):
        p = np.exp(z - z.max(1, keepdims=True))
        p = p / p.sum(1, keepdims=True)
        p[np.arange(len(t)), t] -= 1
        return {"z": u * p}

    inputs = {"z": "batch classes", "t": integers("batch", 0, "classes")}
    found = told("z", forward, vjp, inputs, seed=3, dims={"batch": (1, 6), "classes": (2, 6)})
    assert found.fault == "wrong where an index is 0"


def test_lost_precision_is_the_cause_where_a_little_change_shows_it():
    lost = Finding("wrong", "gradient", "`x` is right to 4e-08 only", input="x",
                   fault="precision lost", cause="precision lost")  # fmt: skip
    near = Finding("broken", "partial", "wrong where inputs have changed", input="x",
                   fault="stale cache", cause="stale cache")  # fmt: skip
    assert [f.fault for f in relate([lost, near])] == ["precision lost"] * 2
    assert [f.fault for f in relate([near])] == ["stale cache"]
