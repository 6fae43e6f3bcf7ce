r"""The mean field of an experiment's network: the σ_w, σ_b, σ_x² and μ that its settings amount to.

Input weights and biases are drawn as PyTorch does, uniformly in ±1/√N with variance 1/(3N), and both biases
add up. With the weight, bias and input scales s_w, s_b, s_x and the variance σ_U²/N of a drawn entry of W_hh

.. math::
    \sigma_w = s_w \sigma_U, \qquad \sigma_b^2 = \frac{2 s_b^2}{3N}, \qquad
    \sigma_x^2 = \frac{s_x^2}{3N}\, E\lVert x_t\rVert^2

and μ is the ``bias`` field of the cell. What the input adds is taken as Gaussian and fresh at every step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from explorer.cells import RNN
from explorer.cells.integrator import Integrator
from explorer.experiment import Experiment
from explorer.initializers import Gaussian, Orthogonal, Uniform
from explorer.layouts import Single
from explorer.link import field_paths
from explorer.signals import Digits, Noise, Pulse, Sine, Text, Zeros
from explorer.theory.mean_field import MeanField, chi_1, mean_field

_DRIVEN, _UNDRIVEN, _WIDTH = 0.06, 0.12, 512  # shares of χ₁, and the width at which they hold
Numbers = Mapping[str, Any]
"""Path of a setting → its value, or an array of values that broadcasts with the other arrays."""


def why_no_mean_field(experiment: Experiment) -> str | None:
    """One sentence on why mean field does not describe this network; None where it does."""
    cell = experiment.cell
    if experiment.network != Single():
        return "Mean field is computed for one cell alone, not for a network of several."
    if not (isinstance(cell, RNN) or (isinstance(cell, Integrator) and cell.rates == (0.0, 1.0, 0.0))):
        return "Mean field needs h = φ(Wx + Uh + b): no gates, and nothing of the old state beside φ."
    if experiment.trained:
        return "Mean field needs weights drawn at random; these were trained."
    if not isinstance(experiment.initializer, Uniform | Gaussian | Orthogonal):
        return (
            "Mean field needs recurrent weights without structure: independent entries (PyTorch default or "
            "Gaussian) or a random orthogonal matrix."
        )
    if isinstance(experiment.signal, Digits):
        return "Mean field needs an input that is alike at all steps, which the pixels of a digit are not."
    return None


def mean_field_of(experiment: Experiment) -> MeanField[float] | None:
    """The mean field of this network as N → ∞; None where there is none, see ``why_no_mean_field``."""
    if why_no_mean_field(experiment):
        return None
    numbers = {path: value for path, value, _ in field_paths(experiment)}
    return mean_field(_function(experiment), **_arguments(experiment, numbers))


def chi_grid(experiment: Experiment, over: Mapping[str, Sequence[float] | np.ndarray]) -> np.ndarray | None:
    """χ₁ for all combinations of settings, one axis for each path in ``over``, in its order.

    Args:
        experiment: where all other settings are taken from.
        over: paths such as ``weight_scale`` or ``initializer.sigma`` → values [n].

    Returns:
        None where the network has no mean field, see ``why_no_mean_field``, also not at another value of a
        swept setting. Settings on which χ₁ does not depend, such as the seed, leave it as it is.

    Raises:
        ValueError: a path that is no setting or not a number, or a value out of its bounds.
    """
    numbers = {path: value for path, value, _ in field_paths(experiment)}
    axes = []
    for path, values in over.items():
        if not isinstance(numbers.get(path, 0), int | float):
            raise ValueError(f"over[{path!r}] is {numbers[path]!r}; only numbers can be swept")
        axes.append(np.asarray(values, np.float64).ravel())
        for end in {float(axes[-1].min(initial=np.inf)), float(axes[-1].max(initial=-np.inf))}:
            if why_no_mean_field(experiment.changed(path, end)):
                return None
    grids = np.meshgrid(*axes, indexing="ij", sparse=True)
    arguments = _arguments(experiment, numbers | dict(zip(over, grids, strict=True)))
    found = chi_1(_function(experiment), **arguments)
    return np.broadcast_to(found, np.broadcast_shapes(*(grid.shape for grid in grids)))


def mean_field_tolerance(experiment: Experiment) -> float:
    """By what share of χ₁ the growth that a network of this width shows differs from χ₁, for most seeds.

    With 512 units it is 0.06 where an input drives the network, 0.12 where none does and it may end on a
    fixed point or a cycle of its own. It goes as 1/√N, as averages over N units fluctuate.
    """
    numbers = {path: value for path, value, _ in field_paths(experiment)}
    driven = experiment.input_scale > 0 and _power(experiment, numbers) > 0
    return float((_DRIVEN if driven else _UNDRIVEN) * np.sqrt(_WIDTH / experiment.hidden_size))


def _function(experiment: Experiment) -> str:
    """Name of φ."""
    cell = experiment.cell
    assert isinstance(cell, RNN | Integrator)
    return cell.function.name


def _arguments(experiment: Experiment, numbers: Numbers) -> dict[str, Any]:
    """σ_w, σ_b, σ_x² and μ of settings that may be arrays."""
    drawn = 1 / (3 * np.asarray(numbers["hidden_size"], np.float64))  # PyTorch's variance
    initializer = experiment.initializer
    spread = {Uniform: 3**-0.5, Gaussian: numbers.get("initializer.sigma"), Orthogonal: 1.0}[
        type(initializer)
    ]
    return {
        "sigma_w": numbers["weight_scale"] * np.asarray(spread),
        "sigma_b": numbers["bias_scale"] * np.sqrt(2 * drawn),
        "input_variance": np.square(numbers["input_scale"]) * drawn * _power(experiment, numbers),
        "bias_mean": numbers["cell.bias"],
    }


def _power(experiment: Experiment, numbers: Numbers) -> Any:
    """E‖x_t‖² of the input in the long run."""
    signal = experiment.signal
    if isinstance(signal, Noise):
        return np.square(numbers["signal.amplitude"]) * numbers["signal.channels"]
    if isinstance(signal, Sine):
        return np.square(numbers["signal.amplitude"]) / 2
    if isinstance(signal, Text):
        return float(bool(signal.text))  # one of the channels is 1
    assert isinstance(signal, Zeros | Pulse)
    return 0.0
