"""Figures of the section Text, order and bags: drawn numbers are the given ones."""

from __future__ import annotations

import re

import numpy as np
import pytest

from explorer.figures import (
    plot_text_confusions,
    plot_text_order,
    plot_text_words,
    text_confusions,
    text_confusions_alt,
    text_order,
    text_order_alt,
    text_words,
    text_words_alt,
)
from explorer.figures.text_looks import SHORT, model_look
from explorer.lessons.explanations import explanation
from explorer.training.text.corpus import all_sentences
from explorer.training.text.models import LABELS
from explorer.training.text.networks import AveragedEmbeddings, BothDirections, WindowNetwork
from explorer.training.text.reading import read
from explorer.training.text.study import SHARES, TextStudy

RNG = np.random.default_rng(0)
ACCURACIES = {name: RNG.uniform(0.4, 1, len(SHARES)) for name in LABELS}
CLASSES = ("Emma", "Pride", "Old T.", "New T.")
CONFUSIONS = {name: RNG.dirichlet(np.ones(4), 4) for name in LABELS}
WORDS = ["in", "the", "beginning", "was", "the", "word"]
WEIGHTS = {name: RNG.uniform(0, 1, len(WORDS)) for name in LABELS}
ANSWERS = dict.fromkeys(LABELS, ("New T.", 0.9))


def test_every_model_looks_different() -> None:
    assert list(SHORT) == list(LABELS)
    looks = [model_look(name) for name in LABELS]
    for part in zip(*looks, strict=True):
        assert len(set(part)) == len(LABELS), "by colour, by dash and by marker"


def test_accuracies_are_drawn_in_per_cent() -> None:
    figure = text_order(SHARES, ACCURACIES, 0.25, 3)
    curves = {trace["name"]: trace for trace in figure["data"]}
    for name, label in LABELS.items():
        np.testing.assert_allclose(curves[label]["y"], 100 * ACCURACIES[name])
        np.testing.assert_allclose(curves[label]["x"], np.arange(0, 101, 10))
    np.testing.assert_array_equal(curves["chance"]["y"], [25, 25])
    (here,) = figure["layout"]["shapes"]
    np.testing.assert_allclose([here["x0"], here["x1"]], 30)
    (key,) = figure["layout"]["annotations"]
    for name in LABELS:
        assert f"{SHORT[name]} {100 * ACCURACIES[name][3]:.0f} %" in key["text"]
    low, high = figure["layout"]["yaxis"]["range"]
    assert low < 25 and high > 100


def test_the_axis_reaches_below_chance_where_a_model_does() -> None:
    bad = {"lstm": np.linspace(0.9, 0.2, len(SHARES))}
    assert text_order(SHARES, bad, 0.5, 0)["layout"]["yaxis"]["range"][0] < 20


def test_what_is_not_trained_yet_is_left_out() -> None:
    figure = text_order(SHARES, {}, 0.5, 0)
    assert [trace["name"] for trace in figure["data"]] == ["chance"]
    assert text_confusions({}, CLASSES)["data"] == []
    assert text_words(WORDS, {}, {})["data"][0]["z"].shape == (6, 0)
    for said in (
        text_order_alt(SHARES, {}, 0.5),
        text_confusions_alt({}, CLASSES),
        text_words_alt([], {}, {}),
    ):
        assert said == "No model is trained yet."


def test_confusions_are_drawn_row_by_row() -> None:
    figure = text_confusions(CONFUSIONS, CLASSES)
    assert [heat["name"] for heat in figure["data"]] == list(LABELS.values())
    for heat, name in zip(figure["data"], LABELS, strict=True):
        np.testing.assert_allclose(heat["z"], 100 * CONFUSIONS[name])
        x, y = (figure["layout"][heat[a].replace(a[0], a)] for a in ("xaxis", "yaxis"))
        assert y["range"] == [3.5, -0.5], "the first class is at the top"
        for low, high in (x["domain"], y["domain"]):
            assert 0 <= low < high <= 1
    texts = [note["text"] for note in figure["layout"]["annotations"]]
    for name in LABELS:
        right = np.trace(CONFUSIONS[name]) / 4
        assert any(f"{SHORT[name]} {100 * right:.0f} %" in text for text in texts)


def test_matrices_do_not_overlap() -> None:
    figure = text_confusions(CONFUSIONS, CLASSES)
    boxes = []
    for heat in figure["data"]:
        x, y = (figure["layout"][heat[a].replace(a[0], a)]["domain"] for a in ("xaxis", "yaxis"))
        boxes.append((*x, *y))
    for k, (left, right, bottom, top) in enumerate(boxes):
        for other in boxes[:k]:
            assert right <= other[0] or left >= other[1] or top <= other[2] or bottom >= other[3]


def test_the_most_frequent_mistake_is_named() -> None:
    confusion = np.array([[0.9, 0.1], [0.35, 0.65]])
    said = text_confusions_alt({"lstm": confusion}, ("in order", "exchanged"))
    assert "bidirectional LSTM takes 35 % of exchanged for in order" in said


def test_columns_are_parts_of_the_whole_weight() -> None:
    figure = text_words(WORDS, WEIGHTS, ANSWERS)
    z = figure["data"][0]["z"]
    np.testing.assert_allclose(z.sum(axis=0), 100)
    np.testing.assert_allclose(z[:, 2], 100 * WEIGHTS["average"] / WEIGHTS["average"].sum())
    other = text_words(WORDS[::-1], {"lstm": np.arange(6.0)}, ANSWERS)
    assert figure["data"][0]["zmax"] == other["data"][0]["zmax"], "one scale before and after shuffling"
    assert figure["layout"]["yaxis"]["ticktext"] == WORDS
    assert figure["layout"]["yaxis"]["range"] == [5.5, -0.5], "read downwards"
    headings = figure["layout"]["xaxis"]["ticktext"]
    assert all(SHORT[name] in text and "90 %" in text for name, text in zip(LABELS, headings, strict=True))


def test_weights_that_are_rounding_are_not_blown_up() -> None:
    figure = text_words(WORDS, {"tfidf": np.full(6, 1e-17)}, {"tfidf": ("in order", 0.5)})
    np.testing.assert_array_equal(figure["data"][0]["z"], 0)
    assert "whatever the words" in text_words_alt(
        WORDS, {"tfidf": np.full(6, 1e-17)}, {"tfidf": ("in order", 0.5)}
    )


def test_what_is_wrong_is_named() -> None:
    with pytest.raises(ValueError, match="model = 'gru' is not allowed: choose from tfidf"):
        text_order(SHARES, {"gru": np.ones(11)}, 0.5, 0)
    with pytest.raises(ValueError, match="stop = 11 is not allowed: choose from 0 to 10"):
        text_order(SHARES, ACCURACIES, 0.5, 11)


def test_every_curve_has_a_sentence() -> None:
    assert set(explanation("text_order").curves) == {*LABELS.values(), "chance"}


def test_notebook_figures_are_valid(monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in (AveragedEmbeddings, WindowNetwork, BothDirections):
        monkeypatch.setattr(kind, "examples_seen", 64)
    study = TextStudy("source", 0, all_sentences()[::100])
    for _ in study.run():
        pass
    for dark in (False, True):
        assert len(plot_text_order(study, 2, dark=dark).data) == 6
        assert len(plot_text_confusions(study, dark=dark).data) == 5
        assert len(plot_text_words(read(study, WORDS), dark=dark).data) == 1
    said = text_order_alt(SHARES, {name: tested.accuracy for name, tested in study.tested.items()}, 0.25)
    assert len(re.findall(r"\d+ %", said)) == 5 * 3 + 1
