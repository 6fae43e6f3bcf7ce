"""The section BLEU of the page Decoding in Streamlit's own test runner."""

from __future__ import annotations

import re
from functools import partial
from typing import Any, get_args

import numpy as np
import pytest
import sacrebleu
from hypothesis import given, settings
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from explorer.app.bleu_choices import BleuChoices
from explorer.app.decoding.bleu import KEY, STORIES, bleu_words, example_of, parts_of, scores_of
from explorer.app.decoding.matched_words import longest_matches, matched_words
from explorer.app.view import View
from explorer.seq2seq.bleu import bleu
from explorer.seq2seq.sentence_scores import EXAMPLES
from tests.app.payload import panel_of
from tests.app.section import healthy, open_section, sentence, view

FIELDS = BleuChoices.model_fields
CHOICES = [
    (name, value)
    for name in ("bleu_tokeniser", "bleu_smoothing")
    for value in get_args(FIELDS[name].annotation)
]


open_page = partial(open_section, "decoding", ["bleu"], decoding="bleu")


def assert_true_to(at: AppTest) -> None:
    chosen = view(at)
    figures: dict[str, dict[str, Any]] = panel_of(at, KEY)["figures"]
    assert list(figures) == ["bleu_parts", "score_table"]
    parts = parts_of(chosen)
    bars = figures["bleu_parts"]["data"][0]["y"]
    np.testing.assert_allclose(bars, [*parts.precisions, 100 * parts.brevity_penalty, parts.score], atol=1e-9)
    texts = figures["score_table"]["data"][0]["text"]
    name = example_of(chosen)
    row = list(EXAMPLES).index(name) if name else len(EXAMPLES)
    assert len(texts) == len(EXAMPLES) + (not name)
    scores = scores_of(chosen)
    assert texts[row][:3] == [f"{scores.bleu:.1f}", f"{scores.chrf:.1f}", f"{scores.ter:.1f}"]
    for figure in figures.values():
        assert figure["title"] and figure["explain"] and figure["alt"] and "nan" not in figure["alt"]


def test_the_first_picture_is_the_negation() -> None:
    at = open_page()
    assert view(at) == View(decoding="bleu")
    assert_true_to(at)
    found = sacrebleu.sentence_bleu(EXAMPLES["negation"].candidate, [EXAMPLES["negation"].reference]).score
    assert f"= {found:.2f}." in sentence(at) and round(found) == 82
    assert "BLEU = 1.000 · ∜(93.8 · 86.7 · 78.6 · 69.2)" in sentence(at)


@pytest.mark.parametrize(("name", "value"), CHOICES)
def test_every_choice_is_drawn(name: str, value: str) -> None:
    at = open_page(bleu_candidate="the cat sat there", bleu_reference="a cat sat on the mat", **{name: value})
    assert getattr(view(at), name) == value
    assert_true_to(at)


def test_stories_are_one_click() -> None:
    at = open_page(bleu_candidate="my own", bleu_smoothing="none")
    said = {}
    for name, story in STORIES.items():
        healthy(at.button(key=f"story:{name}").click().run())
        assert all(getattr(view(at), field) == value for field, value in story.choices.items())
        assert_true_to(at)
        assert [item.key for item in at.button if item.proto.type == "primary"] == [f"story:{name}"]
        said[name] = sentence(at)
    assert "BLEU is 0: not one word" in said["paraphrase"]
    assert "With 9 of 15 tokens it is too short." in said["shortened"]
    assert "No 3-gram and no 4-gram matches: their precisions are smoothed, not 0." in said["shuffled"]
    assert "13 repeated words are clipped." in said["repeated"]


def test_typing_a_sentence_adds_a_row() -> None:
    at = open_page()
    healthy(at.text_area(key="view:bleu_candidate").set_value("The doctor said nothing.").run())
    assert view(at).bleu_candidate == "The doctor said nothing."
    assert_true_to(at)
    table = panel_of(at, KEY)["figures"]["score_table"]
    assert table["layout"]["yaxis"]["ticktext"][-1] == "<b>Your sentence</b>"


@pytest.mark.parametrize(
    ("candidate", "reference", "said"),
    [
        ("", "a b", "The candidate is empty"),
        ("   ", "a b", "The candidate is empty"),
        (
            "cat",
            "cat",
            "BLEU = 1.000 · 100.0 = 100.00.** The candidate has no longer n-grams than 1: only these count.",
        ),
        ("cat dog", "cat", "√(50.0 · 50.0)"),
        ("x", "a b", "not one word"),
    ],
)
def test_the_smallest_sentences_have_their_words(candidate: str, reference: str, said: str) -> None:
    at = open_page(bleu_candidate=candidate, bleu_reference=reference)
    assert said in sentence(at)
    assert_true_to(at)


def test_without_smoothing_a_factor_of_zero_is_named() -> None:
    parts = bleu("a b", "b a", smoothing="none")
    scores = scores_of(View(bleu_candidate="a b", bleu_reference="b a", bleu_smoothing="none"))
    assert "with a precision of 0 the score is 0" in bleu_words(parts, scores)[1]


@pytest.mark.parametrize("reference", ["", "  "])
def test_an_empty_reference_is_said(reference: str) -> None:
    at = open_page(bleu_reference=reference)
    assert any("The reference is empty" in item.value for item in at.warning)
    assert list(panel_of(at, KEY)["figures"]) == ["score_table"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("bleu_tokeniser", "ja"),
        ("bleu_smoothing", "x"),
        ("bleu_candidate", "x" * 301),
        ("bleu_reference", "x" * 301),
    ],
)
def test_bad_addresses_are_named_and_kept_out(name: str, text: str) -> None:
    seen, problems = View.from_query({f"view.{name}": text})
    assert seen == View()
    assert len(problems) == 1 and f"view.{name}" in problems[0]


# ---- coloured words ----


@given(candidate=st.text("ab <&", max_size=20), reference=st.text("ab <&", min_size=1, max_size=20))
@settings(max_examples=60, deadline=None)
def test_colours_are_the_longest_matches(candidate: str, reference: str) -> None:
    if not reference.strip():
        return
    parts = bleu(candidate, reference)
    orders = longest_matches([match.candidate for match in parts.matches], len(parts.candidate))
    for at, order in enumerate(orders):
        covering = [
            match.order
            for match in parts.matches
            for begin in np.flatnonzero(match.candidate)
            if begin <= at < begin + match.order
        ]
        assert order == max(covering, default=0)
    shown = matched_words(parts)
    assert "<&" not in shown and not re.search(r"&(?!amp;|lt;|ensp;)", shown)
    words = re.findall(r"title='(\d)-gram'", shown.split("reference")[0])
    assert [int(word) for word in words] == [order for order in orders if order]


@pytest.mark.parametrize(
    ("candidate", "reference", "smoothing", "said"),
    [
        ("patient doctor", "the doctor saw a patient", "none", "with a precision of 0 the score is 0"),
        ("patient doctor", "the doctor saw a patient", "exp", "its precision is smoothed, not 0"),
        ("the patient", "patient", "exp", "The reference has 1 token: no longer n-gram can match."),
        ("a a", "a b", "exp", "1 repeated word is clipped."),
        ("a a a", "a b", "exp", "2 repeated words are clipped."),
        ("a", "a", "exp", "The candidate has no longer n-grams than 1"),
    ],
)
def test_what_a_score_lacks_is_said(candidate: str, reference: str, smoothing: str, said: str) -> None:
    chosen = View(bleu_candidate=candidate, bleu_reference=reference, bleu_smoothing=smoothing)
    assert said in bleu_words(parts_of(chosen), scores_of(chosen))[1]
