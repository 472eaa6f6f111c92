"""Why an entry of the database is not covered, by name or by the family that it belongs to."""

from __future__ import annotations

__all__ = ["reason"]

COMPLEX = "complex numbers are out of scope"
COPY = "another spelling of an operation that is covered: tensors here are never views or aliases"
INTERNAL = "internal to PyTorch: the public operation above it is what people call"
RANDOM = "random numbers: the two libraries draw different ones"
MASKED = "PyTorch's `masked` prototype; `where` and `masked_fill` say the same"
FACTORS = "LU factors by themselves are not offered; `solve`, `inv`, `det` use them"
NOT_YET = "not written"

# The first prefix that fits decides.
PREFIXES = {
    "fft.": COMPLEX + ", and with them Fourier transforms",
    "stft": COMPLEX + ", and with them Fourier transforms",
    "istft": COMPLEX + ", and with them Fourier transforms",
    "masked.": MASKED,
    "linalg.lu": FACTORS,
    "lu": FACTORS,
    "linalg.eig": COMPLEX + ": eigenvalues of matrices that are not symmetric",
    "as_strided": "strides are how PyTorch stores a tensor; a tensor here has none",
    "torch.ops.aten.": INTERNAL,
    "native_": INTERNAL,
    "_": INTERNAL,
    "sparse.": "sparse tensors are out of scope",
    "nn.functional.linear_cross_entropy": "a prototype of PyTorch; `linear` and `cross_entropy`",
    "nn.functional.max_unpool": "not written: modern decoders use transposed convolution",
    "nn.functional.fractional_max_pool": RANDOM,
    "nn.functional.dropout": RANDOM,
    "nn.functional.alpha_dropout": RANDOM,
    "nn.functional.feature_alpha_dropout": RANDOM,
    "normal": RANDOM,
    "grid_sampler": INTERNAL,
    "nn.functional.upsample_": "deprecated there: `interpolate` is covered",
}

NAMES = {
    "unsafe_chunk": COPY,
    "unsafe_split": COPY,
    "clone": COPY,
    "contiguous": COPY,
    "positive": COPY,
    "fill": COPY,
    "zero_": COPY,
    "H": COMPLEX + "; `x.T`",
    "mH": COMPLEX + "; `x.mT`",
    "conj": COMPLEX,
    "conj_physical": COMPLEX,
    "resolve_conj": COMPLEX,
    "resolve_neg": COMPLEX,
    "real": COMPLEX,
    "imag": COMPLEX,
    "angle": COMPLEX,
    "polar": COMPLEX,
    "complex": COMPLEX,
    "view_as_real": COMPLEX,
    "view_as_complex": COMPLEX,
    "cdouble": COMPLEX,
    "cfloat": COMPLEX,
    "chalf": COMPLEX,
    "to": "devices and memory formats; `astype` is covered by `float`, `double` and `half`",
    "bfloat16": "NumPy, which holds the samples, has no bfloat16; `half` is the same rule",
    "to_sparse": "sparse tensors are out of scope",
    "sum_to_size": "the backward pass does it by itself wherever something was broadcast",
    "svd": "deprecated there: `linalg.svd` is covered",
    "svd_lowrank": RANDOM,
    "pca_lowrank": RANDOM,
    "bernoulli": RANDOM,
    "nn.functional.rrelu": RANDOM,
    "native_dropout_backward": INTERNAL,
    "max_pool2d_with_indices_backward": INTERNAL,
    "nn.functional.one_hot": "whole numbers: it has no gradient",
    "nn.functional.multi_head_attention_forward": "covered as a layer, `nn.MultiheadAttention`",
    "frexp": "no use in models: its exponent is a whole number",
    "nextafter": "no use in models: its slope is not that of a function",
    "mode": "no use in models: its slope picks one of several equal elements",
    "gradient": "finite differences on a grid: `diff` is covered",
    "ormqr": "LAPACK's internal form of Q; `qr` is covered",
    "linalg.householder_product": "LAPACK's internal form of Q; `qr` is covered",
}


def reason(name: str) -> str:
    """Why the entry `name` is not covered."""
    if name in NAMES:
        return NAMES[name]
    if name.endswith("_copy"):
        return COPY
    return next((why for prefix, why in PREFIXES.items() if name.startswith(prefix)), NOT_YET)
