"""The section One score in Streamlit's own test runner: bars, context, ways back, frames and equations."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from explorer.app.attention.one_score import KEY, SOFT, STORIES, UNITS, kind_of
from explorer.app.attention.setting import network, sequences, step_of
from explorer.app.attention_choices import AttentionChoices
from explorer.app.view import View
from explorer.link import bounds_of
from explorer.seq2seq import run_translator
from explorer.seq2seq.context import context_gradient, score_gradients
from tests.app.payload import decode, element, panel_of, revive
from tests.app.section import healthy, open_section, sentence, view, widget

FIELDS = AttentionChoices.model_fields
SLIDERS = ["attn_pushed", "attn_step", "attn_few", "attn_seed"]


open_page = partial(open_section, "attention", ["attn_look", "attn_small"], attention="score")


def assert_true_to(at: AppTest, seen: AttentionChoices) -> None:
    """What is drawn now and in every frame equals the core's closed forms."""
    settings = network(seen, kind_of(seen)).model_copy(update={"hidden_size": UNITS})
    trace = run_translator(settings, *sequences(settings, seen.attn_few, seen.attn_target))
    j, k = step_of(seen) - 1, min(seen.attn_pushed, seen.attn_few)
    assert trace.scores is not None
    own, h, slopes = trace.scores[j], trace.encoder_states, score_gradients(trace)[j]

    def look(push: float) -> tuple[np.ndarray, ...]:
        scores = own + push * np.eye(len(own))[k - 1]
        found = context_gradient(scores, h, slopes)
        total = np.linalg.norm(found.total, 2, axis=(1, 2))
        return scores, found.weights, found.context, found.weights, found.through_score_norms, total

    header = panel_of(at, KEY)
    figures = header["figures"]
    places = [
        ("one_score", 0),
        ("one_score", 1),
        ("score_context", 0),
        *(("score_paths", n) for n in range(3)),
    ]
    for (name, trace_number), expected in zip(places, look(seen.attn_push), strict=True):
        np.testing.assert_allclose(figures[name]["data"][trace_number]["y"], expected, atol=1e-12)
    frames = revive(*decode(element(at, f"{KEY}-frames").bytes))
    assert frames["revision"] == header["scrub"]["revision"]
    assert header["scrub"]["value"] == pytest.approx(own[k - 1] + seen.attn_push)
    low, high = bounds_of(FIELDS["attn_push"]) or (0, 0)
    np.testing.assert_allclose(frames["values"], own[k - 1] + np.arange(low, high + 0.1, 0.25))
    moving = {"one_score": frames["tracks"], **frames["figures"]}
    for row in (0, 17, len(frames["values"]) - 1):
        for (name, trace_number), expected in zip(places, look(low + 0.25 * row), strict=True):
            np.testing.assert_allclose(moving[name][str(trace_number)][row], expected, atol=1e-6)
    for figure in figures.values():
        assert figure["title"] and figure["explain"] and figure["alt"]
        assert "nan" not in figure["alt"] and "<" not in figure["alt"]
    assert len(at.latex) == 10 and "nan" not in sentence(at)


def test_the_first_picture_is_the_networks_own_look() -> None:
    at = open_page()
    assert view(at) == View(attention="score")
    assert_true_to(at, view(at))
    assert "Score e₃ = 0.94 gives the weight α₃ = 0.405, and ‖∂c/∂h₃‖ = 0.845" in sentence(at)


@pytest.mark.parametrize("name", SLIDERS)
def test_both_ends_of_every_slider_are_drawn(name: str) -> None:
    at = open_page()
    for end in bounds_of(FIELDS[name]) or ():
        healthy(widget(at, name).set_value(type(FIELDS[name].default)(end)).run())
        assert_true_to(at, view(at))


@pytest.mark.parametrize("push", [-8, -2.25, 8])
@pytest.mark.parametrize("kind", SOFT)
def test_every_kind_is_drawn_with_every_push(kind: str, push: float) -> None:
    assert_true_to(at := open_page(attn_kind=kind, attn_push=push, attn_bidirectional=push > 0), view(at))


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_every_cell_is_drawn(cell: str) -> None:
    at = open_page()
    healthy(widget(at, "attn_cell").set_value(cell).run())
    assert_true_to(at, view(at))


@pytest.mark.parametrize("kind", ["local", "hard"])
def test_kinds_without_a_softmax_of_all_scores_are_replaced_and_named(kind: str) -> None:
    at = open_page(attn_kind=kind)
    assert_true_to(at, view(at))
    assert any(f"The weights of {kind} attention are not the softmax" in item.value for item in at.caption)


def test_stories_are_one_click_and_say_what_is_true() -> None:
    at = open_page()
    said = {}
    for name in STORIES:
        healthy(at.button(key=f"story:{name}").click().run())
        assert [item.key for item in at.button if item.proto.type == "primary"] == [f"story:{name}"]
        assert_true_to(at, view(at))
        said[name] = sentence(at)
    assert (
        "e₃ moved from 0.94 to 8.94" in said["sure"]
        and "the path through the score is almost closed" in said["sure"]
    )
    assert "gets no gradient" in said["ignored"]


@pytest.mark.parametrize(
    ("name", "text"), [(n, t) for n in ("attn_push", *SLIDERS) for t in ("nan", "99999")]
)
def test_bad_addresses_are_named_and_kept_out(name: str, text: str) -> None:
    seen, problems = View.from_query({f"view.{name}": text})
    assert seen == View() and len(problems) == 1 and "is not allowed" in problems[0]
