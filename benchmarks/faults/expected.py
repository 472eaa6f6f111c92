"""The right findings for each kind of fault, and the kinds that a changed setting can fix."""

from __future__ import annotations

# A fault may have two names that say the same (weights that start equal are those that start
# alike, also where all are zero), or be seen at two ends of one mistake (a rate that is too high
# makes the loss diverge, or oscillate). Any of these named first is the right cause; a symptom
# that follows from it is not.
RIGHT: dict[str, tuple[str, ...]] = {
    "vanishing gradients": ("RG101", "RG108"),
    "exploding gradients": ("RG102", "RG107"),
    "dead units": ("RG103",),
    "saturated activations": ("RG104", "RG107"),
    "zero initialization": ("RG105", "RG106"),
    "constant initialization": ("RG106",),
    "learning rate too high": ("RG201", "RG202", "RG205"),
    "learning rate too low": ("RG203", "RG204"),
    "parameter not in the optimizer": ("RG213",),
    "parameter without a gradient": ("RG214",),
    "gradients never cleared": ("RG212",),
    "overfitting": ("RG501", "RG502"),
    "underfitting": ("RG503",),
    "labels that say nothing": ("RG504", "RG307"),
    "unscaled inputs": ("RG301",),
    "unscaled target": ("RG302",),
    "constant or duplicated inputs": ("RG303", "RG304"),
    "target among the inputs": ("RG305",),
    "class imbalance ignored": ("RG306",),
    "contradictory labels": ("RG307",),
    "wrong loss": ("RG401",),
    "doubled softmax": ("RG403",),
    "missing softmax": ("RG402",),
    "doubled sigmoid": ("RG403",),
    "outputs out of reach": ("RG404",),
    "broadcast by mistake": ("RG405",),
    "trained in evaluation mode": ("RG218",),
    "evaluated in training mode": ("RG506",),
    "unshuffled data": ("RG217",),
    "too much dropout": ("RG505",),
    "too much weight decay": ("RG215",),
    "batch too small": ("RG209",),
    "batch too large": ("RG210",),
    "stale batch statistics": ("RG507",),
    "not a number in the data": ("RG601",),
    "not a number in the loss": ("RG602", "RG603"),
    "clipped too hard": ("RG211",),
    "too few epochs": ("RG216",),
    "missing activations": ("RG109",),
}

# Kinds that only a person can fix: a custom loop, a network that cuts off the gradient, or a fault
# in the data.
BY_HAND = frozenset(
    {
        "parameter not in the optimizer",
        "parameter without a gradient",
        "gradients never cleared",
        "labels that say nothing",
        "constant or duplicated inputs",
        "target among the inputs",
        "contradictory labels",
        "broadcast by mistake",
        "trained in evaluation mode",
        "evaluated in training mode",
        "not a number in the data",
        "not a number in the loss",
    }
)

# Here the faulty program has a fraction of its twin's rows, which no setting can replace.
FEW_ROWS = frozenset(
    {
        "abalone/mlp/large-network-few-rows",
        "german/mlp/large-network-few-rows",
        "mnist/cnn/large-network-few-rows",
    }
)
