"""The section Gradient map in Streamlit's own test runner: what is drawn and said is what the core gives."""

from __future__ import annotations

from functools import partial
from typing import Any, get_args

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from explorer.app.attention.gradient_map import COMPARED, KEY, STORIES
from explorer.app.attention.setting import distance, network, sequences, step_of
from explorer.app.attention_choices import KINDS, AttentionChoices
from explorer.app.view import View
from explorer.link import bounds_of
from explorer.seq2seq import ATTENTIONS, Seq2Seq, gradient_map, run_translator
from explorer.seq2seq.reach import annotation_reach
from tests.app.payload import panel_of
from tests.app.section import healthy, open_section, sentence, view, widget

FIELDS = AttentionChoices.model_fields
GROUPS = ["attn_network", "attn_sequences", "attn_more"]
SLIDERS = [
    "attn_hidden",
    "attn_layers",
    "attn_dropout",
    "attn_source",
    "attn_target",
    "attn_step",
    "attn_seed",
]
CHOICES = [
    (name, value)
    for name in ("attn_kind", "attn_cell", "attn_start", "attn_beside")
    for value in get_args(FIELDS[name].annotation)
] + [
    (name, value)
    for name in ("attn_on", "attn_bidirectional", "attn_residual", "attn_bos", "attn_eos")
    for value in (False, True)
]


open_page = partial(open_section, "attention", GROUPS, attention="map")


def drawn(figure: dict[str, Any], masked: np.ndarray) -> np.ndarray:
    """The heat map with its exact zeros put back."""
    z = np.asarray(figure["data"][0]["z"], float)
    zeros = np.zeros(z.shape, bool)
    if masked.any():
        zeros = np.asarray(figure["data"][1]["z"], float) == 1
    return np.where(zeros, -np.inf, z)


def last_label(figure: dict[str, Any]) -> str:
    """What stands at the last row."""
    axis = figure["layout"]["yaxis"]
    return str(axis.get("ticktext", axis["tickvals"])[-1])


def assert_true_to(at: AppTest, seen: AttentionChoices) -> None:
    """Everything drawn equals what the core gives for these choices."""
    figures = panel_of(at, KEY)["figures"]
    maps, weights = {}, {}
    for kind in {*COMPARED, seen.attn_kind}:
        settings = network(seen, kind)
        trace = run_translator(settings, *sequences(settings, seen.attn_source, seen.attn_target))
        tokens = seen.attn_target if seen.attn_eos else max(seen.attn_target - 1, 1)
        assert trace.decoder_states.shape == (tokens, seen.attn_hidden)
        assert (trace.target_tokens[-1] == "<eos>") == seen.attn_eos
        maps[kind], weights[kind] = gradient_map(trace), trace.weights
    chosen = seen.attn_kind if seen.attn_on else "none"
    found = drawn(figures["attention_map"], maps[chosen] == -np.inf)
    np.testing.assert_allclose(found, maps[chosen], rtol=1e-5)
    assert (last_label(figures["attention_map"]) == "‹eos›") == seen.attn_eos
    frame = figures["attention_map"]["layout"]["shapes"][0]
    step = step_of(seen)
    assert frame["y0"] == step - 0.5
    curves = figures["gradient_distance"]["data"]
    assert {"none", "additive", "dot", seen.attn_kind} <= {curve["name"] for curve in curves}
    assert len(curves) == 4
    for curve in curves:
        row = maps[curve["name"]][step - 1]
        order = np.argsort(distance(seen))
        np.testing.assert_allclose(curve["y"], np.where(np.isfinite(row), row, np.nan)[order], atol=1e-12)
    if seen.attn_beside == "reach":
        settings = network(seen, "none")
        reach = annotation_reach(settings, sequences(settings, seen.attn_source, 1)[0])
        z = drawn(figures["annotation_reach"], np.append(reach.annotations, reach.start) == -np.inf)
        np.testing.assert_allclose(z[:-2], reach.annotations, rtol=1e-5)
        np.testing.assert_allclose(z[-1], reach.start, rtol=1e-5)
    elif seen.attn_on:
        np.testing.assert_allclose(figures["attention_weights"]["data"][0]["z"], weights[chosen], atol=1e-6)
    else:
        assert "through s₀ alone" in figures["attention_weights"]["alt"]
    assert ("hard_estimators" in figures) == (seen.attn_on and seen.attn_kind == "hard")
    for figure in figures.values():
        assert figure["title"] and figure["explain"] and figure["alt"]
        assert "nan" not in figure["alt"] and "<" not in figure["alt"]
    assert "nan" not in sentence(at)


def test_the_first_picture_is_that_of_the_lecture() -> None:
    """SCIENCE: ‖∂L_6/∂h_1‖ at 20 steps is about 1e-7 without attention and 0.08 with it."""
    at = open_page()
    assert view(at) == View(attention="map")
    assert_true_to(at, view(at))
    curves = {c["name"]: c["y"][-1] for c in panel_of(at, KEY)["figures"]["gradient_distance"]["data"]}
    assert -9 < curves["none"] < -6
    assert all(-2 < curves[kind] < 0 for kind in ("additive", "dot", "general"))
    assert "∂L₆/∂h₁ is 0.0589 with additive attention and 1.19·10⁻⁸ without" in sentence(at)


def test_the_switch_changes_the_map_and_not_its_scale() -> None:
    at = open_page()
    before = panel_of(at, KEY)["figures"]["attention_map"]["data"][0]
    healthy(widget(at, "attn_on").set_value(False).run())
    assert_true_to(at, view(at))
    after = panel_of(at, KEY)["figures"]["attention_map"]["data"][0]
    assert (before["zmin"], before["zmax"]) == (after["zmin"], after["zmax"])
    assert before["z"][5, 0] > after["z"][5, 0] + 5
    assert "Without attention ∂L₆/∂h₁ is 1.19·10⁻⁸: it goes back through 25 steps." in sentence(at)


@pytest.mark.parametrize("name", SLIDERS)
def test_both_ends_of_every_slider_are_drawn(name: str) -> None:
    small = (
        {"attn_hidden": 8, "attn_source": 7, "attn_target": 5}
        if name != "attn_dropout"
        else {"attn_layers": 2}
    )
    at = open_page(**small)
    for end in bounds_of(FIELDS[name]) or ():
        healthy(widget(at, name).set_value(type(FIELDS[name].default)(end)).run())
        assert getattr(view(at), name) == end
        assert_true_to(at, view(at))


@pytest.mark.parametrize(("name", "value"), CHOICES)
def test_every_choice_is_drawn(name: str, value: Any) -> None:
    on = name not in ("attn_start", "attn_cell", "attn_bidirectional")  # what decides most without attention
    at = open_page(attn_hidden=8, attn_source=7, attn_target=5, attn_on=on, attn_beside="reach")
    healthy(widget(at, name).set_value(value).run())
    assert getattr(view(at), name) == value
    assert_true_to(at, view(at))


def test_choices_of_one_kind_come_with_it() -> None:
    at = open_page(attn_kind="local", attn_hidden=8)
    for end in bounds_of(FIELDS["attn_window"]) or ():
        healthy(widget(at, "attn_window").set_value(int(end)).run())
        assert_true_to(at, view(at))
    healthy(widget(at, "attn_kind").set_value("hard").run())
    for estimator in get_args(FIELDS["attn_estimator"].annotation):
        healthy(widget(at, "attn_estimator").set_value(estimator).run())
        assert_true_to(at, view(at))


def test_without_eos_its_row_is_gone_and_the_page_says_how_the_decoder_is_stopped() -> None:
    at = open_page(attn_hidden=8, attn_source=7, attn_target=5)
    before = panel_of(at, KEY)["figures"]["attention_map"]["data"][0]["z"]
    assert len(before) == 5 and "stop" not in sentence(at)
    healthy(widget(at, "attn_eos").set_value(False).run())
    assert_true_to(at, view(at))
    after = panel_of(at, KEY)["figures"]["attention_map"]["data"][0]["z"]
    assert len(after) == 4 and "it is stopped from outside after 4 tokens." in sentence(at)
    healthy(widget(at, "attn_bos").set_value(False).run())
    assert_true_to(at, view(at))
    assert "first input is a vector of zeros" in sentence(at)
    healthy(widget(at, "attn_target").set_value(1).run())
    assert_true_to(at, view(at))
    assert "after 1 token." in sentence(at)


def test_stories_are_one_click_and_say_what_is_true() -> None:
    at = open_page(attn_source=9)
    said = {}
    for name, story in STORIES.items():
        healthy(at.button(key=f"story:{name}").click().run())
        assert all(getattr(view(at), field) == value for field, value in story.choices.items())
        assert [item.key for item in at.button if item.proto.type == "primary"] == [f"story:{name}"]
        assert_true_to(at, view(at))
        said[name] = sentence(at)
    assert "h₅ depends on 5 of 9 words and on none after it; s₀ depends on all of them" in said["forward"]
    assert "Every hᵢ depends on all 9 words; so does s₀" in said["both"]
    assert "reaches 1 of 9 states" in said["first"] and "s₀ knows no other" in said["first"]
    assert "s₀ depends on 1 of them" in said["first"]
    assert "Every hᵢ depends on all 9 words; so does s₀" in said["backward"]
    assert "with a bias of" in said["hard"]


def test_with_no_way_to_the_source_all_gradients_are_named_as_zeros() -> None:
    at = open_page(attn_on=False, attn_start="zeros", attn_beside="reach")
    assert "exactly 0 for every i: s₀ is zeros" in sentence(at) and "s₀ depends on none" in sentence(at)
    assert panel_of(at, KEY)["figures"]["attention_map"]["alt"].endswith("All gradients are exactly 0.")


def test_a_step_beyond_the_target_is_the_last_one() -> None:
    at = open_page(attn_target=4, attn_step=30, attn_hidden=8)
    assert_true_to(at, view(at))
    assert "∂L₄/∂h₁" in sentence(at)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        *((name, text) for name in SLIDERS for text in ("nan", "99999")),
        ("attn_kind", "none"),
        ("attn_start", "middle"),
        ("attn_on", "perhaps"),
        ("attn_bos", "perhaps"),
        ("attn_eos", "2"),
        ("attention", "maps"),
    ],
)
def test_bad_addresses_are_named_and_kept_out(name: str, text: str) -> None:
    seen, problems = View.from_query({f"view.{name}": text})
    assert seen == View()
    assert len(problems) == 1 and f"view.{name}" in problems[0] and "is not allowed" in problems[0]


def test_a_bad_address_leaves_the_page_healthy() -> None:
    at = open_page(attn_hidden="nan", attn_kind="none")
    said = "\n".join(item.value for item in at.warning).replace("\\", "")
    assert "view.attn_hidden" in said and "view.attn_kind" in said
    assert_true_to(at, AttentionChoices())


def test_the_choices_are_those_of_the_network() -> None:
    assert list(KINDS) == list(ATTENTIONS) == list(get_args(FIELDS["attn_kind"].annotation))
    for name in ("cell", "layers", "bidirectional", "dropout", "residual", "start", "bos", "eos", "seed"):
        own, core = FIELDS[f"attn_{name}"], Seq2Seq.model_fields[name]
        assert (own.title, own.default, bounds_of(own)) == (core.title, core.default, bounds_of(core))
    for name, value in (
        ("attn_cell", "lstm"),
        ("attn_residual", True),
        ("attn_dropout", 0.5),
        ("attn_eos", False),
    ):
        changed = network(AttentionChoices.model_validate({name: value}))
        assert getattr(changed, name.removeprefix("attn_")) == value


def test_one_position_is_no_choice() -> None:
    at = open_page(attn_kind="hard", attn_source=1)
    assert "one position alone" in sentence(at) and "nan" not in sentence(at)
    assert "hard_estimators" not in panel_of(at, KEY)["figures"]
