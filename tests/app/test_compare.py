"""The page Compare in Streamlit's own test runner: every architecture, the address, bad input, numbers."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from explorer import Experiment, gradient_norms, run
from explorer.cells.clockwork import Clockwork
from explorer.cells.echo import Echo
from explorer.layouts import Layers
from explorer.lessons.architectures import ARCHITECTURES, MOST, USUAL
from explorer.link import to_query
from explorer.losses import LOSSES
from explorer.measures.architecture_table import joint_norms, matched_size, parameter_count
from explorer.measures.reservoir import memory_capacity
from explorer.networks import run_network
from tests.app.payload import decode, element, open_groups, panel_of

ROOT = Path(__file__).parents[2]
PAGE = "explorer/app/pages/compare.py"
SMALL = Experiment(hidden_size=8, num_steps=12, batch_size=3)


def open_page(view: str = "", base: Experiment = SMALL) -> AppTest:
    """A new session that has gone to the page with these settings."""
    at = open_groups(AppTest.from_file(str(ROOT / "dashboard.py"), default_timeout=60))
    at.query_params = parse_qs(f"{to_query(base)}&{view}", keep_blank_values=True)
    return healthy(at.switch_page(PAGE).run())


def healthy(at: AppTest) -> AppTest:
    assert not at.exception, at.exception
    assert not at.error, at.error[0].value
    return at


def drawn(at: AppTest) -> dict[str, dict[str, Any]]:
    """Figure id → its description with ``data`` and ``layout``."""
    return panel_of(at, "compare")["figures"]


def curves(at: AppTest) -> dict[str, np.ndarray]:
    return {
        trace["name"]: trace["y"]
        for trace in drawn(at)["compare_gradient"]["data"]
        if "lines" in trace["mode"] and "name" in trace
    }


def table(at: AppTest) -> list[list[str]]:
    """The cells' texts, row by row, without the heads."""
    (markup,) = [item.proto.body for item in at.main if item.type == "html" and "<table" in item.proto.body]
    rows = re.findall(r"<tr>(.*?)</tr>", markup)[1:]
    return [
        [html.unescape(re.sub("<[^>]*>", "", cell)) for cell in re.findall(r"<td.*?</td>", row)]
        for row in rows
    ]


def warnings(at: AppTest) -> str:
    return " ".join(item.value.replace("\\", "") for item in at.warning)


def titles(names: str) -> list[str]:
    return [ARCHITECTURES[name].title for name in names.split(",")]


def test_the_usual_ones_are_drawn_as_they_run() -> None:
    at = open_page()
    assert list(curves(at)) == titles(USUAL)
    for name in USUAL.split(","):
        experiment = ARCHITECTURES[name].applied(SMALL)
        wanted = np.median(gradient_norms(run(experiment)), axis=1)
        np.testing.assert_allclose(curves(at)[ARCHITECTURES[name].title], wanted, rtol=0, atol=1e-12)
    assert [row[0] for row in table(at)] == titles(USUAL)
    assert not at.warning


@pytest.mark.parametrize("name", list(ARCHITECTURES))
def test_every_architecture_has_its_figures_and_its_row(name: str) -> None:
    at = open_page(f"view.architectures=lstm,{name}&view.drawn={name}")
    row, experiment = ARCHITECTURES[name], ARCHITECTURES[name].applied(SMALL)
    found = drawn(at)
    assert row.title in curves(at)
    assert found["unrolled"]["title"].endswith(row.title)
    assert row.title in found["small_states"]["alt"]
    network = experiment.network
    stacked = isinstance(network, Layers) and network.num_layers > 1
    both = isinstance(network, Layers) and network.direction == "both"
    assert (f"layer_grid-{name}" in found) == stacked
    assert (f"v_shape-{name}" in found) == both
    assert (f"module_map-{name}" in found) == isinstance(experiment.cell, Clockwork)
    assert (f"echo_distance-{name}" in found) == isinstance(experiment.cell, Echo)
    cells = table(at)[-1]
    assert cells[0] == row.title and cells[1] == "8"
    assert cells[2].split()[0] == f"{parameter_count(experiment):,}"
    assert ("frozen" in cells[2]) == isinstance(experiment.cell, Echo)
    assert all(item["alt"] and item["title"] and item["explain"] for item in found.values())
    assert len({item["id"] for item in found.values()}) == len(found)


@pytest.mark.parametrize("loss", list(LOSSES))
def test_every_loss_is_marked(loss: str) -> None:
    base = SMALL.changed("loss", loss)
    at = open_page("view.architectures=tanh,gru", base.changed("loss.step", 5) if loss == "step" else base)
    marks = drawn(at)["compare_gradient"]["data"][-1]["x"].tolist()
    assert marks == {"last": [12], "every": list(range(1, 13)), "step": [5]}[loss]


def test_gaps_that_are_zeros_travel_as_zeros() -> None:
    """Behind the loss the read-out must say "exactly 0", and not "–"."""
    at = open_page("view.architectures=tanh", SMALL.changed("loss", "step").changed("loss.step", 5))
    y = curves(at)["tanh RNN"]
    assert np.isneginf(y[6:]).all() and np.isfinite(y[:6]).all()


def test_choosing_changes_curves_table_and_address() -> None:
    at = open_page("view.architectures=tanh")
    assert len(table(at)) == 1
    healthy(at.multiselect(key="view:architectures").set_value(["tanh", "mgu"]).run())
    assert list(curves(at)) == titles("tanh,mgu") == [row[0] for row in table(at)]
    assert at.query_params["view.architectures"] == "tanh,mgu"
    healthy(at.multiselect(key="view:architectures").set_value([]).run())
    assert list(curves(at)) == titles(USUAL)
    assert "No architecture is chosen" in warnings(at)


def test_the_same_number_of_parameters() -> None:
    at = open_page("view.architectures=lstm,tanh")
    assert [row[1] for row in table(at)] == ["8", "8"]
    healthy(at.toggle(key="view:matched").set_value(True).run())
    lstm, tanh = (ARCHITECTURES[name].applied(SMALL) for name in ("lstm", "tanh"))
    size = matched_size(tanh, parameter_count(lstm))
    assert size > 12
    assert [row[1] for row in table(at)] == ["8", str(size)]
    counts = [int(row[2].replace(",", "")) for row in table(at)]
    assert abs(counts[1] - counts[0]) <= 0.1 * counts[0]
    wanted = np.median(gradient_norms(run(tanh.model_copy(update={"hidden_size": size}))), axis=1)
    np.testing.assert_allclose(curves(at)["tanh RNN"], wanted, rtol=0, atol=1e-12)
    assert at.query_params["view.matched"] == "True"


def test_the_drawn_network_can_be_chosen() -> None:
    at = open_page("view.architectures=tanh,gru")
    assert drawn(at)["unrolled"]["title"].endswith("tanh RNN")
    healthy(at.selectbox(key="view:drawn").set_value("gru").run())
    assert drawn(at)["unrolled"]["title"].endswith("GRU")
    healthy(at.multiselect(key="view:architectures").set_value(["tanh"]).run())
    assert drawn(at)["unrolled"]["title"].endswith("tanh RNN"), "one that is gone is not drawn"


@pytest.mark.parametrize(("cursor", "marked"), [(0, 0), (7, 7), (900, 12)])
def test_the_cursor_marks_its_column(cursor: int, marked: int) -> None:
    found = drawn(open_page(f"view.cursor={cursor}"))["unrolled"]
    assert marked in found["layout"]["xaxis"]["tickvals"]
    assert f"at step {marked} " in found["alt"]


def test_run_times_are_measured_once_the_picture_rests() -> None:
    at = open_page("view.architectures=tanh,gru")
    assert [row[5] for row in table(at)] == ["…", "…"]
    states = at._tree.get_widget_states()
    said = states.widgets.add()
    proto = element(at, "compare")
    said.id, token = proto.id, decode(proto.bytes)[0]["token"]
    said.json_value = f'{{"rested": "{token}"}}'
    healthy(at._run(states))
    assert all(float(row[5]) > 0 for row in table(at))


def test_a_reservoir_says_that_it_is_frozen_and_what_it_recalls() -> None:
    at = open_page("view.architectures=echo")
    body = " ".join(item.proto.body for item in at.main if item.type == "html")
    assert "frozen" in body and "ridge regression" in body
    memory = drawn(at)["memory_curve-echo"]["data"][0]["y"]
    wanted = memory_capacity(ARCHITECTURES["echo"].applied(SMALL))
    np.testing.assert_allclose(memory, wanted.capacity, rtol=0, atol=1e-9)
    assert "frozen" not in " ".join(
        item.proto.body for item in open_page("view.architectures=gru").main if item.type == "html"
    )


def test_the_halves_of_a_bidirectional_network_share_only_the_loss_step() -> None:
    base = SMALL.changed("loss", "step").changed("loss.step", 5)
    forward, backward = drawn(open_page("view.architectures=bidirectional", base))["v_shape-bidirectional"][
        "data"
    ][:2]
    assert forward["x"][np.isfinite(forward["y"])].tolist() == [0, 1, 2, 3, 4, 5]
    assert backward["x"][np.isfinite(backward["y"])].tolist() == list(range(5, 13))


def test_the_layer_grid_holds_the_norms_of_every_layer() -> None:
    figure = drawn(open_page("view.architectures=stacked"))["layer_grid-stacked"]
    found = run_network(ARCHITECTURES["stacked"].applied(SMALL))
    wanted = [np.median(found.norms(layer, 0), axis=1) for layer in range(3)]
    np.testing.assert_allclose(figure["data"][0]["z"], wanted, rtol=1e-6)
    assert figure["layout"]["yaxis"]["ticktext"] == ["layer 1", "layer 2", "layer 3"]


# ---- bad input ----


@pytest.mark.parametrize(
    ("asked", "shown", "said"),
    [
        ("lstm,nonsense", "lstm", "There is no architecture 'nonsense'"),
        ("", USUAL, "No architecture is chosen"),
        ("<b>x</b>", USUAL, "There is no architecture '<b>x</b>'"),
        (",".join(ARCHITECTURES), ",".join(list(ARCHITECTURES)[:MOST]), f"the first {MOST} are drawn"),
        ("x" * 400, USUAL, "is not allowed"),
    ],
)
def test_a_wrong_address_is_named_and_something_is_drawn(asked: str, shown: str, said: str) -> None:
    at = open_page(f"view.architectures={asked}")
    assert list(curves(at)) == titles(shown)
    assert said in warnings(at)


def test_what_is_too_large_is_left_out_and_named() -> None:
    base = Experiment(hidden_size=512, num_steps=1000, batch_size=16)
    at = open_page("view.architectures=tanh,lstm,peephole", base)
    assert "tanh RNN" in curves(at) and "LSTM" not in curves(at)
    assert "LSTM is left out." in warnings(at)


def test_nothing_to_draw_is_said() -> None:
    at = open_page(
        "view.architectures=lstm,peephole", Experiment(hidden_size=512, num_steps=1000, batch_size=64)
    )
    assert "LSTM is left out." in warnings(at) and "LSTM with peepholes is left out." in warnings(at)
    assert not [item for item in at.main if getattr(item, "key", None) == "compare"]
    healthy(at.multiselect(key="view:architectures").set_value(["tanh"]).run())


def test_what_a_run_has_to_say_is_said_once() -> None:
    at = open_page("view.architectures=tanh,gru,bidirectional", SMALL.changed("loss", "step"))
    said = [caption.value for caption in at.caption if "beyond the last step" in caption.value]
    assert len(said) == 1 and "tanh" not in said[0]
    exploding = Experiment(hidden_size=64, num_steps=1000, batch_size=1, weight_scale=4.0)
    at = open_page("view.architectures=irnn,gru", exploding)
    said = [caption.value for caption in at.caption if "exceed the largest" in caption.value]
    assert len(said) == 1 and "**IRNN (ReLU, identity)**:" in said[0]


def test_held_gates_are_let_go_and_it_is_said() -> None:
    at = open_page("view.architectures=lstm", SMALL.changed("hold", "forget=1"))
    assert "all others let them go" in warnings(at)
    wanted = np.median(gradient_norms(run(ARCHITECTURES["lstm"].applied(SMALL))), axis=1)
    np.testing.assert_allclose(curves(at)["LSTM"], wanted, rtol=0, atol=1e-12)


@pytest.mark.parametrize("kind", ["rnn", "gru", "clockwork"])
@pytest.mark.parametrize("direction", ["forward", "both"])
def test_any_cell_in_any_network_is_ones_own(kind: str, direction: str) -> None:
    network = {"kind": "layers", "num_layers": 2, "direction": direction, "skip": "residual"}
    base = Experiment(**SMALL.model_dump() | {"cell": {"kind": kind}, "network": network})
    at = open_page("view.architectures=own,tanh", base)
    assert any(box.key == "setting:network.direction" for box in at.selectbox)
    with np.errstate(invalid="ignore"):
        wanted = np.median(joint_norms(run_network(base)), axis=1)
    np.testing.assert_allclose(curves(at)["your own"], wanted, rtol=0, atol=1e-12)
    at = healthy(at.slider(key="setting:network.num_layers").set_value(1).run())
    assert at.session_state["experiment"].network.num_layers == 1


def test_the_own_network_has_no_controls_while_it_is_not_chosen() -> None:
    at = open_page("view.architectures=tanh")
    assert not any(str(box.key).startswith("setting:network") for box in at.selectbox)


def test_unknown_view_settings_are_named() -> None:
    at = open_page("view.drawn=nonsense&view.colour=red&view.matched=perhaps")
    assert drawn(at)["unrolled"]["title"].endswith("tanh RNN")
    assert "view.colour is not a setting" in warnings(at) and "view.matched" in warnings(at)


@pytest.mark.parametrize(
    "base",
    [
        Experiment(hidden_size=2, num_steps=2, batch_size=1),
        SMALL.changed("weight_scale", 0.0),
        SMALL.changed("weight_scale", 4.0).changed("num_steps", 300),
        SMALL.changed("signal", "text").changed("signal.text", ""),
        SMALL.changed("dtype", "float32"),
    ],
)
def test_extreme_settings_are_drawn(base: Experiment) -> None:
    for first in range(0, len(ARCHITECTURES), MOST):
        names = list(ARCHITECTURES)[first : first + MOST]
        at = open_page(f"view.architectures={','.join(names)}", base)
        assert list(curves(at)) == [ARCHITECTURES[name].title for name in names]
