"""The section Objectives in Streamlit's own test runner: four gradients of one example, and their stories."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from explorer.app import cache
from explorer.app.attention.objective_measured import example_of, objectives_of
from explorer.app.attention.objectives import KEY, STORIES
from explorer.app.attention.taught import KIND, pupils
from explorer.app.objective_choices import ObjectiveChoices
from explorer.app.recorded import moment_of
from explorer.app.view import View
from explorer.figures.objective_logits import OBJECTIVES
from explorer.figures.objective_sizes import MEAN
from explorer.link import bounds_of, choices_of
from explorer.seq2seq import run_translator
from explorer.seq2seq.learning import Learning, trained_translator
from explorer.seq2seq.logit_gradients import likelihood_gradient, reward_gradient
from explorer.seq2seq.next_token import NextToken
from explorer.seq2seq.objectives import answer_rewards
from explorer.seq2seq.vocabulary import EOS
from tests.app.payload import panel_of
from tests.app.section import healthy, open_section, sentence, view, widget

FIELDS = ObjectiveChoices.model_fields
GROUPS = ("objective_example", "objective_weighed", "objective_network")
OWNER = "test session id"  # as Streamlit's test runner names all its sessions
TINY = {"attention": "objectives", "taught_hidden": 8, "taught_steps": 20, "taught_batch": 4}
BARS = [f"objective_{name.replace(' ', '_')}" for name in OBJECTIVES]


def open_page(**choices: Any) -> AppTest:
    return open_section("attention", GROUPS, **(TINY | choices))


def figures(at: AppTest) -> dict[str, Any]:
    return panel_of(at, KEY)["figures"]


def named(figure: dict[str, Any], name: str) -> dict[str, Any]:
    (trace,) = [trace for trace in figure["data"] if trace.get("name") == name]
    return dict(trace)


def assert_true_to(at: AppTest, seen: View, learning: Learning | None = None) -> None:
    """Bars, sizes and points are the closed forms at the logits of a run of the core."""
    learning = learning or pupils(seen)[min(seen.taught_shown, len(pupils(seen)) - 1)].learning
    recipe, moment = learning.recipe, moment_of(learning.moments, seen.taught_moment)
    network = trained_translator(recipe, moment)
    source, symbols = example_of(seen, recipe)
    trace = run_translator(recipe.model, source, symbols, translator=network, as_training=False)
    first, drawn = network.first_said, figures(at)
    rows = {
        "likelihood": likelihood_gradient(trace.logits, trace.target),
        "label smoothing": likelihood_gradient(trace.logits, trace.target, seen.objective_smoothing),
    }
    if seen.objective_share == 0:
        rows["scheduled sampling"] = rows["likelihood"]
    j = min(seen.objective_step, len(trace.target)) - 1
    at_place = np.arange(len(trace.target)), trace.target
    for name, expected in rows.items():
        bars = named(drawn[f"objective_{name.replace(' ', '_')}"], "gradient")
        np.testing.assert_allclose(bars["y"], expected[j, first:], atol=1e-10)
        sizes = named(drawn["objective_sizes"], name)["y"]
        np.testing.assert_allclose(sizes, np.log10(np.linalg.norm(expected, axis=1)), atol=1e-8)
        np.testing.assert_allclose(named(drawn["objective_right"], name)["y"], expected[at_place], atol=1e-10)
    for figure in drawn.values():
        assert figure["title"] and figure["explain"] and figure["alt"]
        assert "nan" not in figure["alt"] and "inf" not in figure["alt"]
    assert len(named(drawn["objective_arrival"], "likelihood")["y"]) == len(source)
    assert "nan" not in sentence(at)


def test_the_first_picture_is_that_of_the_untrained_network() -> None:
    at = open_page()
    assert_true_to(at, view(at))
    assert "Step 3, right token" in sentence(at) and "untrained reads" in sentence(at)
    assert not any("Rewind" in button.label for button in at.button)


@pytest.mark.parametrize("name", [name for name in FIELDS if name.startswith("objective_")])
def test_both_ends_of_every_slider_and_every_choice_are_drawn(name: str) -> None:
    at = open_page()
    for value in bounds_of(FIELDS[name]) or choices_of(FIELDS[name]):
        healthy(widget(at, name).set_value(type(FIELDS[name].default)(value)).run())
        assert_true_to(at, view(at))


@pytest.mark.parametrize("reward", ["bleu", "exact"])
def test_the_draw_is_paid_against_the_mean_of_all_answers(reward: str) -> None:
    """With two tokens all answers are counted: b is Σ p·R, and the bars are (R − b)(p − onehot)."""
    at = open_page(objective_length=2, objective_reward=reward, objective_step=1)
    seen = view(at)
    learning = pupils(seen)[0].learning
    found = objectives_of(seen, pupils(seen)[0], learning.moments[0])
    network = trained_translator(learning.recipe, learning.moments[0])
    source, symbols = example_of(seen, learning.recipe)
    goal = np.array(network.goal(symbols))[:, None]

    def reward_of(*answer: int) -> float:
        return float(answer_rewards(np.array(answer)[:, None], goal, reward)[0])

    step = NextToken(network, source)
    every = [(EOS,), *((a, EOS) for a in range(3, 13))]
    every += [(a, b, c) for a in range(3, 13) for b in range(3, 13) for c in range(2, 13)]
    chances = [np.exp(sum(step(answer[:k])[token] for k, token in enumerate(answer))) for answer in every]
    assert sum(chances) == pytest.approx(1, abs=1e-12)
    mean = sum(p * reward_of(*answer) for p, answer in zip(chances, every, strict=True))
    assert found.baseline == pytest.approx(mean, abs=1e-12)
    said = found.drawn[found.drawn >= 0] + EOS
    paid = reward_of(*said.tolist())
    known = reward_gradient(step(())[None], said[:1], paid - mean)[0, EOS:]
    drawn = figures(at)["objective_expected_reward"]
    np.testing.assert_allclose(named(drawn, "gradient")["y"], known, atol=1e-12)
    assert "error_y" not in named(drawn, "mean")
    (place,) = [note["x"] for note in drawn["layout"]["annotations"] if note["text"] == "said"]
    assert place == said[0] - EOS


def test_more_answers_than_can_be_counted_are_drawn() -> None:
    at = open_page(objective_length=12, objective_reward="exact")
    assert "Of 1,000 draws none is paid" in sentence(at)
    drawn = figures(at)
    assert np.isnan(named(drawn["objective_sizes"], "expected reward")["y"]).all()
    assert np.isnan(named(drawn["objective_sizes"], MEAN)["y"]).all()
    notes = " ".join(note["text"] for note in drawn["objective_sizes"]["layout"]["annotations"])
    assert "expected reward: exactly 0 everywhere" in notes


def test_the_decoder_that_reads_no_own_token_has_the_likelihoods_gradient() -> None:
    at = open_page(objective_share=0.0)
    assert_true_to(at, view(at))
    bars = [named(figures(at)[name], "gradient")["y"] for name in (BARS[0], BARS[2])]
    np.testing.assert_array_equal(*bars)
    other = open_page(objective_draw=11)
    assert (named(figures(other)[BARS[2]], "gradient")["y"] != bars[0]).any()


@pytest.mark.parametrize("choices", [{"taught_task": "dates"}, {"attn_eos": False}, {"taught_shown": 1}])
def test_other_tasks_and_networks_are_drawn(choices: dict[str, Any]) -> None:
    at = open_page(**choices)
    assert_true_to(at, view(at))
    tokens = figures(at)[BARS[0]]["layout"]["xaxis"]["ticktext"]
    assert ("■" in tokens) == choices.get("attn_eos", True)


def test_stories_are_one_click_and_the_sidebar_follows() -> None:
    at = open_page()
    for name in STORIES:
        healthy(at.button(key=f"story:{name}").click().run())
        assert f"story:{name}" in [item.key for item in at.button if item.proto.type == "primary"]
        assert_true_to(at, view(at))
    assert widget(at, "objective_baseline").value == "none"


def test_trained_weights_and_every_recorded_step_can_be_looked_at() -> None:
    at = open_page()
    before = named(figures(at)[BARS[0]], "gradient")["y"]
    at.button(key="taught:train").click().run()
    race = cache.runs().of(OWNER, KIND)
    assert race is not None
    end = time.monotonic() + 60
    while race.busy:
        assert time.monotonic() < end
        time.sleep(0.02)
    healthy(at.run())
    assert_true_to(at, view(at), race.runs[0].learning)
    assert "after 20 training steps" in sentence(at)
    assert (named(figures(at)[BARS[0]], "gradient")["y"] != before).all()
    healthy(widget(at, "taught_moment").set_value(0).run())
    np.testing.assert_array_equal(named(figures(at)[BARS[0]], "gradient")["y"], before)


@pytest.mark.parametrize(
    ("name", "text"),
    [(name, text) for name in FIELDS if name.startswith("objective_") for text in ("nan", "99999")],
)
def test_bad_addresses_are_named_and_kept_out(name: str, text: str) -> None:
    seen, problems = View.from_query({f"view.{name}": text})
    assert seen == View() and len(problems) == 1 and "is not allowed" in problems[0]
