"""BLEU taken apart: what two sentences share, what that is worth, and what other scores say."""

from __future__ import annotations

from typing import Any

import streamlit as st

from explorer import figures
from explorer.app import cache, controls, state
from explorer.app.decoding.matched_words import matched_words
from explorer.app.panel import panel
from explorer.app.picture import Drawn, later_figure, panel_figure
from explorer.app.stories import Story, story_buttons
from explorer.app.view import View
from explorer.seq2seq.bleu import BleuParts, bleu
from explorer.seq2seq.sentence_scores import EXAMPLES, SentenceScores, sentence_scores

KEY = "decoding-bleu"
STORIES: dict[str, Story] = {
    name: Story(
        one.label,
        one.shows,
        {
            "bleu_candidate": one.candidate,
            "bleu_reference": one.reference,
            "bleu_tokeniser": one.tokeniser,
            "bleu_smoothing": "exp",
        },
    )
    for name, one in EXAMPLES.items()
}
_PLACE: dict[str, Any] = {"span": 6, "height": 320, "fill": 22}
_YOURS = "Your sentence"


def side_bar() -> None:
    """The two sentences, and how they are scored."""

    def sentences() -> None:
        controls.view_control("bleu_candidate")
        controls.view_control("bleu_reference")
        controls.view_pills("bleu_tokeniser")
        controls.view_control("bleu_smoothing")

    controls.group("bleu", "Sentences", sentences, opened=True)


def picture() -> None:
    """The sentences with what matches, the parts of the score, and the scores of all examples."""
    view, experiment = state.view(), state.experiment()
    buttons, said, words = st.container(), st.container(), st.container()
    table = later_figure(experiment, "score_table", lambda: _table(view), **_PLACE)
    if not view.bleu_reference.strip():
        with said:
            st.warning("The reference is empty: there is nothing to compare the candidate with.", icon="⚠️")
        panel([table], num_steps=1, cursor=0, key=KEY)
    else:
        parts = parts_of(view)
        bars, numbers = figures.bleu_parts(parts), figures.bleu_parts_alt(parts)
        first = panel_figure(experiment, "bleu_parts", bars, numbers, **_PLACE)
        panel([first, table], num_steps=1, cursor=0, key=KEY)
        with said:
            main, more = bleu_words(parts, scores_of(view))
            st.markdown(f"**{main}** {more}")
        with words:
            st.html(matched_words(parts))
    with buttons:
        story_buttons(STORIES)


def parts_of(view: View) -> BleuParts:
    """BLEU of the two sentences."""
    return bleu(
        view.bleu_candidate,
        view.bleu_reference,
        tokeniser=view.bleu_tokeniser,
        smoothing=view.bleu_smoothing,
    )


def scores_of(view: View) -> SentenceScores:
    """All scores of the two sentences."""
    return sentence_scores(
        view.bleu_candidate,
        view.bleu_reference,
        tokeniser=view.bleu_tokeniser,
        smoothing=view.bleu_smoothing,
    )


def rows_of(view: View) -> dict[str, tuple[SentenceScores, bool | None]]:
    """The examples under the chosen smoothing, and the person's own sentences if they are none of them."""

    def examples() -> dict[str, tuple[SentenceScores, bool | None]]:
        return {
            one.label: (
                sentence_scores(
                    one.candidate, one.reference, tokeniser=one.tokeniser, smoothing=view.bleu_smoothing
                ),
                one.same,
            )
            for one in EXAMPLES.values()
        }

    rows = cache.remembered(f"bleu examples|{view.bleu_smoothing}", examples)
    if example_of(view) or not view.bleu_reference.strip():
        return rows
    return rows | {_YOURS: (scores_of(view), None)}


def example_of(view: View) -> str:
    """The example whose sentences these are; "" for one's own."""
    chosen = view.bleu_candidate, view.bleu_reference, view.bleu_tokeniser
    found = (
        name for name, one in EXAMPLES.items() if chosen == (one.candidate, one.reference, one.tokeniser)
    )
    return next(found, "")


def _table(view: View) -> Drawn:
    rows, name = rows_of(view), example_of(view)
    chosen = EXAMPLES[name].label if name else _YOURS
    return figures.score_table(rows, chosen), figures.score_table_alt(rows)


def bleu_words(parts: BleuParts, scores: SentenceScores) -> tuple[str, str]:
    """(the score and why it is so, the other scores)."""
    if not parts.candidate:
        return "The candidate is empty: no n-gram can match, and BLEU is 0.", _others(scores)
    if not parts.matches[0].count:
        return "BLEU is 0: not one word of the candidate stands in the reference.", _others(scores)
    product = " · ".join(f"{value:.1f}" for value in parts.precisions[: parts.order])
    root = {1: "", 2: "√", 3: "∛", 4: "∜"}[parts.order]
    formula = f"{root}({product})" if root else product
    main = f"BLEU = {parts.brevity_penalty:.3f} · {formula} = {parts.score:.2f}."
    more = []
    unmatched = [match.order for match in parts.matches[: parts.order] if not match.count]
    if unmatched:
        smoothed = parts.precisions[unmatched[0] - 1] > 0
        several = len(unmatched) > 1
        value = "with a precision of 0 the score is 0"
        if smoothed:
            value = "their precisions are smoothed, not 0" if several else "its precision is smoothed, not 0"
        more.append(f"No {' and no '.join(f'{order}-gram' for order in unmatched)} matches: {value}.")
    clipped = int(parts.matches[0].clipped.sum())
    if clipped:
        words = "1 repeated word is" if clipped == 1 else f"{clipped} repeated words are"
        more.append(f"{words} clipped.")
    if parts.brevity_penalty < 1:
        more.append(f"With {len(parts.candidate)} of {len(parts.reference)} tokens it is too short.")
    length = len(parts.reference)
    if length < parts.order:
        tokens = "1 token" if length == 1 else f"{length} tokens"
        more.append(f"The reference has {tokens}: no longer n-gram can match.")
    if parts.order < len(parts.matches):
        more.append(f"The candidate has no longer n-grams than {parts.order}: only these count.")
    return main, " ".join([*more, _others(scores)])


def _others(scores: SentenceScores) -> str:
    exact = "equal" if scores.exact else "not equal"
    return f"chrF {scores.chrf:.1f}, TER {scores.ter:.1f} (errors in %), the sentences are {exact}."
