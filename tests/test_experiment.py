"""Experiment: frozen, canonical, and strict about what it takes."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from explorer.cells import CELLS
from explorer.experiment import Experiment
from explorer.initializers import INITIALIZERS
from explorer.losses import LOSSES
from explorer.signals import SIGNALS
from tests.strategies import experiments

GROUPS = {"cell": CELLS, "initializer": INITIALIZERS, "signal": SIGNALS, "loss": LOSSES}
CLASSES = [Experiment, *(option for registry in GROUPS.values() for _, option in registry.values())]
FIELDS = [(c.__name__, name, f) for c in CLASSES for name, f in c.model_fields.items() if name != "kind"]


def test_frozen():
    experiment = Experiment()
    with pytest.raises(ValidationError, match="frozen"):
        experiment.hidden_size = 3
    with pytest.raises(ValidationError, match="frozen"):
        experiment.cell.bias = 1.0


@given(experiments(), experiments())
@settings(max_examples=50, deadline=None)
def test_canonical_is_equal_exactly_when_experiments_are(a, b):
    assert (a.canonical() == b.canonical()) == (a == b)
    again = Experiment.model_validate(json.loads(a.canonical()))
    assert again == a
    assert again.canonical() == a.canonical()


def test_canonical_of_equal_numbers_written_differently():
    plain = Experiment(weight_scale=0.0, cell={"kind": "rnn", "bias": 2.0}, hidden_size=8)
    other = Experiment(weight_scale=-0.0, cell={"kind": "rnn", "bias": 2}, hidden_size=8.0)
    assert plain == other
    assert plain.canonical() == other.canonical()


@given(experiments(), st.data())
@settings(max_examples=50, deadline=None)
def test_any_difference_shows_in_canonical(experiment, data):
    name = data.draw(st.sampled_from(sorted(Experiment.model_fields)))
    changed = Experiment(**dict(experiment) | {name: getattr(data.draw(experiments()), name)})
    assert (changed.canonical() == experiment.canonical()) == (
        getattr(changed, name) == getattr(experiment, name)
    )


def test_changed_leaves_everything_else():
    before = Experiment(cell={"kind": "lstm", "forget_bias": 1}, seed=5)
    after = before.changed("cell.forget_bias", 3)
    assert after == Experiment(cell={"kind": "lstm", "forget_bias": 3}, seed=5)
    assert before.cell.forget_bias == 1
    assert before.changed("hidden_size", 8) == Experiment(cell=before.cell, seed=5, hidden_size=8)


def test_changed_kind_starts_from_its_defaults():
    experiment = Experiment(cell={"kind": "rnn", "bias": 3}).changed("cell", "gru")
    assert experiment == Experiment(cell={"kind": "gru"})


@pytest.mark.parametrize("path", ["nope", "cell.nope", "weight_scale.x", "", ".", "cell.bias.x", "nope.bias"])
def test_changed_names_an_unknown_path(path):
    with pytest.raises(ValueError, match="is not a setting; there are") as error:
        Experiment().changed(path, 1)
    assert repr(path) in str(error.value)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"hidden": 8}, "hidden"),
        ({"cell": {"kind": "lstm", "forget": 1}}, "cell.lstm.forget"),
        ({"cell": {"kind": "rnn", "forget_bias": 1}}, "cell.rnn.forget_bias"),
        ({"hidden_size": 513}, "hidden_size"),
        ({"hidden_size": 64.5}, "hidden_size"),
        ({"dtype": "float16"}, "dtype"),
        ({"signal": {"kind": "text", "text": "x" * 5001}}, "signal.text.text"),
        ({"loss": {"kind": "first"}}, "loss"),
    ],
)
def test_errors_name_the_field(given, field):
    with pytest.raises(ValidationError) as error:
        Experiment(**given)
    assert [".".join(map(str, e["loc"])) for e in error.value.errors()] == [field]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize(
    "path",
    [
        "weight_scale",
        "input_scale",
        "bias_scale",
        "initial_scale",
        "cell.bias",
        "signal.amplitude",
        "hidden_size",
    ],
)
def test_only_finite_numbers(path, value):
    with pytest.raises(ValidationError, match=path.rpartition(".")[2]):
        Experiment().changed(path, value)


@pytest.mark.parametrize(
    ("owner", "name", "field"), FIELDS, ids=[f"{owner}.{name}" for owner, name, _ in FIELDS]
)
def test_every_field_has_a_title_and_one_sentence(owner, name, field):
    assert field.title
    assert field.title == field.title.strip()
    assert len(field.title) <= 20
    text = field.description
    assert text.endswith(".")
    assert ". " not in text.rstrip(".")
    assert text[0].isupper() or not text[0].isalpha() or text.startswith(("ρ", "σ"))
    assert 10 <= len(text) <= 120


@pytest.mark.parametrize("group", GROUPS)
def test_registries_list_every_kind_by_its_own_name(group):
    for kind, (label, option) in GROUPS[group].items():
        assert label
        assert option().kind == kind
        assert getattr(Experiment(**{group: {"kind": kind}}), group) == option()


def test_streams_are_independent_and_follow_the_seed():
    draws = {
        (seed, name): Experiment(seed=seed).rng(name).random() for seed in (0, 1) for name in ("a", "b", "ab")
    }
    assert len(set(draws.values())) == 6
    assert Experiment(seed=1, hidden_size=8).rng("ab").random() == draws[1, "ab"]
