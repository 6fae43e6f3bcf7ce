"""Held gates: their text, the masks it stands for, and what a held gate does to a run."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from explorer import Experiment, gradient_norms, jacobian_products, run
from explorer.holds import MOST, Hold, format_holds, hold_masks, parse_holds

steps = st.tuples(st.integers(1, 1000), st.integers(0, 500)).map(lambda pair: (pair[0], sum(pair)))
holds = st.builds(
    lambda gate, value, span, unit: Hold(gate, value, *(span or (None, None)), unit),
    st.sampled_from(["forget", "input", "cell", "update", "new"]),
    st.floats(-10, 10).map(lambda value: value + 0.0),
    st.none() | steps,
    st.none() | st.integers(0, 511),
)


@given(st.lists(holds, max_size=MOST))
def test_what_is_written_is_read_back(several: list[Hold]) -> None:
    assert parse_holds(format_holds(several)) == tuple(several)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ()),
        (" ; ;", ()),
        ("forget=1", (Hold("forget", 1.0),)),
        (" forget = 1e0 @ 3 - 7 # 2 ;", (Hold("forget", 1.0, 3, 7, 2),)),
        ("input=.5@7", (Hold("input", 0.5, 7, 7),)),
        ("cell=-1#0", (Hold("cell", -1.0, unit=0),)),
    ],
)
def test_ways_to_write_it(text: str, expected: tuple[Hold, ...]) -> None:
    assert parse_holds(text) == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("forget", "is no hold"),
        ("forget=", "is no hold"),
        ("forget=1@", "is no hold"),
        ("forget=1@3-", "is no hold"),
        ("forget=1#-2", "is no hold"),
        ("forget=open", "not a number"),
        ("forget=nan", "−10 to 10"),
        ("forget=1e999", "−10 to 10"),
        ("forget=11", "−10 to 10"),
        ("forget=1@0", "the first is 1"),
        ("forget=1@9-3", "must not come before"),
        (";".join(["forget=1"] * (MOST + 1)), f"at most {MOST}"),
    ],
)
def test_what_cannot_be_read_is_named(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parse_holds(text)
    with pytest.raises(ValidationError, match=said):
        Experiment(hold=text)
    kept, sentences = Experiment.from_url(f"seed=3&hold={text.replace('#', '%23').replace(';', '%3B')}")
    assert kept == Experiment(seed=3)
    assert len(sentences) == 1 and said[:20] in sentences[0] and "nothing is used instead" in sentences[0]


def test_a_link_holds_the_gates() -> None:
    experiment = Experiment(cell={"kind": "lstm"}, hold="forget=0@10-40#3;input=0.25")
    assert experiment.hold == "forget=0@10-40#3; input=0.25"
    assert Experiment.from_url(experiment.to_url()) == (experiment, [])


def test_masks_say_where_and_the_later_hold_wins() -> None:
    masks, notes = hold_masks(parse_holds("forget=1; forget=0@2-3; forget=0.5@3#1"), ["forget"], 4, 3)
    where, value = masks["forget"]
    assert notes == [] and where.all()
    assert value[:, :, 0].tolist() == [[1, 1, 1], [0, 0, 0], [0, 0.5, 0], [1, 1, 1]]


@pytest.mark.parametrize(
    ("text", "said", "held"),
    [
        ("reset=1", "has no gate reset, its gates are", 0),
        ("forget=1@20-30", "ends at step 8: nothing", 0),
        ("forget=1#4", "units 0 to 3 only", 0),
        ("forget=1@5-999999999", "until then", 16),
    ],
)
def test_a_hold_that_does_not_fit_is_a_sentence_of_the_run(text: str, said: str, held: int) -> None:
    experiment = Experiment(cell={"kind": "lstm"}, num_steps=8, hidden_size=4, batch_size=1, hold=text)
    trace = run(experiment)
    assert any(said in note for note in trace.notes), trace.notes
    assert (trace.gates["forget"] == 1).sum() == held


def test_a_cell_without_gates_says_so() -> None:
    trace = run(Experiment(hold="forget=1"))
    assert any("it has no gates" in note for note in trace.notes)


# ---- what it does ----


def lstm(hold: str, **settings: Any) -> Experiment:
    base: dict[str, Any] = {"hidden_size": 6, "num_steps": 20, "batch_size": 3, "seed": 2}
    return Experiment(cell={"kind": "lstm"}, hold=hold, **base | settings)


def test_an_open_forget_gate_is_the_constant_error_carousel() -> None:
    """f = 1 and the h-path cut (U = 0): ∂c_T/∂c_0 = I, so ∂L/∂c is the same at all steps."""
    trace = run(lstm("forget=1; input=0", weight_scale=0))
    norms = gradient_norms(trace, "c")
    assert norms[1:] == pytest.approx(np.broadcast_to(norms[-1], (20, 3)), abs=1e-12)


def test_a_shut_forget_gate_stops_the_cell_path_exactly() -> None:
    trace = run(lstm("forget=0@9", weight_scale=0))
    norms = gradient_norms(trace, "c")
    assert (norms[:9] == -np.inf).all()
    assert np.isfinite(norms[9:]).all()


def test_half_open_halves_exactly() -> None:
    norms = gradient_norms(run(lstm("forget=0.5", weight_scale=0)), "c")
    assert np.diff(norms, axis=0) == pytest.approx(np.log10(2), abs=1e-12)


HELD = ["forget=1", "forget=0@7-9; output=0.5#2", "input=0@1-5; cell=-0.25", "output=1; input=0.3@4#0"]


@pytest.mark.parametrize("hold", HELD)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_total_gradients_under_holds_equal_autograd(hold: str, dtype: str) -> None:
    trace = run(lstm(hold, dtype=dtype))
    w = {name: torch.tensor(array) for name, array in trace.weights.items()}
    masks, _ = hold_masks(parse_holds(hold), trace.experiment.cell.gates, 20, 6)

    def gate(name: str, t: int, value: torch.Tensor) -> torch.Tensor:
        if name not in masks:
            return value
        where, held = (torch.tensor(part[t, :, 0]) for part in masks[name])
        return torch.where(where, held, value)

    h = torch.zeros(3, 6, dtype=torch.float64, requires_grad=True)
    c = torch.zeros_like(h, requires_grad=True)
    path: dict[str, list[torch.Tensor]] = {"h": [h], "c": [c]}
    for t, x in enumerate(torch.tensor(trace.inputs)):
        a = x @ w["weight_ih"].T + w["bias_ih"] + h @ w["weight_hh"].T + w["bias_hh"]
        i, f, g, o = a.chunk(4, 1)
        i, f = gate("input", t, i.sigmoid()), gate("forget", t, f.sigmoid())
        c = f * c + i * gate("cell", t, g.tanh())
        h = gate("output", t, o.sigmoid()) * c.tanh()
        for name, state in (("h", h), ("c", c)):
            state.retain_grad()
            path[name].append(state)
    (h @ torch.tensor(trace.readout)).sum().backward()
    tolerance = 1e-10 if dtype == "float64" else 1e-4
    for name, states in path.items():
        exact = np.array([np.zeros((3, 6)) if s.grad is None else s.grad.numpy() for s in states])
        found = np.ldexp(trace.backward.totals[name].astype(float), trace.backward.exponents[:, None])
        error = np.linalg.norm(np.moveaxis(found, 1, 2) - exact, axis=2)
        assert (error <= tolerance * np.linalg.norm(exact, axis=2)).all(), name


@pytest.mark.parametrize("reset", ["after", "before"])
@pytest.mark.parametrize("update", ["keeps", "renews"])
def test_a_held_update_gate_keeps_or_renews_whatever_the_convention(reset: str, update: str) -> None:
    cell = {"kind": "gru", "reset": reset, "update": update}
    kept = "update=1" if update == "keeps" else "update=0"
    experiment = Experiment(cell=cell, hold=kept, hidden_size=5, num_steps=12, batch_size=2, initial_scale=1)
    trace = run(experiment)
    assert (trace.states["h"] == trace.states["h"][0]).all()
    assert (jacobian_products(trace) == np.eye(5)).all()
    held = run(experiment.model_copy(update={"hold": "reset=0"}))
    alone = run(experiment.model_copy(update={"hold": "reset=0"}), weights=_without_candidate(held.weights))
    if reset == "before":
        np.testing.assert_array_equal(held.states["h"], alone.states["h"])


@pytest.mark.parametrize("hold", ["update=0.5@3", "reset=0.25", "new=0.1@2-4"])
def test_a_hold_of_the_original_gru_equals_finite_differences(hold: str) -> None:
    """Reset before the matrix: the reset gate acts through the message alone."""
    cell = {"kind": "gru", "reset": "before"}
    experiment = Experiment(cell=cell, hold=hold, hidden_size=4, num_steps=7, batch_size=1, initial_scale=1)
    trace = run(experiment)
    start, epsilon = trace.states["h"][0].copy(), 1e-6
    found = np.ldexp(trace.backward.totals["h"][0, :, 0], trace.backward.exponents[0, 0])
    for k in range(4):
        ends = []
        for sign in (1, -1):
            moved = start.copy()
            moved[0, k] += sign * epsilon
            ends.append(run(experiment, initial_state={"h": moved}).states["h"][-1, 0] @ trace.readout)
        assert (ends[0] - ends[1]) / (2 * epsilon) == pytest.approx(found[k], abs=1e-9)


def _without_candidate(weights: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The same weights with the candidate's recurrent matrix at 0."""
    matrix = weights["weight_hh"].copy()
    matrix[10:] = 0
    return weights | {"weight_hh": matrix}
