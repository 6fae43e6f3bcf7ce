"""The weights of an experiment, under the names and in the row order of ``torch.nn``."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from explorer.cells import Cell
from explorer.cells.cell import BIAS_HH, BIAS_IH, HIDDEN, INPUT, MESSAGE
from explorer.experiment import Experiment
from explorer.stored_weights import stored_weights

NAMES = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
Weights = dict[str, np.ndarray]


def draw_weights(experiment: Experiment, input_size: int | None = None, stream: str = "") -> Weights:
    """Weights [K·H, I], [K·H, H] and biases [K·H] in float64, K the number of gate blocks.

    W_hh = weight_scale · base, one independent base matrix for each block; W_ih and both biases are drawn
    as ``torch.nn`` does, uniform in ±1/√H, and multiplied by ``input_scale`` and ``bias_scale``; the cell's
    own bias fields are added to ``bias_ih``; its vectors [H], if it has any, are drawn like biases. Where
    the experiment names trained weights that fit, these stand in the place of everything drawn.
    ``input_size`` replaces the signal's I, ``stream`` names a further set of independent random numbers.
    """
    size, cell = experiment.hidden_size, experiment.cell
    width = input_size or experiment.signal.input_size
    trained = None if stream else _trained(experiment, width)[0]
    base = _drawn(experiment, width, stream) if trained is None else trained
    bias = {name: experiment.bias_scale * base[name] for name in ("bias_ih", "bias_hh")}
    for offsets in (cell.bias_offsets(), cell.unit_biases(experiment.rng(f"{stream}unit_biases"), size)):
        for block, offset in offsets.items():
            bias["bias_ih"][block * size : (block + 1) * size] += offset
    return {
        "weight_ih": experiment.input_scale * base["weight_ih"],
        "weight_hh": experiment.weight_scale * base["weight_hh"],
        **bias,
        **{name: base[name] for name in cell.vectors},
    }


def _drawn(experiment: Experiment, width: int, stream: str) -> Weights:
    """Everything random of an experiment, before any scale."""
    size, cell = experiment.hidden_size, experiment.cell
    limit = size**-0.5

    def uniform(name: str, *shape: int) -> np.ndarray:
        return experiment.rng(stream + name).uniform(-limit, limit, shape)

    draw = experiment.initializer.draw
    blocks = [
        cell.constrain(draw(experiment.rng(f"{stream}weight_hh/{k}"), size)) for k in range(cell.blocks)
    ]
    return {
        "weight_ih": uniform("weight_ih", cell.blocks * size, width),
        "weight_hh": np.concatenate(blocks),
        **{name: uniform(name, cell.blocks * size) for name in ("bias_ih", "bias_hh")},
        **{name: cell.vector_scale() * uniform(name, size) for name in cell.vectors},
    }


def _trained(experiment: Experiment, width: int) -> tuple[Weights | None, str]:
    """The trained weights that an experiment names, or None; and a sentence on them, "" if it names none."""
    key = experiment.trained
    if not key:
        return None, ""
    found = stored_weights(key)
    if found is None:
        return None, f"This computer does not have the trained weights {key}: drawn ones are used instead."
    if {name: array.shape for name, array in found.arrays.items()} != weight_shapes(experiment, width):
        return (
            None,
            f"The trained weights do not fit this network and input, so drawn ones are used: {found.about}",
        )
    return dict(found.arrays), f"These are trained weights: {found.about}"


def trained_note(experiment: Experiment, width: int) -> list[str]:
    """A sentence on the trained weights that an experiment names, and on why they are not used if so."""
    said = _trained(experiment, width)[1]
    return [said] if said else []


def weight_shapes(experiment: Experiment, input_size: int) -> dict[str, tuple[int, ...]]:
    """Name → shape of all weights of an experiment's cell."""
    size = experiment.hidden_size
    rows = experiment.cell.blocks * size
    return {
        "weight_ih": (rows, input_size),
        "weight_hh": (rows, size),
        "bias_ih": (rows,),
        "bias_hh": (rows,),
    } | dict.fromkeys(experiment.cell.vectors, (size,))


def check_weights(
    given: Mapping[str, object], experiment: Experiment, input_size: int, layer: str = ""
) -> Weights:
    """Own weights as float64 arrays of the right names and shapes.

    Names may carry torch's suffix (``weight_hh_l0``, or that of another ``layer``); tensors are taken as well
    as arrays; missing biases (``bias=False``) and vectors count as zero. Raises ValueError naming field,
    value and what is allowed.
    """
    suffix = layer or "_l0"
    shapes = weight_shapes(experiment, input_size)
    weights: Weights = {}
    for key, value in given.items():
        name = str(key).removesuffix(suffix)
        if name not in shapes:
            raise ValueError(
                f"weights[{key!r}] is unknown; allowed are {', '.join(shapes)} (or with the suffix {suffix})"
            )
        if name in weights:
            raise ValueError(f"weights[{key!r}] is given twice, with and without the suffix {suffix}")
        weights[name] = finite_array(
            f"weights[{key!r}]", value, shapes[name], f"cell {experiment.cell.kind!r}"
        )
    for name in ("weight_ih", "weight_hh"):
        if name not in weights:
            raise ValueError(f"weights[{name + layer!r}] is missing; its shape must be {shapes[name]}")
    for name, shape in shapes.items():
        weights.setdefault(name, np.zeros(shape))
    return weights


def finite_array(field: str, value: object, shape: tuple[int, ...], reason: str) -> np.ndarray:
    """``value`` as a finite float64 array of exactly this shape, or a ValueError that names it."""
    try:
        array = np.asarray(_from_torch(value))
        if array.dtype.kind not in "biuf":
            raise TypeError(f"{array.dtype} is not a real number type")
        array = np.array(array, dtype=np.float64, order="C")
    except (TypeError, ValueError) as error:
        raise ValueError(f"{field} must be an array of numbers of shape {shape}: {error}") from None
    if array.shape != shape:
        raise ValueError(f"{field} has shape {array.shape}, but {reason} needs {shape}")
    if not np.isfinite(array).all():
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise ValueError(f"{field} holds {array[where]} at index {where}; only finite numbers are allowed")
    return array


def _from_torch(value: object) -> object:
    """A tensor as a numpy array, also one with a gradient or in a type that numpy does not know."""
    if not hasattr(value, "detach"):
        return value
    tensor = value.detach().cpu()
    return tensor.double().numpy() if tensor.is_floating_point() else tensor.numpy()


def slot_matrices(cell: Cell, weights: Weights) -> tuple[np.ndarray, np.ndarray | None]:
    """The slots' matrix [K·H, H + I + 1], acting on [h; x; 1], and the message's matrix or None.

    Columns of what a slot does not read are zero.
    """
    size, width = weights["weight_hh"].shape[1], weights["weight_ih"].shape[1]
    slots = cell.wiring()
    direct = [slot for slot in slots if MESSAGE not in slot.reads]
    matrix = np.zeros((len(slots) * size, size + width + 1))
    for k, slot in enumerate(slots):
        rows = slice(k * size, (k + 1) * size)
        block = slice(slot.block * size, (slot.block + 1) * size)
        if HIDDEN in slot.reads:
            matrix[rows, :size] = weights["weight_hh"][block]
        if INPUT in slot.reads:
            matrix[rows, size:-1] = weights["weight_ih"][block]
        for name in (BIAS_IH, BIAS_HH):
            if name in slot.reads:
                matrix[rows, -1] += weights[name][block]
    if len(direct) == len(slots):
        return matrix, None
    blocks = [
        weights["weight_hh"][slot.block * size : (slot.block + 1) * size] for slot in slots[len(direct) :]
    ]
    return matrix[: len(direct) * size], np.concatenate(blocks)
