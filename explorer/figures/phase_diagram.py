"""Phase diagram: one number over two settings, coarse at first, with the line that theory draws."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from explorer.figures import style
from explorer.figures.state_colors import nice_limit
from explorer.figures.style import BACKGROUND, MUTED, TEXT, Figure
from explorer.sweep.measures import MEASURES

if TYPE_CHECKING:
    import plotly.graph_objects as go
    import xarray as xr

PHASE_TRACES = {"map": 0, "exactly 0": 1, "critical": 2}
_LOSING_GAINING: list[list[float | str]] = [[0.0, "#2B8CDB"], [0.5, BACKGROUND], [1.0, "#E0762A"]]
_RISING: list[list[float | str]] = [[0.0, BACKGROUND], [1.0, "#2B8CDB"]]
_SHADE = "rgba(127,127,127,0.28)"


@dataclass(frozen=True)
class Axis:
    """One setting of a phase diagram: its name on screen and the values [n] that were computed."""

    title: str
    values: np.ndarray

    @property
    def span(self) -> tuple[float, float]:
        """From edge to edge of the outer cells."""
        values = self.values
        if len(values) < 2:
            return float(values[0]) - 0.5, float(values[0]) + 0.5
        first, last = values[1] - values[0], values[-1] - values[-2]
        return float(values[0] - first / 2), float(values[-1] + last / 2)


@dataclass(frozen=True)
class Theory:
    """χ₁ [ny, nx] over the same two settings, and by which share measured growth may differ from it."""

    chi: np.ndarray
    tolerance: float


@dataclass(frozen=True)
class Quantity:
    """What the colours show.

    Attributes:
        label: what the number is.
        units: its units.
        knee: 0 is where regimes meet, and colours follow asinh(value / knee): in proportion to the number
            below ``knee`` and to its logarithm far above, since vanishing is steep and explosion is slow.
            None where the number is never negative and drawn in proportion.
    """

    label: str
    units: str
    knee: float | None = None


_KNEES = {"decades_per_step": 0.01, "gradient_norm": 1.0, "lyapunov": 0.01}
QUANTITIES = {
    name: Quantity(measure.label, measure.units, _KNEES.get(name)) for name, measure in MEASURES.items()
}
"""What the colours of each of a sweep's measures show."""


def phase_diagram(
    x: Axis, y: Axis, values: np.ndarray, quantity: Quantity, theory: Theory | None = None
) -> Figure:
    """Heat map of one measure.

    Args:
        x: the setting along the page.
        y: the setting up the page.
        values: [ny, nx]; NaN where nothing is computed yet or no number came out, −inf for an exact 0.
        quantity: what the numbers are; where their sign tells regimes apart blue is below 0, orange above.
        theory: the line χ₁ = 1 is drawn with its band.
    """
    values = np.asarray(values, float)
    where = f"{x.title} = %{{x:.4g}}<br>{y.title} = %{{y:.4g}}"
    rows, columns = np.nonzero(values == -np.inf)
    marker = {"symbol": "x-thin", "size": 7, "line": {"width": 2, "color": MUTED}}
    zeros: Figure = {"type": "scatter", "mode": "markers", "x": x.values[columns], "y": y.values[rows]}
    zeros |= {"marker": marker, "name": "exactly 0", "hovertemplate": f"{where}<br>exactly 0<extra></extra>"}
    data, keys = [_heat(x, y, values, quantity, where), zeros], []
    if len(rows):
        keys.append(("exactly 0", MUTED, "cross"))
    if theory is not None:
        data += _critical(x, y, theory)
        keys.append(("theory: χ₁ = 1", TEXT, "solid"))
    layout = style.layout(
        f"phase:{x.title}:{y.title}",
        xaxis=style.axis(x.title, *x.span, showgrid=False),
        yaxis=style.axis(y.title, *y.span, showgrid=False),
        annotations=[style.key(*keys)] if keys else [],
        margin=style.MARGIN | {"t": style.LEGEND_TOP, "l": 64},
        meta={"x": x.title, "y": y.title, "z": _named(quantity)},
    )
    return {"data": data, "layout": layout}


def _named(quantity: Quantity) -> str:
    return f"{quantity.label} ({quantity.units})" if quantity.units else quantity.label


def _heat(x: Axis, y: Axis, values: np.ndarray, quantity: Quantity, where: str) -> Figure:
    """The map itself; hovering shows the numbers, whatever the colours do."""
    shown = np.where(np.isfinite(values), values, np.nan)
    finite = np.abs(shown[np.isfinite(shown)])
    top = nice_limit(float(np.quantile(finite, 0.98))) if len(finite) else 1.0
    bar: Figure = {
        "thickness": 12,
        "outlinewidth": 0,
        "title": {"text": quantity.units or quantity.label, "side": "right"},
    }
    knee = quantity.knee
    heat: Figure = {"type": "heatmap", "x": x.values, "y": y.values, "name": quantity.label}
    if knee is None:
        heat |= {"z": shown, "zmin": 0, "zmax": top, "colorscale": _RISING}
    else:
        steps = knee * 10.0 ** np.arange(np.floor(np.log10(top / knee)) + 1)
        ticks = np.concatenate([-steps[::-1], [0], steps])
        bar |= {"tickvals": np.arcsinh(ticks / knee), "ticktext": [f"{tick:.4g}" for tick in ticks]}
        end = float(np.arcsinh(top / knee))
        heat |= {"z": np.arcsinh(shown / knee), "zmin": -end, "zmax": end, "colorscale": _LOSING_GAINING}
    said = f"{where}<br>{quantity.label}: %{{customdata:.4g}} {quantity.units}<extra></extra>"
    return heat | {"colorbar": bar, "customdata": shown, "hovertemplate": said}


def _critical(x: Axis, y: Axis, theory: Theory) -> list[Figure]:
    """The line χ₁ = 1, and the band in which a network of this size may be on either side of it."""
    low, high = -np.log1p(theory.tolerance), np.log1p(theory.tolerance)
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.log(np.asarray(theory.chi, float))
    base: Figure = {"type": "contour", "x": x.values, "y": y.values, "z": z, "hoverinfo": "skip"}
    base |= {"showscale": False, "contours": {"start": 0, "end": 0, "size": 1, "coloring": "none"}}
    line = base | {"line": {"color": TEXT, "width": style.WIDTH}, "name": "critical"}
    band: Figure = base | {"line": {"width": 0}, "name": "band", "opacity": 1.0}
    between = {"type": "constraint", "operation": "][", "value": [low, high]}
    return [line, band | {"contours": between, "fillcolor": _SHADE}]


def phase_diagram_alt(x: Axis, y: Axis, values: np.ndarray, quantity: Quantity) -> str:
    """One sentence with the numbers of ``phase_diagram``."""
    values = np.asarray(values, float)
    known = np.where(np.isfinite(values), values, np.nan)
    if np.isnan(known).all():
        return f"{quantity.label}: nothing is computed yet."
    ends = (np.unravel_index(int(find(known)), known.shape) for find in (np.nanargmin, np.nanargmax))
    said = [
        f"{known[row, column]:.3g} {quantity.units} at {x.title} {x.values[column]:.3g} "
        f"and {y.title} {y.values[row]:.3g}"
        for row, column in ends
    ]
    zeros = int((values == -np.inf).sum())
    more = f"; {zeros} points are exactly 0" if zeros else ""
    return f"{quantity.label} lies between {said[0]} and {said[1]}{more}."


def plot_phase_diagram(found: xr.DataArray, *, theory: Theory | None = None, dark: bool = False) -> go.Figure:
    """What ``sweep`` found over two settings, the first of them up the page.

    Raises ValueError for an array of more or fewer dimensions.
    """
    if found.ndim != 2:
        raise ValueError(
            f"a phase diagram has two settings; this array has {', '.join(map(str, found.dims))}"
        )
    y, x = (Axis(str(found[name].attrs["long_name"]), found[name].to_numpy()) for name in found.dims)
    return style.themed(phase_diagram(x, y, found.to_numpy(), QUANTITIES[str(found.name)], theory), dark)
