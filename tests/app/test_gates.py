"""The page Gates in Streamlit's own test runner: every gated cell, every hold, bad input, what is drawn."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from explorer.app.gate_controls import START, described
from explorer.cells import CELLS
from explorer.experiment import Experiment
from explorer.figures.gradient import TRACES
from explorer.figures.lanes import LANE_TRACES
from explorer.figures.style import LABELS
from explorer.holds import Hold, parse_holds
from explorer.lessons.demonstrations import DEMONSTRATIONS, demonstrations_for
from explorer.link import to_query
from explorer.measures import gradient_norms
from explorer.measures.input_gradient import input_gradient_norms
from explorer.measures.lanes import lane_derivatives, lane_shares
from explorer.trace import run
from tests.app.payload import GROUPS, open_groups, panel_of

ROOT = Path(__file__).parents[2]
PAGE = "explorer/app/pages/gates.py"
SMALL = Experiment(cell={"kind": "lstm"}, hidden_size=4, num_steps=8, batch_size=3)
GATED = [kind for kind, (_, cell) in CELLS.items() if cell.gates]
FIGURES = [
    "held_gradient", "lanes", "gate_maps", "unit",
    "lane_shares", "gate_distribution", "directions", "forget_half_life",
]  # fmt: skip


def open_page(
    experiment: Experiment | str = SMALL, view: str = "", groups: Sequence[str] = GROUPS
) -> AppTest:
    """A new session that comes to the page at an address."""
    at = open_groups(AppTest.from_file(str(ROOT / "dashboard.py"), default_timeout=60), groups)
    query = experiment if isinstance(experiment, str) else to_query(experiment)
    at.query_params = parse_qs(f"{query}&{view}", keep_blank_values=True)
    return healthy(at.switch_page(PAGE).run())


def healthy(at: AppTest) -> AppTest:
    assert not at.exception, at.exception
    assert not at.error, at.error[0].value
    return at


def widget(at: AppTest, key: str) -> Any:
    kinds = (at.selectbox, at.slider, at.select_slider, at.number_input, at.text_area, at.button)
    return next(item for kind in kinds for item in kind if item.key == key)


def keys(at: AppTest) -> list[str]:
    return [item.key for item in at.button]


def press(at: AppTest, key: str) -> AppTest:
    return healthy(widget(at, key).click().run())


def shown(at: AppTest) -> Experiment:
    return at.session_state["experiment"]


def drawn(at: AppTest) -> dict[str, dict[str, Any]]:
    return panel_of(at, "gates")["figures"]


def curves(at: AppTest, figure: str = "held_gradient") -> dict[str, np.ndarray]:
    """Names of the visible curves → what is drawn."""
    return {
        trace["name"]: trace["y"]
        for trace in drawn(at)[figure]["data"]
        if trace.get("visible", True) and "lines" in trace.get("mode", "") and trace.get("name")
    }


def verdict(at: AppTest) -> str:
    """The sentences in bold above the figures."""
    return next(item.value for item in at.markdown if item.value.startswith(":") and "**" in item.value)


def median(experiment: Experiment, state: str = "h") -> np.ndarray:
    """A curve as it is sent: gaps are NaN, and −inf where all samples are exactly 0."""
    norms = gradient_norms(run(experiment), state)
    with np.errstate(invalid="ignore"):
        middle = np.median(norms, axis=1)
    return np.where(np.isfinite(middle) | (norms == -np.inf).all(axis=1), middle, np.nan)


# ---- every cell, every way to hold ----

KEEPER = {"gru": "update", "clockwork": "active"}
HOLDS = {
    "none": "",
    "one": "=1",
    "mid": "=0@4",
    "beyond": "=0.5@3-400",
    "after": "=0@300",
    "unit": "=1@2-5#3",
}


CASES = [(kind, case) for kind in GATED for case in HOLDS if kind == "lstm" or case not in ("after", "unit")]


@pytest.mark.parametrize("kind, case", CASES)
def test_every_gated_cell_under_every_hold(kind: str, case: str) -> None:
    gate = KEEPER.get(kind, "forget")
    hold = gate + HOLDS[case] if HOLDS[case] else ""
    experiment = SMALL.changed("cell", kind).changed("hold", hold)
    at = open_page(experiment)
    assert shown(at) == experiment
    assert list(drawn(at)) == FIGURES
    trace, free = run(experiment), experiment.changed("hold", "")
    data = drawn(at)["held_gradient"]["data"]
    np.testing.assert_allclose(data[TRACES["median"]]["y"], median(experiment), rtol=1e-12, atol=1e-12)
    ghosts = {name: y for name, y in curves(at).items() if "without holds" in name}
    effective = bool(trace.forward.conditions.held)
    assert set(ghosts) == (
        {f"{state} without holds" for state in experiment.cell.states} if effective else set()
    )
    for name, y in ghosts.items():
        finite = np.isfinite(y)
        np.testing.assert_allclose(y[finite], median(free, name[0])[finite], rtol=1e-12, atol=1e-12)
    lanes, drawn_lanes = lane_derivatives(trace), drawn(at)["lanes"]["data"]
    assert lanes is not None
    for name, values in (("direct", lanes.direct), ("full", lanes.full)):
        wanted = np.where(np.isfinite(values), values, np.nan)
        np.testing.assert_allclose(drawn_lanes[LANE_TRACES[name]]["y"], wanted, atol=1e-9)
    assert sum("without holds" in item["name"] for item in drawn_lanes) == (2 if effective else 0)
    outlined = [s for s in drawn(at)["gate_maps"]["layout"]["shapes"] if s["type"] == "rect"]
    assert bool(outlined) == effective
    notes = [item.value for item in at.caption if "Held gate" in item.value]
    assert bool(notes) == (case in ("beyond", "after"))


def test_the_other_figures_hold_their_measures() -> None:
    at = open_page(SMALL, "view.sample=2&view.unit=3&view.gate=output")
    trace = run(SMALL)
    shares = lane_shares(trace).shares
    bars = drawn(at)["lane_shares"]["data"]
    for bar, values in zip(bars, shares.values(), strict=True):
        np.testing.assert_allclose(bar["y"], values[:, 2], atol=1e-12)
    along, below = (trace_["y"] for trace_ in drawn(at)["directions"]["data"])
    np.testing.assert_allclose(along, gradient_norms(trace)[:-1, 2], atol=1e-12)
    np.testing.assert_allclose(below, input_gradient_norms(trace)[:, 2], atol=1e-12)
    assert drawn(at)["gate_distribution"]["title"].endswith("output o")
    np.testing.assert_allclose(
        drawn(at)["gate_distribution"]["data"][6]["y"], np.median(trace.gates["output"][:, 2], axis=1)
    )
    assert drawn(at)["unit"]["title"].endswith("unit 3")
    np.testing.assert_allclose(curves(at, "unit")["cell c"], trace.states["c"][:, 2, 3])


def test_every_figure_is_explained_and_told_to_those_who_cannot_see_it() -> None:
    for name, figure in drawn(open_page()).items():
        assert figure["title"] and figure["explain"] and re.search(r"\d", figure["alt"]), name
        assert "nan" not in figure["alt"]


# ---- holding and releasing ----


def test_a_gate_is_held_from_the_row_and_released() -> None:
    at = open_page()
    widget(at, "hold:gate:lstm").set_value("output").run()
    widget(at, "hold:value:0.0").set_value(0.25).run()
    widget(at, "hold:steps:8").set_value((2, 5)).run()
    press(at, "hold")
    assert shown(at).hold == "output=0.25@2-5"
    assert at.query_params["hold"] == "output=0.25@2-5"
    widget(at, "hold:units:0").set_value("unit 0").run()
    press(at, "hold")
    assert shown(at).hold == "output=0.25@2-5; output=0.25@2-5#0"
    assert press(at, "hold") and shown(at).hold.count(";") == 1  # the same again changes nothing
    press(at, "release:0")
    assert shown(at).hold == "output=0.25@2-5#0"
    press(at, "undo")
    assert shown(at).hold.count(";") == 1
    press(at, "release-all")
    assert shown(at).hold == "" and "hold" not in at.query_params
    assert not [key for key in keys(at) if key.startswith("release")]


def test_all_steps_are_held_without_a_range_and_a_candidate_may_be_negative() -> None:
    at = open_page()
    widget(at, "hold:gate:lstm").set_value("cell").run()
    widget(at, "hold:value:-1.0").set_value(-1.0).run()
    press(at, "hold")
    assert shown(at).hold == "cell=-1"
    assert (run(shown(at)).gates["cell"] == -1).all()


def test_the_chosen_unit_is_the_one_that_can_be_held() -> None:
    at = open_page(SMALL, "view.unit=2")
    widget(at, "hold:units:2").set_value("unit 2").run()
    press(at, "hold")
    assert parse_holds(shown(at).hold) == (Hold("forget", 1.0, unit=2),)


@pytest.mark.parametrize("kind", GATED)
def test_demonstrations_are_one_click_and_say_what_must_come_out(kind: str) -> None:
    at = open_page(SMALL.changed("cell", kind))
    for found in demonstrations_for(shown(at)):
        press(at, f"show:{found.id}")
        assert shown(at).hold == found.hold_in(SMALL.changed("cell", kind))
        assert any(found.outcome in item.value for item in at.markdown)
    assert {key.removeprefix("show:") for key in keys(at) if key.startswith("show:")} == {
        found.id for found in DEMONSTRATIONS if kind in found.cells
    }


def test_the_verdict_follows_what_is_held() -> None:
    at = open_page()
    free = verdict(at)
    assert "Through the cell path alone" in free
    assert "all of it through the cell path" in verdict(press(at, "show:carousel"))
    assert "cut at step 4" in verdict(press(at, "show:wipe"))
    assert "cut at every step" in verdict(press(at, "show:forget-all"))
    assert verdict(press(at, "release-all")) == free


def test_holds_are_pinned_like_all_settings() -> None:
    at = press(press(open_page(SMALL.changed("hold", "forget=1")), "pin"), "release-all")
    (ghost,) = [name for name in curves(at) if "held gates" in name]
    pinned = curves(at)[ghost]
    np.testing.assert_allclose(pinned, median(SMALL.changed("hold", "forget=1")), rtol=1e-12, atol=1e-12)


def test_more_ghosts_than_can_be_told_apart_are_left_out() -> None:
    at = open_page()
    for scale in (1.1, 1.2, 1.3, 1.4):
        press(at, "pin")
        widget(at, "setting:weight_scale").set_value(scale).run()
    press(at, "show:half")
    ghosts = [name for name in curves(at) if "∂L" not in name]
    assert len(ghosts) == 4 and ghosts[:2] == ["h without holds", "c without holds"]


@pytest.mark.parametrize(
    "hold, said",
    [
        (Hold("forget", 1.0), "forget f = 1"),
        (Hold("update", 0.5, 3, 3), "update z = 0.5, step 3"),
        (Hold("cell", -1.0, 3, 9, 2), "candidate g = -1, steps 3–9, unit 2"),
    ],
)
def test_holds_are_said_in_words(hold: Hold, said: str) -> None:
    assert described(hold) == said


# ---- cells without gates ----


def test_a_cell_without_gates_gets_a_sentence_and_a_way_out() -> None:
    start = Experiment(hidden_size=4, num_steps=8, batch_size=3, weight_scale=1.3, hold="forget=1")
    at = open_page(start)
    assert shown(at) == start
    assert "no gates" in at.info[0].value
    assert "hold" not in keys(at)
    press(at, "to-lstm")
    assert shown(at) == start.changed("cell", START)
    assert list(drawn(at)) == FIGURES
    widget(at, "setting:cell").set_value("rnn").run()
    assert healthy(at).info


def test_who_has_chosen_nothing_starts_with_an_lstm_that_keeps_its_gradient_until_a_gate_stops_it() -> None:
    at = open_page("")
    first = shown(at)
    assert first == Experiment(cell={"kind": "lstm", "forget_bias": 3.0})
    assert at.query_params["cell"] == "lstm"
    free, stopped = (median(first.changed("hold", hold), "c") for hold in ("", "forget=0"))
    assert np.abs(free).max() < 2 and stopped[1] < -50
    press(at, "show:forget-all")
    press(at, "reset")
    assert shown(at) == first
    press(at, "undo")
    assert shown(at).hold == "forget=0"
    press(press(at, "undo"), "undo")
    assert at.info  # the vanilla cell is a choice now


# ---- the address, other pages, other sizes ----


def test_settings_survive_the_way_to_another_page_which_empties_the_address() -> None:
    experiment = SMALL.changed("cell.forget_bias", 2.0).changed("hold", "forget=1@2-3")
    at = open_groups(AppTest.from_file(str(ROOT / "dashboard.py"), default_timeout=60))
    at.query_params = parse_qs(to_query(experiment))
    healthy(at.run())
    at.query_params.clear()
    healthy(at.switch_page(PAGE).run())
    assert shown(at) == experiment
    assert at.query_params["hold"] == "forget=1@2-3"
    at.query_params.clear()
    healthy(at.switch_page("explorer/app/pages/gradient_flow.py").run())
    assert shown(at) == experiment and at.query_params["cell.forget_bias"] == "2"


@pytest.mark.parametrize(
    "query, said",
    [
        ("cell=lstm&hold=forget", "is no hold"),
        ("cell=lstm&hold=forget=99", "allowed are"),
        ("cell=lstm&hold=forget=1@9-3", "holds no step"),
        ("cell=lstm&view.unit=9999", "view.unit"),
        ("cell=lstm&view.gate=nonsense", "view.gate"),
    ],
)
def test_bad_addresses_are_named(query: str, said: str) -> None:
    at = open_page(query + "&hidden_size=4&num_steps=8&batch_size=2")
    text = re.sub(r"\\(?=[^A-Za-z0-9\s])", "", "\n".join(item.value for item in at.warning))
    assert said in text
    assert list(drawn(at)) == FIGURES


@pytest.mark.parametrize(
    "changes",
    [
        {"hidden_size": 2, "num_steps": 2, "batch_size": 1},
        {"signal": {"kind": "digits"}, "num_steps": 64},
        {"signal": {"kind": "text"}, "num_steps": 20},
        {"signal": {"kind": "zeros"}, "loss": {"kind": "every"}},
        {"loss": {"kind": "step", "step": 3}, "hold": "forget=0@5"},
        {"dtype": "float32", "weight_scale": 4.0, "num_steps": 300},
        {"hold": "forget=10", "num_steps": 1000},
        {"hold": "forget=0; input=0; output=0; cell=0"},
        {"hidden_size": 256, "num_steps": 10, "batch_size": 1},
    ],
    ids=str,
)
@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_other_sizes_and_settings(kind: str, changes: dict[str, Any]) -> None:
    at = open_page(
        Experiment.model_validate(SMALL.model_dump() | {"cell": {"kind": kind}} | changes), "view.unit=500"
    )
    assert list(drawn(at)) == FIGURES
    for figure in drawn(at).values():
        for trace in figure["data"]:
            for axis in ("y", "z"):
                values = (
                    np.asarray(trace.get(axis, 0.0), float) if trace.get("type") != "heatmap" else np.zeros(1)
                )
                assert not (values == np.inf).any()


def test_of_a_network_one_cell_is_looked_at_and_the_network_is_kept() -> None:
    network = SMALL.changed("network", "layers").changed("hold", "forget=1")
    at = open_page(network)
    assert shown(at) == network
    assert any("one cell alone" in item.value for item in at.caption)
    median_drawn = drawn(at)["held_gradient"]["data"][TRACES["median"]]["y"]
    np.testing.assert_allclose(median_drawn, median(network.alone()), rtol=1e-12, atol=1e-12)


def test_a_run_that_is_too_large_is_refused_and_the_settings_are_kept() -> None:
    at = open_groups(AppTest.from_file(str(ROOT / "dashboard.py"), default_timeout=60))
    at.query_params = parse_qs("cell=lstm&hidden_size=512&num_steps=1000&batch_size=64")
    at.switch_page(PAGE).run()
    assert not at.exception
    assert "settings are kept" in at.error[0].value
    assert shown(at).hidden_size == 512


def test_labels_have_the_letters_of_the_equations() -> None:
    gates = {gate for kind in GATED for gate in CELLS[kind][1].gates}
    assert gates <= set(LABELS)
    letters = [
        label.split()[-1] for name, label in LABELS.items() if name in {"cell", "input", "forget", "output"}
    ]
    assert sorted(letters) == ["f", "g", "i", "o"]


# ---- settings ----


@pytest.mark.parametrize("part", ["forget", "input", "output"])
def test_the_bias_of_a_missing_gate_can_not_be_moved(part: str) -> None:
    at = open_page(SMALL.changed("cell", "ablated").changed("cell.without", f"{part}_gate"))
    gates = ("forget", "input", "output")
    assert {gate for gate in gates if widget(at, f"setting:cell.{gate}_bias").disabled} == {part}


def activations(at: AppTest) -> list[str]:
    """What stands in the box of the gates' activations, which is empty while it is closed."""
    (box,) = [item for item in healthy(at).sidebar.expander if item.label == "Activations of the gates"]
    assert box.proto.expanded == bool(box.selectbox)
    return [item.key for item in box.selectbox]


def test_activations_stand_in_a_box_that_is_open_only_where_one_is_unusual() -> None:
    at = open_page(groups=["network"])
    assert not activations(at)
    at = open_page(SMALL.changed("cell.forget_activation", "relu"), groups=["network"])
    assert activations(at) == [
        f"setting:cell.{name}_activation" for name in ("input", "forget", "output", "candidate", "cell")
    ]
    at.session_state["groups"]["activations"] = False  # as a click does
    assert not activations(at.run())


def test_modules_without_units_are_said() -> None:
    at = open_page(SMALL.changed("cell", "clockwork").changed("hidden_size", 2))
    assert any("2 units for 4 periods" in item.value for item in at.caption)
