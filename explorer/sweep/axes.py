"""The axes of a sweep: which settings take which values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from explorer.experiment import Experiment
from explorer.link import bounds_of, field_paths

Over = Mapping[str, Iterable[float]]


@dataclass(frozen=True)
class Axis:
    """One swept setting.

    Attributes:
        path: such as ``weight_scale`` or ``cell.forget_bias``.
        values: what it takes, in the type of the setting.
        label: its name on screen.
    """

    path: str
    values: tuple[float, ...]
    label: str


def axes_of(experiment: Experiment, over: Over) -> list[Axis]:
    """The axes of ``over``, in its order.

    Raises ValueError that names an unknown setting or one that is no number, values that are no list, empty
    or double, and a value that is not allowed together with those that are.
    """
    if not over:
        raise ValueError("over is empty: it must name at least one setting, such as weight_scale")
    return [_axis(experiment, path, values) for path, values in over.items()]


def _axis(experiment: Experiment, path: str, given: Iterable[float]) -> Axis:
    settings = {name: field for name, _, field in field_paths(experiment)}
    field, numeric = settings.get(path), [name for name in settings if bounds_of(settings[name])]
    bounds = bounds_of(field) if field else None
    if field is None or bounds is None:
        problem = "not a setting of this experiment" if field is None else "not a number"
        raise ValueError(f"over[{path!r}] is {problem}; the settings that are numbers: {', '.join(numeric)}")
    whole = field.annotation is int
    allowed = f"{'whole numbers' if whole else 'numbers'} from {bounds[0]:g} to {bounds[1]:g}"
    values = _listed(path, given, allowed)
    low, high = bounds
    # NaN lies between no bounds.
    refused = values[~((values >= low) & (values <= high)) | (whole & (values != np.round(values)))]
    if len(refused):
        raise ValueError(f"over[{path!r}] holds {refused[0]:g}; allowed are {allowed}")
    if len(np.unique(values)) < len(values):
        raise ValueError(f"over[{path!r}] holds a value twice: {values.tolist()}")
    values = values.astype(int) if whole else values + 0.0  # without −0
    return Axis(path, tuple(values.tolist()), field.title or path)


def _listed(path: str, given: Iterable[float], allowed: str) -> np.ndarray:
    """The values [n], n ≥ 1, in float64."""
    try:
        values = np.array(given if isinstance(given, np.ndarray) else list(given), np.float64)
    except (TypeError, ValueError):
        values = np.empty(0)
    if values.ndim != 1 or not len(values):
        raise ValueError(f"over[{path!r}] is {given!r}; it must be a list of one or more {allowed}")
    return values
