"""What is said of the gates, checked against the numbers and where it has to change."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from explorer import Experiment, run
from explorer.measures.gate_verdict import GateVerdict, gate_verdict
from explorer.measures.keeping import keeping
from explorer.measures.lanes import lane_derivatives, lane_shares


def judged(kind: str = "lstm", **changes: Any) -> GateVerdict:
    base = {"cell": {"kind": kind}, "hidden_size": 4, "num_steps": 20, "batch_size": 2}
    trace = run(Experiment.model_validate(base | changes))
    return gate_verdict(trace, lane_derivatives(trace), lane_shares(trace), keeping(trace))


def test_numbers_are_those_of_the_lanes() -> None:
    found = judged()
    trace = run(Experiment(cell={"kind": "lstm"}, hidden_size=4, num_steps=20, batch_size=2))
    lanes = lane_derivatives(trace)
    assert lanes is not None
    said = [float(a) * 10.0 ** -int(b.translate(str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")))
            for a, b in re.findall(r"([\d.]+)·10⁻([⁰-⁹¹²³]+)", found.text)]  # fmt: skip
    assert said == pytest.approx([10 ** lanes.direct[0], 10 ** lanes.full[0]], rel=0.05)
    share = np.nanmean(lane_shares(trace).shares["c"][:, 0])
    assert f"{100 * share:.0f} % of the gradient takes the cell path" in found.text
    assert found.tone == "vanishes"


def test_open_gates_survive_and_the_matrices_add_nothing() -> None:
    found = judged(hold="forget=1; input=0")
    assert found.tone == "survives"
    assert "100 % is left in c at step 20, all of it through the cell path" in found.text
    assert "100 % of the gradient takes the cell path" in found.text


def test_a_cut_is_named_with_its_step_and_with_what_came_through_h() -> None:
    found = judged(hold="forget=0@7")
    assert found.tone == "dead"
    assert "cut at step 7: before it exactly nothing of c" in found.text and "came through h" in found.text
    assert "cut at 3 steps, last at step 9" in judged(hold="forget=0@7-9").text
    always = judged(hold="forget=0")
    assert "cut at every step: exactly nothing of c is handed on" in always.text
    assert "what is still left of c₁" in always.text and "exactly 0" not in always.text
    nothing = judged(hold="forget=0@7", weight_scale=0.0)
    assert "no other path is open" in nothing.text and nothing.tone == "dead"


def test_growth_and_other_cells() -> None:
    assert judged(hold="forget=2").tone == "explodes"
    assert "direct path of h" in judged("gru").text
    assert "no direct path" in judged("rnn").text


def test_a_gradient_that_never_arrives_has_no_share() -> None:
    found = judged(hold="output=0")
    assert "takes the cell path" not in found.text
    assert found.text.endswith("but no gradient arrives from the loss: it is exactly 0.")


def test_numbers_are_not_rounded_to_what_they_are_not() -> None:
    text = judged(cell={"kind": "lstm", "forget_bias": 10.0}, hidden_size=64).text
    assert re.search(r"One step keeps 0\.9999\d+ on average \(half-life 1\d,\d{3} steps\)", text)
    assert re.search(r"keeps \d\.\d·10⁻⁵ on", judged(cell={"kind": "lstm", "forget_bias": -10.0}).text)
    assert "(half-life 1 step)" in judged(hold="forget=0.5").text
    assert "keeps 1 on average" in judged(hold="forget=1").text


def test_a_path_that_grows_has_no_half_life() -> None:
    relu = {"kind": "lstm", "forget_activation": "relu", "forget_bias": 1.0}
    found = judged(cell=relu, hidden_size=64, num_steps=60, weight_scale=0.2, input_scale=0.5)
    assert "times as much of a change of c₀" in found.text and "outgrow the others" in found.text
    assert "half-life" not in found.text and found.tone == "explodes"
