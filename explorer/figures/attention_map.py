"""Decoder step × encoder step: where the gradient goes, where the attention looks, and what states know."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from explorer.figures import decades as log
from explorer.figures import style
from explorer.figures.flow_colors import Span, flow_heat, flow_span
from explorer.figures.style import BLUE, OCHRE, TEXT, Figure, translucent

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from explorer.seq2seq import TranslatorTrace
    from explorer.seq2seq.reach import Reach

_PALE = 0.04  # opacity of a weight of 0


def attention_map(
    decades: np.ndarray,
    *,
    span: Span | None = None,
    marked: int | None = None,
    off: bool = False,
    eos: bool = False,
) -> Figure:
    """Heat map of log10 ‖∂L_j/∂h_i‖ [Td, Te], the first decoder step at the top.

    Args:
        decades: −inf is an exact 0, which has a colour of its own and is named.
        span: ends of the colour scale; give that of all maps that shall be compared.
        marked: decoder step j ≥ 1 whose row is framed.
        off: say that there is no attention.
        eos: say that the last row is that of ‹eos›.
    """
    heat = flow_heat(decades, span or flow_span(decades))
    hover = "decoder step j = %{y}, encoder step i = %{x}<br>‖∂L<sub>j</sub>/∂h<sub>i</sub>‖ = "
    size = decades.shape[1], decades.shape[0]
    title = "without attention" if off else "with attention"
    return _map(
        "attention_map",
        heat | {"name": "gradient", "hovertemplate": f"{hover}10<sup>%{{z:.2f}}</sup><extra></extra>"},
        size,
        zeros=(decades == -np.inf, hover),
        marked=marked,
        said=title,
        eos=eos,
        meta="log10 of the gradient",
    )


def attention_map_alt(decades: np.ndarray, step: int) -> str:
    """One sentence with the ends of row ``step`` ≥ 1 of ``attention_map``."""
    row = decades[step - 1]
    if (decades == -np.inf).all():
        return "All gradients are exactly 0."
    exact = int((decades == -np.inf).sum())
    said = f"The loss of decoder step {step} reaches h1 with {log.number(float(row[0]))}"
    if len(row) > 1:
        said += f" and h{len(row)} with {log.number(float(row[-1]))}"
    return f"{said}; {exact} of {decades.size} gradients are exactly 0." if exact else f"{said}."


def plot_attention_map(trace: TranslatorTrace, *, dark: bool = False) -> go.Figure:
    """Where the gradient of each decoder step goes in the encoder."""
    from explorer.seq2seq import gradient_map

    drawn = attention_map(gradient_map(trace), off=trace.weights is None, eos=trace.settings.eos)
    return style.themed(drawn, dark)


def attention_weights(weights: np.ndarray, *, marked: int | None = None, eos: bool = False) -> Figure:
    """Heat map of the weights α_ji [Td, Te] from 0 to 1; rows and frame as in ``attention_map``."""
    shown = np.ascontiguousarray(weights, dtype=np.float32)
    high = max(0.05, float(weights.max()))
    scale = [[0.0, translucent(BLUE, _PALE)], [1.0, translucent(BLUE, 1)]]
    bar = {"len": 1.0, "thickness": 10, "xpad": 4, "outlinewidth": 0, "nticks": 5}
    hover = "decoder step j = %{y}, encoder step i = %{x}<br>α<sub>ji</sub> = %{z:.3g}<extra></extra>"
    heat = {"type": "heatmap", "z": shown, "zmin": 0.0, "zmax": high, "colorscale": scale, "colorbar": bar}
    return _map(
        "attention_weights",
        heat | {"name": "weight", "hovertemplate": hover},
        (weights.shape[1], weights.shape[0]),
        marked=marked,
        eos=eos,
        meta="attention weight",
    )


def attention_weights_alt(weights: np.ndarray, step: int) -> str:
    """One sentence with the largest weight of row ``step`` ≥ 1 of ``attention_weights``."""
    row = weights[step - 1]
    return (
        f"Decoder step {step} looks most at encoder step {row.argmax() + 1} with a weight of "
        f"{log.plain(float(row.max()))}; the largest weight of all is {log.plain(float(weights.max()))}."
    )


def plot_attention_weights(trace: TranslatorTrace, *, dark: bool = False) -> go.Figure:
    """Where the attention looks; raises ValueError for a network without it."""
    if trace.weights is None:
        raise ValueError("attention is 'none'; weights belong to one of the other kinds")
    return style.themed(attention_weights(trace.weights, eos=trace.settings.eos), dark)


def annotation_reach(annotations: np.ndarray, start: np.ndarray) -> Figure:
    """Which tokens the states know of: log10 ‖∂h_i/∂x_k‖ [Te, Te], and s_0 [Te] as the lowest row."""
    count = len(start)
    z = np.vstack([annotations, np.full(count, np.nan), start])
    hover = "%{y}: token k = %{x}<br>dependence = "
    rows: Figure = {"y": np.append(np.arange(1, count + 1), [count + 1, count + 2])}
    heat = flow_heat(z, flow_span(z)) | rows
    found = _map(
        "annotation_reach",
        heat | {"name": "dependence", "hovertemplate": f"{hover}10<sup>%{{z:.2f}}</sup><extra></extra>"},
        (count, count + 2),
        zeros=(z == -np.inf, hover),
        meta="log10 of the dependence",
    )
    values = list(range(1, count + 1, max(1, count // 4)))[:4]
    ticks = {"tickvals": [*values, count + 2], "ticktext": [*(f"h{_low(v)}" for v in values), "s₀"]}
    found["layout"]["yaxis"] |= {"title": {"text": ""}, "tickmode": "array", **ticks}
    found["layout"]["xaxis"]["title"]["text"] = "source token k"
    found["layout"]["meta"] |= {"x": "source token k", "y": "row: h_i at i, the last is s_0"}
    return found


def annotation_reach_alt(annotations: np.ndarray, start: np.ndarray) -> str:
    """One sentence with the counts of ``annotation_reach``."""
    knows = (annotations > -np.inf).sum(axis=1)
    return (
        f"The middle annotation depends on {knows[len(knows) // 2]} of {len(start)} tokens, "
        f"the first on {knows[0]}, and the start state on {(start > -np.inf).sum()}."
    )


def plot_annotation_reach(found: Reach, *, dark: bool = False) -> go.Figure:
    """What each state of the encoder and the decoder's start know of the source."""
    return style.themed(annotation_reach(found.annotations, found.start), dark)


def _low(number: int) -> str:
    return str(number).translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))


def _map(
    name: str,
    heat: Figure,
    size: tuple[int, int],
    *,
    meta: str,
    zeros: tuple[np.ndarray, str] | None = None,
    marked: int | None = None,
    said: str = "",
    eos: bool = False,
) -> Figure:
    """A heat map of (columns, rows) counted from 1, rows downwards; the last row can be that of ‹eos›."""
    columns, rows = size
    place: Figure = {"x": np.arange(1, columns + 1), "y": np.arange(1, rows + 1)}
    data, notes = [place | heat], []
    if zeros is not None and zeros[0].any():
        mask, hover = zeros
        cells = {"z": np.where(mask, 1, np.nan).astype(np.float32), "colorscale": [[0, OCHRE], [1, OCHRE]]}
        looks = {"zmin": 0, "zmax": 1, "showscale": False, "name": "exactly 0"}
        data.append(place | {"type": "heatmap"} | cells | looks)
        data[-1]["hovertemplate"] = f"{hover}exactly 0<extra></extra>"
        notes.append(_above(f'<span style="color:{OCHRE}">■ exactly 0</span>', 1, "right"))
    if said:
        notes.append(_above(said, 0, "left"))
    layout = style.layout(
        f"{name}:{columns}:{rows}",
        meta={"x": "encoder step i", "y": "decoder step j", "z": meta},
        xaxis=_counted("encoder step i", columns, 0.5, columns + 0.5),
        yaxis=_counted("decoder step j", rows, rows + 0.5, 0.5, "‹eos›" if eos else ""),
        shapes=[] if marked is None else [_frame(marked, columns)],
        annotations=notes,
        margin=style.MARGIN | {"t": style.LEGEND_TOP},
    )
    return {"data": data, "layout": layout}


def _above(text: str, x: float, anchor: str) -> Figure:
    place: Figure = {"paper": True, "xanchor": anchor, "yanchor": "bottom", "yshift": 3}
    return style.note(text, x, 1, color=TEXT, **place)


def _counted(title: str, count: int, low: float, high: float, last: str = "") -> Figure:
    """An axis of whole numbers from 1, whose last one may have a name."""
    step = next(step for step in (1, 2, 5, 10) if count / step <= 8 or step == 10)
    values = [1, *range(step if step > 1 else 2, count + 1, step)]
    ticks: Figure = {"tickmode": "array", "tickvals": values}
    if last:
        values = [value for value in values if value <= count - step / 2]
        ticks |= {"tickvals": [*values, count], "ticktext": [*map(str, values), last]}
    return style.axis(title, low, high, showgrid=False, **ticks)


def _frame(row: int, columns: int) -> Figure:
    place = {"x0": 0.5, "x1": columns + 0.5, "y0": row - 0.5, "y1": row + 0.5}
    return {"type": "rect", "line": {"width": style.THIN, "color": TEXT}} | place
