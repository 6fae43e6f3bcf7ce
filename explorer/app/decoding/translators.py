"""The encoder–decoder of the page Attention as a model that can be decoded."""

from __future__ import annotations

import streamlit as st

from explorer.app import cache, controls, state
from explorer.app.attention.taught import Pupil, pupils
from explorer.app.decoding.source import Source
from explorer.app.view import View
from explorer.seq2seq.decoding import DecodingModel
from explorer.seq2seq.learning import TranslationMoment, trained_translator
from explorer.seq2seq.next_token import NextToken
from explorer.seq2seq.vocabulary import EOS

_MOST = 50  # tokens of a source


def shown(view: View) -> Pupil:
    """The network whose attention is drawn on the page Attention, section Training."""
    there = pupils(view)
    return there[min(view.taught_shown, len(there) - 1)]


def translator_source(view: View) -> Source:
    """The network at its newest recorded step, and the sentence that it translates."""
    pupil = shown(view)
    recipe, moment = pupil.learning.recipe, pupil.learning.moments[-1]
    vocabulary = recipe.task.source
    known, notes = set(vocabulary.symbols), []
    text = view.decoding_sentence
    unknown = sorted(set(text) - known)
    if unknown:
        left_out = " ".join(unknown[:10])
        notes.append(f"The source cannot have these characters, they are left out: {left_out}")
    numbers = vocabulary.encode([one for one in text if one in known][:_MOST])
    if not numbers:
        numbers = vocabulary.encode(_usual(recipe.task.kind))
    if not moment.step:
        notes.append("This network is not trained yet: train it on the page Attention, section Training.")
    key = f"translator|{recipe.canonical()}|{moment.step}|{numbers}"
    return cache.remembered(key, lambda: _made(key, pupil, moment, numbers, notes))


def _made(key: str, pupil: Pupil, moment: TranslationMoment, numbers: list[int], notes: list[str]) -> Source:
    recipe = pupil.learning.recipe
    step = NextToken(trained_translator(recipe, moment), numbers)
    attention = None if recipe.model.attention == "none" else step.attention
    said = "".join(recipe.task.source.decode(numbers))
    notes = [*notes, f"{pupil.title}, {recipe.task.kind}, after {moment.step} training steps, reads: {said}"]
    end = EOS if recipe.model.eos else None
    model = DecodingModel(step, recipe.task.target.tokens, end, attention)
    return Source(key, model, notes=notes)


def _usual(task: str) -> str:
    return "march 5, 2021" if task == "dates" else "abcdefgh"


def translator_controls() -> None:
    """The sentence; all else is chosen where the network is trained."""
    controls.view_control("decoding_sentence")
    st.caption(f"The network is *{shown(state.view()).title}* of the page *Attention*, section *Training*.")
