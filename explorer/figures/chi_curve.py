"""χ₁ over the scale of the weights: the factor by which a layer multiplies a gradient's mean square."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from explorer.figures import style
from explorer.figures.sigma_axis import critical_marks, sigma_axis, sigma_end, sigma_grid
from explorer.figures.style import BLUE, GREEN, MUTED, PURPLE, Figure

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from explorer.theory.mean_field import MeanField

CHI_TRACES = {"band": 0, "theory": 1, "measured": 2, "now": 3}
_TOP = 4.0  # the axis ends here, or further above the present value
_LIFTED = 6.0  # end of the axis beyond which the line χ₁ = 1 is too low for words below it
_MEASURED = 9  # values of σ_w at which ``plot_chi_curve`` measures


def chi_curve(
    sigma_w: np.ndarray,
    chi: np.ndarray,
    now: tuple[float, float],
    critical: float,
    tolerance: float,
    measured: tuple[np.ndarray, np.ndarray] | None = None,
) -> Figure:
    """χ₁ over σ_w, with the band in which networks of finite width lie.

    Args:
        sigma_w: ascending, [n].
        chi: χ₁ [n].
        now: the present (σ_w, χ₁).
        critical: σ_w at which χ₁ = 1; NaN if there is none.
        tolerance: half the height of the band as a share of χ₁.
        measured: σ_w [M] and the growth of a gradient's square in S networks, [M, S].
    """
    low, high = float(sigma_w[0]), float(sigma_w[-1])
    places, growth = measured or (np.empty(0), np.empty((0, 0)))
    top = min(float((1 + tolerance) * np.nanmax(chi)), max(_TOP, 1.5 * now[1]))
    top = 1.06 * max(top, 1.2)
    hover = {"hovertemplate": "σ<sub>w</sub> = %{x:.3g}<br>factor %{y:.3g}<extra></extra>"}
    points = {"type": "scatter", "mode": "markers"} | hover
    lines = {"type": "scatter", "mode": "lines"}
    around = np.concatenate([(1 + tolerance) * chi, (1 - tolerance) * chi[::-1]])
    ring = {"symbol": "circle-open", "color": PURPLE, "size": 18, "line": {"width": 3.5}}
    data: list[Figure] = [
        lines
        | {"x": np.concatenate([sigma_w, sigma_w[::-1]]), "y": around, "name": "band", "hoverinfo": "skip"}
        | {"fill": "toself", "fillcolor": style.translucent(BLUE, 0.25), "line": {"width": 0}},
        lines
        | hover
        | {"x": sigma_w, "y": chi, "name": "theory", "line": {"color": BLUE, "width": style.WIDTH}},
        points
        | {"x": np.repeat(places, growth.shape[1]), "y": growth.ravel(), "name": "measured"}
        | {"marker": {"color": GREEN, "size": 7, "opacity": 0.8, "line": {"width": 0}}},
        points
        | {"x": np.array(now[:1]), "y": np.array(now[1:]), "name": "now", "marker": ring}
        | {"cliponaxis": False},
    ]
    shapes, notes = critical_marks(critical, low, high)
    for mark in notes[:1]:
        mark["y"] = 0 if top < _LIFTED else 0.32  # above the line χ₁ = 1
    one = {"type": "line", "xref": "x domain", "x0": 0, "x1": 1, "y0": 1, "y1": 1, "layer": "below"}
    shapes.append(one | {"line": {"color": MUTED, "width": style.THIN}})
    entries = [(f"theory ± {100 * tolerance:.2g} %", BLUE, "solid")]
    if measured:
        entries.append(("measured", GREEN, "point"))
    entries.append((f"χ₁ = {now[1]:.3g}", PURPLE, "point"))
    layout = style.layout(
        "chi_curve",
        meta={"x": "standard deviation σ_w of the weights times √N", "y": "factor of |gradient|² a layer"},
        xaxis=sigma_axis(low, high),
        yaxis=style.axis("|gradient|², factor a layer", 0, top, nticks=6),
        shapes=shapes,
        annotations=[*notes, style.key(*entries)],
        margin=style.MARGIN | {"t": style.LEGEND_TOP},
    )
    return {"data": data, "layout": layout}


def chi_curve_alt(
    now: tuple[float, float], critical: float, measured: tuple[np.ndarray, np.ndarray] | None = None
) -> str:
    """One sentence with the numbers of ``chi_curve``."""
    said = f"At σ_w = {now[0]:.3g} a layer multiplies the square of a gradient by χ₁ = {now[1]:.3g}"
    said += "; no σ_w is critical" if np.isnan(critical) else f"; χ₁ is 1 at σ_w = {critical:.3g}"
    if measured:
        said += f"; {measured[1].shape[1]} networks were measured at each of {len(measured[0])} values of σ_w"
    return f"{said}."


def plot_chi_curve(
    field: MeanField[float],
    *,
    tolerance: float = 0.06,
    width: int = 512,
    tied: bool = False,
    dark: bool = False,
) -> go.Figure:
    """χ₁ of networks like this one with other σ_w, and the growth in four random ones at nine σ_w."""
    from explorer.ensembles.signal_propagation import propagation_of
    from explorer.theory.mean_field import chi_1, critical_line

    others = {"input_variance": field.input_variance, "bias_mean": field.bias_mean}
    critical = float(critical_line(field.activation, field.sigma_b, **others))
    grid = sigma_grid(0.05, sigma_end(field.sigma_w, critical), critical)
    chi = chi_1(field.activation, sigma_w=grid, sigma_b=field.sigma_b, **others)
    places = np.linspace(0.3, grid[-1] - 0.1, _MEASURED)
    growth = [
        propagation_of(replace(field, sigma_w=float(sigma)), width=width, tied=tied).settled_growth
        for sigma in places
    ]
    now = (field.sigma_w, field.chi)
    return style.themed(chi_curve(grid, chi, now, critical, tolerance, (places, np.array(growth))), dark)
