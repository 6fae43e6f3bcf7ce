"""The section Lyapunov spectrum of the page Regimes: choices, figures, sentences, stories, bad addresses."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from explorer.app.lyapunov_choices import LyapunovChoices
from explorer.app.regimes import lyapunov, lyapunov_measured
from explorer.app.regimes.lyapunov import KEY, STORIES
from explorer.app.regimes.lyapunov_measured import GAINS, SETTLE
from explorer.cells import CELLS
from explorer.experiment import Experiment
from explorer.figures.lyapunov_fan import LYAPUNOV_FAN_TRACES
from explorer.figures.lyapunov_spectrum import LYAPUNOV_SPECTRUM_TRACES
from explorer.link import bounds_of
from explorer.measures.lyapunov import lyapunov_exponents
from explorer.measures.lyapunov_fan import lyapunov_fan, undriven
from explorer.measures.regime import regime_sentence
from explorer.theory import mean_field_of
from tests.app.payload import GROUPS, element, panel_of
from tests.app.section import healthy, open_section, widget

SMALL = Experiment(hidden_size=6, batch_size=3, weight_scale=1.7)
QUICK: dict[str, Any] = {"lyapunov_steps": 100, "lyapunov_seeds": 3}
FIELDS = LyapunovChoices.model_fields
ENDS = [(name, int(end)) for name, field in FIELDS.items() for end in bounds_of(field) or ()]


def open_page(experiment: Experiment = SMALL, **choices: Any) -> AppTest:
    """A new session that comes to the section at an address."""
    return open_section("regimes", GROUPS, experiment, regime="lyapunov", **(QUICK | choices))


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """The whole fan at once, however slow the machine is."""
    monkeypatch.setattr(lyapunov, "_AT_ONCE", math.inf)
    yield monkeypatch


def rest(at: AppTest) -> AppTest:
    """The browser has painted the picture."""
    states = at._tree.get_widget_states()
    state = states.widgets.add()
    state.id = element(at, KEY).id
    state.json_value = json.dumps({"rested": panel_of(at, KEY)["token"]})
    return healthy(at._run(states))


def figure(at: AppTest, name: str) -> dict[str, Any]:
    found: dict[str, Any] = panel_of(at, KEY)["figures"][name]
    return found


def traces(at: AppTest, name: str, places: dict[str, int]) -> dict[str, dict[str, Any]]:
    data = figure(at, name)["data"]
    return {trace: data[place] for trace, place in places.items()}


def seeds_of_fan(at: AppTest) -> np.ndarray:
    """[G, S] as drawn; NaN where a number is not finite."""
    y = traces(at, "lyapunov_fan", LYAPUNOV_FAN_TRACES)["seeds"]["y"]
    return np.asarray(y.reshape(-1, len(GAINS) + 1)[:, :-1].T)


def said(at: AppTest) -> str:
    return next(item.value for item in at.markdown if "**" in item.value)


def captions(at: AppTest) -> str:
    return " | ".join(item.value for item in at.caption)


def check(at: AppTest) -> None:
    """Everything that is drawn and said, against the measures called directly."""
    view, experiment = at.session_state["view"], at.session_state["experiment"].alone()
    shown = experiment if view.lyapunov_driven else undriven(experiment)
    long: dict[str, Any] = {"steps": view.lyapunov_steps, "settle": SETTLE}
    seeds = [experiment.seed + k for k in range(view.lyapunov_seeds)]
    assert list(panel_of(at, KEY)["figures"]) == ["lyapunov_fan", "lyapunov_spectrum", "lyapunov_convergence"]

    fan = lyapunov_fan(shown, GAINS, seeds, **long)
    finite = np.where(np.isfinite(fan), fan, np.nan)
    np.testing.assert_array_equal(seeds_of_fan(at), finite)
    drawn = traces(at, "lyapunov_fan", LYAPUNOV_FAN_TRACES)
    compared = view.lyapunov_driven and experiment.signal.kind != "zeros"
    alone = lyapunov_fan(undriven(shown), GAINS, seeds, **long) if compared else np.full_like(fan, np.nan)
    np.testing.assert_array_equal(drawn["undriven"]["y"], np.median(alone, axis=1))
    assert figure(at, "lyapunov_fan")["layout"]["shapes"][0]["x0"] == experiment.weight_scale

    found = lyapunov_exponents(shown, **long)
    points = traces(at, "lyapunov_spectrum", LYAPUNOV_SPECTRUM_TRACES)
    assert not np.isfinite(points["growing"]["y"][found.num_positive :]).any()
    shape = np.where(np.isfinite(found.exponents), found.exponents, np.nan)
    np.testing.assert_array_equal(points["growing"]["y"][: found.num_positive], shape[: found.num_positive])
    np.testing.assert_array_equal(points["others"]["y"][found.num_positive :], shape[found.num_positive :])
    slope = found.gradient_slope if np.isfinite(found.gradient_slope) else None
    assert points["gradient"]["y"][0] == slope
    running = {trace["name"]: trace["y"] for trace in figure(at, "lyapunov_convergence")["data"]}
    if np.isfinite(found.running).any():
        drawn_part = np.isfinite(running["λ₁"])
        assert len(running["λ₁"]) == len(found.times) and drawn_part[-1] == np.isfinite(found.largest)
        np.testing.assert_array_equal(running["λ₁"][drawn_part], found.running[drawn_part, 0])
    else:
        assert not running and "nothing to average" in str(figure(at, "lyapunov_convergence")["layout"])

    at_gain = [shown.weight_scale]
    row = lyapunov_fan(shown, at_gain, seeds, **long)[0]
    field = mean_field_of(shown)
    with np.errstate(divide="ignore"):
        theory = None if field is None else float(np.log(field.chi) / 2)
    silent = lyapunov_fan(undriven(shown), at_gain, seeds, **long)[0] if compared else None
    sentence = regime_sentence(shown, row, steps=view.lyapunov_steps, theory=theory, undriven=silent)
    assert f"**{sentence}**" in said(at)
    decades = abs(float(np.median(row)) * experiment.num_steps / math.log(10))
    assert not np.isfinite(decades) or f"in T = {experiment.num_steps} steps" in captions(at)
    assert not np.isfinite(decades) or f"by {decades:.3g} decades" in captions(at)


# ---- choices ----


@pytest.mark.parametrize("driven", [False, True])
def test_all_that_is_drawn_and_said_is_measured(driven: bool) -> None:
    check(open_page(lyapunov_driven=driven))


@pytest.mark.parametrize(("name", "end"), ENDS)
def test_both_ends_of_every_choice(name: str, end: int) -> None:
    choices: dict[str, Any] = {name: end}
    check(open_page(**choices))


@pytest.mark.parametrize("kind", CELLS)
def test_every_cell(kind: str) -> None:
    at = open_page(SMALL.changed("cell", kind), lyapunov_driven=True, lyapunov_seeds=1)
    check(at)
    line = traces(at, "lyapunov_fan", LYAPUNOV_FAN_TRACES)["theory"]["y"]
    assert np.isfinite(line).any() == ("no line for N → ∞" not in captions(at))


@pytest.mark.parametrize("activation", ["tanh", "relu", "linear"])
@pytest.mark.parametrize("gain", [0.0, 4.0])
def test_both_ends_of_the_gain(activation: str, gain: float) -> None:
    experiment = SMALL.changed("cell.activation", activation).changed("weight_scale", gain)
    at = open_page(experiment)
    check(at)
    assert "Kaplan" not in str(figure(at, "lyapunov_spectrum")["layout"]) or activation == "tanh"
    if gain == 0:
        assert "lost exactly" in said(at)


def test_the_widgets_change_the_view_and_the_address() -> None:
    at = open_page()
    healthy(widget(at, "view:lyapunov_driven").set_value(True).run())
    healthy(widget(at, "view:lyapunov_steps").set_value(200).run())
    healthy(widget(at, "view:lyapunov_seeds").set_value(2).run())
    check(at)
    written = [np.ravel(at.query_params[f"view.lyapunov_{name}"])[0] for name in ("driven", "steps", "seeds")]
    assert written == ["True", "200", "2"]


def test_the_gain_moves_the_mark_and_the_fan_stays(patience: pytest.MonkeyPatch) -> None:
    at, calls = open_page(), []

    def counted(experiment: Experiment, gains: Any, *rest: Any, **choices: Any) -> np.ndarray:
        calls.append(len(gains))
        return lyapunov_fan(experiment, gains, *rest, **choices)

    patience.setattr(lyapunov_measured, "lyapunov_fan", counted)
    before = seeds_of_fan(at)
    healthy(widget(at, "setting:weight_scale").set_value(2.5).run())
    np.testing.assert_array_equal(seeds_of_fan(at), before)
    mark = traces(at, "lyapunov_fan", LYAPUNOV_FAN_TRACES)["present"]
    assert mark["x"] == [2.5]
    assert mark["y"][0] == pytest.approx(np.interp(2.5, GAINS, np.median(before, axis=1)))
    assert calls == [1], "only the exponents at the new gain"
    healthy(widget(at, "setting:num_steps").set_value(50).run())
    assert "in T = 50 steps" in captions(at) and calls == [1], "an orbit has a length of its own"


def test_theory_is_half_the_logarithm_of_chi() -> None:
    """Gaussian weights, no bias, no input: χ₁ = g² up to g = 1, and 1.362673 at 2 (Poole et al. 2016)."""
    wide = SMALL.changed("initializer", "gaussian").changed("bias_scale", 0.0)
    line = traces(open_page(wide), "lyapunov_fan", LYAPUNOV_FAN_TRACES)["theory"]["y"]
    np.testing.assert_allclose(line[GAINS < 1], np.log(GAINS[GAINS < 1]), atol=1e-12)
    assert line[np.isclose(GAINS, 2)] == pytest.approx(math.log(1.362673) / 2, abs=1e-6)


# ---- large networks ----


def test_of_a_large_network_the_largest_exponents_are_shown() -> None:
    at = open_page(Experiment(hidden_size=256), lyapunov_seeds=1)
    assert "32 largest of 256" in figure(at, "lyapunov_spectrum")["title"]
    assert len(figure(at, "lyapunov_spectrum")["data"][0]["x"]) == 32


def test_orbits_of_the_fan_are_shorter_where_they_would_take_long(patience: pytest.MonkeyPatch) -> None:
    patience.setattr(lyapunov_measured, "_LARGE", 0)
    patience.setattr(lyapunov_measured, "_SHORT", 50)
    at = open_page()
    fan = lyapunov_fan(undriven(SMALL), GAINS, range(3), steps=50, settle=SETTLE)
    np.testing.assert_array_equal(seeds_of_fan(at), fan)
    assert "the fan takes 50 steps" in captions(at)
    assert figure(at, "lyapunov_convergence")["data"][0]["x"][-1] == 100


def test_seeds_that_take_long_follow_when_the_picture_rests(patience: pytest.MonkeyPatch) -> None:
    patience.setattr(lyapunov, "_AT_ONCE", 0.0)
    patience.setattr(lyapunov, "_AT_A_TIME", 0.0)
    at = open_page(SMALL.changed("seed", 77))
    assert seeds_of_fan(at).shape[1] == 1
    assert "1 of 3 networks are drawn" in captions(at) and "in this network" in said(at)
    at = rest(at)
    assert seeds_of_fan(at).shape[1] == 2
    assert "2 of 3 networks are drawn" in captions(at) and "in this network" in said(at)
    at = rest(at)
    check(at)
    assert "are drawn" not in captions(at)


def test_after_the_last_seed_comes_the_first() -> None:
    at = open_page(SMALL.changed("seed", 9999))
    first, second, third = seeds_of_fan(at).T
    np.testing.assert_array_equal(second, seeds_of_fan(open_page(SMALL.changed("seed", 0)))[:, 0])
    assert not np.array_equal(first, third)


# ---- what is said ----


def test_an_input_of_zeros_and_a_network_are_named() -> None:
    layers = SMALL.changed("network", "layers").changed("signal", "zeros")
    at = open_page(layers, lyapunov_driven=True)
    check(at)
    assert "one cell alone" in captions(at) and "zero at all steps" in captions(at)


@pytest.mark.parametrize("name", STORIES)
def test_a_story_is_one_click_away(name: str) -> None:
    at = healthy(widget(open_page(lyapunov_seeds=1), f"story:{name}").click().run())
    story = STORIES[name]
    assert at.session_state["experiment"] == story.experiment
    assert at.session_state["view"].lyapunov_driven == story.driven
    assert f"**{story.question}**" in captions(at)
    assert [key for key in STORIES if widget(at, f"story:{key}").proto.type == "primary"] == [name]
    wanted = {"ordered": "Stable", "chaotic": "Chaotic", "suppressed": "the input suppresses chaos"}
    assert wanted[name] in said(at)
    assert "Large networks do the same" in said(at)


def test_bad_choices_are_named_and_kept_out() -> None:
    at = open_page(lyapunov_steps=7, lyapunov_seeds="many", lyapunov_driven="perhaps", lyapunov_size=3)
    named = at.warning[0].value.replace("\\", "")
    for name in ("steps", "seeds", "driven", "size"):
        assert f"view.lyapunov_{name}" in named
    view = at.session_state["view"]
    assert (view.lyapunov_steps, view.lyapunov_seeds, view.lyapunov_driven) == (400, 8, False)
