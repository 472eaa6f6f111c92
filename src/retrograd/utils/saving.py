"""States to a file and back: arrays in safetensors, which holds nothing that can run.

A dict of arrays becomes a plain safetensors file, which PyTorch reads too. What nests deeper (an
optimizer's state, a checkpoint of several things) is laid out flat, with its shape as JSON in the
file's metadata.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.numpy

from retrograd.data.files import atomic_write
from retrograd.errors import DataError, UsageError
from retrograd.nn.module import Module
from retrograd.tensor import Tensor

__all__ = ["load_state", "save"]

Arrays = dict[str, np.ndarray[Any, Any]]

_SHAPE = "retrograd"  # the key of the metadata


def save(obj: Any, path: str | Path) -> None:
    """Write a state to `path`: a module, or dicts and lists of tensors, arrays, numbers and text.

        rg.save({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, path)

    The file is written whole or not at all. Raises UsageError for anything else in it.
    """
    state = obj.state_dict() if isinstance(obj, Module) else obj
    arrays: Arrays = {}
    shape = _taken_apart(state, "", arrays)
    plain = isinstance(state, Mapping) and list(arrays) == list(state)
    metadata = None if plain else {_SHAPE: json.dumps(shape)}
    with atomic_write(path) as part:
        part.write_bytes(safetensors.numpy.save(arrays, metadata))


def _taken_apart(value: Any, path: str, arrays: Arrays) -> Any:
    """`value` as JSON, its arrays in `arrays` under the path to them."""
    if isinstance(value, Mapping):
        pairs = [
            [key, _taken_apart(each, f"{path}/{key}" if path else str(key), arrays)]
            for key, each in value.items()
        ]
        return {"dict": pairs}
    if isinstance(value, list | tuple):
        kind = "list" if isinstance(value, list) else "tuple"
        return {
            kind: [
                _taken_apart(each, f"{path}/{position}" if path else str(position), arrays)
                for position, each in enumerate(value)
            ]
        }
    if isinstance(value, Tensor | np.ndarray | np.generic):
        # A copy whose elements lie in order: safetensors writes memory as it is.
        arrays[path] = np.array(value.numpy() if isinstance(value, Tensor) else value, order="C")
        return {"array": path}
    if value is None or isinstance(value, bool | int | float | str):
        return {"value": value}
    raise UsageError(
        f"save: {path or 'the state'} is {type(value).__name__}; a state is made of dicts, lists, "
        "tensors, arrays, numbers and text, as state_dict() gives them"
    )


def load_state(path: str | Path) -> Any:
    """What `save` wrote, with arrays in the place of tensors; of a module its `state_dict`.

    Also any other safetensors file, as a dict of arrays. Raises DataError for a file that is not
    one, FileNotFoundError for none.
    """
    content = Path(path).read_bytes()
    try:
        arrays = safetensors.numpy.load(content)
        metadata = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    except (safetensors.SafetensorError, ValueError) as error:
        raise DataError(f"{path} is not a safetensors file: {error}.") from None
    shape = metadata.get("__metadata__", {}).get(_SHAPE)
    return arrays if shape is None else _put_together(json.loads(shape), arrays)


def _put_together(shape: dict[str, Any], arrays: Arrays) -> Any:
    ((kind, inside),) = shape.items()
    if kind == "dict":
        return {key: _put_together(each, arrays) for key, each in inside}
    if kind in ("list", "tuple"):
        made = [_put_together(each, arrays) for each in inside]
        return made if kind == "list" else tuple(made)
    return arrays[inside] if kind == "array" else inside
