"""The page in Streamlit's own test runner: every choice, the address, pins, bad input, the numbers drawn."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl

import numpy as np
import pytest
import streamlit as st
from hypothesis import Phase, given, settings
from hypothesis import strategies as hypothesis
from streamlit.runtime.scriptrunner_utils.script_requests import ScriptRequests
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.local_script_runner import LocalScriptRunner

from explorer.app import controls
from explorer.app.sections import literal
from explorer.app.view import View
from explorer.cells import CELLS
from explorer.experiment import Experiment
from explorer.figures.gradient import TRACES
from explorer.initializers import INITIALIZERS
from explorer.lessons.presets import PRESETS
from explorer.link import bounds_of, choices_of, describe_change, field_paths, to_query
from explorer.losses import LOSSES
from explorer.measures import gradient_norms, ledger, weight_gradient_by_step
from explorer.measures.jacobian import jacobian_singular_values, largest_singular_values, log_spaced_steps
from explorer.signals import SIGNALS
from explorer.stored_weights import store_weights
from explorer.sweep import knobs
from explorer.trace import run
from explorer.weights import weight_shapes
from tests.app.payload import assert_same, element, frames_of, median_of, open_groups, panel_of
from tests.strategies import alone

SCRIPT = Path(__file__).parents[2] / "dashboard.py"
SMALL = Experiment(hidden_size=4, num_steps=8, batch_size=3)
GROUPS = {"cell": CELLS, "initializer": INITIALIZERS, "signal": SIGNALS, "loss": LOSSES}


def open_page(query: str | Experiment | dict[str, Any] = SMALL) -> AppTest:
    """A new session at an address."""
    at = open_groups(AppTest.from_file(str(SCRIPT), default_timeout=60))
    query = to_query(query) if isinstance(query, Experiment) else query
    at.query_params = parse_qs(query, keep_blank_values=True) if isinstance(query, str) else query
    return at.run()


def healthy(at: AppTest) -> AppTest:
    assert not at.exception, at.exception
    assert not at.error, at.error[0].value
    return at


def shown(at: AppTest) -> Experiment:
    return at.session_state["experiment"]


def widget(at: AppTest, key: str) -> Any:
    kinds = (at.selectbox, at.slider, at.select_slider, at.number_input, at.text_area, at.toggle, at.button)
    return next(item for kind in kinds for item in kind if item.key == key)


def send(at: AppTest, key: str, **value: Any) -> AppTest:
    """What the browser says of an element that AppTest cannot move, beside what all widgets say."""
    states = at._tree.get_widget_states()
    said = states.widgets.add()
    found = [box.proto for box in at.expander if box.key == key]
    said.id = found[0].id if found else element(at, key).id
    if found:
        said.bool_value = value["open"]
    else:
        said.json_value = json.dumps(value)
    return at._run(states)


def rest(at: AppTest) -> AppTest:
    """The browser has painted the picture; now comes what nobody should have to wait for."""
    return healthy(send(at, "flow", rested=panel_of(at)["token"]))


def has(at: AppTest, key: str) -> bool:
    return any(item.key == key for item in at.button)


def put(at: AppTest, path: str, value: Any) -> AppTest:
    """A person moves the widget of one setting."""
    return widget(at, f"setting:{path}").set_value(value).run()


def press(at: AppTest, key: str) -> AppTest:
    return widget(at, key).click().run()


def warning(at: AppTest) -> str:
    """The sentences on rejected input as a reader sees them, without markdown's backslashes."""
    return re.sub(r"\\(?=[^A-Za-z0-9\s])", "", "\n".join(item.value for item in at.warning))


def drawn_median(experiment: Experiment, state: str = "h") -> np.ndarray:
    """A curve as it is sent: gaps are NaN, and −inf where all samples are exactly 0."""
    norms = gradient_norms(run(experiment), state)
    with np.errstate(invalid="ignore"):
        median = np.median(norms, axis=1)
    return np.where(np.isfinite(median) | (norms == -np.inf).all(axis=1), median, np.nan)


def assert_shows(at: AppTest, experiment: Experiment) -> None:
    """Session, address, controls and main curve are those of the experiment."""
    healthy(at)
    assert shown(at) == experiment
    assert {
        name: value for name, value in at.query_params.items() if not name.startswith(("view", "pin"))
    } == dict(parse_qsl(to_query(experiment), keep_blank_values=True))
    for path, value, _ in field_paths(experiment):
        if path == "hold" and not (value or experiment.cell.gates):
            assert not any(item.key == "setting:hold" for item in at.text_area)
        elif path == "trained" and not value:
            assert not any(item.key == "setting:trained" for item in at.text_area)
        elif not path.startswith("network"):  # this page looks at one cell alone
            assert widget(at, f"setting:{path}").value == value, path
    np.testing.assert_allclose(median_of(at), drawn_median(experiment), rtol=1e-13, atol=1e-13)


# ---- every choice ----


def choices() -> Iterator[Any]:
    """(experiment to start from, path, value) for each choice and both ends of each slider of each kind."""
    for group, registry in GROUPS.items():
        for kind in registry:
            # A weight of 1 on no input would not show anything of the signal.
            start = SMALL.changed(group, kind)
            yield pytest.param(SMALL.changed("seed", 1), group, kind, id=f"{group}={kind}")
            for path, value, field in field_paths(start):
                idle = path.endswith("bias") and path not in knobs(start)  # a missing gate's
                if path.startswith(f"{group}.") and not idle:
                    yield from ends(start, path, value, field)
    for path, value, field in field_paths(SMALL):
        if path not in (*GROUPS, "network") and "." not in path:
            start = SMALL
            if path == "hidden_size":  # as cheap as the largest value allows
                start = SMALL.changed("num_steps", 3).changed("batch_size", 1)
            if path == "num_steps":
                start = SMALL.changed("hidden_size", 2).changed("batch_size", 1)
            yield from ends(start, path, value, field)


def ends(start: Experiment, path: str, value: Any, field: Any) -> Iterator[Any]:
    bounds = bounds_of(field)
    several = choices_of(field) or ([type(value)(bound) for bound in bounds] if bounds else [])
    if path.endswith("_activation"):  # seven functions for each of 19 gates: tests/cells has them all
        several = [name for name in several if name in ("hard_sigmoid", "relu")]
    for one in several:
        yield pytest.param(start, path, one, id=f"{path}={one}")


@pytest.mark.parametrize(("start", "path", "value"), choices())
def test_every_choice_and_both_ends_of_every_slider(start: Experiment, path: str, value: Any) -> None:
    before = healthy(open_page(start))
    at = put(before, path, value)
    assert_shows(at, start.changed(path, value))
    frames = frames_of(rest(at))
    assert len(frames["captions"]) == len(frames["values"]) >= 9
    assert any("PyTorch autograd" in item.value and "being compared" not in item.value for item in at.caption)


def test_no_field_is_forgotten_above() -> None:
    tested = {case.values[1] for case in choices()} | {
        "signal.text",
        "signal.settings",
        "hold",
        "cell.periods",
        "trained",
    }
    assert tested == {
        path
        for group, registry in GROUPS.items()
        for kind in registry
        for path, *_ in field_paths(SMALL.changed(group, kind))
        if path != "network"  # this page looks at one cell alone
    }


def test_trained_weights_are_drawn_said_and_let_go() -> None:
    rng = np.random.default_rng(1)
    weights = {name: rng.standard_normal(shape) for name, shape in weight_shapes(SMALL, 1).items()}
    trained = SMALL.changed("trained", store_weights(weights, "Trained in a test."))
    at = open_page(trained)
    assert_shows(at, trained)
    assert any(
        "These are trained weights: Trained in a test" in item.value.replace("\\", "") for item in at.caption
    )
    assert_shows(put(at, "trained", ""), SMALL)
    at = open_page(SMALL.changed("trained", "0" * 16))
    assert any("does not have the trained weights" in item.value for item in at.caption)
    np.testing.assert_allclose(median_of(at), drawn_median(SMALL), rtol=1e-13)


def test_a_network_in_the_address_is_kept_and_one_cell_is_drawn() -> None:
    at = healthy(open_page(SMALL.changed("network", "layers")))
    assert shown(at).network.kind == "layers"
    assert any("one cell alone" in item.value for item in at.caption)
    np.testing.assert_allclose(median_of(at), drawn_median(SMALL), rtol=1e-13)


@pytest.mark.parametrize("reset", ["after", "before"])
@pytest.mark.parametrize("update", ["keeps", "renews"])
def test_conventions_of_the_gru_together(reset: str, update: str) -> None:
    cell = {"kind": "gru", "reset": reset, "update": update, "update_bias": 1.5}
    experiment = Experiment(
        **SMALL.model_dump() | {"cell": cell, "dtype": "float32", "loss": {"kind": "every"}}
    )
    assert_shows(open_page(experiment), experiment)


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset(name: str) -> None:
    at = open_page(SMALL)
    widget(at, "preset").set_value(name).run()
    assert_shows(at, PRESETS[name].experiment)
    assert widget(at, "preset").value == name
    assert any(PRESETS[name].question in item.value for item in at.caption)
    scrub = panel_of(rest(at))["scrub"]
    knob = PRESETS[name].scrub or "weight_scale"
    title = next(field.title for path, _, field in field_paths(PRESETS[name].experiment) if path == knob)
    assert scrub["knob"] == title
    assert widget(put(at, "seed", 4242), "preset").value is None


def extremes(kind: str, end: int) -> Experiment:
    """Every number at its smallest (0) or largest (1) value."""
    experiment = Experiment(cell={"kind": kind}, initializer={"kind": "gaussian"}, signal={"kind": "noise"})
    for path, value, field in field_paths(experiment):
        if bounds := bounds_of(field):
            experiment = experiment.changed(path, type(value)(bounds[end]))
    return experiment


@pytest.mark.parametrize("kind", CELLS)
def test_everything_at_its_smallest(kind: str) -> None:
    at = open_page(extremes(kind, 0))
    assert_shows(at, extremes(kind, 0))
    rest(at)


@pytest.mark.parametrize("kind", CELLS)
def test_everything_at_its_largest_is_a_sentence_and_keeps_the_settings(kind: str) -> None:
    largest = extremes(kind, 1)
    at = open_page(largest)
    assert not at.exception
    (sentence,) = (item.value for item in at.error)
    assert re.search(
        r"would need [\d.]+ GB of memory .*lower (batch size|hidden size N|time steps T) to \d+ or less",
        sentence,
    )
    assert "settings are kept" in sentence
    assert shown(at) == largest
    assert widget(at, "setting:hidden_size").value == 512
    pinned = press(at, "pin")  # a curve that can never be drawn must not hurt either
    assert not pinned.exception
    put(at, "weight_scale", 3.0)
    assert len(at.error) == 1
    assert shown(at) == largest.changed("weight_scale", 3.0)
    widget(at, "preset").set_value("non-normal").run()
    assert_shows(at, PRESETS["non-normal"].experiment)


# ---- undo, reset, pins ----


def test_undo_goes_back_step_by_step() -> None:
    at = open_page()
    assert widget(at, "undo").disabled
    way = [("weight_scale", 2.5), ("cell", "lstm"), ("cell.forget_bias", 3.0), ("signal", "sine")]
    states = [SMALL]
    for path, value in way:
        put(at, path, value)
        states.append(states[-1].changed(path, value))
    assert shown(at) == states[-1]
    for earlier in reversed(states[:-1]):
        assert not widget(at, "undo").disabled
        assert_shows(press(at, "undo"), earlier)
    assert widget(at, "undo").disabled


def test_reset_gives_the_default_and_can_be_undone() -> None:
    changed = SMALL.changed("cell", "gru").changed("weight_scale", 0.5)
    at = press(open_page(changed), "pin")
    press(at, "reset")
    assert_shows(at, Experiment())
    assert at.query_params == {}
    assert not has(at, "unpin:0")
    assert_shows(press(at, "undo"), changed)
    assert has(at, "unpin:0")  # the pin comes back as well


def ghosts(at: AppTest) -> dict[str, np.ndarray]:
    data = panel_of(at)["figures"]["gradient"]["data"]
    lines = [data[TRACES[f"ghost_{k}"]] for k in (1, 2, 3, 4)]
    return {line["name"]: line["y"] for line in lines if line.get("visible", True)}


def test_pins_are_ghosts_named_by_what_differs() -> None:
    at = press(open_page(), "pin")
    assert ghosts(at).keys() == {"same settings"}
    press(at, "pin")  # again the same
    assert len(ghosts(at)) == 1
    pinned = [SMALL]
    for scale in (0.5, 1.5, 2.0, 3.0):
        put(at, "weight_scale", scale)
        press(at, "pin")
        pinned.append(SMALL.changed("weight_scale", scale))
    put(at, "cell", "lstm")
    now, kept = SMALL.changed("weight_scale", 3.0).changed("cell", "lstm"), pinned[-4:]  # the oldest has gone
    labels = [describe_change(now, ghost) for ghost in kept]
    assert labels[0] == "vanilla RNN · weight scale 0.5"
    drawn = ghosts(healthy(at))
    assert list(drawn) == labels
    for label, ghost in zip(labels, kept, strict=True):
        np.testing.assert_allclose(drawn[label], drawn_median(ghost), rtol=1e-13)
    assert [widget(at, f"unpin:{k}").label.removeprefix("✕ ") for k in range(4)] == [
        literal(label) for label in labels
    ]
    assert at.query_params["pin"] == [to_query(ghost) for ghost in kept]
    press(at, "unpin:1")
    assert list(ghosts(at)) == [labels[0], *labels[2:]]
    for _ in range(3):
        press(at, "unpin:0")
    assert ghosts(at) == {}
    assert not has(at, "unpin:0")
    assert "pin" not in at.query_params


def test_ghosts_of_another_length() -> None:
    at = press(open_page(), "pin")
    put(put(at, "num_steps", 20), "cell", "lstm")
    (y,) = ghosts(healthy(at)).values()
    np.testing.assert_allclose(y, drawn_median(SMALL), rtol=1e-13)


# ---- the address ----


def test_a_second_visitor_sees_the_same_to_the_last_digit() -> None:
    at = open_page(SMALL.changed("cell", "lstm"))
    for path, value in [
        ("cell.forget_bias", 0.1 + 0.2),
        ("weight_scale", 1.2345678901234567),
        ("initializer", "symmetric"),
        ("signal", "text"),
        ("signal.text", "a=1&b=2#c%20+ü 🙂\n\t<b>"),
        ("loss", "every"),
        ("seed", 7),
    ]:
        put(at, path, value)
    press(at, "pin")
    put(at, "initial_scale", 0.7)
    widget(at, "view:sample").set_value(2).run()
    widget(at, "view:gate").set_value("output").run()
    widget(at, "view:knob").set_value("cell.output_bias").run()
    widget(at, "view:samples").set_value(True).run()
    healthy(at)
    assert at.query_params["cell.forget_bias"] == "0.30000000000000004"
    assert {name for name in at.query_params if name.startswith("view.")} == {
        "view.sample",
        "view.gate",
        "view.knob",
        "view.samples",
    }
    here, here_frames = panel_of(at), frames_of(rest(at))
    address = dict(at.query_params)
    st.cache_resource.clear()
    there = healthy(open_page(address))
    assert not there.warning
    assert shown(there) == shown(at)
    assert there.session_state["pins"] == at.session_state["pins"]
    assert there.session_state["view"] == at.session_state["view"]
    assert there.query_params == address
    assert_same(panel_of(there), here)
    assert_same(frames_of(rest(there)), here_frames)


@given(
    alone(
        hidden_size=hypothesis.integers(2, 6),
        num_steps=hypothesis.integers(2, 8),
        batch_size=hypothesis.integers(1, 3),
    )
)
@settings(max_examples=15, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
def test_any_experiment_has_an_address_that_gives_it_back(experiment: Experiment) -> None:
    at = open_page(experiment)
    assert not at.warning
    assert_shows(at, experiment)


def test_the_default_has_an_empty_address() -> None:
    at = healthy(open_page(""))
    assert at.query_params == {}
    assert shown(at) == Experiment()
    assert not at.warning


def test_an_address_changed_by_hand_is_read_again() -> None:
    at = put(open_page(), "weight_scale", 2.0)
    at.query_params["weight_scale"] = "3"
    at.run()
    assert_shows(at, SMALL.changed("weight_scale", 3.0))


def test_periods_are_typed_and_bad_ones_are_named_and_leave_everything() -> None:
    at = open_page(SMALL.changed("cell", "clockwork"))
    put(at, "cell.periods", "5 1;2")
    assert shown(at).cell.periods == "1, 2, 5"
    assert widget(healthy(at), "setting:cell.periods").value == "1, 2, 5"
    for text, said in (("", "no period is given"), ("0", "below 1"), ("4000", "above 1000"), ("x", "'x'")):
        put(at, "cell.periods", text)
        assert said in " ".join(item.value for item in at.warning)
        assert "Value error" not in " ".join(item.value for item in at.warning)
        assert shown(at).cell.periods == "1, 2, 5"


# ---- the figures' numbers ----


@pytest.mark.parametrize("kind", CELLS)
def test_figures_hold_the_measures(kind: str) -> None:
    experiment = SMALL.changed("cell", kind).changed("weight_scale", 1.3).changed("loss", "every")
    gate = {"lstm": "output", "gru": "reset"}.get(kind, next(iter(CELLS[kind][1].gates), None))
    query = f"{to_query(experiment)}&view.sample=2&view.samples=True" + (f"&view.gate={gate}" if gate else "")
    at = healthy(open_page(query))
    trace = run(experiment)
    panel = panel_of(at)
    data = {name: figure["data"] for name, figure in panel["figures"].items()}
    assert panel["num_steps"] == 8
    norms = {state: gradient_norms(trace, state) for state in experiment.cell.states}
    for state, suffix in (("h", ""), ("c", "_c")):
        for name, quantile in (("lower", 0.1), ("median", 0.5), ("upper", 0.9)):
            curve = data["gradient"][TRACES[name + suffix]]
            assert curve.get("visible", True) == (state in norms)
            if state in norms:
                np.testing.assert_allclose(
                    curve["y"], np.quantile(norms[state], quantile, axis=1), rtol=1e-14
                )
                np.testing.assert_array_equal(curve["x"], np.arange(9))
    lines = data["gradient"][TRACES["samples"]]["y"].reshape(3, 10)
    np.testing.assert_array_equal(lines[:, :9], norms["h"].T)
    np.testing.assert_array_equal(data["gradient"][TRACES["loss"]]["x"], np.arange(1, 9))

    block = next((slot.block for slot in CELLS[kind][1].slots if slot.name.startswith(gate or "")), 0)
    roots = np.linalg.eigvals(trace.weights["weight_hh"][4 * block : 4 * block + 4])
    points = data["eigenvalues"][0]["x"][:4] + 1j * data["eigenvalues"][0]["y"][:4]
    assert np.abs(points[:, None] - roots).min(axis=1).max() < 1e-12
    assert np.abs(points[:, None] - roots).min(axis=0).max() < 1e-12

    held = [np.asarray(line["y"], float) for line in data["spectrum"] if np.size(line.get("y", ())) > 0]
    assert contains(held, largest_singular_values(trace, 2, "h"))
    assert not contains(held, largest_singular_values(trace, 0, "h"))
    steps = log_spaced_steps(8)
    assert contains(held, jacobian_singular_values(trace, 2, steps, "h")[:, 1])
    assert contains(
        [line["y"] for line in data["weight_gradient"] if "y" in line], weight_gradient_by_step(trace)
    )
    book = ledger(trace)
    held = [np.asarray(line["y"], float) for line in data["ledger"] if "y" in line]
    assert contains(held, np.median(book.slope, axis=1)) or contains(held, -np.median(book.slope, axis=1))

    heat = next(line["z"] for line in data["states"] if "z" in line)
    assert np.shape(heat)[0] == 4
    np.testing.assert_allclose(
        np.sort(heat, axis=0)[:, -8:], np.sort(trace.states["h"][1:, 2].T, axis=0), rtol=1e-6
    )
    assert ("gates" in data) == (gate is not None)
    if gate:
        heat = next(line["z"] for line in data["gates"] if "z" in line)
        np.testing.assert_allclose(
            np.sort(heat, axis=0), np.sort(trace.gates[gate][:, 2].T, axis=0), rtol=1e-6
        )


def contains(curves: list[np.ndarray], wanted: np.ndarray) -> bool:
    """Whether one of the curves runs through all wanted numbers, in order."""
    wanted = wanted[np.isfinite(wanted)]
    for curve in curves:
        rest = np.asarray(curve, float)
        windows = [rest[k : k + len(wanted)] for k in range(len(rest) - len(wanted) + 1)]
        if any(np.allclose(part, wanted, rtol=1e-6, atol=1e-9) for part in windows):
            return True
    return False


@pytest.mark.parametrize("kind", CELLS)
def test_frames_are_the_curves_of_single_runs(kind: str) -> None:
    at = open_page(SMALL.changed("cell", kind))
    for knob, (low, high) in knobs(shown(at)).items():
        widget(at, "view:knob").set_value(knob).run()
        frames, scrub = frames_of(rest(at)), panel_of(at)["scrub"]
        values = frames["values"]
        assert (values[0], values[-1], len(values)) == (low, high, 81)
        assert frames["revision"] == scrub["revision"]
        assert scrub["value"] == {path: value for path, value, _ in field_paths(shown(at))}[knob]
        assert len(frames["captions"]) == 81
        for k in (0, 23, 80):
            wanted = drawn_median(shown(at).changed(knob, float(values[k])))
            wanted[wanted == -np.inf] = np.nan  # a gap while the slider moves
            np.testing.assert_allclose(
                frames["tracks"][str(TRACES["median"])][k], wanted, rtol=1e-6, atol=1e-6
            )


def test_frames_at_the_knobs_present_value_are_the_picture() -> None:
    at = open_page(SMALL.changed("weight_scale", 1.5))
    frames = frames_of(rest(at))
    (k,) = np.flatnonzero(np.abs(frames["values"] - 1.5) < 1e-12)
    np.testing.assert_array_equal(frames["tracks"]["0"][k], median_of(at).astype(np.float32))


def test_a_knob_of_another_cell_gives_way() -> None:
    at = open_page(f"{to_query(SMALL.changed('cell', 'lstm'))}&view.knob=cell.forget_bias&view.gate=input")
    assert panel_of(healthy(at))["scrub"]["knob"] == "forget bias"
    put(at, "cell", "rnn")
    assert panel_of(healthy(at))["scrub"]["knob"] == "weight scale"
    put(at, "cell", "gru")
    assert panel_of(healthy(at))["figures"]["eigenvalues"]["title"].endswith("update gate")


def test_sample_and_cursor_of_a_larger_run_are_cut() -> None:
    at = open_page(f"{to_query(SMALL)}&view.sample=60&view.cursor=900")
    assert panel_of(healthy(at))["cursor"] == 8
    assert widget(at, "view:sample").value == 2
    put(at, "batch_size", 1)
    assert_shows(at, SMALL.changed("batch_size", 1))
    assert not any(item.key == "view:sample" for item in at.slider)


def test_the_page_says_what_it_computed() -> None:
    at = healthy(open_page())
    verdict = at.markdown[[item.value.startswith(":") for item in at.markdown].index(True)].value
    trace = run(SMALL)
    lost = float(np.diff(np.median(gradient_norms(trace), axis=1)[[0, -1]])[0])
    assert f"{lost:.1f} decades over 8 steps" in verdict
    assert any("being compared" in item.value for item in at.caption)
    assert not any("being compared" in item.value for item in rest(at).caption)
    assert any("PyTorch autograd: largest" in item.value for item in at.caption)


def test_the_snippet_is_the_experiment() -> None:
    experiment = (
        SMALL.changed("cell", "lstm").changed("signal", "text").changed("signal.text", "'\"\\\n🙂 {x}")
    )
    source = healthy(send(open_page(experiment), "notebook", open=True)).code[0].value
    room: dict[str, Any] = {}
    exec(source.rpartition("ex.plot_gradient_norms")[0], room)  # the last line would open a browser
    assert room["experiment"] == experiment
    assert room["trace"].num_steps == 8


# ---- bad input ----

BAD: dict[str, tuple[str, str]] = {
    "unknown key": ("foo=1", "foo is not a setting"),
    "key that belongs to objects": ("__class__=1", "__class__ is not a setting"),
    "text for a number": ("weight_scale=abc", "weight_scale = abc is not a number"),
    "1e999": ("weight_scale=1e999", "weight_scale = 1e999 is not allowed"),
    "NaN": ("weight_scale=NaN", "weight_scale = NaN is not allowed"),
    "infinity": ("input_scale=-inf", "input_scale = -inf is not allowed"),
    "nothing": ("input_scale=", "input_scale = (nothing)"),
    "too large": ("weight_scale=4.0001", "weight_scale = 4.0001 is not allowed (0 to 4)"),
    "negative size": ("cell.bias=0&batch_size=-3", "batch_size = -3 is not allowed (1 to 64)"),
    "half a unit": ("batch_size=2.5", "batch_size = 2.5 is not a whole number"),
    "enormous": (f"batch_size={'9' * 400}", "batch_size"),
    "other digits": ("batch_size=٣", "batch_size"),
    "unknown kind": ("cell=transformer", "cell = transformer is not one of the choices (rnn, lstm, gru"),
    "another cell's field": ("cell.forget_bias=1", "cell.forget_bias belongs to cell = lstm"),
    "kind of a group": ("cell.kind=lstm", "cell.kind"),
    "unknown field": ("signal.colour=red", "signal.colour is unknown"),
    "garbage pinned": ("pin=%00%ff%26%26", "Pinned curve 1:"),
    "bad value pinned": ("pin=hidden_size%3D-3", "Pinned curve 1: hidden_size = -3 is not allowed"),
    "six pins": (
        "&".join(f"pin=seed%3D{k}%26hidden_size%3D2" for k in range(6)),
        "pins 6 curves; the first 4",
    ),
    "cursor of words": ("view.cursor=soon", "view.cursor = 'soon' is not allowed"),
    "cursor too far": ("view.cursor=1e999", "view.cursor"),
    "negative cursor": ("view.cursor=-1", "view.cursor"),
    "sample out of range": ("view.sample=64", "view.sample"),
    "neither yes nor no": ("view.samples=maybe", "view.samples"),
    "unknown gate": ("view.gate=garden", "view.gate"),
    "unknown knob": ("view.knob=hidden_size", "view.knob"),
    "unknown view": ("view.angle=3", "view.angle is not a setting"),
    "no name after the dot": ("view.=1", "view. is not a setting"),
    "view alone": ("view=1", "view"),
    "looks like a page's key": ("preset=irnn", "preset"),
    "begins like a page's key": ("pinned=1", "pinned"),
    "twice": ("input_scale=2&input_scale=1", "input_scale appears 2 times"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_addresses_are_named_and_the_rest_is_kept(case: str) -> None:
    query, sentence = BAD[case]
    kept = "seed=7&hidden_size=4&num_steps=8"
    at = healthy(
        open_page(f"{kept}&{query}&weight_scale=1.25" if "weight_scale" not in query else f"{kept}&{query}")
    )
    assert sentence in warning(at)
    assert (shown(at).seed, shown(at).hidden_size, shown(at).num_steps) == (7, 4, 8)
    assert shown(at).weight_scale == (1.0 if "weight_scale" in query else 1.25)
    bad = query.partition("=")[0]
    assert at.query_params.get(bad) != parse_qs(query, keep_blank_values=True)[bad][0]
    again = open_page(dict(at.query_params))
    assert not again.warning  # the address has been cleaned


def test_the_sentences_can_be_dismissed() -> None:
    at = open_page(f"{to_query(SMALL)}&foo=1&bar=2")
    assert "foo" in warning(at)
    assert "bar" in warning(at)
    next(item for item in at.button if item.label == "Dismiss").click().run()
    assert not healthy(at).warning
    assert shown(at) == SMALL


@pytest.mark.parametrize(
    "query",
    [
        {"signal": "text", "signal.text": "x" * 500_000},
        {"a" * 500_000: "1"},
        {"weight_scale": "9" * 500_000},
        {"pin": "x" * 500_000},
        {"view.gate": "x" * 500_000},
        {f"key{k}": "1" for k in range(900)},
        {"pin": ["seed=1"] * 900},
    ],
    ids=["text", "key", "number", "pin", "gate", "many keys", "many pins"],
)
def test_half_a_megabyte_is_a_sentence(query: dict[str, Any]) -> None:
    at = healthy(open_page({"num_steps": "8", "hidden_size": "4"} | query))
    assert 10 < len(warning(at)) < 5_000
    assert shown(at).num_steps == 8
    assert sum(len(str(value)) for value in at.query_params.values()) < 20_000


@pytest.mark.parametrize(
    "query",
    [{"signal.text": "x" * 1_000_000}, {f"key{k}": "1" for k in range(5_000)}],
    ids=["characters", "keys"],
)
def test_what_streamlit_does_not_even_read_does_no_harm(query: dict[str, Any]) -> None:
    """It ignores queries of more than 512 kB or 1000 pairs as a whole."""
    assert shown(healthy(open_page(query))) == Experiment()


TEXTS = {
    "empty": "",
    "one letter": "a",
    "emoji": "👩‍👩‍👧‍👦🏳️‍🌈é\u0301",
    "markdown and HTML": "**b** [l](http://x.y) ![](http://x.y/i.png) <script>1</script> $x$ :red[r] `c`",
    "control characters": "\x00\x1b[31m\u202e\u200b\r\n\t",
    "5000 characters": "".join(chr(0x4E00 + k % 700) for k in range(5000)),
}


@pytest.mark.parametrize("name", TEXTS)
def test_any_text_can_be_read(name: str) -> None:
    at = open_page(SMALL.changed("signal", "text"))
    put(at, "signal.text", TEXTS[name])
    assert_shows(at, SMALL.changed("signal", "text").changed("signal.text", TEXTS[name]))
    press(at, "pin")
    put(at, "signal", "zeros")
    assert len(ghosts(healthy(at))) == 1
    again = healthy(open_page(dict(at.query_params)))
    assert again.session_state["pins"] == at.session_state["pins"]


def test_a_text_of_100_kilobytes_is_cut() -> None:
    start = SMALL.changed("signal", "text")
    at = put(open_page(start), "signal.text", "xy" * 50_000)
    assert_shows(at, start.changed("signal.text", "xy" * 2_500))


# ---- the fragment ----


def test_the_cursor_runs_the_picture_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    at = send(open_page(), "equations", open=True)
    assert panel_of(at)["cursor"] == 8
    (fragment,) = at._fragment_storage._fragments
    drawn: list[str] = []
    control, request = controls.control, LocalScriptRunner.request_rerun
    monkeypatch.setattr(controls, "control", lambda path: (drawn.append(path), control(path)))

    def only_fragment(self: Any, data: Any) -> Any:
        self._requests = ScriptRequests()  # AppTest has asked for the whole script already
        return request(self, replace(data, fragment_id=fragment))

    at.run()
    assert "cell" in drawn
    drawn.clear()
    monkeypatch.setattr(LocalScriptRunner, "request_rerun", only_fragment)
    healthy(send(at, "flow", cursor=3))
    assert drawn == []
    assert panel_of(at)["cursor"] == 3
    assert at.query_params["view.cursor"] == "3"
    assert at.session_state["view"] == View(cursor=3)
    assert any("t = 3" in item.value for item in at.markdown)
    assert shown(at) == SMALL


def test_the_equations_follow_the_cursor() -> None:
    shown_at = {}
    for cursor, step in [(0, 1), (2, 2), (7, 7)]:  # no step ends at t = 0: the first one is shown
        at = open_page(f"{to_query(SMALL)}&view.cursor={cursor}")
        assert not at.latex
        send(at, "equations", open=True)
        assert any(f"t = {step}" in item.value for item in healthy(at).markdown)
        shown_at[step] = [item.value for item in at.latex]
    assert len({str(formulas) for formulas in shown_at.values()}) == 3
    assert len(shown_at[2]) >= 8
