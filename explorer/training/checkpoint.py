"""Files of training runs: checkpoints to go on from, and trained weights with their recipe."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from tempfile import NamedTemporaryFile

import numpy as np
from pydantic import ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from explorer.training.recipe import Recipe
from explorer.training.training import CURVES, Moment, Snapshot, Training
from explorer.weights import Weights

VERSION = "1"
_RUN, _WEIGHTS = "gradient-explorer training run", "gradient-explorer weights"
Arrays = dict[str, np.ndarray]


def save_checkpoint(path: str | Path, training: Training, present: Snapshot) -> None:
    """Write all of a run: its curves, all it recorded, and ``present``, the snapshot of its last step.

    The file is replaced in one go: whenever the writing stops, a whole file is there, the old or the new one.
    """
    arrays: Arrays = {f"curve/{name}": np.array(training.curves[name]) for name in CURVES}
    arrays |= _named("present", present)
    for i, moment in enumerate(training.moments):
        arrays |= {
            f"{i}/step": np.array([moment.step]),
            f"{i}/decades": moment.decades,
            f"{i}/gates": moment.gates,
            f"{i}/eigenvalues": np.stack([moment.eigenvalues.real, moment.eigenvalues.imag]),
            f"{i}/held_out_score": np.array([moment.held_out_score]),
        }
        arrays |= _named(str(i), moment.snapshot)
    metadata = {"step": str(training.step), "recorded": str(len(training.moments))}
    _write(path, arrays, _RUN, training.recipe, metadata | {"diverged": training.diverged})


def load_checkpoint(path: str | Path, recipe: Recipe | None = None) -> tuple[Training, Snapshot]:
    """What ``save_checkpoint`` wrote.

    Raises:
        ValueError: the file is no checkpoint, is damaged, is of another version, or, where a ``recipe`` is
            given, belongs to another one; says which, and names the settings that differ.
        OSError: the file cannot be read.
    """
    arrays, metadata, found = _read(path, _RUN)
    if recipe is not None and found != recipe:
        raise ValueError(
            f"{path} is the checkpoint of another recipe: {_difference(found, recipe)}; "
            "name another file, or delete this one to start anew"
        )
    try:
        training, step = Training(found, diverged=metadata["diverged"]), int(metadata["step"])
        for name in CURVES:
            curve = arrays[f"curve/{name}"]
            if curve.shape != (step,):
                raise ValueError(f"{name} has shape {curve.shape} after {step} steps")
            training.curves[name].extend(curve)
        for i in range(int(metadata["recorded"])):
            real, imaginary = arrays[f"{i}/eigenvalues"]
            moment = Moment(
                int(arrays[f"{i}/step"][0]),
                arrays[f"{i}/decades"],
                arrays[f"{i}/gates"],
                (real + 1j * imaginary).astype(np.complex64),
                float(arrays[f"{i}/held_out_score"][0]),
                _snapshot(found, arrays, str(i)),
            )
            training.moments.append(moment)
        return training, _snapshot(found, arrays, "present")
    except (KeyError, ValueError) as error:
        raise _damage(path, error) from None


def save_weights(path: str | Path, training: Training, r: int = -1) -> None:
    """Write the weights at ``recorded[r]`` as safetensors; the metadata holds recipe and step.

    Tensors have torch's names: ``weight_ih`` … as in the cell modules, ``readout.weight``, ``readout.bias``.
    """
    step = {"step": str(training.moments[r].step)}
    _write(path, training.weights(r), _WEIGHTS, training.recipe, step)


def load_weights(path: str | Path) -> tuple[Recipe, Weights, int]:
    """(recipe, weights by name, training step) of a file that ``save_weights`` wrote.

    Raises:
        ValueError: the file is none of those, is damaged, or of another version; says which.
        OSError: the file cannot be read.
    """
    arrays, metadata, recipe = _read(path, _WEIGHTS)
    try:
        return recipe, _checked(recipe, arrays), int(metadata["step"])
    except (KeyError, ValueError) as error:
        raise _damage(path, error) from None


def _named(prefix: str, snapshot: Snapshot) -> Arrays:
    """The arrays of a snapshot under names of their own."""
    return {f"{prefix}/weights/{name}": array for name, array in snapshot.weights.items()} | {
        f"{prefix}/optimizer/{name}": array for name, array in snapshot.optimizer.items()
    }


def _snapshot(recipe: Recipe, arrays: Arrays, prefix: str) -> Snapshot:
    """The opposite of ``_named``; raises KeyError or ValueError where something is missing or misshapen."""

    def of(group: str) -> Arrays:
        start = f"{prefix}/{group}/"
        return {name.removeprefix(start): a for name, a in arrays.items() if name.startswith(start)}

    weights, optimizer = _checked(recipe, of("weights")), of("optimizer")
    for name, array in optimizer.items():
        if array.shape not in ((), weights[name.partition("/")[0]].shape):
            raise ValueError(f"the optimiser's {name} has shape {array.shape}")
    return Snapshot(weights, optimizer)


def _checked(recipe: Recipe, weights: Arrays) -> Weights:
    """The weights, if they are those of the recipe by name and shape, and numbers."""
    for name, shape in recipe.weight_shapes.items():
        if weights[name].shape != shape or not np.isfinite(weights[name]).all():
            raise ValueError(f"{name} has not shape {shape} or holds no finite numbers")
    return {name: weights[name] for name in recipe.weight_shapes}


def _damage(path: str | Path, error: Exception) -> ValueError:
    """One sentence on what is missing or wrong."""
    said = f"{error} is missing" if isinstance(error, KeyError) else str(error)
    return ValueError(f"{path} is damaged: {said}")


def _write(
    path: str | Path, arrays: Mapping[str, np.ndarray], kind: str, recipe: Recipe, more: Mapping[str, str]
) -> None:
    """Write beside the file, then put the new one in its place."""
    path = Path(path)
    metadata = {"format": kind, "version": VERSION, "recipe": recipe.canonical(), **more}
    content = save({name: np.asarray(array, order="C") for name, array in arrays.items()}, metadata)
    with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        try:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            Path(file.name).replace(path)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise


def _read(path: str | Path, kind: str) -> tuple[Arrays, dict[str, str], Recipe]:
    """Arrays, metadata and recipe of a file of this kind."""
    if not Path(path).is_file():
        raise FileNotFoundError(f"{path} is no file")
    try:
        with safe_open(path, framework="np") as file:
            metadata = file.metadata() or {}
            if metadata.get("format") != kind:
                raise ValueError(f"{path} holds no {kind}, but {metadata.get('format', 'other tensors')}")
            if metadata.get("version") != VERSION:
                raise ValueError(
                    f"{path} is of version {metadata.get('version')}; this program reads version {VERSION}"
                )
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except SafetensorError:
        raise ValueError(f"{path} is no safetensors file, or is damaged") from None
    try:
        return arrays, metadata, Recipe.model_validate(json.loads(metadata["recipe"]))
    except (KeyError, json.JSONDecodeError, ValidationError):
        raise ValueError(f"{path} holds a recipe that this program cannot read") from None


def _difference(found: Recipe, wanted: Recipe) -> str:
    """'task.symbols is 4 and not 2, seed is …': the settings in which two recipes differ."""

    def flat(group: object, path: str = "") -> dict[str, object]:
        if not isinstance(group, dict):
            return {path.lstrip("."): group}
        return {key: v for name, item in group.items() for key, v in flat(item, f"{path}.{name}").items()}

    a, b = flat(found.model_dump()), flat(wanted.model_dump())
    apart = [f"{key} is {a[key]!r} and not {b[key]!r}" for key in a if key in b and a[key] != b[key]]
    return ", ".join(apart)
