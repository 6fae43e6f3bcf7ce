"""The section Wirings in Streamlit's own test runner: every arrow is what was measured."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import Any, get_args

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from explorer.app.attention.setting import network, sequences
from explorer.app.attention.wirings import KEY, STORIES
from explorer.app.attention_choices import AttentionChoices
from explorer.app.view import View
from explorer.figures.decades import number
from explorer.figures.wiring import WIRING_TRACES
from explorer.lessons.wirings import ALIGNED, aligned_wiring, translator_wiring
from explorer.link import bounds_of
from tests.app.payload import panel_of
from tests.app.section import healthy, open_section, sentence, view, widget

FIELDS = AttentionChoices.model_fields
SLIDERS = ["attn_hidden", "attn_wired", "attn_seed", "attn_step"]
CHOICES = [
    (name, value) for name in ("attn_kind", "attn_cell") for value in get_args(FIELDS[name].annotation)
] + [("attn_bos", False), ("attn_eos", False)]


open_page = partial(open_section, "attention", ["attn_one_cell", "attn_wired_kind"], attention="wirings")


def assert_true_to(at: AppTest, seen: AttentionChoices) -> None:
    """All states and arrows with the numbers of the core called directly."""
    figures = panel_of(at, KEY)["figures"]
    assert list(figures) == [*ALIGNED, "encoder_decoder", "with_attention"]
    steps, heard = seen.attn_wired, seen.attn_heard
    sizes = {"hidden_size": seen.attn_hidden, "num_steps": steps, "seed": seen.attn_seed}
    found = {kind: aligned_wiring(kind, cell=seen.attn_cell, heard=heard, **sizes) for kind in ALIGNED}
    plain = {"layers": 1, "bidirectional": False, "start": "last", "dropout": 0.0}
    for name, kind in (("encoder_decoder", "none"), ("with_attention", seen.attn_kind)):
        settings = network(seen, kind).model_copy(update=plain)
        found[name] = translator_wiring(settings, *sequences(settings, steps, steps + 1), heard)
    for name, wired in found.items():
        data = figures[name]["data"]
        said = data[WIRING_TRACES["states"]]["hovertext"]
        assert said == [
            f"∂L/∂{s} = {number(float(d))}" for s, d in zip(wired.states, wired.reached, strict=True)
        ]
        every = np.concatenate([wired.along, wired.losses, wired.inputs, wired.shortcuts.ravel()])
        expected = Counter(number(float(d)) for d in every[~np.isnan(every)])
        heads, others = (data[place]["hovertext"] if place < len(data) else [] for place in (0, 4))
        drawn = Counter(text.rsplit(": ", 1)[1] for text in [*heads, *others])
        assert set(expected - drawn) <= {"exactly 0"} and not drawn - expected
        tokens = steps + seen.attn_eos
        looked = [text for text in heads if "the look of" in text]
        if name == "with_attention":
            step = min(seen.attn_step, tokens)
            assert len(looked) == steps and {text.split()[4] for text in looked} == {
                wired.states[steps - 1 + step]
            }
        notes = [note["text"] for note in figures[name]["layout"]["annotations"]]
        if name in ("encoder_decoder", "with_attention"):
            assert len(wired.states) == steps + tokens
            assert ("‹bos›" in notes, "‹eos›" in notes) == (seen.attn_bos, seen.attn_eos)
            assert ("0" in data[WIRING_TRACES["inputs"]]["text"]) == (not seen.attn_bos)
        assert figures[name]["title"] and figures[name]["explain"] and "nan" not in figures[name]["alt"]
    ends = (float(found[name].reached[0]) for name in ("encoder_decoder", "with_attention"))
    assert all(number(end) in sentence(at) for end in ends)


def test_the_first_picture_has_all_five_wirings() -> None:
    at = open_page()
    assert view(at) == View(attention="wirings")
    assert_true_to(at, view(at))
    assert "through the chain of 10 steps" in sentence(at)


@pytest.mark.parametrize("name", SLIDERS)
def test_both_ends_of_every_slider_are_drawn(name: str) -> None:
    at = open_page(attn_hidden=8)
    for end in bounds_of(FIELDS[name]) or ():
        healthy(widget(at, name).set_value(int(end)).run())
        assert_true_to(at, view(at))


@pytest.mark.parametrize(("name", "value"), CHOICES)
def test_every_choice_is_drawn(name: str, value: Any) -> None:
    at = open_page(attn_hidden=8, attn_heard="last")
    healthy(widget(at, name).set_value(value).run())
    assert_true_to(at, view(at))


def test_a_network_that_is_wired_otherwise_is_drawn_with_one_forward_layer() -> None:
    at = open_page(
        attn_layers=3, attn_bidirectional=True, attn_start="zeros", attn_dropout=0.5, attn_hidden=8
    )
    assert_true_to(at, view(at))


def test_stories_are_one_click() -> None:
    at = open_page(attn_hidden=8)
    for name in STORIES:
        healthy(at.button(key=f"story:{name}").click().run())
        assert [item.key for item in at.button if item.proto.type == "primary"] == [f"story:{name}"]
        assert_true_to(at, view(at))


@pytest.mark.parametrize(
    ("name", "text"), [("attn_wired", "nan"), ("attn_wired", "99"), ("attn_heard", "first")]
)
def test_bad_addresses_are_named_and_kept_out(name: str, text: str) -> None:
    seen, problems = View.from_query({f"view.{name}": text})
    assert seen == View() and len(problems) == 1 and "is not allowed" in problems[0]
