"""The losses of the five documents: every form of the squared error, masks, softmax, ODR."""

from gradcheck import array, mask, parametrize_with_checks
from reference.losses import masked_mse, masked_sequence_mse, mse, odr, softmax_mse
from suites.building import F, torch
from suites.documented import documented

FORMS = {
    "mean": (1, "mean", "(000), (001), (002) mean squared error"),
    "half mean": (0.5, "mean", "(004) Error"),
    "sum": (1, "sum", "(002) ReLU demo, sum of squares"),
    "half sum": (0.5, "sum", "(003) Network.learn"),
}
PAIR = {"prediction": "batch outputs", "target": "batch outputs"}
LINE = {
    "beta": "2",
    "delta": "n",
    "x": "n",
    "y": "n",
    "sx": array("n", low=0.25, high=4, differentiable=False),
    "sy": array("n", low=0.25, high=4, differentiable=False),
}


def squared_error(form):
    """One of the forms; a mean needs an element."""
    factor, reduction, source = FORMS[form]
    return documented(
        f"mse {form}",
        mse,
        PAIR,
        options={"form": form},
        twin=lambda prediction, target: (
            factor * F.mse_loss(prediction, target, reduction=reduction)
        ),
        where=lambda batch, outputs: reduction == "sum" or batch * outputs > 0,
        source=source,
    )


def masked_twin(prediction, target, mask):
    """Squared errors of what is known over how many there are."""
    error = torch.where(mask, prediction - target, torch.zeros_like(target))
    return (error**2).sum() / mask.sum().clamp(min=1)


def sequence_twin(prediction, target, mask):
    """Mean over the features, then over the kept steps."""
    steps = torch.where(mask, ((prediction - target) ** 2).mean(-1), 0.0)
    return steps.sum() / mask.sum().clamp(min=1)


def residuals_twin(beta, delta, x, y, sx, sy):
    """Weighted errors in y and in x."""
    return torch.cat([(beta[0] * (x + delta) + beta[1] - y) / sy, delta / sx])


SUBJECTS = [
    *map(squared_error, FORMS),
    documented(
        "masked mse",
        masked_mse,
        {**PAIR, "mask": mask("batch outputs", of="prediction", true="keep")},
        twin=masked_twin,
        source="(002) multi-output regression, unknown targets",
    ),
    documented(
        "masked sequence mse",
        masked_sequence_mse,
        {
            "prediction": "batch time features",
            "target": "batch time features",
            "mask": mask("batch time", of="prediction", true="keep"),
        },
        twin=sequence_twin,
        dims={"features": (1, 4)},
        source="(002) masked sequence loss",
    ),
    documented(
        "softmax mse",
        softmax_mse,
        {"logits": "batch classes", "target": "batch classes"},
        twin=lambda logits, target: F.mse_loss(F.softmax(logits, -1), target),
        where=lambda batch, classes: batch * classes > 0,
        source="(002) softmax with mse",
    ),
    documented(
        "odr objective",
        odr,
        LINE,
        twin=lambda **inputs: (residuals_twin(**inputs) ** 2).sum(),
        source="(002) ODR",
    ),
    documented(
        "odr residuals",
        (odr.residuals, odr.residuals_vjp),
        LINE,
        twin=residuals_twin,
        source="(002) ODR, its Jacobian",
    ),
]


@parametrize_with_checks(SUBJECTS)
def test_documented_losses(subject, check):
    """Each loss and the scalar's gradient by predictions, targets and parameters."""
    check(subject)
