"""Losses that users plug in, in every reduction."""

from gradcheck import array, constant, integers, mask, parametrize_with_checks
from reference.losses import cross_entropy, hinge, huber, log_softmax, multi_margin, nll
from suites.building import BATCHED, F, points, subject, torch, torch_function


def reductions(module, inputs, *, twin, which, name=None, batched=False, **options):
    """One subject for each reduction of `which`; the twin takes the reduction too."""
    base = name or module.__name__.rpartition(".")[2]
    return [
        subject(
            module,
            inputs | {"reduction": constant(reduction)},
            name=f"{base}-{reduction}",
            twin=twin,
            traits=BATCHED if batched and reduction == "none" else (),
            **options,
        )
        for reduction in which.split()
    ]


def signs(rng, shape):
    return rng.choice([-1.0, 1.0], shape)


def smoothed(logits, labels, mask, smoothing, reduction):
    """Masked rows through torch's ignore_index."""
    if not logits.numel():  # torch divides by the number of classes, 0, or of rows
        return logits.sum(-1) if reduction == "none" else logits.sum()
    kept = torch.where(mask, labels, -100)
    return F.cross_entropy(
        logits, kept, ignore_index=-100, label_smoothing=smoothing, reduction=reduction
    )


ROWS = {"logits": "batch classes", "labels": integers("batch", 0, "classes")}

SUBJECTS = [
    subject(
        log_softmax, {"x": "... classes"}, twin=torch_function("nn.functional.log_softmax", dim=-1)
    ),
    subject(
        log_softmax,
        {"x": "classes rows", "axis": constant(0)},
        name="log_softmax-columns",
        twin=torch_function("nn.functional.log_softmax", {"axis": "dim"}),
    ),
    *reductions(
        cross_entropy,
        ROWS,
        which="mean",
        batched=True,
        twin=torch_function("nn.functional.cross_entropy"),
    ),
    *reductions(
        cross_entropy,
        ROWS | {"mask": mask("batch", of="logits"), "smoothing": constant(0.2)},
        batched=True,
        name="cross_entropy-masked-smoothed",
        which="none sum mean",
        twin=smoothed,
    ),
    *reductions(
        nll,
        which="none mean",
        batched=True,
        inputs={
            "log_p": array("batch classes", high=0),
            "labels": integers("batch", 0, "classes"),
            "weights": array("classes", low=0.25, high=4, differentiable=False),
        },
        twin=torch_function("nn.functional.nll_loss"),
    ),
    *reductions(
        huber,
        {"prediction": "...", "target": "..."},
        which="none sum mean",
        twin=torch_function("nn.functional.huber_loss"),
    ),
    *reductions(
        huber,
        {"prediction": "...", "target": "...", "delta": constant(0.3)},
        name="huber-narrow",
        which="mean",
        twin=torch_function("nn.functional.huber_loss"),
    ),
    *reductions(
        hinge,
        {
            "score": array("...", values=points(-1, 1)),
            "label": array("...", values=signs, differentiable=False),
        },
        which="none mean",
        kinks="twin",
        twin=lambda score, label, reduction: reduced(F.relu(1 - label * score), reduction),
    ),
    *reductions(
        multi_margin,
        which="none mean",
        batched=True,
        inputs={"score": "batch classes", "labels": integers("batch", 0, "classes")},
        dims={"classes": (1, 6)},
        kinks="twin",
        twin=torch_function("nn.functional.multi_margin_loss"),
    ),
]


def reduced(items, reduction):
    return items if reduction == "none" else getattr(torch, reduction)(items)


@parametrize_with_checks(SUBJECTS)
def test_users_losses(subject, check):
    check(subject)
