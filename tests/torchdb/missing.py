"""What of the databases we do not have, and which cases are left out: each with its reason."""

from __future__ import annotations

from torchdb.database import ModuleCase

__all__ = ["MISSING_MODULES", "MISSING_OPTIMIZERS", "OPTIONS_LEFT_OUT", "allowed_here", "skip_case"]

LAZY = "finds out its input size at the first call; here the size is an argument"
RANDOM = "random numbers: the two libraries draw different ones"
NOT_YET = "not written"
RARE = "not written: rarely used"
PROTOTYPE = "a prototype of PyTorch; `Linear` before `CrossEntropyLoss` is the same"

# A class that is neither here nor in `retrograd.nn` fails the suite, and so does one that is both.
MISSING_MODULES: dict[str, str] = {
    **dict.fromkeys(
        [
            "LazyConv1d",
            "LazyConv2d",
            "LazyConv3d",
            "LazyConvTranspose1d",
            "LazyConvTranspose2d",
            "LazyConvTranspose3d",
        ],
        LAZY,
    ),
    **dict.fromkeys(["FractionalMaxPool2d", "FractionalMaxPool3d"], RANDOM),
    "BCELoss": "its slope is infinite where a probability is 0 or 1; `BCEWithLogitsLoss`",
    "LinearCrossEntropyLoss": PROTOTYPE,
}

MISSING_OPTIMIZERS: dict[str, str] = {
    "Adadelta": RARE,
    "Adafactor": RARE,
    "Adamax": RARE,
    "ASGD": "an average of SGD's weights: `ExponentialMovingAverage` beside `SGD`",
    "LBFGS": "not written: it calls the loss several times a step",
    "Muon": NOT_YET,
    "NAdam": RARE,
    "RAdam": RARE,
    "Rprop": RARE,
    "SparseAdam": "sparse tensors are out of scope",
}

# Arguments of PyTorch's optimizers that ours do not have.
OPTIONS_LEFT_OUT: dict[str, str] = {
    "maximize": "to maximize, change the sign of the loss",
    "foreach": "how PyTorch groups its kernels; XLA fuses a compiled step",
    "fused": "how PyTorch groups its kernels; XLA fuses a compiled step",
    "capturable": "for CUDA graphs; a compiled step is one program",
    "differentiable": "gradients through a step are `rg.grad` of a function that takes the step",
}


def skip_case(name: str, case: ModuleCase) -> str | None:
    """Why a case of the class `name` is left out, or None."""
    return None


def allowed_here(name: str, message: str) -> str | None:
    """Why the class `name` takes what PyTorch refuses with `message`, or None."""
    return None
