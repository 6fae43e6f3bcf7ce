"""Linked figures: one live Plotly graph per figure, one time cursor, a knob scrubbed in the browser."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from explorer.app.panel.packet import Arrays, figure_spec, join_packet, packed_figure
from explorer.app.panel.plotly_script import plotly_script_path

__all__ = ["PanelFigure", "PanelResult", "Scrub", "frames", "panel"]

_HERE = Path(__file__).parent
Track = np.ndarray | tuple[np.ndarray, np.ndarray]
"""What a trace shows for every value of a knob: y [G, points], or (x, y) where x moves as well."""


def _source(*names: str) -> str:
    return "\n".join((_HERE / name).read_text(encoding="utf-8") for name in names)


_PANEL = st.components.v2.component(
    "explorer_panel",
    css=_source("panel.css"),
    js=_source("basics.js", "export.js", "motion.js", "figure.js", "scrub.js", "panel.js"),
    isolate_styles=False,
)
_HANDOVER = st.components.v2.component(
    "explorer_panel_handover", js=_source("handover.js"), isolate_styles=False
)


@dataclass(frozen=True)
class PanelFigure:
    """One figure of the panel.

    ``figure`` is a plain Plotly dict, ``{"data": [...], "layout": {...}}``, with numpy arrays inside, or a
    function that returns it together with its ``alt``: such a function is called once all other figures are
    on their way to the browser, which draws them meanwhile.

    The colours ``"token:text"``, ``"token:muted"``, ``"token:grid"`` and ``"token:background"`` follow the
    theme; all others stay as they are. The panel supplies fonts, grid and margins as a template, so the
    layout states only what differs. A main figure with ``showlegend`` False uses the read-out line as its
    legend.
    """

    id: str
    """Stable name, also the name of downloaded files."""
    title: str
    """Short heading above the plot."""
    explain: str
    """One sentence behind the (i) button."""
    figure: Mapping[str, Any] | Callable[[], tuple[Mapping[str, Any], str]]
    """Plain Plotly dict, or what makes it and its ``alt`` later."""
    span: int = 4
    """Columns out of 12 on wide screens."""
    height: int = 300
    """Smallest height of the plot in pixels; it grows with its row."""
    fill: float = 0
    """Where not 0: it grows with the window, so that nothing of a large screen is wasted; so many rem of the
    window are left for what stands above. For the first row of a page with one row."""
    wide: int = 0
    """Smallest width of the plot in pixels: a narrower window scrolls it sideways, along with its slider."""
    time_axis: bool = False
    """The first x axis counts time steps, so the figure takes part in the cursor."""
    alt: str = ""
    """What the figure shows, for readers who cannot see it."""
    rows: int = 1
    """Grid rows on wide screens."""
    link: Mapping[str, str] | None = None
    """For a map of settings: ``query`` with all other settings, and the paths ``x`` and ``y`` of the axes; a
    click on a point opens *Gradient flow* with them."""


@dataclass(frozen=True)
class Scrub:
    """Which figure carries the scrub slider, and where its knob stands now."""

    figure: str
    """Id of the figure."""
    knob: str
    """Label of the slider, e.g. "weight scale"."""
    value: float
    """The knob's current value."""
    revision: str
    """Everything but the knob that decides the picture; frames of another revision are ignored."""
    hint: str = "computing…"
    """What the slider says while it has no frames."""
    beat: int = 0
    """Milliseconds that every value is shown for when the play button is pressed; 0: there is no button."""


@dataclass(frozen=True)
class PanelResult:
    """What the reader did in the browser."""

    cursor: int
    """Time step last chosen in the browser; the given cursor before any movement."""
    commit: float | None
    """Value on which the scrub slider was released just now, else None."""
    rests: bool
    """The browser has drawn the picture of this ``token`` and nothing has moved since."""


_DESCRIBED = ("id", "title", "explain", "alt", "span", "rows", "height", "fill", "wide", "time_axis", "link")


def _state(key: str) -> Mapping[str, Any]:
    state = st.session_state.get(key)
    return state if isinstance(state, Mapping) else {}


def panel(
    figures: Sequence[PanelFigure],
    *,
    num_steps: int,
    cursor: int,
    key: str,
    scrub: Scrub | None = None,
    token: str = "",
    on_cursor: Callable[[int], None] | None = None,
    on_commit: Callable[[float], None] | None = None,
) -> PanelResult:
    """Draw linked figures; the time cursor runs over the steps 0 … ``num_steps``.

    The first figure with a time axis is the main figure: it carries the cursor's flag and the read-out of its
    curves. ``on_cursor`` gets the new step 150 ms after the cursor stopped, ``on_commit`` the knob's value
    when the scrub slider is released; both run before the script, as Streamlit's callbacks do.

    A quarter of a second after the picture is drawn the browser sends ``token`` back and the script runs
    again with ``rests`` True: what the script does only then cannot delay a picture.
    """
    ids = [figure.id for figure in figures]
    if len(set(ids)) < len(ids):
        raise ValueError(f"figure ids must differ: {ids}")
    if scrub is not None and scrub.figure not in ids:
        raise ValueError(f"the scrub slider belongs to figure {scrub.figure!r}, which is not among {ids}")

    def moved() -> None:
        if on_cursor is not None and _state(key).get("cursor") is not None:
            on_cursor(int(_state(key)["cursor"]))

    def committed() -> None:
        if on_commit is not None and _state(key).get("commit") is not None:
            on_commit(float(_state(key)["commit"]))

    mark = blake2b(token.encode(), digest_size=8).hexdigest()
    picture = st.session_state[f"{key}-picture"] = st.session_state.get(f"{key}-picture", 0) + 1
    head = {
        "panel": key,
        "picture": picture,
        "num_steps": int(num_steps),
        "cursor": int(cursor),
        "seen": _state(key).get("cursor"),
        "token": mark,
        "plotly": plotly_script_path(),
        "scrub": None if scrub is None else {**vars(scrub), "value": float(scrub.value)},
    }
    main = next((figure.id for figure in figures if figure.time_axis), "")
    result = _PANEL(
        key=key,
        data=_packet(head, figures, num_steps, main),
        on_rested_change=lambda: None,
        on_cursor_change=moved,
        on_commit_change=committed,
    )
    later = [_ready(figure) for figure in figures if callable(figure.figure)]
    if later:
        head = {"panel": key, "kind": "later", "picture": picture}
        _HANDOVER(key=f"{key}-later", data=_packet(head, later, num_steps, main))
    chosen, commit = result.get("cursor"), result.get("commit")
    return PanelResult(
        cursor=cursor if chosen is None else int(chosen),
        commit=None if commit is None else float(commit),
        rests=result.get("rested") == mark,
    )


def _ready(item: PanelFigure) -> PanelFigure:
    """The figure with what was put off until now."""
    if not callable(item.figure):
        return item
    figure, alt = item.figure()
    return replace(item, figure=figure, alt=alt)


def _packet(head: Mapping[str, Any], figures: Sequence[PanelFigure], num_steps: int, main: str) -> bytes:
    """Header and figures; of those that come later only the place."""
    specs: list[str] = []
    parts: list[bytes] = []
    base = 0
    for item in figures:
        meta = {name: getattr(item, name) for name in _DESCRIBED} | {"main": item.id == main}
        if callable(item.figure):
            specs.append(json.dumps(meta | {"later": True}))
            continue
        spec, arrays, digest = figure_spec(item.figure)
        meta |= {"hash": f"{digest}:{num_steps}", "base": base}
        specs.append(f'{json.dumps(meta)[:-1]}, "spec": {spec}}}')
        parts += arrays.parts
        base += arrays.size
    return join_packet(f'{json.dumps(head)[:-1]}, "figures": [{", ".join(specs)}]}}', parts)


def frames(
    *,
    key: str,
    revision: str,
    values: np.ndarray,
    tracks: Mapping[int, Track] | None = None,
    pictures: Sequence[Mapping[str, Any]] = (),
    figures: Mapping[str, Mapping[int, Track]] | None = None,
    scale_figures: Mapping[str, Mapping[str, Any]] | None = None,
    captions: Sequence[str] | None = None,
    layout: Mapping[str, Any] | None = None,
    views: Sequence[Mapping[str, Any]] = (),
    view_of: Sequence[int] = (),
) -> None:
    """Hand the panel ``key`` its curves for every value of the knob; call it after :func:`panel`.

    ``values`` [G] are the knob's values in rising order. ``tracks`` maps a trace's index in the scrub figure
    to what it shows; ``figures`` has such tracks for other figures by id. ``scale_figures`` maps a figure's
    id to ``{"trace": int, "x": [N], "y": [N]}``: coordinates for the knob at 1, which are multiplied by its
    value. Where more than curves changes, ``pictures`` [G] are whole Plotly figures for the scrub figure,
    each with the same traces. ``captions`` [G] stand beside the slider while it moves.

    Frames of the same ``revision`` may come again with other values; while the slider is dragged they wait.
    """
    count = len(values)
    arrays = Arrays()

    def packed(parts: Mapping[int, Track]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for index, track in parts.items():
            pair = track if isinstance(track, tuple) else (track,)
            for curves in pair:
                if np.ndim(curves) != 2 or len(curves) != count:
                    shape = np.shape(curves)
                    raise ValueError(f"track {index} must have shape [{count}, points], not {shape}")
            places = [arrays.add(np.asarray(curves, dtype="<f4")) for curves in pair]
            found[str(index)] = {"x": places[0], "y": places[1]} if len(places) > 1 else places[0]
        return found

    if captions is not None and len(captions) != count:
        raise ValueError(f"{len(captions)} captions for {count} values")
    if pictures and len(pictures) != count:
        raise ValueError(f"{len(pictures)} pictures for {count} values")
    if len(view_of) != (count if views else 0):
        raise ValueError(f"view_of has {len(view_of)} entries for {len(views)} views and {count} values")
    head = {
        "panel": key,
        "kind": "frames",
        "revision": revision,
        "values": arrays.add(np.asarray(values, dtype="<f8")),
        "tracks": packed(tracks or {}),
        "pictures": [packed_figure(picture, arrays) for picture in pictures],
        "figures": {name: packed(parts) for name, parts in (figures or {}).items()},
        "scales": {
            name: {
                "trace": int(part["trace"]),
                "x": arrays.add(np.asarray(part["x"], dtype="<f8")),
                "y": arrays.add(np.asarray(part["y"], dtype="<f8")),
            }
            for name, part in (scale_figures or {}).items()
        },
        "captions": None if captions is None else list(captions),
        "layout": layout,
        "views": list(views),
        "view_of": list(view_of),
    }
    _HANDOVER(key=f"{key}-frames", data=join_packet(json.dumps(head), arrays.parts))
