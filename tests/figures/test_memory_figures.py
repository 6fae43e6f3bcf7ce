"""Figures of the memory network: their numbers, marks, exact zeros and sentences."""

import numpy as np
import pytest

from explorer.figures import (
    hop_gradient,
    hop_gradient_alt,
    memory_accuracy,
    memory_accuracy_alt,
    memory_story,
    memory_story_alt,
    plot_hop_gradient,
    plot_memory_accuracy,
    plot_memory_story,
    plot_sentence_gradient,
    sentence_gradient,
    sentence_gradient_alt,
)
from explorer.figures.memory_accuracy import Answered
from explorer.figures.memory_story import story_height
from explorer.figures.style import GREEN, VERMILLION
from explorer.seq2seq.memory import (
    MemoryLearner,
    MemoryNetwork,
    MemorySettings,
    draw_stories,
    fixed_questions,
    newest_place,
    recurrent_decades,
    run_memory,
    text_of,
)

WEIGHTS = np.array([[0.9, 0.001, 0.099], [0.1, 0.2, 0.7]])
LINES = ["Ann took the ball", "Ann went to the hall", "Tom went to the school"]
QUESTION = "Where is the ball?"
TWO = [
    Answered("1 hop", np.array([0, 10]), np.array([0.2, 0.5])),
    Answered("2 hops", np.array([0, 10, 20]), np.array([0.1, 0.6, 1.0])),
]


def texts(figure: dict) -> str:
    return " | ".join(note["text"] for note in figure["layout"]["annotations"])


def story(given: tuple[str, float], support: tuple[int, ...] = (0, 1)) -> dict:
    return memory_story(WEIGHTS, LINES, support, QUESTION, given, "hall")


def test_every_weight_is_a_colour_and_a_number() -> None:
    heat, numbers = story(("hall", 0.8))["data"]
    np.testing.assert_allclose(heat["z"], WEIGHTS.T, rtol=1e-6)
    assert (heat["zmin"], heat["zmax"]) == (0, 1)
    shown = dict(zip(zip(numbers["x"], numbers["y"], strict=True), numbers["text"], strict=True))
    assert shown[1, 0] == "0.90" and shown[2, 2] == "0.70" and shown[1, 1] == "< .01"


def test_facts_are_framed_named_and_printed_bold() -> None:
    figure = story(("hall", 0.8))
    assert [shape["y0"] + 0.5 for shape in figure["layout"]["shapes"]] == [0, 1]
    assert "fact 1" in texts(figure) and "fact 2" in texts(figure)
    labels = figure["layout"]["yaxis"]["ticktext"]
    assert labels == [f"<b>{LINES[0]}</b>", f"<b>{LINES[1]}</b>", LINES[2], f"<b>{QUESTION}</b>"]
    assert "fact 1" not in texts(story(("hall", 0.8), (1,)))


@pytest.mark.parametrize(
    ("given", "said", "color"),
    [("hall", "✓ hall 80%", GREEN), ("school", "✗ school 80%<br>right: hall", VERMILLION)],
)
def test_the_answer_is_right_or_corrected(given: str, said: str, color: str) -> None:
    note = story((given, 0.8))["layout"]["annotations"][-1]
    assert said in note["text"] and note["font"]["color"] == color
    words = memory_story_alt(WEIGHTS, LINES, QUESTION, (given, 0.8), "hall")
    assert "hop 1 looks most at “Ann took the ball” with 0.90" in words
    assert ("which is right" in words) == (given == "hall")


def test_a_long_story_gets_a_higher_figure() -> None:
    assert story_height(30) > story_height(12) >= story_height(2)


def test_accuracy_has_all_records_and_both_levels() -> None:
    figure = memory_accuracy(TWO, 20, chance=0.2, newest=0.45, marked=10)
    for curve, one in zip(figure["data"], TWO, strict=True):
        np.testing.assert_array_equal(curve["x"], one.steps)
        np.testing.assert_array_equal(curve["y"], one.accuracy)
    chance, newest, marked = figure["layout"]["shapes"]
    assert (chance["y0"], newest["y0"], marked["x0"]) == (0.2, 0.45, 10)
    assert "2 hops 100.0% at step 20" in memory_accuracy_alt(TWO, chance=0.2, newest=0.45)


def test_close_levels_do_not_cover_their_names() -> None:
    notes = memory_accuracy(TWO, 20, chance=0.2, newest=0.21)["layout"]["annotations"][-2:]
    assert abs(notes[0]["y"] - notes[1]["y"]) > 0.1


def test_gradients_are_drawn_and_exact_zeros_named() -> None:
    memory = np.array([[-1, -np.inf, -2], [-3, -1, -np.inf]])
    beside = np.array([-6, -4, -2.0])
    figure = sentence_gradient(memory, beside, [1])
    np.testing.assert_array_equal(figure["data"][0]["y"], [-1, np.nan, -2])
    np.testing.assert_array_equal(figure["data"][-1]["y"], beside)
    assert "m⁰: exactly 0 at 1 of 3<br>m¹: exactly 0 at 1 of 3" in texts(figure)
    assert [shape["x0"] for shape in figure["layout"]["shapes"]] == [1.6]
    assert "RNN 1.00·10⁻⁶ and 0.01" in sentence_gradient_alt(memory, beside)
    ways = np.array([-0.5, -1, -1]), np.array([-np.inf, -2, -1])
    drawn = hop_gradient(*ways)
    np.testing.assert_array_equal([curve["y"][-1] for curve in drawn["data"]], [-1, -1])
    assert "attention alone: exactly 0 at 1 of 3" in texts(drawn)
    assert "0.316, and exactly 0 by attention alone" in hop_gradient_alt(*ways)


@pytest.mark.parametrize("dark", [False, True])
def test_the_same_in_a_notebook(dark: bool) -> None:
    learner = MemoryLearner(MemorySettings(steps=2, sentences=4, batch_size=2, facts=1))
    learner.advance(2)
    network = MemoryNetwork(learner.learning.settings)
    one = draw_stories(np.random.default_rng(0), 1, 4, 1)
    trace = run_memory(network, one)
    drawn = plot_memory_story(network, one, dark=dark)
    np.testing.assert_allclose(drawn.data[0].z, trace.weights.T, rtol=1e-6)
    assert f"<b>{text_of(one)[1]}</b>" in drawn.layout.yaxis.ticktext
    curves = plot_sentence_gradient(network, one, dark=dark).data
    np.testing.assert_allclose(curves[-1].y, recurrent_decades(network.settings, one))
    np.testing.assert_allclose(curves[0].y, trace.memory_decades[0])
    np.testing.assert_allclose(plot_hop_gradient(network, one, dark=dark).data[0].y, trace.query_decades)
    figure = plot_memory_accuracy([learner.learning], dark=dark)
    assert list(figure.data[0].x) == [0, 1, 2]
    stories = fixed_questions(learner.learning.settings)
    assert figure.layout.shapes[1].y0 == (newest_place(stories) == stories.answer).mean()
