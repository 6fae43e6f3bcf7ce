"""Half-lives and verdicts: known rates, exact zeros, sentences without raw NaN, advice that helps."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer import Experiment, run
from explorer.lessons.presets import PRESETS
from explorer.measures import decades_lost, half_life, ledger, verdict
from tests.strategies import alone

LINEAR = {"kind": "rnn", "activation": "linear"}
RELU = {"kind": "rnn", "activation": "relu"}


@pytest.mark.parametrize("scale", [0.5, 0.9, 0.99])
def test_orthogonal_linear_network_halves_at_its_rate(scale: float) -> None:
    trace = run(
        Experiment(
            cell=LINEAR, initializer={"kind": "orthogonal"}, weight_scale=scale, hidden_size=8, batch_size=3
        )
    )
    assert half_life(trace) == pytest.approx(np.log(2) / -np.log(scale), rel=1e-9)
    assert decades_lost(trace) == pytest.approx(-100 * np.log10(scale), rel=1e-12)


def test_what_does_not_shrink_has_no_half_life() -> None:
    for scale in (1.0, 1.1):
        trace = run(
            Experiment(cell=LINEAR, initializer={"kind": "orthogonal"}, weight_scale=scale, hidden_size=8)
        )
        assert half_life(trace) == np.inf


@pytest.mark.parametrize(("bias", "steps"), [(0, 1), (1, 2.213), (2, 5.461), (3, 14.27), (5, 103.2)])
def test_constant_forget_gate_halves_as_in_the_table(bias: float, steps: float) -> None:
    experiment = Experiment(
        cell={"kind": "lstm", "forget_bias": bias},
        weight_scale=0,
        input_scale=0,
        bias_scale=0,
        hidden_size=2,
        num_steps=60,
        batch_size=1,
    )
    assert half_life(run(experiment)) == pytest.approx(steps, rel=5e-4)


@pytest.mark.parametrize("batch", [1, 4, 5])
def test_verdict_sums_up_exactly(batch: int) -> None:
    """Lost decades are the median over samples, and the sum of the median sample's ledger."""
    trace = run(Experiment(batch_size=batch, input_scale=3))
    entries = ledger(trace)
    found = verdict(trace)
    lost = np.median(entries.norms[-1] - entries.norms[0])
    assert found.decades == pytest.approx(lost, abs=1e-12) == pytest.approx(decades_lost(trace), abs=1e-12)
    numbers = [float(n) for n in re.findall(r"\d+\.\d", found.text)]
    assert numbers[0] == round(lost, 1)
    assert sum(numbers[2:4]) == pytest.approx(lost, abs=0.11)


def test_vanishing_by_the_matrix() -> None:
    found = verdict(run(Experiment()))
    assert (found.tone, found.blame, found.steps) == ("vanishes", "matrix", 100)
    assert re.match(
        r"The gradient loses \d+\.\d decades over 100 steps and halves every 1\.5 steps on average: "
        r"the matrix costs \d+\.\d decades and tanh's slope \d\.\d\.$",
        found.text,
    )


def test_vanishing_by_saturation() -> None:
    found = verdict(run(Experiment(cell={"kind": "rnn", "bias": 3}, initializer={"kind": "orthogonal"})))
    assert (found.tone, found.blame) == ("vanishes", "slope")
    assert "tanh's slope costs" in found.text
    assert found.change == {"cell.bias": 0.0}


def test_survival_and_explosion() -> None:
    keeps = Experiment(cell=LINEAR, initializer={"kind": "orthogonal"}, hidden_size=8)
    assert verdict(run(keeps)).tone == "survives"
    found = verdict(run(keeps.changed("weight_scale", 1.1)))
    assert (found.tone, found.blame) == ("explodes", "matrix")
    assert found.text.startswith(
        "The gradient grows by 4.1 decades over 100 steps and doubles every 7.3 steps"
    )
    assert found.change == {"weight_scale": 1.0}


@pytest.mark.parametrize("kind", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize("steps", [2, 5])
def test_a_short_run_that_shrinks_fast_does_not_survive(kind: str, steps: int) -> None:
    found = verdict(run(Experiment(cell={"kind": kind}, num_steps=steps)))
    assert found.tone == "vanishes" and found.change
    assert f"decades over only {steps} steps" in found.text


@pytest.mark.parametrize(
    ("scale", "steps", "tone"),
    [
        (0.9, 2, "survives"),
        (0.6, 2, "vanishes"),
        (1.6, 2, "explodes"),
        (0.8, 20, "survives"),
        (0.78, 12, "vanishes"),
    ],
)
def test_survival_needs_a_small_rate_or_a_small_change(scale: float, steps: int, tone: str) -> None:
    """At most 0.1 decades a step, unless all of it is below a factor of 2."""
    orthogonal = Experiment(cell=LINEAR, initializer={"kind": "orthogonal"}, hidden_size=4)
    found = verdict(run(orthogonal.changed("weight_scale", scale).changed("num_steps", steps)))
    assert found.tone == tone


@pytest.mark.parametrize("more", [{}, {"initializer": {"kind": "gaussian"}, "weight_scale": 3}], ids=str)
@pytest.mark.parametrize("steps", [2, 100, 1000])
@pytest.mark.parametrize("kind", ["rnn", "lstm", "gru"])
def test_losses_at_every_step_are_told_without_cancelling_sums(
    kind: str, steps: int, more: dict[str, object]
) -> None:
    experiment = Experiment(
        cell={"kind": kind}, loss={"kind": "every"}, num_steps=steps, batch_size=4, hidden_size=32, **more
    )
    found = verdict(run(experiment))
    numbers = [float(number) for number in re.findall(r"([\d.]+) decades", found.text)]
    assert max(numbers, default=0) <= max(10 * abs(found.decades), 5)
    assert "cost" not in found.text
    rate = r"[\d.]+ decades (a step|per 10+ steps)"
    assert re.search(rf"the way back alone (would lose|gains) {rate}|with a loss at every step", found.text)


def test_parts_that_cancel_are_told_per_step() -> None:
    """Last loss: a chaotic LSTM whose gates take 48 decades and whose matrix gives them back."""
    cell = {"kind": "lstm", "forget_bias": 0}
    experiment = Experiment(cell=cell, initializer={"kind": "gaussian"}, num_steps=300, batch_size=4)
    texts = [verdict(run(experiment.changed("weight_scale", scale))) for scale in (2.6, 2.8, 3.0, 3.2)]
    for found in texts:
        numbers = [float(number) for number in re.findall(r"([\d.]+) decades", found.text)]
        assert max(numbers) <= 10 * abs(found.decades) + 3
    assert any("all of it back" in found.text for found in texts)


def test_dead_units_are_counted() -> None:
    found = verdict(run(Experiment(cell={**RELU, "bias": -1})))
    assert (found.tone, found.blame, found.decades, found.half_life) == ("dead", "dead units", np.inf, 0)
    assert "exactly 0 at step 99 and all before it in all 16 sequences" in found.text
    assert "64 of 64 ReLU units are dead at step 100" in found.text


def test_no_matrix_no_gradient() -> None:
    found = verdict(run(Experiment(weight_scale=0)))
    assert (found.tone, found.blame) == ("dead", "matrix")
    assert found.change == {"weight_scale": 1.0}


def test_steps_after_the_loss_are_named() -> None:
    found = verdict(run(Experiment(loss={"kind": "step", "step": 50})))
    assert found.steps == 50
    assert found.text.endswith("Steps 51 to 100 come after the loss and get exactly no gradient.")
    last = verdict(run(Experiment(loss={"kind": "step", "step": 99})))
    assert last.text.endswith("Step 100 comes after the loss and gets exactly no gradient.")


def test_what_is_not_a_number_is_said_in_words() -> None:
    trace = run(Experiment(hidden_size=4, num_steps=6, batch_size=2))
    trace.backward.totals["h"][3, 0, 1] = np.nan
    found = verdict(trace)
    assert found.tone == "not_a_number"
    assert "At step 3" in found.text
    assert np.isnan(half_life(trace))


@pytest.mark.parametrize(("bias", "decades"), [(0, 30.1), (1, 13.6), (3, 2.1), (5, 0.3)])
def test_presets_of_the_forget_gate_blame_the_gates(bias: int, decades: float) -> None:
    """100 log10 σ(b) decades are the forget gate's; W_hh is too weak (0.01) to be named."""
    trace = run(PRESETS[f"lstm-forget-{bias}"].experiment)
    assert round(100 * np.log10(1 + np.exp(-bias)), 1) == decades
    found = verdict(trace)
    assert found.blame == ("gates" if bias < 5 else "nothing")
    assert f"({decades} the forget gate, 0.3 the output gate and tanh c)" in found.text
    assert "W_hh" not in found.text


def test_average_and_usual_half_life_are_told_apart() -> None:
    """2.4 decades over 100 steps are 12.5 steps each half; behind the output gate it is σ(3)'s 14.3."""
    text = verdict(run(PRESETS["lstm-forget-3"].experiment)).text
    assert "halves every 12.5 steps on average (every 14.3 along most of the way)" in text


@pytest.mark.parametrize("name", PRESETS)
def test_advice_on_presets_helps(name: str) -> None:
    experiment = PRESETS[name].experiment
    found = verdict(run(experiment))
    if found.tone == "survives":
        assert not found.change
        return
    for path, value in found.change.items():
        experiment = experiment.changed(path, value)
    assert found.change and abs(decades_lost(run(experiment))) < abs(found.decades)


def test_a_healthy_sum_of_losses_is_not_called_saved() -> None:
    assert "Losses nearby" in verdict(run(PRESETS["loss-hides"].experiment)).advice


def test_an_lstm_whose_cell_would_fill_up_is_told_to_write_less() -> None:
    settings_ = {"cell": {"kind": "lstm", "forget_bias": 3}, "initializer": {"kind": "identity"}}
    experiment = Experiment(**settings_, num_steps=300, hidden_size=16, batch_size=4)
    found = verdict(run(experiment))
    assert found.change == {"cell.forget_bias": 5.0, "cell.input_bias": -5.0}
    for path, value in found.change.items():
        experiment = experiment.changed(path, value)
    assert decades_lost(run(experiment)) < 0.5 * found.decades


@settings(max_examples=60, deadline=None)
@given(
    experiment=alone(
        hidden_size=st.integers(2, 6), num_steps=st.integers(2, 40), batch_size=st.integers(1, 4)
    )
)
def test_every_verdict_is_a_sentence(experiment: Experiment) -> None:
    found = verdict(run(experiment))
    for text in (found.text, found.advice):
        assert re.match(r"^(A|[A-Z0-9]).*\.$", text), text
        assert not re.search(r"\b(nan|inf|None)\b|e[+-]\d\d\d", text), text
    for path, value in found.change.items():
        experiment = experiment.changed(path, {"kind": value} if path in ("initializer", "loss") else value)


@pytest.mark.parametrize(
    "settings_",
    [
        {},
        {"initializer": {"kind": "orthogonal"}},
        {"initializer": {"kind": "orthogonal"}, "weight_scale": 0.7},
        {"initializer": {"kind": "orthogonal"}, "input_scale": 10},
        {"cell": {"kind": "rnn", "bias": 3}},
        {"cell": LINEAR},
        {"cell": LINEAR, "weight_scale": 3},
        {"cell": RELU},
        {"cell": RELU, "weight_scale": 4},
        {"cell": {**RELU, "bias": -1}},
        {"cell": {"kind": "lstm"}},
        {"cell": {"kind": "lstm", "forget_bias": -3}},
        {"cell": {"kind": "gru"}},
        {"cell": {"kind": "gru", "update": "renews"}},
        {"weight_scale": 0},
    ],
    ids=str,
)
def test_advice_helps(settings_: dict[str, object]) -> None:
    """Doing what the sentence says brings the gradient nearer to surviving."""
    experiment = Experiment(**settings_)
    before = verdict(run(experiment))
    assert before.change
    for path, value in before.change.items():
        experiment = experiment.changed(path, {"kind": value} if path in ("initializer", "loss") else value)
    assert abs(decades_lost(run(experiment))) < 0.7 * abs(before.decades)


def test_chaos_advice_rules_explosion_out() -> None:
    experiment = Experiment(initializer={"kind": "gaussian"}, weight_scale=3, hidden_size=128)
    found = verdict(run(experiment))
    assert found.tone == "explodes"
    assert decades_lost(run(experiment.changed("weight_scale", found.change["weight_scale"]))) > 0


def test_factors_beyond_floats_are_told_in_decades() -> None:
    trace = run(
        Experiment(
            cell={"kind": "rnn", "activation": "linear"},
            hidden_size=3,
            num_steps=3,
            batch_size=2,
            weight_scale=2e-313,
        )
    )
    assert re.search(r"31\d decades at every step", verdict(trace).text)
