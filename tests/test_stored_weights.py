"""Trained weights that an experiment names: exact, scaled by the sliders, and said where they are missing."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer import stored_weights as store
from explorer.experiment import Experiment
from explorer.measures import gradient_norms
from explorer.sweep import knob_range
from explorer.trace import run
from explorer.weights import draw_weights, trained_note, weight_shapes


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GRADIENT_EXPLORER_HOME", str(tmp_path / "weights"))
    return tmp_path / "weights"


def some_weights(experiment: Experiment, seed: int = 5) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    width = experiment.signal.input_size
    return {name: rng.standard_normal(shape) / 8 for name, shape in weight_shapes(experiment, width).items()}


@pytest.mark.parametrize("kind", ["rnn", "lstm", "gru", "peephole"])
def test_an_experiment_that_names_weights_runs_with_them(kind: str) -> None:
    experiment = Experiment(cell={"kind": kind}, hidden_size=8, num_steps=12, batch_size=3)
    weights = some_weights(experiment)
    named = experiment.changed("trained", store.store_weights(weights, "They were trained in a test."))
    plain = named.model_copy(update={"cell": experiment.cell.model_copy(update=no_biases(experiment))})
    trace, expected = run(plain), run(plain, weights=weights)
    for name, array in expected.states.items():
        np.testing.assert_array_equal(trace.states[name], array)
    np.testing.assert_array_equal(gradient_norms(trace), gradient_norms(expected))
    assert trace.notes[0] == "These are trained weights: They were trained in a test."
    assert not any("trained" in note for note in expected.notes)


def no_biases(experiment: Experiment) -> dict[str, float]:
    return {name: 0.0 for name in type(experiment.cell).model_fields if name.endswith("_bias")}


@given(scale=st.floats(0, 4), into=st.floats(0, 10), forget=st.floats(-5, 5))
def test_sliders_act_on_trained_weights(scale: float, into: float, forget: float) -> None:
    experiment = Experiment(cell={"kind": "lstm"}, hidden_size=4)
    weights = some_weights(experiment)
    named = experiment.model_copy(
        update={
            "trained": store.store_weights(weights, "Trained."),
            "weight_scale": scale,
            "input_scale": into,
            "cell": experiment.cell.model_copy(update={"forget_bias": forget}),
        }
    )
    found = draw_weights(named)
    np.testing.assert_array_equal(found["weight_hh"], scale * weights["weight_hh"])
    np.testing.assert_array_equal(found["weight_ih"], into * weights["weight_ih"])
    np.testing.assert_array_equal(found["bias_ih"][4:8], weights["bias_ih"][4:8] + forget)
    np.testing.assert_array_equal(found["bias_hh"], weights["bias_hh"])


def test_a_knob_runs_through_trained_weights_as_single_runs_do() -> None:
    experiment = Experiment(hidden_size=6, num_steps=10, batch_size=2)
    named = experiment.changed("trained", store.store_weights(some_weights(experiment), "Trained."))
    for knob in ("weight_scale", "input_scale", "bias_scale"):
        values = np.array([0.5, 1.0, 2.0])
        swept = knob_range(named, knob, values).norms["h"]
        alone = [gradient_norms(run(named.changed(knob, float(value)))) for value in values]
        np.testing.assert_allclose(swept, alone, atol=1e-9)


def test_what_does_not_fit_or_is_missing_is_said_and_drawn_weights_are_used() -> None:
    experiment = Experiment(hidden_size=4, num_steps=5)
    key = store.store_weights(some_weights(experiment), "Trained on latch.")
    for other in (experiment.changed("hidden_size", 8), experiment.changed("cell", "gru")):
        (said,) = trained_note(other.changed("trained", key), 1)
        assert "do not fit" in said and "Trained on latch." in said
        expected, found = draw_weights(other), draw_weights(other.changed("trained", key))
        assert all(np.array_equal(expected[name], found[name]) for name in expected)
    (said,) = trained_note(experiment.changed("trained", "0" * 16), 1)
    assert "does not have" in said and "0" * 16 in said
    assert trained_note(experiment, 1) == []


def test_equal_numbers_have_one_name_and_others_another(own_folder: Path) -> None:
    experiment = Experiment(hidden_size=4)
    weights = some_weights(experiment)
    key = store.store_weights(weights, "Once.")
    assert store.store_weights(dict(reversed(weights.items())), "Twice.") == key
    assert len(list(own_folder.iterdir())) == 1
    nudged = weights | {"bias_hh": np.nextafter(weights["bias_hh"], 1)}
    assert store.store_weights(nudged, "Once.") != key
    found = store.stored_weights(key)
    assert found is not None and found.about == "Once."
    with pytest.raises(ValueError, match="read-only"):
        found.arrays["bias_hh"][0] = 1


def test_the_folder_stays_small_and_a_damaged_file_is_none(
    own_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "MOST", 3)
    keys = [store.store_weights({"a": np.full(2, float(k))}, "") for k in range(5)]
    assert len(list(own_folder.iterdir())) == 3
    assert store.stored_weights(keys[-1]) is not None
    broken = own_folder / "ffffffffffffffff.safetensors"
    broken.write_bytes(b"nothing of the kind")
    assert store.stored_weights("ffffffffffffffff") is None


def test_a_name_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="16 digits"):
        Experiment(trained="../../etc/passwd")
    experiment, said = Experiment.from_url("trained=xyz")
    assert experiment.trained == "" and len(said) == 1
