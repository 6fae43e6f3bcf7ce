"""One wiring of a cell: which states read, which are read, and how much gradient comes on each way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from explorer.figures import decades as log
from explorer.figures import style
from explorer.figures.flow_arrows import Arrow, Point, circles, heads, scale_note, shaft
from explorer.figures.flow_colors import Span, flow_span
from explorer.figures.style import BACKGROUND, BLUE, COLORS, MUTED, TEXT, Figure

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from explorer.lessons.wirings import Wiring

_GAP = 0.27  # between a node's centre and an arrow's end, in rows
_ROOM = 0.25  # the same along the row, in columns
_THIN = 0.5  # of the usual width: there are many arrows in little room
_LEAST = 7  # pixels of an arrow's head
_FAINT = 0.3  # opacity of the looks of other steps
_UP = 2.1  # how much higher a decoder stands than the encoder, in rows
WIRING_TRACES = {"heads": 0, "states": 1, "inputs": 2, "losses": 3, "others": 4}


def wiring_span(*wirings: Wiring) -> Span:
    """Ends of the scale of widths and colours for several wirings that shall be compared."""
    parts = [part for w in wirings for part in (w.along, w.losses, w.inputs, w.shortcuts)]
    return flow_span(*parts)


def wiring(found: Wiring, span: Span | None = None, *, key: bool = True, marked: int | None = None) -> Figure:
    """States in the middle row, inputs below, losses above; arrows in the direction of the gradient.

    An arrow is as wide and as strong in colour as the gradient that comes on it; dotted is exactly 0. What is
    not read and has no loss has no node there. Of a decoder with attention the looks of one step are drawn
    like this, those of all others as hair lines, and not where exactly 0 comes on them.

    Args:
        found: the wiring.
        span: ends of the scale of widths and colours; give that of all wirings that shall be compared.
        key: say what thin and wide mean.
        marked: the decoder step j ≥ 1 whose looks are drawn; usually the last.
    """
    count, span, y = len(found.states), span or wiring_span(found), _heights(found)
    looks = ~np.isnan(found.shortcuts)
    first = int(looks.any(axis=1).argmax())  # state of the first step that looks
    chosen = (count if marked is None else first + marked) - 1
    looked = looks & (np.arange(count) == chosen)[:, None]
    others = _looks(found, looks & ~looked & (found.shortcuts > -np.inf))
    arrows = sorted([*_ways(found), *_looks(found, looked)], key=lambda one: one.decades)  # strongest on top
    size, two = (22 if count < 12 else 18), y.max() > y.min()  # two rows of states
    hidden: Figure = {"visible": False, "fixedrange": True}
    layout = style.layout(
        f"wiring:{count}:{found.states[-1]}",
        meta={"x": "state in the order of computing", "y": "row: input, state, loss"},
        xaxis={"range": [-0.6, count - 0.4], **hidden},
        yaxis={"range": [-0.3, 1.3 + y.max() + 0.3 * found.ends], **hidden},
        shapes=[*(_hair(one, span) for one in others), *(shaft(one, span, _THIN) for one in arrows)],
        annotations=[*_names(found), *_whose(found, chosen, looks), *([_key(span, two)] if key else [])],
        margin={"l": 8, "r": 8, "t": 8 if two else style.LEGEND_TOP, "b": 8},
        hovermode="closest",
    )
    data = [heads(arrows, span, _THIN, _LEAST), *_nodes(found, size)]
    if looks.any():
        data[1]["marker"]["line"]["color"] = [BLUE if at == chosen else TEXT for at in range(count)]
    if others:
        data.append(heads(others, span, 0, 5))
        data[-1]["marker"]["opacity"] = 2 * _FAINT
    return {"data": data, "layout": layout}


def _heights(found: Wiring) -> np.ndarray:
    """The row of each state, [n]: those of a decoder stand higher."""
    return np.array([1.0 + _UP * name.startswith("s") for name in found.states])


def _ways(found: Wiring) -> list[Arrow]:
    """Arrows down from losses, back along the row, and down to inputs."""
    ways, y = [], _heights(found).tolist()
    ends: tuple[Point, Point]
    for at, name in enumerate(found.states):
        if not np.isnan(found.losses[at]):
            ends = (at, y[at] + 1 - _GAP), (at, y[at] + _GAP)
            ways.append(Arrow(*ends, found.losses[at], f"from the loss into {name}"))
        if not np.isnan(found.along[at]):
            ends = (at + 1 - _ROOM, y[at + 1]), (at + _ROOM, y[at])
            ways.append(Arrow(*ends, found.along[at], f"from {found.states[at + 1]} into {name}"))
        if found.reads[at]:
            ends = (at, y[at] - _GAP), (at, y[at] - 1 + _GAP)
            ways.append(Arrow(*ends, found.inputs[at], f"from {name} into its input"))
    return ways


def _looks(found: Wiring, which: np.ndarray) -> list[Arrow]:
    """Arrows over to what was looked at, of the looks [n, n] that are asked for."""
    y = _heights(found).tolist()
    return [
        Arrow(
            (j - 0.6 * _ROOM, y[j] - 0.9 * _GAP),
            (i, y[i] + _GAP),
            found.shortcuts[j, i],
            f"from the look of {found.states[j]} into {found.states[i]}",
        )
        for j, i in np.argwhere(which).tolist()
    ]


def _hair(arrow: Arrow, span: Span) -> Figure:
    """A look that is seen to be there, and no more."""
    found = shaft(arrow, span)
    return found | {"line": found["line"] | {"width": 1}, "opacity": _FAINT}


def _nodes(found: Wiring, size: int) -> list[Figure]:
    """States, inputs and losses as circles; a name that is too long for one stands below it."""
    x, y = np.arange(len(found.states)), _heights(found)
    reads, read = np.array([bool(name) for name in found.reads]), ~np.isnan(found.losses)
    said = [
        f"∂L/∂{name} = {log.number(float(d))}" for name, d in zip(found.states, found.reached, strict=True)
    ]
    names = [name for name in found.reads if name]
    letters = [name if len(name) == 1 else "y" for name in names]

    def places(which: np.ndarray, up: int) -> list[Point]:
        return list(zip(x[which].tolist(), (y[which] + up).tolist(), strict=True))

    return [
        circles(list(found.states), places(x >= 0, 0), said, TEXT, size),
        circles(letters, places(reads, -1), [f"input {name}" for name in names], MUTED, size),
        circles(["L"] * read.sum(), places(read, 1), ["loss"] * read.sum(), COLORS["loss"], size),
    ]


def _names(found: Wiring) -> list[Figure]:
    """‹bos› below the input that it is, and ‹eos› above the loss of the state that has to say it."""
    y = _heights(found)
    notes = [
        style.note(name, at, y[at] - 1, yanchor="top", yshift=-13, xshift=6, bgcolor=BACKGROUND)
        for at, name in enumerate(found.reads)
        if len(name) > 1
    ]
    if found.ends:
        notes.append(
            style.note("‹eos›", len(y) - 1, y[-1] + 1, yanchor="bottom", yshift=10, color=COLORS["loss"])
        )
    return notes


def _key(span: Span, two: bool) -> Figure:
    """What thin and wide mean: above, or below a decoder, where there is room."""
    found = scale_note(span)
    return (
        found | {"text": found["text"].replace(" · ", "<br>"), "y": 0, "yshift": 0, "align": "right"}
        if two
        else found
    )


def _whose(found: Wiring, chosen: int, looks: np.ndarray) -> list[Figure]:
    """Which looks are strong, where there is attention."""
    if not looks.any():
        return []
    others = "others above 0" if (found.shortcuts == -np.inf).any() else "all others"
    text = f"<b>looks of {found.states[chosen]}</b><br>hair lines: {others}"
    place: Figure = {"xanchor": "left", "yanchor": "top", "align": "left"}
    return [style.note(text, -0.4, _heights(found)[-1] + 1.2, color=BLUE, **place)]


def wiring_alt(found: Wiring) -> str:
    """One sentence with the counts and the gradient of the first state."""
    reads, read = sum(map(bool, found.reads)), int((~np.isnan(found.losses)).sum())
    return (
        f"{reads} of {len(found.states)} states read an input and {read} are read by a loss; "
        f"{found.states[0]} receives a gradient of {log.number(float(found.reached[0]))}."
    )


def plot_wiring(found: Wiring, *, dark: bool = False) -> go.Figure:
    """A wiring of ``explorer.lessons.wirings``."""
    return style.themed(wiring(found), dark)
