"""The loop the schemes share: loss and gradient at the weights, an update, a rule that ends it."""

from dataclasses import replace

import numpy as np

from reference.optimizers import leafwise, sgd
from reference.schemes.step import Step


def descend(objective, weights, batches, rule, *, lr, update=sgd.step):
    """Steps of w <- update(w, gradient) over `batches` until `rule` has a reason.

    objective(weights, batch) -> (loss, gradient by name). batches: an iterable that is drawn
    from lazily, one batch a step; a sequence ends the run with "limit" at its last batch.
    update: an optimizer's step for one array. lr: a number, or a function of the step's number.
    """
    update = leafwise(update)
    known = len(batches) if hasattr(batches, "__len__") else None
    if known == 0:
        raise ValueError("batches is empty: there is no step to take")
    state, previous = None, None
    for number, batch in enumerate(batches, 1):
        rate = lr(number) if callable(lr) else lr
        with np.errstate(over="ignore", invalid="ignore"):  # the stop rule speaks of divergence
            loss, gradient = objective(weights, batch)
            after, state = update(weights, gradient, state, lr=rate)
            step = Step(number, weights, gradient, loss, after, batch)
            reason = rule.reason(previous, step) or ("limit" if number == known else None)
        yield replace(step, stopped=reason)
        if reason:
            return
        weights, previous = after, step


def draw(random, size, batch):
    """Endless index arrays: `batch` rows of `size`, without replacement inside a batch.

    random: a RandomState. This is pandas' DataFrame.sample(batch) after numpy.random.seed.
    """
    if not 1 <= batch <= size:
        raise ValueError(f"batch is {batch} and there are {size} rows: it must be between 1 and it")
    while True:
        yield random.choice(size, size=batch, replace=False)


def rows(name, array):
    """An array with at least one row, as it is; ValueError for empty data."""
    if np.ndim(array) == 0 or len(array) == 0:
        raise ValueError(f"{name} has shape {np.shape(array)}: at least one row is needed")
    return np.asarray(array)
