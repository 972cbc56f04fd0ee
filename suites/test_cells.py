"""Recurrent cells in torch's layout, against torch's own cells."""

from gradcheck import parametrize_with_checks
from reference.layers import gru_cell, lstm_cell, rnn_cell
from suites.building import BATCHED, subject, torch, torch_function


def parameters(gates):
    rows = f"{gates}*units"
    return {"W_ih": f"{rows} inputs", "W_hh": f"{rows} units", "b_ih": rows, "b_hh": rows}


STATE = {"x": "batch inputs", "h": "batch units"}
DIMS = {"units": (1, 5), "inputs": (0, 5), "batch": (0, 5)}

SUBJECTS = [
    subject(
        rnn_cell,
        STATE | parameters(1),
        traits=BATCHED,
        dims=DIMS,
        twin=torch_function("rnn_tanh_cell"),
    ),
    subject(
        lstm_cell,
        STATE | {"c": "batch units"} | parameters(4),
        traits=BATCHED,
        dims=DIMS,
        twin=lambda x, h, c, W_ih, W_hh, b_ih, b_hh: torch.lstm_cell(
            x, (h, c), W_ih, W_hh, b_ih, b_hh
        ),
    ),
    subject(
        gru_cell,
        STATE | parameters(3),
        traits=BATCHED,
        dims=DIMS,
        twin=torch_function("gru_cell"),
    ),
]


@parametrize_with_checks(SUBJECTS)
def test_cells(subject, check):
    check(subject)
