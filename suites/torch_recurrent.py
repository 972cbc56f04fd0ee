"""Torch twins of the recurrent layers, in Keras' layout: torch's own cells and fused kernels."""

from suites.building import torch


def simple_rnn_step(x, states, W, U, b):
    """torch.nn.RNNCell with the one bias on the input's side."""
    return (torch.rnn_tanh_cell(x, states[0], W.T, U.T, b, torch.zeros_like(b)),)


def lstm_step(x, states, W, U, b):
    """torch.nn.LSTMCell: the same gate order, the one bias on the input's side."""
    return torch.lstm_cell(x, states, W.T, U.T, b, torch.zeros_like(b))


def gru_step(x, states, W, U, b):
    """torch.nn.GRUCell resets after the product, in the order r, z, n."""
    W, U, (input_bias, recurrent_bias) = swapped(W), swapped(U), swapped(b)
    return (torch.gru_cell(x, states[0], W.T, U.T, input_bias, recurrent_bias),)


def gru_before_step(x, states, W, U, b):
    """Reset before the product, which torch does not have: written out."""
    (h,) = states
    xz, xr, xh = (x @ W + b).chunk(3, dim=-1)
    Uz, Ur, Uh = U.chunk(3, dim=-1)
    z, r = torch.sigmoid(xz + h @ Uz), torch.sigmoid(xr + h @ Ur)
    return (z * h + (1 - z) * torch.tanh(xh + (r * h) @ Uh),)


def swapped(gates):
    """Columns z, r, h as r, z, h and back."""
    z, r, h = gates.chunk(3, dim=-1)
    return torch.cat([r, z, h], dim=-1)


def run(step, x, states, weights, mask=None, *, return_sequences=False, go_backwards=False):
    """The output and the last states; a step that the mask leaves out carries the states."""
    order = range(x.shape[1])
    outputs = []
    for t in reversed(order) if go_backwards else order:
        new = step(x[:, t], states, *weights)
        if mask is not None:
            new = tuple(
                torch.where(mask[:, t, None], a, b) for a, b in zip(new, states, strict=True)
            )
        states = new
        outputs.append(states[0])
    if not return_sequences:
        return states[0], states
    if not outputs:
        return states[0].new_zeros(x.shape[0], 0, states[0].shape[1]), states
    return torch.stack(outputs, dim=1), states


def zero_state(x, U):
    """The state (batch, units) that a layer starts from."""
    return x.new_zeros(x.shape[0], U.shape[0])


def layer(step, **options):
    """A twin of a layer with one state: callable by the names of its inputs."""

    def twin(x, W, U, b, h0=None, mask=None):
        h0 = zero_state(x, U) if h0 is None else h0
        return run(step, x, (h0,), (W, U, b), mask, **options)[0]

    return twin


def lstm(*, return_state=False, **options):
    """A twin of the LSTM with its two states."""

    def twin(x, W, U, b, h0=None, c0=None, mask=None):
        h0 = zero_state(x, U) if h0 is None else h0
        c0 = zero_state(x, U) if c0 is None else c0
        y, (h, c) = run(lstm_step, x, (h0, c0), (W, U, b), mask, **options)
        return (y, h, c) if return_state else y

    return twin


def fused(kernel, x, states, parameters):
    """All outputs of one of torch's fused kernels, (batch, time, units)."""
    if x.shape[1] == 0:
        return states[0].new_zeros(x.shape[0], 0, states[0].shape[1])
    hx = tuple(state[None] for state in states)
    hx = hx if len(hx) > 1 else hx[0]
    return kernel(x, hx, parameters, True, 1, 0.0, False, False, True)[0]


def fused_simple_rnn(x, W, U, b):
    """torch.nn.RNN."""
    parameters = [W.T, U.T, b, torch.zeros_like(b)]
    return fused(torch.rnn_tanh, x, (zero_state(x, U),), parameters)


def fused_lstm(x, W, U, b):
    """torch.nn.LSTM."""
    states = (zero_state(x, U), zero_state(x, U))
    return fused(torch.lstm, x, states, [W.T, U.T, b, torch.zeros_like(b)])


def fused_gru(x, W, U, b):
    """torch.nn.GRU."""
    W, U, (input_bias, recurrent_bias) = swapped(W), swapped(U), swapped(b)
    return fused(torch.gru, x, (zero_state(x, U),), [W.T, U.T, input_bias, recurrent_bias])
