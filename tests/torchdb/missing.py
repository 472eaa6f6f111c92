"""What of the databases we do not have, and which cases are left out: each with its reason."""

from __future__ import annotations

import inspect
from typing import Any

from opinfo.database import flat_tensors

from retrograd import nn
from torchdb.database import ModuleCase

__all__ = [
    "MISSING_MODULES",
    "MISSING_OPTIMIZERS",
    "OPTIONS_LEFT_OUT",
    "allowed_here",
    "skip_case",
    "without_unused",
]

LAZY = "finds out its input size at the first call; here the size is an argument"
RANDOM = "random numbers: the two libraries draw different ones"

# A class that is neither here nor in `retrograd.nn` fails the suite, and so does one that is both.
MISSING_MODULES: dict[str, str] = {
    "FractionalMaxPool2d": RANDOM,
    "FractionalMaxPool3d": RANDOM,
    "LazyConv1d": LAZY,
    "LazyConv2d": LAZY,
    "LazyConv3d": LAZY,
    "LazyConvTranspose1d": LAZY,
    "LazyConvTranspose2d": LAZY,
    "LazyConvTranspose3d": LAZY,
    "LinearCrossEntropyLoss": "a prototype of PyTorch; `Linear` before `CrossEntropyLoss`",
}

MISSING_OPTIMIZERS: dict[str, str] = {
    "SparseAdam": "sparse tensors are out of scope",
}

# Arguments of PyTorch's optimizers that ours do not have.
OPTIONS_LEFT_OUT: dict[str, str] = {
    "maximize": "to maximize, change the sign of the loss",
    "foreach": "how PyTorch groups its kernels; XLA fuses a compiled step",
    "fused": "how PyTorch groups its kernels; XLA fuses a compiled step",
    "capturable": "for CUDA graphs; a compiled step is one program",
    "differentiable": "no gradient is taken through an optimizer's step",
}

# Arguments of PyTorch's modules that ours may lack: the value that is the same as leaving it out.
ARGUMENTS_LEFT_OUT: dict[str, tuple[Any, str]] = {
    "add_bias_kv": (False, "a learned key beside the others is not offered"),
    "add_zero_attn": (False, "a key of zeros beside the others is not offered"),
    "inplace": (False, "tensors are never changed in place"),
    "proj_size": (0, "an LSTM whose state is projected is not offered"),
}

ROOTS = "roots of negative sums: NaN in both, and in the slopes at other places"
EMPTY_BATCH = "the statistics of an empty batch are refused"
CONVERTED = "numbers of another precision are converted"

# What PyTorch refuses and we take, by the class and the start of PyTorch's message.
ALLOWED: dict[tuple[str, str], str] = {
    ("NLLLoss", "expected scalar type"): CONVERTED,
    **{(name, "RNN input dtype"): CONVERTED for name in ("RNN", "GRU", "LSTM")},
}


def skip_case(name: str, case: ModuleCase) -> str | None:
    """Why a case of the class `name` is left out, or None."""
    for argument, value in case.construct.kwargs.items():
        if not _takes(name, argument) and argument in ARGUMENTS_LEFT_OUT:
            neutral, reason = ARGUMENTS_LEFT_OUT[argument]
            if value != neutral:
                return f"`{argument}`: {reason}"
    if name.startswith("LPPool") and case.construct.args[0] % 2:
        return ROOTS
    empty = any(tensor.numel() == 0 for tensor in flat_tensors(tuple(case.forward)))
    return EMPTY_BATCH if empty and name.startswith("BatchNorm") and case.training else None


def without_unused(name: str, kwargs: dict[str, Any]) -> dict[str, Any]:
    """The arguments without those that we lack, whose values are the same as leaving them out."""
    return {
        argument: value
        for argument, value in kwargs.items()
        if _takes(name, argument) or argument not in ARGUMENTS_LEFT_OUT
    }


def allowed_here(name: str, message: str) -> str | None:
    """Why the class `name` takes what PyTorch refuses with `message`, or None."""
    for (owner, start), reason in ALLOWED.items():
        if owner == name and message.startswith(start):
            return reason
    return None


def _takes(name: str, argument: str) -> bool:
    return argument in inspect.signature(getattr(nn, name)).parameters
