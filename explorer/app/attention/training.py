"""Training: encoder–decoders that learn side by side, and the attention that becomes an alignment."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from explorer import figures
from explorer.app import controls, sections, state
from explorer.app.attention.taught import Pupil, pupils, start, started
from explorer.app.legend import legend
from explorer.app.panel import PanelFigure, panel
from explorer.app.picture import Drawn, later_figure, panel_figure
from explorer.app.taught_choices import NEWEST
from explorer.experiment import Experiment
from explorer.figures.race import Lap
from explorer.seq2seq.learning import TranslationMoment

KEY = "attention-training"
_POLL = 0.7  # seconds between two looks at the runs
_NO_EXPERIMENT = Experiment()  # the texts of these figures name no setting
_OF_OBJECTIVE = ("smoothing", "sampling", "reward")


def side_bar() -> None:
    """The task, who is compared, and how they are trained."""

    def lesson() -> None:
        for name in ("task", "beside", "cell", "hidden"):
            controls.view_control(f"taught_{name}")
        if state.view().taught_beside == "objective":
            for name in _OF_OBJECTIVE:
                controls.view_control(f"taught_{name}")

    def training() -> None:
        for name in ("taught_steps", "taught_rate", "taught_batch", "attn_seed"):
            controls.view_control(name)

    controls.group("taught", "Task and networks", lesson, opened=True)
    controls.group("teaching", f"{state.view().taught_steps} training steps", training)


def picture() -> None:
    """Curves, alignment and buttons, drawn again while the networks are trained."""
    polls = _is_busy()

    def look() -> None:
        there = pupils(state.view())
        _buttons(there)
        _draw(there)
        if polls != _is_busy():
            st.rerun()  # a whole run decides whether to look again

    st.fragment(look, run_every=_POLL if polls else None)()


def _is_busy() -> bool:
    race = started(state.view())
    return race is not None and race.busy


def _buttons(there: Sequence[Pupil]) -> None:
    """Train or stop, whose attention is drawn and when; how far it is."""
    view, race = state.view(), started(state.view())
    first, whose, wide = st.columns([1, 1.6, 4.4], vertical_alignment="center")
    if race is None:
        first.button("Train", key="taught:train", type="primary", width="stretch", on_click=start)
    elif race.busy:
        first.button("Stop", key="taught:stop", width="stretch", on_click=race.stop)
    else:
        first.button("Train again", key="taught:train", width="stretch", on_click=start)
    with whose:
        titles = {str(k): pupil.title for k, pupil in enumerate(there)}
        _menu("taught_shown", _shown(there), titles)
    with wide:
        if race is not None and race.busy:
            done = [run.learning.step / run.recipe.steps for run in race.runs]
            waits = sum(run.wants_process for run in race.runs)
            said = f"step {min(run.learning.step for run in race.runs):,} of {race.runs[0].recipe.steps:,}"
            seconds = max(run.seconds for run in race.runs)
            st.progress(min(done), f"{said} · {seconds:.0f} s" if not waits else f"{waits} wait for a place")
        else:
            _moments(there[_shown(there)].learning.moments, view.taught_moment)


def _menu(name: str, shown: int, titles: dict[str, str]) -> None:
    """The menu of networks; the view keeps the number."""
    key = f"view:{name}"
    st.session_state[key] = str(shown)

    def take() -> None:
        state.look(**{name: int(st.session_state[key])})

    st.selectbox(
        "network",
        list(titles),
        key=key,
        on_change=take,
        format_func=titles.__getitem__,
        label_visibility="collapsed",
    )


def _moments(moments: Sequence[TranslationMoment], wanted: int) -> None:
    """The slider of recorded steps."""
    steps = [moment.step for moment in moments]
    if len(steps) < 2:
        st.caption("Nothing is trained yet: attention is spread over all tokens.")
        return
    key = "view:taught_moment"
    st.session_state[key] = _moment(moments, wanted).step

    def take() -> None:
        step = int(st.session_state[key])
        state.look(taught_moment=NEWEST if step == steps[-1] else step)

    st.select_slider("attention and gradient at training step", steps, key=key, on_change=take)


def _shown(there: Sequence[Pupil]) -> int:
    """The place of the network whose attention is drawn."""
    return min(state.view().taught_shown, len(there) - 1)


def _moment(moments: Sequence[TranslationMoment], wanted: int) -> TranslationMoment:
    """The newest record, or the last one that is not after the wanted step."""
    if wanted == NEWEST:
        return moments[-1]
    return next(moment for moment in reversed(moments) if moment.step <= wanted)


def _draw(there: Sequence[Pupil]) -> None:
    for pupil in there:
        for sentence in (pupil.run.failed if pupil.run else "", pupil.learning.diverged):
            if sentence:
                st.warning(f"{pupil.title}: {sections.literal(sentence)}", icon="⚠️")
    st.markdown(_result(there))
    st.html(legend([(pupil.title, _exact_text(pupil)) for pupil in there]))
    panel(_figures(there), num_steps=1, cursor=0, key=KEY)


def _exact_text(pupil: Pupil) -> str:
    return f"{pupil.learning.moments[-1].exact[-2]:.0%}" if pupil.learning.step else ""


def _result(there: Sequence[Pupil]) -> str:
    """Who answers exactly, at the longest sources of training; and the example."""
    shown = there[_shown(there)]
    task = shown.learning.recipe.task
    moment = _moment(shown.learning.moments, state.view().taught_moment)
    target = task.target
    answer, wanted = ("".join(target.decode(tokens)) for tokens in (moment.answer, moment.example))
    verdict = "right" if answer == wanted else f"wanted: {wanted}"
    low, high = task.buckets[-2]
    parts = [
        f"{pupil.title} {pupil.learning.moments[-1].exact[-2]:.0%}" for pupil in there if pupil.learning.step
    ]
    exact = f"**Exact answers at {low} to {high} tokens: {', '.join(parts)}.** " if parts else ""
    text = sections.literal(answer) or "(nothing)"
    return f"{exact}{shown.title} answers the example with {text} ({sections.literal(verdict)})."


def _figures(there: Sequence[Pupil]) -> list[PanelFigure]:
    recipe = there[0].learning.recipe
    task, steps = recipe.task, recipe.steps
    laps = [Lap(pupil.title, np.array(pupil.learning.losses), k) for k, pupil in enumerate(there)]
    guess = float(np.log(len(task.target)))
    exact = {pupil.title: pupil.learning.moments[-1].exact for pupil in there}
    shown = there[_shown(there)]
    moment = _moment(shown.learning.moments, state.view().taught_moment)
    row = len(moment.decades) // 2 + 1
    weights = moment.weights
    if weights is None:
        said = "No attention:<br>the decoder sees the source<br>through s₀ alone."
        drawn, numbers = figures.message(said), said.replace("<br>", " ")
    else:
        drawn, numbers = figures.attention_weights(weights), figures.attention_weights_alt(weights, row)

    def gradients() -> Drawn:
        off = weights is None
        return figures.attention_map(moment.decades, off=off), figures.attention_map_alt(moment.decades, row)

    where = f" at step {moment.step}"
    return [
        panel_figure(
            _NO_EXPERIMENT,
            "translation_loss",
            figures.race(laps, steps, measure="loss", baseline=guess, loss=True),
            figures.race_alt(laps, measure="loss", baseline=guess),
            height=320,
        ),
        panel_figure(
            _NO_EXPERIMENT,
            "length_accuracy",
            figures.length_accuracy(exact, task.buckets, task.usual),
            figures.length_accuracy_alt(exact, task.buckets),
            height=320,
        ),
        panel_figure(_NO_EXPERIMENT, "attention_weights", drawn, numbers, height=320, suffix=where),
        later_figure(_NO_EXPERIMENT, "attention_map", gradients, height=320, suffix=where),
    ]
