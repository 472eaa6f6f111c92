"""Functions of functions by the names of `torch.func`."""

from retrograd.nn.functional_call import functional_call
from retrograd.transforms import grad, vjp
from retrograd.transforms import jacobian as jacrev

__all__ = ["functional_call", "grad", "jacrev", "vjp"]
