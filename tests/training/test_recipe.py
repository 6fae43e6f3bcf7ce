"""What a recipe takes, refuses and plans."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from explorer.memory import TooLarge
from explorer.training import Recipe, Trainer, Training
from explorer.training.recording import Probe

ROOT = Path(__file__).resolve().parents[2]


def test_equal_recipes_have_equal_strings() -> None:
    recipe = Recipe(experiment={"cell": {"kind": "gru"}}, task={"kind": "adding"})
    assert Recipe.model_validate(json.loads(recipe.canonical())) == recipe
    assert recipe.canonical() != Recipe().canonical()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"learning_rate": 2.0}, "learning_rate"),
        ({"steps": 0}, "steps"),
        ({"clip": "both"}, "clip"),
        ({"optimizer": "adamw"}, "optimizer"),
        ({"speed": 1}, "speed"),
        ({"experiment": {"num_steps": 4}, "task": {"kind": "digits"}}, "num_steps is 4; the task 'digits'"),
        ({"experiment": {"network": {"kind": "layers"}}}, "is 'layers'; training takes one cell, 'single'"),
    ],
)
def test_what_is_impossible_is_refused_by_name(settings: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Recipe.model_validate(settings)
    assert said in str(caught.value)


def test_too_large_a_network_is_refused_with_advice() -> None:
    large = {"cell": {"kind": "lstm"}, "hidden_size": 512, "num_steps": 1000, "batch_size": 64}
    with pytest.raises(TooLarge, match="lower"):
        Trainer(Recipe(experiment=large))


def test_the_probe_of_a_large_network_has_fewer_sequences() -> None:
    def sequences(**sizes: int) -> int:
        return Probe(Recipe(experiment={"cell": {"kind": "lstm"}} | sizes)).batch.inputs.shape[1]

    assert sequences(hidden_size=32, num_steps=60) == 16
    assert 1 <= sequences(hidden_size=512, num_steps=1000) < 16


@given(
    steps=st.integers(1, 20000),
    kind=st.sampled_from(["rnn", "lstm", "peephole"]),
    size=st.sampled_from([2, 32, 128, 512]),
)
def test_recorded_steps_are_few_even_and_affordable(steps: int, kind: str, size: int) -> None:
    recipe = Recipe(experiment={"cell": {"kind": kind}, "hidden_size": size, "dtype": "float32"}, steps=steps)
    moments = recipe.moments
    gaps = np.diff(moments)
    assert moments[0] == 0 and moments[-1] == steps
    assert len(moments) <= 61
    assert (gaps > 0).all() and (gaps[:-1] == gaps[0]).all() and gaps[-1] <= gaps[0]
    blocks = {"rnn": 1, "lstm": 4, "peephole": 4}[kind]
    assert len(moments) <= 3 or len(moments) * 3 * 4 * blocks * size * size <= 64 * 2**20


def test_the_default_run_is_recorded_every_twelfth_step() -> None:
    np.testing.assert_array_equal(Recipe(steps=300).moments, np.arange(0, 301, 12))


def test_costly_records_are_rarer() -> None:
    def count(**experiment: object) -> int:
        return len(Recipe(experiment={"dtype": "float32"} | experiment, steps=600).moments)

    assert count(hidden_size=256) < count(hidden_size=64) < count(hidden_size=16)
    assert count(batch_size=4) < count(batch_size=16)


def test_a_run_that_has_not_begun_is_empty() -> None:
    training = Training(Recipe(steps=5))
    assert training.loss.shape == (0,) and training.recorded.shape == (0,)
    assert not training.finished


def test_torch_loads_only_when_something_is_trained() -> None:
    code = "import sys, explorer.training as t; t.train; assert 'torch' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_unknown_names_are_refused() -> None:
    import explorer.training

    with pytest.raises(AttributeError, match="no attribute 'Coach'"):
        _ = explorer.training.Coach
