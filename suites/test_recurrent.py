"""SimpleRNN, LSTM and both forms of the GRU, in Keras' layout."""

from functools import partial

from gradcheck import mask, parametrize_with_checks
from reference.layers import gru, lstm, simple_rnn
from suites import torch_recurrent as twins
from suites.documented import documented

STATE = "batch units"
MASK = mask("batch time", of="x", true="keep")


def weights(gates, bias=None):
    """The shapes of x, W, U, b for a layer with so many gates."""
    columns = f"{gates}*units" if gates > 1 else "units"
    return {
        "x": "batch time features",
        "W": f"features {columns}",
        "U": f"units {columns}",
        "b": bias or columns,
    }


def recurrent(name, module, inputs, twin, source, **options):
    """A subject of one of the layers under these options."""
    return documented(
        name,
        module,
        inputs,
        options=options,
        twin=twin,
        traits=("batched", "permutation"),
        source=source,
    )


RNN, LSTM, GRU = weights(1), weights(4), weights(3, "2 3*units")
BEFORE = weights(3)
ALL, BACK = {"return_sequences": True}, {"go_backwards": True}
rnn_twin = partial(twins.layer, twins.simple_rnn_step)
gru_twin = partial(twins.layer, twins.gru_step)
before_twin = partial(twins.layer, twins.gru_before_step)

SIMPLE = [
    recurrent("simple rnn", simple_rnn, RNN, rnn_twin(), "(002) SimpleRNN"),
    recurrent(
        "simple rnn sequences",
        simple_rnn,
        RNN,
        twins.fused_simple_rnn,
        "(002) SimpleRNN(return_sequences=True)",
        **ALL,
    ),
    recurrent(
        "simple rnn stateful",
        simple_rnn,
        RNN | {"h0": STATE},
        rnn_twin(),
        "(002) SimpleRNN(stateful=True)",
    ),
    recurrent(
        "simple rnn backwards",
        simple_rnn,
        RNN,
        rnn_twin(**ALL, **BACK),
        "(002) SimpleRNN(go_backwards=True)",
        **ALL,
        **BACK,
    ),
    recurrent(
        "simple rnn masked",
        simple_rnn,
        RNN | {"mask": MASK},
        rnn_twin(),
        "(002) SimpleRNN on padded sequences",
    ),
]
GATED = [
    recurrent("lstm", lstm, LSTM, twins.lstm(), "(002) LSTM"),
    recurrent("lstm sequences", lstm, LSTM, twins.fused_lstm, "(002) LSTM", **ALL),
    recurrent(
        "lstm stateful",
        lstm,
        LSTM | {"h0": STATE, "c0": STATE},
        twins.lstm(return_state=True),
        "(002) LSTM(stateful=True)",
        return_state=True,
    ),
    recurrent(
        "lstm masked backwards",
        lstm,
        LSTM | {"mask": MASK},
        twins.lstm(**ALL, **BACK),
        "(002) LSTM on padded sequences",
        **ALL,
        **BACK,
    ),
    recurrent("gru", gru, GRU, gru_twin(), "(002) GRU"),
    recurrent("gru sequences", gru, GRU, twins.fused_gru, "(002) GRU", **ALL),
    recurrent(
        "gru masked",
        gru,
        GRU | {"h0": STATE, "mask": MASK},
        gru_twin(),
        "(002) GRU with variable length",
    ),
    recurrent(
        "gru reset before",
        gru,
        BEFORE,
        before_twin(),
        "(002) GRU(reset_after=False)",
        reset_after=False,
    ),
    recurrent(
        "gru reset before, masked backwards",
        gru,
        BEFORE | {"h0": STATE, "mask": MASK},
        before_twin(**ALL, **BACK),
        "(002) GRU(reset_after=False)",
        reset_after=False,
        **ALL,
        **BACK,
    ),
]
SUBJECTS = SIMPLE + GATED


@parametrize_with_checks(SUBJECTS)
def test_recurrent(subject, check):
    """Backpropagation through time of each layer, its states and its masks."""
    check(subject)
