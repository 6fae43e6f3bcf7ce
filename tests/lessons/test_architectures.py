"""Architectures are data: every row fits, says what it asks, and becomes what its name promises."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer import Experiment
from explorer.cells import CELLS
from explorer.lessons import architectures
from explorer.lessons.architectures import (
    ARCHITECTURES,
    MOST,
    USUAL,
    chosen,
    load_architectures,
    run_architecture,
)
from explorer.lessons.sentences import one_sentence
from explorer.measures.architecture_table import fate, joint_norms
from explorer.measures.reservoir import state_distances
from explorer.weights import draw_weights

ROWS = pytest.mark.parametrize("row", ARCHITECTURES.values(), ids=list(ARCHITECTURES))
SMALL = Experiment(hidden_size=8, num_steps=10, batch_size=2)


@ROWS
def test_every_row_runs_and_keeps_what_is_shared(row):
    base = SMALL.changed("signal", "sine").changed("seed", 7)
    experiment = row.applied(base)
    for shared in (
        "signal",
        "seed",
        "loss",
        "hidden_size",
        "num_steps",
        "batch_size",
        "input_scale",
        "dtype",
    ):
        assert shared in row.settings or getattr(experiment, shared) == getattr(base, shared)
    assert np.isfinite(joint_norms(run_architecture(experiment))).any()
    assert one_sentence(row.question) == row.question and row.question.endswith("?")


def test_every_kind_of_cell_is_there():
    assert {row.applied(SMALL).cell.kind for row in ARCHITECTURES.values()} == set(CELLS)


def test_no_two_rows_are_the_same_experiment():
    base = SMALL.changed("initializer", "gaussian")
    fixed = [row for row in ARCHITECTURES.values() if not row.own]
    assert len({row.applied(base).canonical() for row in fixed}) == len(fixed)


def test_the_own_row_is_the_experiment_on_screen():
    mine = SMALL.changed("cell", "mgu").changed("network", "layers").changed("hold", "forget=1")
    assert [row.applied(mine) for row in ARCHITECTURES.values() if row.own] == [mine]


def test_a_row_does_not_depend_on_the_cell_on_screen():
    other = SMALL.changed("cell", "lstm").changed("cell.forget_bias", 5.0)
    for row in ARCHITECTURES.values():
        assert row.own or row.applied(other) == row.applied(SMALL)


def test_the_names_keep_their_promise():
    base = Experiment()
    irnn = draw_weights(ARCHITECTURES["irnn"].applied(base))["weight_hh"]
    np.testing.assert_array_equal(irnn, np.eye(64))
    orthogonal = draw_weights(ARCHITECTURES["orthogonal"].applied(base))["weight_hh"]
    np.testing.assert_allclose(orthogonal @ orthogonal.T, np.eye(64), atol=1e-12)
    echo = draw_weights(ARCHITECTURES["echo-1-1"].applied(base))["weight_hh"]
    assert np.abs(np.linalg.eigvals(echo)).max() == pytest.approx(1.1)
    assert ARCHITECTURES["lstm-3"].applied(base).cell.forget_bias == 3


@pytest.mark.parametrize(
    ("name", "tones"),
    [
        ("tanh", {"vanishes"}),
        ("irnn", {"survives"}),
        ("lstm", {"vanishes"}),
        ("lstm-3", {"survives"}),
        ("gru", {"vanishes"}),
        ("antisymmetric", {"survives"}),
    ],
)
def test_what_each_is_there_to_show(name, tones):
    """Theory: default tanh and σ(0) = 1/2 vanish; identity, f near 1 and lengths that are kept survive."""
    found = run_architecture(ARCHITECTURES[name].applied(Experiment()))
    assert fate(joint_norms(found), found.loss_weights).tone in tones


def test_stacked_linear_layers_rise_before_they_fall():
    """SCIENCE: C(k + 2, 2)·0.9^k at lag k in the lowest of three layers, 28.5 at lag 17 and 18."""
    found = run_architecture(ARCHITECTURES["stacked-linear"].applied(Experiment()))
    lowest = found.norms(0, 0)[1:, 0][::-1]
    risen = 10 ** (lowest - lowest[0])
    assert risen[[17, 18]] == pytest.approx(risen.max()) == pytest.approx(28.5, abs=0.05)


def test_a_reservoir_above_radius_one_forgets_its_start_only_when_it_is_driven():
    experiment = ARCHITECTURES["echo-1-1"].applied(Experiment())
    driven, undriven = (np.median(state_distances(experiment, way)[-1]) for way in (True, False))
    assert driven < -8 and undriven > 0


# ---- loading ----


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"settings": {"cell": "nonsense"}}, "architecture 'a' does not fit"),
        ({"settings": {"cell.forget_bias": 1.0}}, "architecture 'a' does not fit: 'cell.forget_bias'"),
        ({"settings": {"hidden_size": 0}}, "architecture 'a' does not fit"),
        ({"settings": {}, "colour": "red"}, "colour"),
        ({"settings": {}, "question": "No question."[:-1]}, "must end with"),
        ({"settings": {}, "title": "x" * 25}, "at most 24"),
    ],
)
def test_a_row_that_does_not_fit_fails_loudly(monkeypatch, row, message):
    entry = {"name": "a", "title": "A", "question": "Why?"} | row
    monkeypatch.setattr(architectures, "read_toml", lambda name: {"architecture": [entry]})
    with pytest.raises(ValueError, match=message):
        load_architectures()


def test_a_name_may_appear_once(monkeypatch):
    entry = {"name": "a", "title": "A", "question": "Why?", "settings": {}}
    monkeypatch.setattr(architectures, "read_toml", lambda name: {"architecture": [entry, entry]})
    with pytest.raises(ValueError, match="two architectures have the name 'a'"):
        load_architectures()


# ---- choosing ----


def names(text):
    return [row.name for row in chosen(text)[0]]


def test_a_selection_keeps_its_order():
    assert names("gru, tanh,lstm-3,gru") == ["gru", "tanh", "lstm-3"]
    assert chosen(USUAL) == ([ARCHITECTURES[name] for name in USUAL.split(",")], [])


def test_what_is_not_taken_is_named():
    assert names("lstm,gruu") == ["lstm"]
    assert chosen("lstm,gruu")[1] == [
        "There is no architecture 'gruu': it is left out; perhaps gru was meant."
    ]
    assert chosen("lstm,zzzzzz")[1] == ["There is no architecture 'zzzzzz': it is left out."]


def test_an_empty_selection_draws_the_usual_ones():
    for text in ("", " , ,", "unknown"):
        rows, sentences = chosen(text)
        assert [row.name for row in rows] == USUAL.split(",")
        assert sentences[-1] == "No architecture is chosen: the usual ones are drawn."


def test_too_many_are_cut_to_the_first_eight():
    rows, (sentence,) = chosen(",".join(ARCHITECTURES))
    assert [row.name for row in rows] == list(ARCHITECTURES)[:MOST]
    assert f"the first {MOST} are drawn" in sentence


@given(st.text())
def test_any_text_gives_something_to_draw(text):
    rows, sentences = chosen(text)
    assert 1 <= len(rows) <= MOST
    assert all(sentence.endswith(".") and len(sentence) < 400 for sentence in sentences)
