"""Layers made of layers: shared, distributed over time, looked up, joined, lifted."""

from gradcheck import array, integers, mask, parametrize_with_checks
from reference.layers import (
    concatenate,
    embedding,
    hypernetwork,
    lift,
    linear,
    shared,
    shared_conv_lstm,
    task,
    time_distributed,
    time_distributed_gru,
)
from suites import torch_recurrent as recurrent
from suites.building import F, points, torch
from suites.documented import documented

LINEAR = {"layer": (linear.forward, linear.vjp)}
LIFT = {
    "x": array("batch features", values=points(0.0)),
    "A": "features hidden",
    "a": array("hidden", values=points(0.0)),
    "B": "hidden weights",
    "c": "weights",
}


def several(module, count, **options):
    """Forward and vjp of a layer of several inputs, under the names x1, x2, ..."""
    names = [f"x{k}" for k in range(1, count + 1)]

    def split(inputs):
        return [inputs[n] for n in names], {k: v for k, v in inputs.items() if k not in names}

    def forward(**inputs):
        arrays, rest = split(inputs)
        return module.forward(*arrays, **rest, **options)

    def vjp(cotangent, **inputs):
        arrays, rest = split(inputs)
        return module.vjp(cotangent, *arrays, **rest, **options)

    return forward, vjp


def shared_conv_lstm_twin(x1, x2, x3, K, k, W, U, b, V, v):
    """The shared network in torch."""
    states = []
    for x in (x1, x2, x3):
        y = torch.relu(F.conv1d(x.transpose(1, 2), K.permute(2, 1, 0), k)).transpose(1, 2)
        states.append(recurrent.lstm()(y, W, U, b))
    return torch.softmax(torch.cat(states, 1) @ V + v, -1)


def distributed_gru_twin(x, V, v, W, U, b, mask):
    """A layer at every step, then torch's GRU cell under the mask."""
    return recurrent.layer(recurrent.gru_step)(torch.tanh(x @ V + v), W, U, b, mask=mask)


def task_twin(x, w):
    """The Task network 3-hidden-1, one set of weights a sample."""
    hidden = (w.shape[1] - 1) // 5
    W1, b1, W2, b2 = w.split([3 * hidden, hidden, hidden, 1], dim=1)
    z = torch.einsum("ni,nih->nh", x, W1.reshape(len(x), 3, hidden)) + b1
    return (torch.relu(z) * W2).sum(1, keepdim=True) + b2


def lift_twin(x, A, a, B, c):
    """Two dense layers."""
    return F.linear(torch.relu(F.linear(x, A.T, a)), B.T, c)


SUBJECTS = [
    documented(
        "shared linear",
        several(shared, 3, **LINEAR),
        {
            "x1": "n1 features",
            "x2": "n2 features",
            "x3": "n3 features",
            "W": "features units",
            "b": "units",
        },
        twin=lambda x1, x2, x3, W, b: tuple(F.linear(x, W.T, b) for x in (x1, x2, x3)),
        source="(002) shared layer",
    ),
    documented(
        "shared conv1d + lstm",
        several(shared_conv_lstm, 3),
        {
            "x1": "batch 5 1",
            "x2": "batch 4 1",
            "x3": "batch 3 1",
            "K": "3 1 filters",
            "k": "filters",
            "W": "filters 4*units",
            "U": "units 4*units",
            "b": "4*units",
            "V": "3*units classes",
            "v": "classes",
        },
        twin=shared_conv_lstm_twin,
        kinks="twin",
        traits=("batched", "permutation"),
        dims={"units": (1, 4), "filters": (1, 5)},
        source="(002) shared Conv1D and LSTM, concatenate, Dense(2, softmax)",
    ),
    documented(
        "time distributed linear",
        time_distributed,
        {"x": "batch time features", "W": "features units", "b": "units"},
        options=LINEAR,
        twin=lambda x, W, b: F.linear(x, W.T, b),
        traits=("batched", "permutation"),
        source="(002) each input goes through a layer first",
    ),
    documented(
        "time distributed f, then gru",
        time_distributed_gru,
        {
            "x": "batch time features",
            "V": "features hidden",
            "v": "hidden",
            "W": "hidden 3*units",
            "U": "units 3*units",
            "b": "2 3*units",
            "mask": mask("batch time", of="x", true="keep"),
        },
        twin=distributed_gru_twin,
        traits=("batched", "permutation"),
        source="(002) f before a GRU, variable length",
    ),
    documented(
        "embedding",
        embedding,
        {"index": integers("batch time", 0, "vocabulary"), "E": "vocabulary features"},
        twin=lambda index, E: E[index],
        traits="linear",
        source="(002) Embedding",
    ),
    documented(
        "concatenate",
        several(concatenate, 3),
        {"x1": "batch n1", "x2": "batch n2", "x3": "batch n3"},
        twin=lambda x1, x2, x3: torch.cat([x1, x2, x3], dim=-1),
        traits=("linear", "batched", "permutation"),
        source="(002) concatenate",
    ),
    documented(
        "task",
        task,
        {"x": "batch 3", "w": "batch 5*hidden + 1"},
        twin=task_twin,
        kinks="twin",
        traits=("batched", "permutation"),
        source="(000) task, weights from outside",
    ),
    documented(
        "lift",
        lift,
        LIFT,
        twin=lift_twin,
        kinks="twin",
        traits=("batched", "permutation"),
        source="(000) lifter.lift",
    ),
    documented(
        "hypernetwork",
        hypernetwork,
        {**LIFT, "x": "batch 3", "A": "3 hidden", "B": "hidden 5*width + 1", "c": "5*width + 1"},
        twin=lambda x, A, a, B, c: task_twin(x, lift_twin(x, A, a, B, c)),
        kinks="twin",
        traits=("batched", "permutation"),
        source="(000) lifter",
    ),
]


@parametrize_with_checks(SUBJECTS)
def test_networks(subject, check):
    """Gradients meet, add up and split where layers are put together."""
    check(subject)
