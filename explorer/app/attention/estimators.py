"""Estimators of the gradient of hard attention's scores at the chosen decoder step, and the exact one."""

from __future__ import annotations

import numpy as np

from explorer.app import cache
from explorer.app.attention.setting import network, sequences, step_of
from explorer.app.attention_choices import AttentionChoices
from explorer.seq2seq import run_translator
from explorer.seq2seq.forced_choice import ForcedChoices, forced_choices
from explorer.seq2seq.hard_choice import (
    Estimator,
    exact_gradient,
    expected_loss,
    reinforce,
    reinforce_moving_average,
    straight_through,
)

UNAIDED, MOVING, BASELINE, STRAIGHT = (
    "REINFORCE", "baseline: moving average", "baseline: expected loss", "straight-through"
)  # fmt: skip
"""Names of the estimators."""


def choices_of(view: AttentionChoices) -> ForcedChoices:
    """What each position would cost at the chosen decoder step; kept."""
    settings = network(view, "hard").model_copy(update={"dropout": 0.0})
    source, target = sequences(settings, view.attn_source, view.attn_target)
    step = step_of(view) - 1

    def compute() -> ForcedChoices:
        return forced_choices(run_translator(settings, source, target, as_training=False), step)

    return cache.remembered(f"choices|{settings.canonical()}|{source}|{target}|{step}", compute)


def estimators_of(view: AttentionChoices) -> tuple[dict[str, Estimator], np.ndarray]:
    """Name → estimator of ∂E/∂e, and the exact gradient, [Te]."""
    found = choices_of(view)
    e, losses = found.scores, found.losses
    return {
        UNAIDED: reinforce(e, losses),
        MOVING: reinforce_moving_average(e, losses),
        BASELINE: reinforce(e, losses, expected_loss(e, losses)),
        STRAIGHT: straight_through(e, found.slopes),
    }, exact_gradient(e, losses)
