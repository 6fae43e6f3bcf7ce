"""Pseudospectra: contours of σ_min(zI − W) in the complex plane."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from explorer.figures import decades as log
from explorer.figures import style
from explorer.figures.style import BLUE, MUTED, OCHRE, PURPLE, TEXT, Figure

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from explorer.theory.pseudospectrum import Pseudospectrum

PSEUDOSPECTRUM_TRACES = {"contours": 0, "unit circle": 1, "eigenvalues": 2}
_SPACINGS = (0.25, 0.5, 1.0)  # of the contours, in decades
_MOST_CONTOURS = 6
_EXACTNESS = 1e-6  # of σ_min


def pseudospectrum(found: Pseudospectrum) -> Figure:
    """Contours of log10 ε, within which an eigenvalue can be moved by a change of W of norm ε.

    What is below the rounding of W is left blank, and the figure says so.
    """
    with np.errstate(divide="ignore"):
        decades = np.log10(found.sigma_min)
    first, spacing = _levels(decades)
    contours = {"coloring": "lines", "start": first, "end": 0.0, "size": spacing, "showlabels": True}
    contours["labelfont"] = {"size": style.SMALL, "color": TEXT}
    colors = [[0.0, PURPLE], [1.0, OCHRE]]
    ring = np.linspace(0, 2 * np.pi, 121)
    values = found.eigenvalues
    marker = {"size": 9 if len(values) <= 32 else 6, "color": BLUE, "line": {"width": 0}}
    data: list[Figure] = [
        {"type": "contour", "x": found.real, "y": found.imaginary, "name": "log10 of ε"}
        | {"z": log.finite(decades), "contours": contours, "line": {"width": style.THIN}}
        | {"colorscale": colors, "zmin": first - spacing, "zmax": 0.0, "showscale": False}
        | {"hovertemplate": "%{x:.3g} %{y:+.3g}i<br>ε = 10<sup>%{z:.2f}</sup><extra></extra>"},
        {"type": "scatter", "mode": "lines", "x": np.cos(ring), "y": np.sin(ring), "name": "unit circle"}
        | {"line": {"width": style.THIN, "color": TEXT, "dash": "dash"}, "hoverinfo": "skip"},
        {"type": "scatter", "mode": "markers", "x": values.real, "y": values.imag, "name": "eigenvalues"}
        | {"marker": marker, "hovertemplate": "%{x:.3g} %{y:+.3g}i<extra></extra>"},
    ]
    entries = [("eigenvalues", BLUE, "point"), ("|z| = 1", TEXT, "dash"), ("log₁₀ ε", PURPLE, "solid")]
    notes = [style.key(*entries)]
    if (found.sigma_min == 0).any():
        said = f"blank: ε < {log.number(float(np.log10(found.resolution)))}, rounding"
        below: Figure = {"paper": True, "xanchor": "right", "yanchor": "bottom", "bgcolor": style.BACKGROUND}
        notes.append(style.note(said, 1, 0, **below))
    extent = float(found.real[-1])
    axis = {"zeroline": True, "zerolinecolor": MUTED, "nticks": 5, "constrain": "domain", "showgrid": False}
    layout = style.layout(
        f"pseudospectrum:{extent:g}",
        meta={"x": "real part", "y": "imaginary part"},
        xaxis=style.axis("real", -extent, extent, **axis),
        yaxis=style.axis("imaginary", -extent, extent, scaleanchor="x", scaleratio=1, **axis),
        annotations=notes,
        margin=style.MARGIN | {"t": style.LEGEND_TOP},
    )
    return {"data": data, "layout": layout}


def _levels(decades: np.ndarray) -> tuple[float, float]:
    """The lowest contour and the spacing: few contours, of the largest ε up to 1."""
    known = decades[np.isfinite(decades)]
    low = min(float(known.min(initial=0.0)), 0.0)
    spacing = next((s for s in _SPACINGS if -low / s <= _MOST_CONTOURS), _SPACINGS[-1])
    return max(float(np.ceil(low / spacing)), -_MOST_CONTOURS) * spacing, spacing


def pseudospectrum_alt(found: Pseudospectrum) -> str:
    """One sentence with the numbers of ``pseudospectrum``."""
    radius = float(np.abs(found.eigenvalues).max())
    said = f"The spectral radius is {radius:.3g}"
    if found.kreiss_bound == np.inf:
        return f"{said}, so powers of W grow without bound."
    if found.kreiss_bound <= 1 + _EXACTNESS:
        return f"{said}, and no contour reaches further out of the unit circle than a normal matrix allows."
    return (
        f"{said}, yet contours reach so far out of the unit circle that some power of W must have a norm of "
        f"at least {log.plain(found.kreiss_bound)}."
    )


def plot_pseudospectrum(
    matrix: np.ndarray, *, extent: float | None = None, points: int = 60, dark: bool = False
) -> go.Figure:
    """Pseudospectra of a matrix over [−extent, extent]²."""
    from explorer.theory.pseudospectrum import pseudospectrum as measure

    return style.themed(pseudospectrum(measure(matrix, extent=extent, points=points)), dark)
