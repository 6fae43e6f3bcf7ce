"""The section Text, order and bags in Streamlit's own test runner, on a small part of the sentences."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any, get_args

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from explorer.app import cache
from explorer.app.learning.text import KEY, example_of
from explorer.app.text_choices import TextChoices
from explorer.app.text_jobs import KEPT, TextJob, TextJobs
from explorer.link import bounds_of
from explorer.training.text import study as study_module
from explorer.training.text.corpus import all_sentences
from explorer.training.text.findings import what_is_seen
from explorer.training.text.models import LABELS
from explorer.training.text.networks import AveragedEmbeddings, BothDirections, WindowNetwork
from explorer.training.text.reading import read, shuffled_words
from explorer.training.text.study import TextStudy
from tests.app.payload import panel_of
from tests.app.section import open_section, view, widget

FIELDS = TextChoices.model_fields
QUESTIONS = get_args(FIELDS["text_question"].annotation)
SMALL = all_sentences()[::40]


def open_page(**choices: Any) -> AppTest:
    """A new session that comes to the section with these choices, once all models are trained."""
    return whole(open_section("learning", ["text"], **{"learning": "text", **choices}))


@pytest.fixture(autouse=True)
def _small_studies(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A fortieth of the sentences and short trainings; studies of other tests are no part of it."""
    monkeypatch.setattr(study_module, "all_sentences", lambda: SMALL)
    for kind in (AveragedEmbeddings, WindowNetwork, BothDirections):
        monkeypatch.setattr(kind, "examples_seen", 256)
    jobs = cache.text_jobs()
    jobs._jobs.clear()
    yield
    jobs._jobs.clear()


def whole(at: AppTest) -> AppTest:
    for _ in range(200):
        assert not at.exception, at.exception
        assert not at.error, at.error[0].value
        if not at.get("progress"):
            return at
        time.sleep(0.05)
        at.run()
    raise AssertionError("the training does not end")


def study_of(at: AppTest) -> TextStudy:
    """The same study, made without the page."""
    study = TextStudy(view(at).text_question, view(at).text_seed, SMALL)
    for _ in study.run():
        pass
    return study


def words_drawn(figure: dict[str, Any]) -> list[str]:
    return [text.removesuffix(" (?)") for text in figure["layout"]["yaxis"]["ticktext"]]


def assert_true_to(at: AppTest) -> TextStudy:
    """Everything drawn and said equals what the study gives for these choices."""
    study, stop, figures = study_of(at), view(at).text_shuffled // 10, panel_of(at, KEY)["figures"]
    assert list(figures) == ["text_order", "text_confusions", "text_words"] + ["text_words_shuffled"] * bool(
        stop
    )
    curves = {trace["name"]: trace["y"] for trace in figures["text_order"]["data"]}
    heats = {heat["name"]: heat["z"] for heat in figures["text_confusions"]["data"]}
    for name, label in LABELS.items():
        np.testing.assert_allclose(curves[label], 100 * study.tested[name].accuracy, atol=1e-5)
        np.testing.assert_allclose(heats[label], 100 * study.confusion(name, stop), atol=1e-5)
    words = tuple(words_drawn(figures["text_words"]))
    shown = {"text_words": words}
    if stop:
        shown["text_words_shuffled"] = shuffled_words(words, stop / 10, view(at).text_sentence)
    for figure, order in shown.items():
        assert words_drawn(figures[figure]) == list(order)
        weights = np.stack(list(read(study, order).weights.values()), axis=1)
        total = weights.sum(axis=0)
        expected = 100 * np.divide(weights, total, out=np.zeros_like(weights), where=total > 1e-9)
        np.testing.assert_allclose(figures[figure]["data"][0]["z"], expected, atol=1e-3)
    assert at.markdown[0].value.startswith(f"**{what_is_seen(study, stop)}**")
    for figure in figures.values():
        assert figure["title"] and figure["explain"] and "nan" not in figure["alt"]
    table = at.markdown[-1].value
    for name, tested in study.tested.items():
        (row,) = [line for line in table.splitlines() if line.startswith(f"| {LABELS[name]} |")]
        assert f"{tested.model.parameters:,}" in row and f"{100 * tested.accuracy[stop]:.1f} %" in row
    return study


@pytest.mark.parametrize("question", QUESTIONS)
def test_every_question_is_drawn_as_it_is_measured(question: str) -> None:
    at = open_page(text_question=question, text_shuffled=50)
    study = assert_true_to(at)
    assert any(study.question.asks in item.value for item in at.caption)
    place = example_of(study, 0)
    right = study.question.classes[study.answers[place]]
    assert panel_of(at, KEY)["figures"]["text_words"]["title"].endswith(f"(right: {right})")


@pytest.mark.parametrize("name", [name for name, field in FIELDS.items() if bounds_of(field)])
def test_both_ends_of_every_slider_are_drawn(name: str) -> None:
    at = open_page()
    for end in bounds_of(FIELDS[name]) or ():
        whole(widget(at, name).set_value(int(end)).run())
        assert getattr(view(at), name) == end
        assert_true_to(at)


def test_test_sentences_are_spread_over_both_answers() -> None:
    study = TextStudy("halves", 0, SMALL)
    places = [example_of(study, number) for number in range(100)]
    assert all(0 <= place < len(study.answers) for place in places)
    assert set(study.answers[places]) == {0, 1}


def test_an_own_sentence_is_read_and_unknown_words_are_named() -> None:
    at = open_page(text_question="source")
    whole(widget(at, "text_own").set_value("And the LORD said: *install* [the] blockchain!").run())
    assert_true_to(at)
    figure = panel_of(at, KEY)["figures"]["text_words"]
    assert words_drawn(figure) == ["and", "the", "lord", "said", "install", "the", "blockchain"]
    assert figure["title"].endswith("(your own)")
    (said,) = [item.value for item in at.caption if "most frequent words" in item.value]
    assert said.endswith("install, blockchain.")


def test_an_own_sentence_may_be_too_long_or_hold_no_word() -> None:
    at = open_page(text_own="the " * 21)
    assert any("Only the first 20 of 21 words are read." in item.value for item in at.caption)
    assert len(words_drawn(panel_of(at, KEY)["figures"]["text_words"])) == 20
    at = open_page(text_own="42 — 43")
    assert any("no word in the letters a to z" in item.value for item in at.caption)
    assert_true_to(at)
    at = open_page(text_own="a")
    assert words_drawn(panel_of(at, KEY)["figures"]["text_words"]) == ["a"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("text_question", "author"),
        ("text_shuffled", "35"),
        ("text_shuffled", "110"),
        ("text_seed", "-1"),
        ("text_sentence", "1e9"),
        ("text_own", "x" * 201),
    ],
)
def test_bad_addresses_are_named_and_kept_out(name: str, text: str) -> None:
    at = open_page(**{name: text})
    said = "\n".join(item.value for item in at.warning).replace("\\", "")
    assert f"view.{name}" in said and "is not allowed" in said
    assert getattr(view(at), name) == FIELDS[name].default


def test_an_address_gives_the_same_picture() -> None:
    choices = {"text_question": "scrambled", "text_shuffled": 20, "text_seed": 2, "text_sentence": 7}
    at = open_page(**choices)
    assert {name: getattr(view(at), name) for name in choices} == choices
    assert_true_to(at)
    for name, value in choices.items():
        assert np.ravel(at.query_params[f"view.{name}"])[0] == str(value)


def test_a_study_rests_while_nobody_looks_and_goes_on_where_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("explorer.app.text_jobs._FORGOTTEN", 0.0)
    job = TextJob(TextStudy("source", 0, SMALL), threading.Lock())
    for _ in range(3):
        job.look()
        assert job._thread is not None
        job._thread.join(10)
        assert not job.ended
    monkeypatch.setattr("explorer.app.text_jobs._FORGOTTEN", 60.0)
    job.look()
    job.wait(len(LABELS), 30)
    assert job.ended and not job.failed
    undisturbed = TextStudy("source", 0, SMALL)
    for _ in undisturbed.run():
        pass
    for name in LABELS:
        np.testing.assert_array_equal(job.study.tested[name].answers, undisturbed.tested[name].answers)


def test_a_study_that_breaks_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: TextStudy, name: str) -> None:
        raise MemoryError("nothing left")

    monkeypatch.setattr(TextStudy, "untrained", broken)
    job = TextJob(TextStudy("source", 0, SMALL), threading.Lock())
    job.look()
    job.wait(1, 10)
    assert job.ended and job.failed == "MemoryError: nothing left"


def test_studies_are_shared_and_their_number_is_bounded() -> None:
    jobs = TextJobs()
    first = jobs.of("source", 0)
    assert jobs.of("source", 0) is first
    for seed in range(1, KEPT + 1):
        jobs.of("source", seed)
    assert len(jobs._jobs) == KEPT
    assert jobs.of("source", 0) is not first
