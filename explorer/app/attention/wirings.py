"""Wirings: one cell as many-to-one, one-to-many, many-to-many, encoder–decoder; the gradient's ways."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

import streamlit as st

from explorer import figures
from explorer.app import cache, controls, state
from explorer.app.attention.map_words import low
from explorer.app.attention.setting import network, sequences
from explorer.app.attention.special_tokens import special_tokens, special_words
from explorer.app.attention_choices import KINDS, AttentionChoices
from explorer.app.panel import PanelFigure, panel
from explorer.app.picture import panel_figure
from explorer.app.sections import TONES
from explorer.app.stories import Story, story_buttons
from explorer.experiment import Experiment
from explorer.figures.decades import number
from explorer.lessons.wirings import Aligned, Wiring, aligned_wiring, translator_wiring

KEY = "attention-wirings"
_NO_EXPERIMENT = Experiment()  # the texts of these figures name no setting
_ALIGNED: dict[str, Any] = {"span": 4, "height": 165}
_TRANSLATOR: dict[str, Any] = {"span": 6, "height": 265}
STORIES: dict[str, Story] = {
    "all": Story(
        "All losses",
        "Which hidden states are used for what?",
        {"attn_heard": "all"},
    ),
    "last": Story(
        "The last loss only",
        "On which ways does the last word said reach the first word read?",
        {"attn_heard": "last"},
    ),
}


def wirings_of(view: AttentionChoices) -> dict[str, Wiring]:
    """All wirings of the chosen cell, kept."""
    cell, heard, steps = view.attn_cell, view.attn_heard, view.attn_wired
    size, seed = view.attn_hidden, view.attn_seed

    def aligned(kind: Aligned) -> Callable[[], Wiring]:
        return lambda: aligned_wiring(
            kind, cell=cell, hidden_size=size, num_steps=steps, seed=seed, heard=heard
        )

    def translator(kind: str) -> Callable[[], Wiring]:
        plain = {"layers": 1, "bidirectional": False, "start": "last", "dropout": 0.0}
        settings = network(view, kind).model_copy(update=plain)
        source, target = sequences(settings, steps, steps + 1)
        return lambda: translator_wiring(settings, source, target, heard)

    found = {kind: aligned(kind) for kind in get_args(Aligned)}
    found |= {"encoder_decoder": translator("none"), "with_attention": translator(view.attn_kind)}
    kind = f"{view.attn_kind}|{view.attn_window}|{view.attn_estimator}|{view.attn_bos}|{view.attn_eos}"
    key = f"{cell}|{heard}|{steps}|{size}|{seed}|{kind}"
    return {name: cache.remembered(f"wiring|{name}|{key}", compute) for name, compute in found.items()}


def side_bar() -> None:
    """The cell, the length, the losses and the kind of attention."""

    def cell() -> None:
        for name in ("cell", "hidden", "wired", "seed"):
            controls.view_control(f"attn_{name}")

    def attention() -> None:
        for name in ("kind", "step"):
            controls.view_control(f"attn_{name}")
        special_tokens()

    controls.group("attn_one_cell", "One cell", cell, opened=True)
    controls.group("attn_wired_kind", "Encoder–decoder", attention, opened=True)


def picture() -> None:
    """The three wirings of one cell alone, and below the encoder–decoder without and with attention."""
    view = state.view()
    buttons, said = st.container(), st.container()
    found = wirings_of(view)
    span = figures.wiring_span(*found.values())
    marked = min(view.attn_step, _said(found["with_attention"]))

    def part(name: str) -> PanelFigure:
        place = _ALIGNED if name in get_args(Aligned) else _TRANSLATOR
        key = name in ("many_to_many", "with_attention")
        drawn = figures.wiring(found[name], span, key=key, marked=marked)
        suffix = f": {KINDS[view.attn_kind]}" if name == "with_attention" else ""
        return panel_figure(
            _NO_EXPERIMENT, name, drawn, figures.wiring_alt(found[name]), suffix=suffix, **place
        )

    panel([part(name) for name in found], num_steps=1, cursor=0, key=KEY)
    with buttons:
        story_buttons(STORIES)
    with said:
        tone, sentence, more = wiring_words(found, view)
        st.markdown(f"{TONES[tone]} **{sentence}** {more}")


def _said(found: Wiring) -> int:
    """How many tokens the decoder says."""
    return sum(name.startswith("s") for name in found.states)


def wiring_words(found: dict[str, Wiring], view: AttentionChoices) -> tuple[str, str, str]:
    """(tone, sentence, another one) on what the first word read receives."""
    without, with_it = found["encoder_decoder"], found["with_attention"]
    a, b = float(with_it.reached[0]), float(without.reached[0])
    whose = "all losses" if view.attn_heard == "all" else "the last loss"
    name = KINDS[view.attn_kind].partition(" (")[0]
    sentence = (
        f"Of {whose}, h₁ receives {number(b)} through the chain of {len(without.states) - 1} steps, and "
        f"{number(a)} with {name} attention."
    )
    more = (
        f"No loss reads the encoder's {view.attn_wired} states: without attention the decoder gets the last "
        f"one, h{low(view.attn_wired)}, and none of the others. {special_words(view, _said(without))}"
    ).strip()
    return "survives" if a > -3 else "vanishes", sentence, more
