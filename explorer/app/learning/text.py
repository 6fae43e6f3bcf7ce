"""Text, order and bags: does a question on sentences need a recurrent network, or do counted words do?"""

from __future__ import annotations

import streamlit as st

from explorer import figures
from explorer.app import cache, controls, sections, state
from explorer.app.panel import PanelFigure, panel
from explorer.app.picture import Drawn, later_figure, panel_figure
from explorer.app.text_jobs import TextJob
from explorer.training.text.corpus import words_of
from explorer.training.text.findings import what_is_seen, why
from explorer.training.text.models import LABELS, SEES
from explorer.training.text.reading import Reading, read, shuffled_words, typed_words
from explorer.training.text.study import SHARES, TextStudy, standard_error

KEY = "learning-text"
_POLL = 0.4  # seconds between two looks at a training
_ROW, _HEAD = 23, 70  # pixels of a word, and of the names above the words


def side_bar() -> None:
    """The question, how far words are shuffled, and the sentence that is read."""

    def draw() -> None:
        for name in ("question", "shuffled", "sentence", "own", "seed"):
            controls.view_control(f"text_{name}")

    controls.group("text", "Text, order and bags", draw, opened=True)


def picture() -> None:
    """The models' answers, drawn again and again while they are trained."""
    view = state.view()
    job = cache.text_jobs().of(view.text_question, view.text_seed)
    job.look()
    job.wait(1, 1.0)
    polls = not job.ended

    def look() -> None:
        ended = job.ended
        job.look()
        _words(job.study)
        _progress(job)
        _say_what_is_read(job.study)
        _draw(job.study)
        _table(job.study)
        if polls and ended:
            st.rerun()  # a whole run decides whether to look again

    st.fragment(look, run_every=_POLL if polls else None)()


def stop_of() -> int:
    """Index of the chosen share of shuffled words."""
    return state.view().text_shuffled // 10


def words_now(study: TextStudy) -> tuple[tuple[str, ...], str]:
    """The sentence that is read, and what is right of it: "" for one's own, which nobody has judged."""
    view = state.view()
    own = typed_words(view.text_own)
    if own:
        return own, ""
    place = example_of(study, view.text_sentence)
    return study.test_words[place], study.question.classes[study.answers[place]]


def example_of(study: TextStudy, number: int) -> int:
    """Which test example is the sentence of this number (0 … 99): evenly spread, every second one altered."""
    return min(number * len(study.answers) // 100 + number % 2, len(study.answers) - 1)


# ---- what is shown ----


def _words(study: TextStudy) -> None:
    """What is seen, why, and how sure the numbers are."""
    seen, reason = what_is_seen(study, stop_of()), why(study)
    st.markdown(f"**{seen}** {reason}" if seen else "**The first model is being trained.**")
    error = 2 * standard_error(max(study.question.chance, 0.5), len(study.answers))
    st.caption(
        f"{study.question.asks} Trained on {study.training_examples:,} examples in order, "
        f"tested on {len(study.answers):,} others (±{100 * error:.1f} points at two standard errors): "
        "sentences of Austen's novels and the King James Bible."
    )


def _draw(study: TextStudy) -> None:
    experiment, stop = state.experiment(), stop_of()
    accuracies = {name: tested.accuracy for name, tested in study.tested.items()}
    confusions = {name: study.confusion(name, stop) for name in study.tested}
    chance, classes = study.question.chance, study.question.classes
    shown = [
        panel_figure(
            experiment,
            "text_order",
            figures.text_order(SHARES, accuracies, chance, stop),
            figures.text_order_alt(SHARES, accuracies, chance),
            span=6,
            height=350,
        ),
        panel_figure(
            experiment,
            "text_confusions",
            figures.text_confusions(confusions, classes),
            figures.text_confusions_alt(confusions, classes),
            span=6,
            height=350,
        ),
    ]
    panel(shown + _readings(study), num_steps=1, cursor=0, key=KEY)


def _readings(study: TextStudy) -> list[PanelFigure]:
    """The sentence word by word; a second time with its words shuffled."""
    words, right = words_now(study)
    share = float(SHARES[stop_of()])

    def figure(name: str, order: tuple[str, ...], suffix: str = "") -> PanelFigure:
        return later_figure(
            state.experiment(),
            name,
            lambda: _as_drawn(read(study, order)),
            span=6 if share else 12,
            height=_HEAD + _ROW * len(order),
            suffix=suffix,
        )

    found = [figure("text_words", words, f" (right: {right})" if right else " (your own)")]
    if share:
        found.append(figure("text_words_shuffled", shuffled_words(words, share, state.view().text_sentence)))
    return found


def _as_drawn(reading: Reading) -> Drawn:
    labels = [f"{word} (?)" if word in reading.unknown else word for word in reading.words]
    shown = labels, reading.weights, reading.answers
    return figures.text_words(*shown), figures.text_words_alt(*shown)


def _progress(job: TextJob) -> None:
    """How far the training is."""
    if job.failed:
        st.error(f"The training stopped: {sections.literal(job.failed)}. Your settings are kept.", icon="⚠️")
    if job.ended or job.progress is None:
        return
    now, done = job.progress, len(job.study.tested)
    part = (now.share + now.testing) / 2
    doing = "testing" if now.testing else "training"
    st.progress(
        (done + part) / len(LABELS), f"Model {done + 1} of {len(LABELS)}: {doing} the {LABELS[now.model]}"
    )


def _say_what_is_read(study: TextStudy) -> None:
    """Of a typed sentence: words that no model knows or that are too many; a text without words is named."""
    own = state.view().text_own
    if not own.strip():
        return
    words = typed_words(own)
    if not words:
        st.caption(
            ":material/info: Your sentence has no word in the letters a to z; the test sentence is read."
        )
        return
    unknown, every = study.vocabulary.unknown(words), words_of(own)
    said = []
    if unknown:
        named = ", ".join(sections.literal(word) for word in unknown)
        known = f"{study.vocabulary.known:,} most frequent words"
        said.append(f"Not among the {known}, so all alike to the models: {named}.")
    if len(every) > len(words):
        said.append(f"Only the first {len(words)} of {len(every)} words are read.")
    if said:
        st.caption(":material/info: " + " ".join(said))


def _table(study: TextStudy) -> None:
    """Parameters, seconds and accuracy of the trained models."""
    if not study.tested:
        return
    stops = sorted({0, stop_of(), len(SHARES) - 1})
    columns = " | ".join(f"{100 * SHARES[stop]:.0f} % shuffled" if stop else "in order" for stop in stops)
    lines = [
        f"| model | {columns} | parameters | trained in | what it sees |",
        f"|:--|{'--:|' * (len(stops) + 2)}:--|",
    ]
    for name, tested in study.tested.items():
        rates = " | ".join(f"{100 * tested.accuracy[k]:.1f} %" for k in stops)
        costs = f"{tested.model.parameters:,} | {tested.seconds:.1f} s"
        lines.append(f"| {LABELS[name]} | {rates} | {costs} | {SEES[name]} |")
    st.markdown("\n".join(lines))
