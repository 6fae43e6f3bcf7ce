"""Gradients of many random networks over depth, one fan of seeds for each way of joining layers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from explorer.ensembles.layers import KINDS
from explorer.figures import decades as log
from explorer.figures import style
from explorer.figures.kind_looks import THEORY, check_kinds, kind_look, theory_curve
from explorer.figures.style import Figure

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from explorer.ensembles.products import GradientFan

_GAP = 0.12  # between two panels, as a share of a panel's width
_ROOMY = 4  # of more panels the names are broken into two lines
_LINE = 18  # pixels of a line of a name


def tied_fan(log_norms: Mapping[str, np.ndarray], theory: Mapping[str, np.ndarray] | None = None) -> Figure:
    """log10 norm of the gradient over the number of layers it has passed, a panel for each kind on one scale.

    Args:
        log_norms: kind of ``KINDS`` → [seeds, K+1], −inf where exactly 0.
        theory: kind → [K+1], the mean in theory; NaN where there is none.

    Raises ValueError for no kind or one that is not in ``KINDS``.
    """
    check_kinds(log_norms)
    laws = {kind: np.asarray(mean, dtype=float) for kind, mean in (theory or {}).items() if kind in log_norms}
    fans = {kind: np.asarray(fan, dtype=float) for kind, fan in log_norms.items()}
    low, high = log.decade_range(*fans.values(), *laws.values())
    wrapped = len(fans) > _ROOMY
    data, notes, axes = [], [], {}
    for place, (kind, fan) in enumerate(fans.items()):
        number = str(place + 1) if place else ""
        title = f"layers k<br>{THEORY}" if kind in laws and np.isfinite(laws[kind]).any() else "layers k"
        axes[f"xaxis{number}"] = _panel_axis(title, place, len(fans), fan.shape[1] - 1)
        curves = [_seeds(kind, fan), _median(kind, fan)]
        curves += [_theory(kind, laws[kind])] if kind in laws else []
        data += [curve | {"xaxis": f"x{number}"} for curve in curves]
        notes += _words(kind, fan, f"x{number} domain", "<br>" if wrapped else " ")
    layout = style.layout(
        f"tied_fan:{','.join(fans)}",
        meta={"x": "layers k back from the loss", "y": "log10 of the norm"},
        yaxis=log.decade_axis("size of gradient", low, high),
        annotations=notes,
        hovermode="closest",
        margin=style.MARGIN | {"t": style.LEGEND_TOP + _LINE * wrapped},
        **axes,
    )
    return {"data": data, "layout": layout}


def _panel_axis(title: str, place: int, panels: int, last: int) -> Figure:
    """The x axis of one panel; only the first has a tick at 0, which would touch the last tick before it."""
    width = 1 / (panels + _GAP * (panels - 1))
    left = place * width * (1 + _GAP)
    ticks = sorted({last // 2, last} if place else {0, last // 2, last})
    shown = style.time_axis(last, tickmode="array", tickvals=ticks, domain=[left, min(left + width, 1.0)])
    shown["title"] |= {"text": title}
    return shown | ({"matches": "x"} if place else {})


def _seeds(kind: str, fan: np.ndarray) -> Figure:
    """All seeds as one thin trace with gaps."""
    count, states = fan.shape
    y = np.full((count, states + 1), np.nan)
    y[:, :-1] = log.finite(fan)
    x = np.tile(np.append(np.arange(float(states)), np.nan), count)
    line = {"width": 1, "color": style.translucent(kind_look(kind)[0], 0.5)}
    shown = {"type": "scatter", "mode": "lines", "x": x, "y": y.ravel(), "line": line}
    return shown | {"name": f"seeds, {KINDS[kind].label}", "hoverinfo": "skip"}


def _median(kind: str, fan: np.ndarray) -> Figure:
    y = log.finite(log.quantiles(fan.T, (0.5,))[0])
    line = {"width": style.WIDTH + 0.5, "color": kind_look(kind)[0]}
    shown = {"type": "scatter", "mode": "lines", "x": np.arange(len(y)), "y": y, "line": line}
    shown |= log.dots(y, kind_look(kind)[0])
    hover = f"{KINDS[kind].label}<br>{log.log_hover('median', 'k')}"
    return shown | {"name": KINDS[kind].label, "meta": "decades", "hovertemplate": hover}


def _theory(kind: str, mean: np.ndarray) -> Figure:
    hover = f"{KINDS[kind].label}<br>{log.log_hover('mean in theory', 'k')}"
    curve = theory_curve(kind, np.arange(len(mean)), log.finite(mean))
    return curve | {"meta": "decades", "hovertemplate": hover}


def _words(kind: str, fan: np.ndarray, xref: str, space: str) -> list[Figure]:
    """The panel's name above it, and in how many seeds nothing is left."""
    centre: Figure = {"xref": xref, "yref": "paper", "xanchor": "center"}
    label = f"<b>{KINDS[kind].label.replace(' ', space)}</b>"
    notes = [style.note(label, 0.5, 1, color=kind_look(kind)[0], **centre, yanchor="bottom", yshift=3)]
    dead, count = int(np.isneginf(fan[:, -1]).sum()), len(fan)
    if dead:
        text = f"{dead} of {count}<br>exactly 0"
        notes.append(style.note(text, 0.5, 0, **centre, yanchor="bottom", bgcolor=style.BACKGROUND))
    return notes


def tied_fan_alt(log_norms: Mapping[str, np.ndarray]) -> str:
    """One sentence with the numbers of ``tied_fan``."""
    said = []
    for kind, fan in log_norms.items():
        ends = np.asarray(fan, dtype=float)[:, -1]
        low, middle, high = (log.number(float(q[0])) for q in log.quantiles(ends[None], (0, 0.5, 1)))
        said.append(f"{KINDS[kind].label} {middle} (from {low} to {high})")
    layers = max(np.asarray(fan).shape[1] for fan in log_norms.values()) - 1
    return (
        f"Median and range over the seeds of the gradient's length after {layers} layers: {'; '.join(said)}."
    )


def plot_tied_fan(fans: Sequence[GradientFan], *, dark: bool = False) -> go.Figure:
    """Fans of different kinds with the laws that hold for them."""
    from explorer.ensembles.growth_laws import applicable_law

    laws = {fan.stack.kind: applicable_law(fan.stack) for fan in fans}
    theory: dict[str, np.ndarray] = {kind: law.mean for kind, law in laws.items() if law is not None}
    return style.themed(tied_fan({fan.stack.kind: fan.log_norms for fan in fans}, theory), dark)
