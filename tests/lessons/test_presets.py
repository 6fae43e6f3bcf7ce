"""Every preset says what theory predicts, and the prediction comes true."""

import time

import numpy as np
import pytest
from pydantic import ValidationError

from explorer import Experiment, run
from explorer.lessons.outcomes import MEASURES, outcome
from explorer.lessons.presets import PRESETS, Preset, load_presets
from explorer.lessons.sentences import read_toml

CHECKS = [
    pytest.param(preset, expectation, id=f"{preset.id}-{k}-{expectation.measure}")
    for preset in PRESETS.values()
    for k, expectation in enumerate(preset.expect)
]


@pytest.mark.parametrize(("preset", "expectation"), CHECKS)
def test_what_theory_predicts_comes_out(preset, expectation) -> None:
    value = outcome(preset, expectation)
    assert expectation.holds(value), f"{expectation.measure} = {value}"


def test_every_preset_makes_a_prediction_with_a_known_measure() -> None:
    assert all(preset.expect for preset in PRESETS.values())
    assert {e.measure for preset in PRESETS.values() for e in preset.expect} == set(MEASURES)


def test_ids_titles_and_settings_are_unique() -> None:
    presets = list(PRESETS.values())
    assert len(read_toml("presets.toml")["preset"]) == len(presets) >= 16
    assert [name for name, preset in PRESETS.items() if name != preset.id] == []
    assert len({preset.title for preset in presets}) == len(presets)
    assert len({preset.experiment.canonical() for preset in presets}) == len(presets)


@pytest.mark.parametrize("preset", PRESETS.values(), ids=list(PRESETS))
def test_preset_runs_finite_fast_and_without_remarks(preset: Preset) -> None:
    run(preset.experiment)
    start = time.process_time()
    trace = run(preset.experiment)
    assert time.process_time() - start < 0.5
    assert trace.notes == []
    assert all(np.isfinite(array).all() for array in trace.states.values())
    assert (np.abs(trace.backward.totals["h"]).max(axis=1) > 0).all()


@pytest.mark.parametrize("preset", PRESETS.values(), ids=list(PRESETS))
def test_preset_survives_the_link(preset: Preset) -> None:
    again, rejected = Experiment.from_url(preset.experiment.to_url())
    assert (again, rejected) == (preset.experiment, [])


def test_lstm_presets_differ_in_the_forget_bias_only() -> None:
    gates = [preset.experiment for name, preset in PRESETS.items() if name.startswith("lstm-forget")]
    assert len(gates) == 4
    assert len({e.changed("cell.forget_bias", 0.0).canonical() for e in gates}) == 1


GOOD = {"id": "x", "title": "t", "question": "What?", "outcome": "This.", "settings": {}}


@pytest.mark.parametrize(
    "wrong",
    [
        {"title": "x" * 29},
        {"question": "Two? Questions?"},
        {"settings": {"hidden_sise": 3}},
        {"settings": {"weight_scale": 99.0}},
        {"scrub": "cell.forget_bias"},
        {"surprise": 1},
        {"expect": [{"measure": "decades_lost"}]},
        {"expect": [{"measure": "decades_lost", "min": 1, "change": {"nothing": 1}}]},
    ],
)
def test_mistakes_in_the_data_are_refused(wrong) -> None:
    Preset.model_validate(GOOD)
    with pytest.raises(ValidationError):
        Preset.model_validate(GOOD | wrong)


def test_a_repeated_id_is_refused(monkeypatch) -> None:
    monkeypatch.setattr("explorer.lessons.presets.read_toml", lambda name: {"preset": [GOOD, GOOD]})
    with pytest.raises(ValueError, match="two presets"):
        load_presets()
