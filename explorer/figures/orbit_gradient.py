"""The gradient along an orbit, beside the straight lines that a fixed point and the weights alone promise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from explorer.figures import decades as log
from explorer.figures import style
from explorer.figures.decade_lines import Line, decade_lines
from explorer.figures.style import BLUE, GREEN, OCHRE, Figure

if TYPE_CHECKING:
    import plotly.graph_objects as go

ORBIT_TRACES = {"along the orbit": 0, "weights alone": 1, "fixed point": 2}


def orbit_gradient(norms: np.ndarray, weight_radius: float, factor: float | None) -> Figure:
    """log10 ‖∂h_t/∂h_0‖ over t.

    Args:
        norms: measured along the orbit, [T+1]; −inf where exactly 0.
        weight_radius: |w| or the spectral radius of W, whose powers are the slogan.
        factor: |w·φ′| or the spectral radius of the Jacobian at the fixed point that the orbit approaches;
            None if it approaches no stable one, then there is no such line.
    """
    lines = [
        Line("along the orbit", norms, BLUE, short="along the orbit"),
        Line("weights alone", _powers(weight_radius, len(norms)), OCHRE, "dot", "weights alone"),
    ]
    if factor is not None:
        lines.append(Line("fixed point", _powers(factor, len(norms)), GREEN, "dash", "fixed point"))
    figure = decade_lines(lines, name="orbit_gradient", title="∂h<sub>t</sub> ∕ ∂h<sub>0</sub>")
    if factor is None:
        place: Figure = {"paper": True, "xanchor": "left", "bgcolor": style.BACKGROUND}
        place |= {"y": 0.98, "yanchor": "top"} if weight_radius > 1 else {"y": 0.02, "yanchor": "bottom"}
        said = style.note("the orbit approaches no stable fixed point", 0.02, **place)
        figure["layout"]["annotations"].append(said)
    return figure


def _powers(base: float, count: int) -> np.ndarray:
    """log10 base^t for t = 0 … count − 1."""
    steps = np.arange(count)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(steps == 0, 0.0, steps * np.log10(np.abs(base)))


def orbit_gradient_alt(norms: np.ndarray, weight_radius: float, factor: float | None) -> str:
    """One sentence with the numbers of ``orbit_gradient``."""
    last = len(norms) - 1
    said = (
        "no stable fixed point is approached"
        if factor is None
        else f"the fixed point's factor is {factor:.3g}"
    )
    return (
        f"After {last} steps the derivative of the state by the first one is {log.number(float(norms[-1]))}; "
        f"{said}, the weights alone would give {weight_radius:.3g} a step."
    )


def plot_orbit_gradient(
    matrix: np.ndarray,
    bias: np.ndarray | float = 0.0,
    *,
    start: tuple[float, float] = (0.8, 0.2),
    steps: int = 60,
    dark: bool = False,
) -> go.Figure:
    """The gradient along the trajectory of two tanh units from ``start``."""
    from explorer.theory.two_units import trajectories, two_unit_fixed_points

    states, norms = trajectories(matrix, bias, np.array([start]), steps)
    points = two_unit_fixed_points(matrix, bias)
    found = points.approached_from(states[-1, 0])
    factor = None if found is None else float(points.radii[found])
    radius = float(np.abs(np.linalg.eigvals(matrix)).max())
    return style.themed(orbit_gradient(norms[:, 0], radius, factor), dark)
