"""Eigenvalues of W_hh against the unit circle."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from explorer.figures import style
from explorer.figures.style import BLUE, MUTED, OCHRE, TEXT, Figure

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from explorer.trace import Trace

EIGENVALUE_TRACES = {"eigenvalues": 0, "unit_circle": 1}
"""Trace 0 holds eigenvalues and the dotted σ_max circle: both are multiplied when the knob moves."""
CIRCLE_DOTS = 72
_LIMITS = (1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 15.0, 20.0, 30.0, 50.0, 100.0)


def eigenvalue_points(values: np.ndarray, sigma_max: float) -> tuple[np.ndarray, np.ndarray]:
    """(x, y) of trace 0: the eigenvalues, then the dots of the circle of radius σ_max.

    For scrubbing hand in what belongs to the knob at 1; the browser multiplies by the knob.
    """
    angle = 2 * np.pi * np.arange(CIRCLE_DOTS) / CIRCLE_DOTS
    x = np.concatenate([np.real(values), sigma_max * np.cos(angle)])
    return x, np.concatenate([np.imag(values), sigma_max * np.sin(angle)])


def eigenvalues(values: np.ndarray, sigma_max: float, *, reach: float = 0.0) -> Figure:
    """Eigenvalues [H], complex, of one block of W_hh.

    Args:
        values: the eigenvalues.
        sigma_max: the largest singular value.
        reach: further radius that the axes must cover, such as σ_max at the end of a scrub slider.
    """
    values = np.asarray(values, dtype=complex)
    good = np.isfinite(values)
    radius = float(np.abs(values[good]).max(initial=0))
    x, y = eigenvalue_points(values, sigma_max)
    sizes = np.full(len(x), 2.5, dtype=np.float32)
    sizes[: len(values)] = 9 if len(values) <= 128 else 5
    count = len(values)
    hover = ["%{x:.3g} %{y:+.3g}i"] * count + [f"σ<sub>max</sub> = {sigma_max:.3g}"] * CIRCLE_DOTS
    marker = {
        "size": sizes,
        "color": [BLUE] * count + [OCHRE] * CIRCLE_DOTS,
        "opacity": 0.85,
        "line": {"width": 0},
    }
    ring = np.linspace(0, 2 * np.pi, 121)
    data: list[Figure] = [
        {"type": "scatter", "mode": "markers", "x": x, "y": y, "marker": marker, "name": "eigenvalues"}
        | {"hovertemplate": [f"{text}<extra></extra>" for text in hover]},
        {"type": "scatter", "mode": "lines", "x": np.cos(ring), "y": np.sin(ring), "name": "unit circle"}
        | {"line": {"width": style.THIN, "color": TEXT}, "hoverinfo": "skip", "zorder": -1},
    ]
    needed = 1.04 * max([1.0, radius, *(r for r in (sigma_max, reach) if np.isfinite(r))])
    limit = next((step for step in _LIMITS if step >= needed), needed)
    axis = {"zeroline": True, "zerolinecolor": MUTED, "nticks": 5}
    labels = [(f"|λ|<sub>max</sub> = {radius:.3g}", BLUE, "point")]
    labels.append((f"σ<sub>max</sub> = {sigma_max:.3g}", OCHRE, "dot"))
    notes = [style.key(*labels)]
    if not good.all():
        text = f"{int((~good).sum())} are not numbers"
        notes.append(style.note(text, 0.02, 0.02, paper=True, xanchor="left", yanchor="bottom"))
    layout = style.layout(
        "eigenvalues",
        meta={"x": "real part", "y": "imaginary part"},
        xaxis=style.axis("real", -limit, limit, constrain="domain", **axis),
        yaxis=style.axis(
            "imaginary", -limit, limit, scaleanchor="x", scaleratio=1, constrain="domain", **axis
        ),
        annotations=notes,
        margin=style.MARGIN | {"t": style.LEGEND_TOP},
    )
    return {"data": data, "layout": layout}


def eigenvalues_alt(values: np.ndarray, sigma_max: float) -> str:
    """One sentence with the numbers of ``eigenvalues``."""
    sizes = np.abs(np.asarray(values))
    return (
        f"{int((sizes > 1).sum())} of {len(sizes)} eigenvalues lie outside the unit circle; "
        f"the spectral radius is {np.max(sizes, initial=0):.3g}, the largest singular value {sigma_max:.3g}."
    )


def plot_eigenvalues(trace: Trace, *, block: int = 0, dark: bool = False) -> go.Figure:
    """Eigenvalues of one block of a trace's W_hh, in torch's block order."""
    size = trace.experiment.hidden_size
    matrix = trace.weights["weight_hh"][block * size : (block + 1) * size]
    values = np.linalg.eigvals(matrix)
    return style.themed(eigenvalues(values, float(np.linalg.norm(matrix, 2))), dark)
