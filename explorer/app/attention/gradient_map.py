"""Gradient map: where the gradient of each decoder step goes in the encoder, with and without attention."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from explorer import figures
from explorer.app import controls, state
from explorer.app.attention.estimators import estimators_of
from explorer.app.attention.map_words import map_words
from explorer.app.attention.setting import distance, mapped, reach, step_of
from explorer.app.attention.special_tokens import special_tokens
from explorer.app.panel import PanelFigure, panel
from explorer.app.picture import Drawn, later_figure, panel_figure
from explorer.app.sections import TONES
from explorer.app.stories import Story, story_buttons
from explorer.app.view import View
from explorer.experiment import Experiment
from explorer.figures.flow_colors import flow_span

KEY = "attention-map"
COMPARED = ("none", "additive", "dot", "general")
"""Kinds of attention that are drawn against distance; a chosen one that is none of them replaces the last."""
_NO_EXPERIMENT = Experiment()  # the texts of these figures name no setting
_FORWARD = {"attn_bidirectional": False, "attn_start": "last", "attn_kind": "additive"}
_BOTH = {"attn_bidirectional": True, "attn_kind": "additive"}
STORIES: dict[str, Story] = {
    "without": Story(
        "No attention",
        "How much of the loss of one decoder step is felt by the first word?",
        _FORWARD | {"attn_on": False, "attn_beside": "weights"},
    ),
    "with": Story(
        "With attention",
        "What does a direct way from every decoder step to every encoder step change?",
        _FORWARD | {"attn_on": True, "attn_beside": "weights"},
    ),
    "forward": Story(
        "Forward encoder only",
        "Attention reads hᵢ: what does hᵢ know of the words after it?",
        _FORWARD | {"attn_on": True, "attn_beside": "reach"},
    ),
    "both": Story(
        "Both directions",
        "What does hᵢ know if a second encoder reads from the end?",
        _BOTH | {"attn_start": "backward", "attn_on": True, "attn_beside": "reach"},
    ),
    "first": Story(
        "s₀ from →h₁",
        "What if s₀ is made of the forward encoder's first state?",
        _BOTH | {"attn_start": "first", "attn_on": False, "attn_beside": "reach"},
    ),
    "backward": Story(
        "s₀ from ←h₁",
        "Why does s₀ need the backward encoder's h₁?",
        _BOTH | {"attn_start": "backward", "attn_on": False, "attn_beside": "reach"},
    ),
    "hard": Story(
        "Hard attention",
        "A drawn position has no derivative: how do its scores learn?",
        _FORWARD | {"attn_kind": "hard", "attn_on": True, "attn_beside": "weights"},
    ),
}
"""Buttons, in the order of a lecture."""


def side_bar() -> None:
    """The encoder–decoder and its sequences."""
    view = state.view()

    def network() -> None:
        for name in ("kind", "cell", "bidirectional", "start"):
            controls.view_control(f"attn_{name}")
        if view.attn_kind == "local":
            controls.view_control("attn_window")
        if view.attn_kind == "hard":
            controls.view_control("attn_estimator")

    def sequences() -> None:
        for name in ("step", "source", "target"):
            controls.view_control(f"attn_{name}")
        special_tokens()

    def more() -> None:
        for name in ("hidden", "layers", "residual", "dropout", "seed"):
            controls.view_control(f"attn_{name}")

    controls.group("attn_network", "Encoder–decoder", network, opened=True)
    controls.group("attn_sequences", "Sequences", sequences, opened=True)
    controls.group("attn_more", f"H = {view.attn_hidden}, layers, dropout, seed {view.attn_seed}", more)


def picture() -> None:
    """The map, what stands beside it, and the gradient against distance."""
    view = state.view()
    buttons, switch, said = st.container(), st.container(), st.container()
    here, without, with_it = mapped(view), mapped(view, "none"), mapped(view, view.attn_kind)
    step = step_of(view)
    span = flow_span(without.decades, with_it.decades)
    main = panel_figure(
        _NO_EXPERIMENT,
        "attention_map",
        figures.attention_map(here.decades, span=span, marked=step, off=not view.attn_on, eos=view.attn_eos),
        figures.attention_map_alt(here.decades, step),
        **_place(view),
    )
    curves = later_figure(_NO_EXPERIMENT, "gradient_distance", lambda: _curves(view), **_place(view))
    parts = [main, _beside(view), curves]
    if _is_hard(view) and view.attn_source > 1:
        parts.append(
            later_figure(_NO_EXPERIMENT, "hard_estimators", lambda: _estimators(view), span=12, height=260)
        )
    panel(parts, num_steps=1, cursor=0, key=KEY)
    with buttons:
        story_buttons(STORIES, "Where does the gradient of a decoder step go?")
    with switch, st.container(horizontal=True, gap="large", vertical_alignment="center"):
        controls.view_control("attn_on")
        controls.view_pills("attn_beside")
    with said:
        found = reach(view) if view.attn_beside == "reach" else None
        tone, sentence, more = map_words(view, with_it.decades, without.decades, found)
        st.markdown(f"{TONES[tone]} **{sentence}** {more}")


def _place(view: View) -> dict[str, Any]:
    """A third of the row, which takes what the window has unless there is a second row."""
    return {"span": 4, "height": 370, "fill": 0 if _is_hard(view) else 20.5}


def _is_hard(view: View) -> bool:
    return view.attn_on and view.attn_kind == "hard"


def _beside(view: View) -> PanelFigure:
    """The attention's weights, or what the states know of the source."""
    if view.attn_beside == "reach":
        found = reach(view)
        parts = found.annotations, found.start
        drawn = figures.annotation_reach(*parts)
        return panel_figure(
            _NO_EXPERIMENT, "annotation_reach", drawn, figures.annotation_reach_alt(*parts), **_place(view)
        )
    weights = mapped(view).weights
    if weights is None:
        said = "No attention:<br>the decoder sees the source<br>through s₀ alone."
        drawn, numbers = figures.message(said), said.replace("<br>", " ")
    else:
        step = step_of(view)
        drawn = figures.attention_weights(weights, marked=step, eos=view.attn_eos)
        numbers = figures.attention_weights_alt(weights, step)
    return panel_figure(_NO_EXPERIMENT, "attention_weights", drawn, numbers, **_place(view))


def curves_of(view: View) -> dict[str, np.ndarray]:
    """Kind of attention → log10 ‖∂L_j/∂h_i‖ of the chosen decoder step, [Te]."""
    kinds = COMPARED if view.attn_kind in COMPARED else (*COMPARED[:-1], view.attn_kind)
    return {kind: mapped(view, kind).decades[step_of(view) - 1] for kind in kinds}


def _curves(view: View) -> Drawn:
    curves, away = curves_of(view), distance(view)
    drawn = figures.gradient_distance(curves, away, step=step_of(view))
    return drawn, figures.gradient_distance_alt(curves, away)


def _estimators(view: View) -> Drawn:
    found = estimators_of(view)
    return figures.hard_estimators(*found), figures.hard_estimators_alt(*found)
