"""run and Trace: shapes, own arrays, errors that name the field, and a file that gives every number back."""

import re

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer import Experiment, Trace, run
from explorer.cells import CELLS
from explorer.trace import MEMORY_LIMIT, TooLarge, memory_needed, refuse_too_large
from tests.strategies import alone

BASE = Experiment(hidden_size=5, num_steps=12, batch_size=3, signal={"kind": "noise", "channels": 2})
EVERY_CELL = pytest.mark.parametrize("kind", CELLS)


def with_cell(kind: str) -> Experiment:
    return BASE.changed("cell", kind)


def own_arrays(experiment: Experiment, width: int) -> dict:
    rng = np.random.default_rng(1)
    rows = 5 * experiment.cell.blocks
    return {
        "weights": {
            "weight_ih_l0": rng.normal(size=(rows, width)),
            "weight_hh_l0": 0.4 * rng.normal(size=(rows, 5)),
            "bias_hh_l0": rng.normal(size=rows),
        },
        "inputs": rng.normal(size=(12, 3, width)),
        "initial_state": {"h": rng.normal(size=(3, 5))},
        "readout": rng.normal(size=5),
    }


def assert_same_numbers(a: Trace, b: Trace) -> None:
    assert a.experiment == b.experiment
    assert a.notes == b.notes
    for mine, other in [(a.states, b.states), (a.gates, b.gates), (a.slots, b.slots), (a.weights, b.weights)]:
        assert set(mine) == set(other)
        assert all(np.array_equal(array, other[name], equal_nan=True) for name, array in mine.items())
    for name, array in a.backward.totals.items():
        assert np.array_equal(array, b.backward.totals[name], equal_nan=True)
    assert np.array_equal(a.backward.exponents, b.backward.exponents)
    for name in ("inputs", "readout", "loss_weights"):
        assert np.array_equal(getattr(a, name), getattr(b, name))


@EVERY_CELL
def test_shapes(kind):
    trace = run(with_cell(kind))
    cell = trace.experiment.cell
    assert trace.num_steps == 12
    assert trace.inputs.shape == (12, 3, 2)
    assert {name: a.shape for name, a in trace.states.items()} == dict.fromkeys(cell.states, (13, 3, 5))
    assert {name: a.shape for name, a in trace.gates.items()} == dict.fromkeys(cell.gates, (12, 3, 5))
    slots = [slot.name for slot in cell.wiring()]
    assert {name: a.shape for name, a in trace.slots.items()} == dict.fromkeys(slots, (12, 3, 5))
    assert {name: a.shape for name, a in trace.backward.totals.items()} == dict.fromkeys(
        cell.states, (13, 5, 3)
    )
    assert trace.backward.exponents.shape == (13, 3)
    assert np.linalg.norm(trace.readout) == pytest.approx(1, abs=1e-15)


sizes = {"hidden_size": st.integers(2, 8), "num_steps": st.integers(2, 40), "batch_size": st.integers(1, 3)}


@given(alone(**sizes))
@settings(max_examples=50, deadline=None)
def test_every_valid_experiment_runs_and_repeats(experiment):
    """Any setting of any control gives finite gradients or says which are not, and the same ones again."""
    trace = run(experiment)
    for name, array in trace.backward.totals.items():
        said = any(note.startswith(f"The gradient of {name} is not a finite number") for note in trace.notes)
        assert np.isfinite(array).all() != said
        assert array.dtype == experiment.dtype
    assert all(note.endswith(".") for note in trace.notes)
    assert_same_numbers(trace, run(experiment))


@pytest.mark.parametrize("field", ["hidden_size", "num_steps", "batch_size", "seed", "weight_scale", "loss"])
def test_results_follow_each_setting(field):
    value = {"loss": "every", "weight_scale": 2.0}.get(field, 4)
    before, after = run(BASE).backward.totals["h"], run(BASE.changed(field, value)).backward.totals["h"]
    assert before.shape != after.shape or not np.array_equal(before, after)


# ---- saving ----


@EVERY_CELL
@pytest.mark.parametrize("own", [False, True])
def test_saved_trace_gives_the_same_numbers(kind, own, tmp_path):
    experiment = with_cell(kind).changed("initial_scale", 0.5)
    trace = run(experiment, **own_arrays(experiment, 4) if own else {})
    trace.save(tmp_path / "trace.npz")
    assert_same_numbers(trace, Trace.load(tmp_path / "trace.npz"))


@pytest.mark.parametrize(
    "changes",
    [
        {"dtype": "float32"},
        {"signal": {"kind": "text", "text": "añ😀" * 2}},
        {"signal": {"kind": "digits"}},
        {"loss": {"kind": "step", "step": 50}},
        {"cell": {"kind": "rnn", "activation": "relu"}, "weight_scale": 4.0, "num_steps": 1000},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_saved_trace_keeps_every_kind_of_setting(changes, tmp_path):
    trace = run(Experiment(**dict(BASE) | changes))
    trace.save(tmp_path / "trace.npz")
    assert_same_numbers(trace, Trace.load(tmp_path / "trace.npz"))


# ---- own arrays ----


@EVERY_CELL
def test_own_arrays_are_used(kind):
    experiment = with_cell(kind)
    given = own_arrays(experiment, 7)
    trace = run(experiment, **given)
    assert np.array_equal(trace.weights["weight_hh"], given["weights"]["weight_hh_l0"])
    assert not trace.weights["bias_ih"].any()
    assert np.array_equal(trace.inputs, given["inputs"])
    assert np.array_equal(trace.states["h"][0], given["initial_state"]["h"])
    assert all(not trace.states[name][0].any() for name in trace.states if name != "h")
    assert np.array_equal(trace.backward.totals["h"][-1], np.repeat(given["readout"][:, None], 3, axis=1))
    as_tensors = {
        "weights": {k: torch.tensor(v, requires_grad=True) for k, v in given["weights"].items()},
        "inputs": torch.tensor(given["inputs"], requires_grad=True),
        "initial_state": {"h": torch.tensor(given["initial_state"]["h"])},
        "readout": torch.tensor(given["readout"]),
    }
    assert_same_numbers(trace, run(experiment, **as_tensors))


def test_own_inputs_keep_the_drawn_weights_of_the_same_width():
    trace = run(BASE, inputs=np.zeros((12, 3, 2)))
    assert np.array_equal(trace.weights["weight_hh"], run(BASE).weights["weight_hh"])
    assert np.array_equal(trace.weights["weight_ih"], run(BASE).weights["weight_ih"])


@pytest.mark.parametrize(
    ("argument", "value", "words"),
    [
        ("inputs", np.zeros((11, 3, 2)), ["inputs has shape (11, 3, 2)", "(12, 3, 2)", "num_steps"]),
        ("inputs", np.zeros((3, 12, 2)), ["inputs", "(12, 3, 2)", "batch_size"]),
        ("inputs", np.zeros((12, 3)), ["inputs", "(12, 3)"]),
        ("inputs", 3.0, ["inputs"]),
        ("inputs", [], ["inputs"]),
        ("inputs", [[1, 2], [3]], ["inputs"]),
        ("inputs", "text", ["inputs"]),
        ("inputs", np.full((12, 3, 2), np.nan), ["inputs holds nan at index (0, 0, 0)"]),
        ("readout", np.ones(4), ["readout has shape (4,)", "hidden_size=5", "(5,)"]),
        ("readout", [1, 2, np.inf, 4, 5], ["readout holds inf at index (2,)"]),
        (
            "initial_state",
            {"h": np.zeros((5, 3))},
            ["initial_state['h'] has shape (5, 3)", "batch_size=3", "(3, 5)"],
        ),
        ("initial_state", {"c": np.zeros((3, 5))}, ["initial_state['c'] is unknown", "has h"]),
        ("initial_state", {"h": np.full((3, 5), np.nan)}, ["initial_state['h'] holds nan"]),
        ("weights", {"weight_hh": np.zeros((5, 5))}, ["weights['weight_ih'] is missing", "(5, 2)"]),
        ("weights", {"weight_hh": np.zeros((5, 4))}, ["weights['weight_hh'] has shape (5, 4)", "(5, 5)"]),
    ],
)
def test_wrong_arrays_are_named(argument, value, words):
    with pytest.raises(ValueError, match=argument) as error:
        run(BASE, **{argument: value})
    assert all(word in str(error.value) for word in words), str(error.value)


# ---- memory ----


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@EVERY_CELL
def test_memory_estimate_covers_what_a_trace_holds(kind, dtype):
    experiment = with_cell(kind).changed("hidden_size", 32).changed("num_steps", 100).changed("dtype", dtype)
    trace = run(experiment)
    arrays = [*trace.forward.states.values(), *trace.backward.totals.values()]
    arrays += [trace.forward.slots, trace.forward.gates, trace.system.drive, trace.system.matrix]
    held = sum(array.nbytes for array in arrays)
    assert held <= memory_needed(experiment) <= 3 * held


@pytest.mark.parametrize(
    ("changes", "culprit"),
    [
        ({"batch_size": 64, "num_steps": 500, "hidden_size": 512, "cell": {"kind": "lstm"}}, "hidden_size"),
        ({"batch_size": 64, "num_steps": 1000, "hidden_size": 512, "cell": {"kind": "gru"}}, "num_steps"),
        ({"batch_size": 64, "num_steps": 600, "hidden_size": 300, "cell": {"kind": "lstm"}}, "num_steps"),
    ],
)
def test_too_large_names_a_control_and_what_it_suggests_is_the_largest_that_fits(changes, culprit):
    experiment = Experiment(**changes)
    assert memory_needed(experiment) > MEMORY_LIMIT
    title = Experiment.model_fields[culprit].title
    with pytest.raises(TooLarge, match=rf"lower {title} to \d+ or less\.$") as error:
        run(experiment)
    assert isinstance(error.value, ValueError)
    assert f"{memory_needed(experiment) / 1e9:.1f} GB" in str(error.value)
    value = int(re.findall(r"to (\d+) or less", str(error.value))[0])
    assert memory_needed(experiment.changed(culprit, value)) <= MEMORY_LIMIT
    assert memory_needed(experiment.changed(culprit, value + 1)) > MEMORY_LIMIT
    refuse_too_large(experiment.changed(culprit, value), experiment.signal.input_size)


def test_text_of_many_characters_is_refused_before_anything_is_allocated():
    text = "".join(map(chr, range(0x4E00, 0x4E00 + 5000)))
    with pytest.raises(TooLarge, match="different characters"):
        run(Experiment(num_steps=1000, batch_size=64, signal={"kind": "text", "text": text}))


@pytest.mark.parametrize(("dtype", "limit"), [("float64", 354), ("float32", 44)])
def test_cells_too_large_for_their_slope_are_named(dtype: str, limit: int) -> None:
    """c grows by almost 1 a step; beyond the limit 1 − tanh²(c) is no longer a number of this type."""
    cell = {"kind": "lstm", "forget_bias": 10, "input_bias": 10, "candidate_bias": 10}
    experiment = Experiment(cell=cell, hidden_size=4, num_steps=limit + 40, batch_size=1, dtype=dtype)
    notes = run(experiment).notes
    assert len(notes) == 1 and f"State c exceeds {limit}" in notes[0] and dtype in notes[0]
    assert run(experiment.changed("num_steps", limit - 20)).notes == []
