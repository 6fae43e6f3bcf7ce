"""The loss of the one-unit network of ``explorer.theory.cliff`` over grids and along cuts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explorer.theory.cliff import STEPS, cliff_gradient, cliff_loss, edge_bias

Window = tuple[tuple[float, float], tuple[float, float]]
"""((lowest, highest w), (lowest, highest b))."""


@dataclass(frozen=True)
class LossPlane:
    """The loss over a grid.

    Attributes:
        weights: w, [W].
        biases: b, [B], or [B, W] where it differs from weight to weight.
        loss: L, [B, W].
    """

    weights: np.ndarray
    biases: np.ndarray
    loss: np.ndarray


def loss_plane(window: Window, num_steps: int = STEPS, points: int = 101) -> LossPlane:
    """L over a window, at so many points each way.

    Raises:
        ValueError: as ``cliff_loss``.
    """
    w, b = (np.linspace(low, high, points) for low, high in window)
    return LossPlane(w, b, cliff_loss(w, b[:, None], num_steps)[0])


def sheared_plane(window: Window, num_steps: int = STEPS, points: int = 81) -> LossPlane:
    """As ``loss_plane``, but the rows of the grid follow the edge of the cliff, and crowd there.

    A grid along the axes would draw the cliff as a flight of stairs.

    Raises:
        ValueError: as ``cliff_loss``, or the window does not hold the edge for all its weights.
    """
    (left, right), (low, high) = window
    w = np.linspace(left, right, points)
    edge = np.array([edge_bias(weight) for weight in w])
    if edge.min() <= low or edge.max() >= high:
        raise ValueError(f"window is {window}; allowed are biases around {edge.min():.3g} … {edge.max():.3g}")
    share = np.concatenate([[1e-6], np.linspace(0, 1, points // 2)[1:] ** 2])[:, None]
    b = np.vstack([(edge + share * (low - edge))[::-1], edge + share * (high - edge)])
    return LossPlane(w, b, cliff_loss(w, b, num_steps)[0])


@dataclass(frozen=True)
class CliffSection:
    """Loss and gradient along one of the two parameters.

    Attributes:
        along: ``w`` or ``b``.
        values: the parameter, ascending, [M]; denser towards the edge of the cliff.
        loss: L, [M].
        decades: log10 of the gradient's norm, [M].
    """

    along: str
    values: np.ndarray
    loss: np.ndarray
    decades: np.ndarray


def cliff_section(
    weight: float, bias: float, along: str, span: tuple[float, float], num_steps: int = STEPS
) -> CliffSection:
    """A cut through (w, b) along w or b; the point itself and the edge are among the values.

    Raises:
        ValueError: as ``cliff_loss``, or ``along`` is neither w nor b.
    """
    if along not in ("w", "b"):
        raise ValueError(f"along is {along!r}; allowed are w and b")
    low, high = span
    slope = edge_bias(1.0) - edge_bias(0.0)
    edge = edge_bias(weight) if along == "b" else (bias - edge_bias(0.0)) / slope
    apart = np.geomspace(1e-12, high - low, 160)
    near = edge + np.concatenate([-apart, [0.0], apart])
    values = np.concatenate([np.linspace(low, high, 201), near, [weight if along == "w" else bias]])
    values = np.unique(values[(values >= low) & (values <= high)])
    found = cliff_gradient(values if along == "w" else weight, bias if along == "w" else values, num_steps)
    return CliffSection(along, values, found.loss, found.decades)
