"""Many values of some settings at once: every point and sample is a column of the same matrix products."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np

from explorer.engine.forward import System
from explorer.experiment import Experiment
from explorer.link import bounds_of, field_paths
from explorer.systems import make_system
from explorer.weights import draw_weights, slot_matrices

_GAIN = "weight_scale"


def knobs(experiment: Experiment) -> dict[str, tuple[float, float]]:
    """Settings whose values can be columns for this experiment, with their smallest and largest value."""
    found = {}
    for path, value, field in field_paths(experiment):
        bounds = bounds_of(field)
        scales = path in (_GAIN, "input_scale", "bias_scale")
        if bounds and (scales or (_is_bias(path) and _shifts(experiment, path, value))):
            found[path] = (float(bounds[0]), float(bounds[1]))
    return found


def _is_bias(path: str) -> bool:
    return path.startswith("cell.") and path.endswith("bias")


def _shifts(experiment: Experiment, path: str, value: float) -> bool:
    """Whether a bias shifts anything; that of a missing gate does not."""
    other = experiment.changed(path, 1.0 if value == 0 else 0.0)
    return other.cell.bias_offsets() != experiment.cell.bias_offsets()


class Columns:
    r"""An experiment with some of its knobs left open.

    The recurrent matrix is proportional to its scale, and :math:`(s\,U)\,h = U\,(s\,h)` makes that a gain on
    h. In all other knobs the matrix of the drive is affine,

    .. math::
        M(v) = M_0 + \sum_k v_k M_k,

    so the columns of M_k that are not 0 are put beside M_0, and what they read is repeated multiplied by v_k.
    """

    def __init__(
        self,
        experiment: Experiment,
        open_knobs: Iterable[str],
        inputs: np.ndarray,
        initial: Mapping[str, np.ndarray],
    ) -> None:
        names = list(open_knobs)
        for knob in names:
            experiment = experiment.changed(knob, 1.0 if knob == _GAIN else 0.0)
        self._batch = experiment.batch_size
        self._base = make_system(experiment, draw_weights(experiment), inputs, initial)
        self._slopes = {knob: _slope(experiment, knob) for knob in names if knob != _GAIN}

    def system(self, values: Mapping[str, np.ndarray]) -> System:
        """The system of n points, [n] values of every open knob; columns [n · B], samples innermost."""
        base, size, dtype = self._base, self._base.hidden_size, self._base.matrix.dtype
        factors = {knob: np.repeat(given, self._batch).astype(dtype) for knob, given in values.items()}
        copies = len(next(iter(values.values()))) if values else 1
        initial = {name: np.tile(array, (1, copies)) for name, array in base.initial.items()}
        drive = np.tile(base.drive, (1, 1, copies))
        matrices, drives = [base.matrix], [drive]
        for knob, slope in self._slopes.items():
            moving = np.flatnonzero(np.abs(slope).max(axis=0) > 0)
            matrices.append(slope[:, moving].astype(dtype))
            drives.append(drive[:, moving - size] * factors[knob])
        return replace(
            base,
            matrix=np.concatenate(matrices, axis=1),
            drive=np.concatenate(drives, axis=1),
            initial=initial,
            gain=factors.get(_GAIN),
        )


def _slope(experiment: Experiment, knob: str) -> np.ndarray:
    """M_k of a knob; W_hh drops out of the difference, so the one that is cheapest to draw will do."""
    plain = experiment.changed("initializer", "identity")
    zero, one = (
        slot_matrices(plain.cell, draw_weights(plain.changed(knob, value)))[0] for value in (0.0, 1.0)
    )
    return np.asarray(one - zero)
