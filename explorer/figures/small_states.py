"""Small multiples of hidden states: one heat map for each architecture, all on one colour scale."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from explorer.figures import style
from explorer.figures.state_colors import DIVERGING, chosen_units
from explorer.figures.style import Figure

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from explorer.measures.architecture_table import ArchitectureRun

MAX_UNITS = 32  # of each architecture: more rows than a small picture has lines for
_LARGEST = 3e38  # what the browser's numbers hold
_LABEL = 0.34  # of a picture's height, above it


def small_states(states: Mapping[str, np.ndarray], sizes: Mapping[str, int] | None = None) -> Figure:
    """Hidden states of one sample, architectures under each other on one time axis.

    Args:
        states: label → h_1 … h_T, [T, H] (T and H may differ). One colour scale for all: its ends are what
            usual states of the usual architecture reach, and everything beyond has the colour of the ends.
        sizes: label → number of units, where ``states`` hold ``chosen_units`` of them only.
    """
    limit = color_limit(states)
    pitch = 1 / len(states)
    data: list[Figure] = []
    notes: list[Figure] = []
    axes: Figure = {}
    for k, (label, values) in enumerate(states.items()):
        size, suffix = (sizes or {}).get(label, values.shape[1]), "" if k == 0 else str(k + 1)
        units = chosen_units(size, MAX_UNITS)
        shown = values if values.shape[1] == len(units) else values[:, units]
        z = np.clip(shown.T, -_LARGEST, _LARGEST)
        hover = f"{label}<br>t = %{{x}}, unit %{{y}}<br>h = %{{z:.3g}}<extra></extra>"
        heat = {"type": "heatmap", "x": np.arange(1, len(values) + 1), "name": label}
        heat |= {"z": np.ascontiguousarray(z, dtype=np.float32), "y": units}
        data.append(heat | {"coloraxis": "coloraxis", "yaxis": f"y{suffix}", "hovertemplate": hover})
        top = 1 - (k + _LABEL) * pitch
        ends = {"domain": [1 - (k + 1) * pitch, top], "showgrid": False, "showticklabels": False, "ticks": ""}
        axes[f"yaxis{suffix}"] = style.axis("", -0.5, size - 0.5, **ends)
        many = f"{len(units)} of {size} units" if len(units) < size else f"{size} units"
        place: Figure = {"xanchor": "left", "yanchor": "bottom", "yshift": 1, "color": style.TEXT}
        notes.append(style.note(f"<b>{label}</b>  {many}", 0, top, paper=True, **place))
    longest = max(len(values) for values in states.values())
    bottom = f"y{len(states)}" if len(states) > 1 else "y"
    ticks = {"tickvals": [-limit, 0, limit], "ticktext": [f"≤ −{limit:g}", "0", f"≥ {limit:g}"]}
    bar = ticks | {"thickness": 10, "xpad": 4, "outlinewidth": 0, "tickfont": {"size": style.SMALL}}
    layout = style.layout(
        f"small_states:{longest}:{len(states)}",
        meta={"x": "time step t", "y": "unit", "z": "h"},
        xaxis=style.time_axis(longest, showgrid=False, anchor=bottom),
        coloraxis={"colorscale": DIVERGING, "cmin": -limit, "cmax": limit, "colorbar": bar},
        annotations=notes,
        margin=style.MARGIN | {"r": 4, "l": 12},
        **axes,
    )
    if any(np.isnan(values).any() for values in states.values()):
        layout["plot_bgcolor"] = style.MUTED
        place = {"xanchor": "right", "yanchor": "bottom", "yshift": 1}
        notes.append(style.note("grey: not a number", 1, 1 - _LABEL * pitch, paper=True, **place))
    return {"data": data, "layout": layout}


def color_limit(states: Mapping[str, np.ndarray]) -> float:
    """The end of the colour scale: 1, 2 or 5 times a power of ten.

    The median over the architectures of what 98 % of their |h| stay below: one that runs to thousands must
    not turn all the others white. 1 where nothing is finite or everything is 0.
    """
    reach = []
    for values in states.values():
        sizes = np.abs(values[np.isfinite(values)])
        reach.append(float(np.quantile(sizes, 0.98)) if sizes.size else 0.0)
    usual = float(np.sort(reach)[len(reach) // 2])
    if not 1e-30 < usual < 1e30:
        return 1.0
    power = 10.0 ** math.floor(math.log10(usual))
    return float(next((m * power for m in (1, 2, 5) if m * power >= 0.999 * usual), 10 * power))


def small_states_alt(states: Mapping[str, np.ndarray]) -> str:
    """One sentence with the numbers of ``small_states``."""
    said = []
    for label, values in states.items():
        good = np.abs(values[np.isfinite(values)])
        largest = f"largest |h| drawn {good.max():.3g}" if good.size else "no finite number"
        bad = values.size - good.size
        said.append(f"{label}: {largest}" + (f", {bad} values not finite" if bad else ""))
    return f"Hidden states of one sample: {'; '.join(said)}."


def top_states(found: ArchitectureRun, sample: int = 0) -> np.ndarray:
    """h_1 … h_T of one sample in the top layer, both directions side by side, [T, D·H]."""
    top = found.num_layers - 1
    return np.concatenate([found.states(top, d)[1:, sample] for d in range(found.directions)], axis=1)


def plot_small_states(
    runs: Mapping[str, ArchitectureRun], *, sample: int = 0, dark: bool = False
) -> go.Figure:
    """Hidden states of one sample in the top layer of several named runs."""
    return style.themed(
        small_states({label: top_states(found, sample) for label, found in runs.items()}), dark
    )
