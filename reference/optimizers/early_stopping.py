"""Early stopping with the best weights kept (002, nolearn)."""

import copy

from reference import shapes


class EarlyStopping:
    """Stops when `patience` epochs have passed since the best one; keeps that epoch's weights.

    observe(epoch, loss, weights) -> True once best_epoch + patience < epoch, so a patience of p
    allows p epochs without improvement and stops in the next. A NaN loss is never the best.
    """

    def __init__(self, patience):
        """patience: epochs, at least 0."""
        shapes.at_least("patience", patience, 0)
        self.patience = patience
        self.best_loss = float("inf")
        self.best_epoch = 0
        self.best_weights = None

    def observe(self, epoch, loss, weights):
        """Take note of an epoch; say whether to stop. The weights are copied when they are best."""
        if loss < self.best_loss:
            self.best_loss, self.best_epoch = loss, epoch
            self.best_weights = copy.deepcopy(weights)
            return False
        return self.best_epoch + self.patience < epoch
