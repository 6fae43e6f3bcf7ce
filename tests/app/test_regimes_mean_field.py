"""The section Mean field of the page Regimes: every choice, what is drawn, what is said, bad addresses."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from explorer.activations import ACTIVATIONS
from explorer.app.mean_field_choices import MeanFieldChoices
from explorer.app.regimes.mean_field import KEY, stories, taken_from, why_not_taken
from explorer.app.regimes.mean_field_setting import DEPTH, Along, Setting
from explorer.app.regimes.mean_field_words import measured_words, phase_words
from explorer.ensembles.signal_propagation import signal_propagation
from explorer.experiment import Experiment
from explorer.figures.chi_curve import CHI_TRACES
from explorer.figures.depth_scale import DEPTH_TRACES
from explorer.figures.iterated_map import MAP_TRACES
from explorer.link import bounds_of
from explorer.theory import chi_1, mean_field, mean_field_curve, mean_field_of
from tests.app.payload import GROUPS, element, panel_of
from tests.app.section import healthy, open_section, widget

FIGURES = ["chi_curve", "mean_field_map", "depth_scale", "correlation_map"]
SMALL: dict[str, Any] = {"mean_width": 16, "mean_seeds": 2}
FIELDS = MeanFieldChoices.model_fields
ENDS = [(name, end) for name, field in FIELDS.items() for end in bounds_of(field) or ()]


open_page = partial(open_section, "regimes", GROUPS, regime="mean_field")


def setting(at: AppTest) -> Setting:
    return Setting.of(at.session_state["view"])


def traces(at: AppTest, figure: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = panel_of(at, KEY)["figures"][figure]["data"]
    return found


def said(at: AppTest) -> str:
    return next(item.value for item in at.markdown if item.value.startswith(":") and "**" in item.value)


def rest(at: AppTest) -> AppTest:
    """The browser has painted the picture."""
    states = at._tree.get_widget_states()
    state = states.widgets.add()
    state.id = element(at, KEY).id
    state.json_value = json.dumps({"rested": panel_of(at, KEY)["token"]})
    return healthy(at._run(states))


def check(at: AppTest) -> None:
    """Everything that is drawn and said, against theory and measurement called directly."""
    now = setting(at)
    law: dict[str, Any] = {
        "activation": now.activation,
        "sigma_b": now.sigma_b,
        "input_variance": now.input_variance,
    }
    field = mean_field(**law, sigma_w=now.sigma_w)
    networks: dict[str, Any] = {
        "width": now.width,
        "seeds": range(now.count),
        "tied": now.tied,
        "depth": DEPTH,
    }
    far, near = (share * field.q if 0 < field.q < np.inf else 1.0 for share in (0.1, 1.0))
    runs = [signal_propagation(**law, **networks, sigma_w=now.sigma_w, start_length=q) for q in (far, near)]
    assert list(panel_of(at, KEY)["figures"]) == FIGURES

    chi = traces(at, "chi_curve")
    theory, measured, here = (chi[CHI_TRACES[name]] for name in ("theory", "measured", "now"))
    np.testing.assert_allclose(theory["y"], chi_1(**law, sigma_w=theory["x"]), rtol=1e-9, atol=1e-12)
    assert theory["x"][0] <= now.sigma_w <= theory["x"][-1]
    np.testing.assert_allclose([*here["x"], *here["y"]], [now.sigma_w, field.chi])
    growth = np.nan_to_num(runs[0].settled_growth, nan=0.0)
    np.testing.assert_allclose(measured["x"][: now.count], now.sigma_w)
    np.testing.assert_allclose(measured["y"][: now.count], growth)

    lengths = traces(at, "mean_field_map")
    curve, dots = (lengths[MAP_TRACES[name]] for name in ("map", "measured"))
    np.testing.assert_allclose(curve["y"], field.next_length(curve["x"]), rtol=1e-9, atol=1e-12)
    pairs = np.column_stack([runs[0].lengths[:, :-1].ravel(), runs[0].lengths[:, 1:].ravel()])
    end = curve["x"][-1]
    np.testing.assert_allclose(
        np.column_stack([dots["x"], dots["y"]]), pairs[(pairs <= end).all(axis=1)], rtol=1e-6, atol=1e-9
    )

    drawn = traces(at, "correlation_map")[MAP_TRACES["measured"]]["y"]
    found = runs[1].correlations[:, 1:].ravel()
    np.testing.assert_allclose(drawn, [] if field.q == 0 else found, rtol=1e-6, atol=1e-9)

    depth = traces(at, "depth_scale")[DEPTH_TRACES["correlation"]]
    with np.errstate(divide="ignore"):
        wanted = np.log10(mean_field_curve(**law, sigma_w=depth["x"]).xi_c)
    finite = np.isfinite(depth["y"])
    np.testing.assert_allclose(depth["y"][finite], wanted[finite], atol=1e-6)

    assert f"**{phase_words(field, 'step' if now.tied else 'layer')[1]}**" in said(at)
    assert measured_words(growth, field.chi, now.tolerance, now.width) in said(at)


def test_the_first_picture_shows_theory_and_measurement() -> None:
    at = open_page()
    assert setting(at) == Setting.of(MeanFieldChoices())
    check(at)
    assert "χ₁ = 1.061" in said(at)  # 1.060981, SCIENCE: Poole et al. 2016
    assert "4 networks of 256 units" in said(at)
    later = [name for name, item in panel_of(at, KEY)["figures"].items() if item.get("later")]
    assert not set(later) & set(FIGURES[:2])


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation_with_tied_weights(activation: str) -> None:
    at = open_page(mean_activation=activation, mean_tied=activation != "tanh", **SMALL)
    assert setting(at).activation == activation
    check(at)


@pytest.mark.parametrize("name, value", ENDS)
def test_both_ends_of_every_slider_moved_by_a_person(name: str, value: float) -> None:
    at = open_page(**SMALL)
    kind = type(FIELDS[name].default)
    healthy(widget(at, f"view:{name}").set_value(kind(value)).run())
    assert getattr(at.session_state["view"], name) == value
    check(at)


def test_nothing_at_all_is_said_to_be_nothing() -> None:
    at = open_page(sigma_w=0, sigma_b=0, **SMALL)
    check(at)
    assert "Gradients are exactly 0 after one layer" in said(at) and "exactly 0." in said(at)


def test_menus_and_switch_change_the_picture_and_the_address() -> None:
    at = open_page(**SMALL)
    healthy(widget(at, "view:mean_activation").set_value("relu").run())
    healthy(widget(at, "view:mean_tied").set_value(True).run())
    assert {"relu", "True"} <= {str(value) for value in at.query_params.values()}
    check(at)
    assert "a step" in said(at) and "a layer" not in said(at)


def test_the_stories_tell_what_they_are_called_after() -> None:
    at = open_page(input_variance=1, **SMALL)
    phases = {
        "critical tanh": ("Critical: χ₁ = 1.", 1e-9),
        "chaotic tanh": ("Chaotic", None),
        "ordered": ("Ordered", None),
        "ReLU at √2": ("Critical: χ₁ = 1.", 1e-12),
    }
    assert list(stories()) == list(phases)
    for name, (phase, error) in phases.items():
        healthy(widget(at, f"mean-field:{name}").click().run())
        assert f"**{phase}" in said(at)
        field = mean_field(**{key.removeprefix("mean_"): value for key, value in stories()[name].items()})
        assert error is None or abs(field.chi - 1) < error
        assert widget(at, f"mean-field:{name}").proto.type == "primary"
        assert sum(widget(at, f"mean-field:{other}").proto.type == "primary" for other in phases) == 1
    assert (
        open_page(**at.session_state["view"].model_dump()).session_state["view"] == at.session_state["view"]
    )


# ---- networks along the axis ----


def test_networks_along_the_axis_are_measured_once_the_picture_rests() -> None:
    at = open_page(sigma_b=0.35, **SMALL)
    count = setting(at).count
    assert len(traces(at, "chi_curve")[CHI_TRACES["measured"]]["x"]) == count
    at = rest(at)
    check(at)
    dots = traces(at, "chi_curve")[CHI_TRACES["measured"]]
    places = np.unique(dots["x"][count:])
    assert len(dots["x"]) == count * (1 + len(places)) and len(places) > 5
    curve = traces(at, "chi_curve")[CHI_TRACES["theory"]]
    assert curve["x"][0] < places[0] and places[-1] < curve["x"][-1]
    law: dict[str, Any] = {"activation": "tanh", "sigma_b": 0.35}
    for row, sigma in enumerate(places):
        q = mean_field(**law, sigma_w=sigma).q
        wanted = signal_propagation(**law, sigma_w=sigma, width=16, seeds=range(2), start_length=q)
        np.testing.assert_allclose(dots["y"][count:][2 * row : 2 * row + 2], wanted.settled_growth, rtol=1e-9)
    healthy(widget(at, "view:sigma_w").set_value(2.0).run())
    again = traces(at, "chi_curve")[CHI_TRACES["measured"]]
    np.testing.assert_array_equal(again["x"][count:], dots["x"][count:])  # known, wherever σ_w stands
    np.testing.assert_array_equal(again["y"][count:], dots["y"][count:])


def test_dead_gradients_along_the_axis_count_as_zero() -> None:
    along = Along(Setting("relu", 1.0, 0.0, 0.0, True, 2, 8))
    along.measure()
    assert along.growth is not None and along.growth.shape == (len(along.places), 8)
    assert (along.growth == 0).any() and np.isfinite(along.growth).all()


# ---- from the experiment ----


def test_the_experiment_is_taken() -> None:
    experiment = Experiment(hidden_size=32, weight_scale=2.0, bias_scale=1.5, input_scale=3.0)
    at = open_page(experiment)
    field = mean_field_of(experiment)
    assert field is not None
    healthy(widget(at, "mean-field:take").click().run())
    now = setting(at)
    found = (now.sigma_w, now.sigma_b, now.input_variance)
    np.testing.assert_allclose(found, (2 / 3**0.5, 1.5 * (2 / 96) ** 0.5, 9 / 96), atol=1e-6)  # variance 1/3N
    assert (now.activation, now.width, now.tied) == ("tanh", 32, True)
    assert now.field().chi == pytest.approx(field.chi, abs=1e-5)
    check(at)
    assert at.session_state["experiment"] == experiment


@pytest.mark.parametrize(
    "changes, reason",
    [
        ({"cell": "lstm"}, "no gates"),
        ({"network": "layers"}, "one cell alone"),
        ({"initializer": "identity"}, "without structure"),
        ({"cell.bias": 0.5}, "A bias of 0.5 is added"),
        ({"bias_scale": 10.0, "hidden_size": 4}, "biases σ_b = 4.082; here it ends at 2."),
        ({"input_scale": 10.0, "hidden_size": 2}, "input variance σ_x² = 16.67; here it ends at 4."),
    ],
)
def test_why_the_experiment_cannot_be_taken(changes: dict[str, Any], reason: str) -> None:
    experiment = Experiment()
    for path, value in changes.items():
        experiment = experiment.changed(path, value)
    why = why_not_taken(experiment)
    assert why is not None and reason in why and why.endswith(".")
    if "bias_scale" in changes or "cell" in changes:
        at = open_page(experiment, **SMALL)
        assert widget(at, "mean-field:take").disabled
        assert any(reason in item.value for item in at.caption)


def test_what_is_taken_can_be_chosen() -> None:
    for kind in ("uniform", "gaussian", "orthogonal"):
        for size in (2, 64, 512):
            experiment = Experiment(hidden_size=size).changed("initializer", kind)
            assert why_not_taken(experiment) is None
            MeanFieldChoices.model_validate(taken_from(experiment))


# ---- bad addresses ----


def test_bad_values_are_named_and_kept_out() -> None:
    bad: dict[str, Any] = {
        "sigma_w": "5",
        "sigma_b": "-1",
        "input_variance": "nan",
        "mean_activation": "gelu",
    }
    bad |= {"mean_width": "8", "mean_seeds": "2.5", "mean_tied": "perhaps"}
    at = open_page(**bad)
    assert setting(at) == Setting.of(MeanFieldChoices())
    rejected = at.session_state["rejected"]
    for name, value in bad.items():
        assert any(f"view.{name} = '{value}' is not allowed" in sentence for sentence in rejected), name
    assert len(rejected) == len(bad) and at.warning
