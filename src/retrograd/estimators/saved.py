"""A fitted estimator as one file of arrays and plain values, from which no code can run."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from retrograd.data import Preprocessor, atomic_write
from retrograd.data.files import existing_file
from retrograd.data.form import restored
from retrograd.diagnosis.finding import Finding
from retrograd.errors import DataError
from retrograd.estimators.fitting.network import TrainedNetwork
from retrograd.estimators.fitting.plan import NetworkPlan
from retrograd.training import Epoch, History, Verdict

__all__ = ["read_estimator", "write_estimator"]

Array = np.ndarray[Any, Any]

_FORMAT = "retrograd estimator"
_VERSION = 1
_WEIGHT = "weight/"


def write_estimator(
    path: str | os.PathLike[str],
    kind: str,
    params: Mapping[str, Any],
    fitted: Mapping[str, Any],
) -> None:
    """Write `fitted` attributes, and the parameters that are plain values.

    Raises UsageError where the system refuses to write.
    """
    arrays: dict[str, Array] = {}
    plain = {name: _plain(value, name, arrays) for name, value in fitted.items()}
    head = {
        "format": _FORMAT,
        "version": _VERSION,
        "kind": kind,
        "params": {name: _param(value) for name, value in params.items()},
        "fitted": plain,
    }
    packed = save(
        {name: np.array(array, order="C") for name, array in arrays.items()},
        {"retrograd": json.dumps(head)},
    )
    with atomic_write(path) as part:
        part.write_bytes(packed)


def read_estimator(
    path: str | os.PathLike[str], kind: str
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The parameters and the fitted attributes; DataError for a file that is not such a `kind`."""
    path = existing_file(path)
    try:
        with safe_open(path, "np") as file:
            head = json.loads((file.metadata() or {}).get("retrograd", "{}"))
            names = list(file.keys())
            arrays = {name: file.get_tensor(name) for name in names}
    except (SafetensorError, json.JSONDecodeError, OSError) as error:
        raise DataError(f"{path} is not a file that an estimator saved: {error}") from error
    found = head.get("format"), head.get("version"), head.get("kind")
    if found != (_FORMAT, _VERSION, kind):
        raise DataError(
            f"{path} holds {found[0]!r} of version {found[1]!r}, {found[2]!r}; expected "
            f"{_FORMAT!r} of version {_VERSION}, {kind!r}."
        )
    fitted = {name: _restored(value, name, arrays) for name, value in head["fitted"].items()}
    return {name: _restored_param(value) for name, value in head["params"].items()}, fitted


def _param(value: Any) -> Any:
    """A parameter as JSON; for what is none (a callback, a random state) None, its default."""
    if isinstance(value, np.generic | np.ndarray):
        return _param(value.tolist())
    if isinstance(value, tuple | list):
        return {type(value).__name__: [_param(each) for each in value]}
    if isinstance(value, Mapping):  # the keys of class weights may be numbers
        return {"dict": [[_param(key), _param(each)] for key, each in value.items()]}
    return value if isinstance(value, str | int | float | bool) else None


def _restored_param(saved: Any) -> Any:
    if not isinstance(saved, Mapping):
        return saved
    ((kind, values),) = saved.items()
    if kind == "dict":
        return {_restored_param(key): _restored_param(each) for key, each in values}
    return {"list": list, "tuple": tuple}[kind](map(_restored_param, values))


def _plain(value: Any, name: str, arrays: dict[str, Array]) -> Any:
    if isinstance(value, TrainedNetwork):
        arrays |= {f"{_WEIGHT}{key}": each for key, each in value.weights.items()}
        return {"network": asdict(value.plan)}
    if isinstance(value, NetworkPlan):
        return {"plan": asdict(value)}
    if isinstance(value, Preprocessor):
        return {"preprocessor": value.to_json()}
    if isinstance(value, History):
        return {"epochs": [each.as_dict() for each in value.epochs], "verdict": value.verdict}
    if isinstance(value, dict):  # of arrays
        arrays |= {f"{name}/{key}": each for key, each in value.items()}
        return {"arrays": f"{name}/"}
    if name == "findings_":
        return {"findings": [each.to_json() for each in value]}
    if isinstance(value, np.ndarray) and value.dtype.kind in "fiub":
        arrays[name] = value
        return {"array": name}
    if isinstance(value, np.ndarray):
        return {"values": value.tolist(), "dtype": str(value.dtype)}
    return {"value": value}


def _restored(saved: Mapping[str, Any], name: str, arrays: Mapping[str, Array]) -> Any:
    if "network" in saved:
        weights = _under(_WEIGHT, arrays)
        return TrainedNetwork(restored(NetworkPlan, saved["network"]), weights)
    if "plan" in saved:
        return restored(NetworkPlan, saved["plan"])
    if "preprocessor" in saved:
        return Preprocessor.from_json(saved["preprocessor"])
    if "epochs" in saved:
        verdict = saved["verdict"]
        epochs = [Epoch(**each) for each in saved["epochs"]]
        return History(epochs, None if verdict is None else Verdict(verdict))
    if "arrays" in saved:
        return _under(saved["arrays"], arrays)
    if "findings" in saved:
        return [Finding.from_json(each) for each in saved["findings"]]
    if "array" in saved:
        return arrays[saved["array"]]
    if "values" in saved:
        return np.array(saved["values"], dtype=saved["dtype"])
    return saved["value"]


def _under(prefix: str, arrays: Mapping[str, Array]) -> dict[str, Array]:
    return {
        key.removeprefix(prefix): each for key, each in arrays.items() if key.startswith(prefix)
    }
