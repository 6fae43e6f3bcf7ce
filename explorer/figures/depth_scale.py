"""How many layers a difference between two signals lives, over the scale of the weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from explorer.figures import decades as log
from explorer.figures import style
from explorer.figures.sigma_axis import critical_marks, sigma_axis, sigma_end, sigma_grid
from explorer.figures.style import BLUE, MUTED, OCHRE, PURPLE, Figure

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from explorer.theory.mean_field import MeanField

DEPTH_TRACES = {"correlation": 0, "length": 1, "now": 2}
_LOW, _HIGH = -1.0, 3.0  # decades of layers that are drawn


def depth_scale(curve: MeanField[np.ndarray], now: MeanField[float], critical: float) -> Figure:
    """ξ_c and ξ_q in layers over σ_w; ξ_c grows without limit where χ₁ = 1.

    Args:
        curve: the mean field at ascending σ_w, [n].
        now: at the present σ_w.
        critical: σ_w at which χ₁ = 1; NaN if there is none.
    """
    low, high = float(curve.sigma_w[0]), float(curve.sigma_w[-1])
    hover = {"hovertemplate": "σ<sub>w</sub> = %{x:.3g}<br>10<sup>%{y:.2f}</sup> layers<extra></extra>"}
    shared = {"type": "scatter", "meta": "decades"} | hover
    data: list[Figure] = [
        shared | {"mode": "lines", "x": curve.sigma_w, "y": _decades(depths), "name": name}
        | {"line": {"color": color, "dash": dash, "width": style.WIDTH}}
        for name, depths, color, dash in (
            ("correlation", curve.xi_c, BLUE, "solid"), ("length", curve.xi_q, OCHRE, "dash")
        )
    ]  # fmt: skip
    here = np.clip(_decades(np.array([now.xi_c])), _LOW, _HIGH)
    marker = {"color": PURPLE, "size": 14, "line": {"width": 2, "color": style.BACKGROUND}}
    data.append(
        shared | {"mode": "markers", "x": np.array([now.sigma_w]), "y": here, "name": "now", "marker": marker}
    )
    entries = [("ξ<sub>c</sub> correlation", BLUE, "solid"), ("ξ<sub>q</sub> length", OCHRE, "dash")]
    entries.append((f"ξ<sub>c</sub> = {_layers(now.xi_c)}", PURPLE, "point"))
    areas, words = _without_end(curve, high)
    shapes, notes = critical_marks(critical, low, high)
    decades = np.arange(_LOW, _HIGH + 1)
    ticks = {"tickmode": "array", "tickvals": decades, "ticktext": [log.plain(10.0**k) for k in decades]}
    layout = style.layout(
        "depth_scale",
        meta={"x": "standard deviation σ_w of the weights times √N", "y": "log10 of the depth in layers"},
        xaxis=sigma_axis(low, high),
        yaxis=style.axis("depth in layers", _LOW, _HIGH, **ticks),
        shapes=areas + shapes,
        annotations=[*words, *notes, style.key(*entries)],
        margin=style.MARGIN | {"t": style.LEGEND_TOP},
    )
    return {"data": data, "layout": layout}


def _decades(depths: np.ndarray) -> np.ndarray:
    """log10, NaN for depths of 0 and without limit."""
    with np.errstate(divide="ignore"):
        return log.finite(np.log10(depths))


def _without_end(curve: MeanField[np.ndarray], high: float) -> tuple[list[Figure], list[Figure]]:
    """(shapes, annotations): where the correlation has no depth scale up to the end of the axis."""
    runs = log.stretches(np.isinf(curve.xi_c))
    if not runs or runs[-1][1] != len(curve.sigma_w) - 1 or runs[-1][0] == runs[-1][1]:
        return [], []
    left = float(curve.sigma_w[runs[-1][0]])
    area = {"type": "rect", "xref": "x", "yref": "y domain", "x0": left, "x1": high, "y0": 0, "y1": 1}
    area |= {"fillcolor": style.GRID, "opacity": 0.5, "line": {"width": 0}, "layer": "below"}
    text = "ξ<sub>c</sub> infinite"
    return [area], [style.note(text, (left + high) / 2, 0.5, yref="y domain", color=MUTED)]


def _layers(depth: float) -> str:
    """A depth in words."""
    if np.isinf(depth):
        return "∞"
    return f"{depth:.3g} layers" if depth < 1000 else f"{depth:,.0f} layers"


def depth_scale_alt(now: MeanField[float], critical: float) -> str:
    """One sentence with the numbers of ``depth_scale``."""
    pole = "no σ_w is critical" if np.isnan(critical) else f"ξ_c grows without limit at σ_w = {critical:.3g}"
    return (
        f"At σ_w = {now.sigma_w:.3g} the depth is {_layers(now.xi_c)} for correlations and "
        f"{_layers(now.xi_q)} for lengths; {pole}."
    )


def plot_depth_scale(field: MeanField[float], *, dark: bool = False) -> go.Figure:
    """Depth scales of networks like this one with other σ_w."""
    from explorer.theory.mean_field import critical_line, mean_field_curve

    others = {"input_variance": field.input_variance, "bias_mean": field.bias_mean}
    critical = float(critical_line(field.activation, field.sigma_b, **others))
    grid = sigma_grid(0.05, sigma_end(field.sigma_w, critical), critical)
    curve = mean_field_curve(field.activation, sigma_w=grid, sigma_b=field.sigma_b, **others)
    return style.themed(depth_scale(curve, field, critical), dark)
