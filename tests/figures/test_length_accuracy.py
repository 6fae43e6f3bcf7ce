"""Exact answers by length: the shares given, and what is longer than in training."""

import numpy as np

from explorer.figures import length_accuracy, length_accuracy_alt, plot_length_accuracy

BUCKETS = ((1, 4), (5, 9), (10, 15), (16, 20))
EXACT = {"with": np.array([1, 0.9, 0.8, 0.1]), "without": np.array([1, 0.2, 0, 0])}


def test_every_share_is_drawn_and_unseen_lengths_are_marked() -> None:
    figure = length_accuracy(EXACT, BUCKETS, (1, 15))
    for curve, (name, shares) in zip(figure["data"], EXACT.items(), strict=True):
        assert curve["name"] == name
        np.testing.assert_array_equal(curve["y"], shares)
    assert figure["layout"]["xaxis"]["ticktext"] == ["1–4", "5–9", "10–15", "16–20"]
    (shape,) = figure["layout"]["shapes"]
    assert (shape["x0"], shape["x1"]) == (2.5, 3.5)
    assert not length_accuracy(EXACT, BUCKETS, (1, 20))["layout"]["shapes"]


def test_the_sentence_has_all_numbers_and_plotly_takes_the_figure() -> None:
    said = length_accuracy_alt(EXACT, BUCKETS)
    assert "with 100% at 1 to 4, 90% at 5 to 9" in said and "without 100%" in said
    assert len(plot_length_accuracy(EXACT, BUCKETS, (1, 15)).data) == 2
