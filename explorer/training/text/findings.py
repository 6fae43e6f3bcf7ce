"""What a study shows, in sentences made of its numbers."""

from __future__ import annotations

import numpy as np

from explorer.training.text.models import BAGS, LABELS
from explorer.training.text.study import SHARES, TextStudy, standard_error


def clearly_better(one: float, other: float, examples: int) -> bool:
    """Whether an accuracy is more than two standard errors of the difference above another one."""
    error = np.hypot(standard_error(one, examples), standard_error(other, examples))
    return bool(one - other > 2 * error)


def what_is_seen(study: TextStudy, stop: int) -> str:
    """Accuracies of all trained models at ``SHARES[stop]``, beside those in order; "" if none is trained."""
    if not study.tested:
        return ""
    names = sorted(study.tested, key=lambda name: -study.tested[name].accuracy[0])
    readers = ", ".join(f"{LABELS[name]} {_rates(study, name, stop)}" for name in names if name not in BAGS)
    bags = [name for name in BAGS if name in study.tested]
    blind = f"{' and '.join(LABELS[name] for name in bags)}, blind to order, "
    blind += " and ".join(dict.fromkeys(_percent(study.tested[name].accuracy[stop]) for name in bags))
    if study.question.alter is not None:
        blind += ", for both versions of a sentence hold the same words"
    when = f"With {_percent(SHARES[stop])} of the words shuffled" if stop else "Right answers in order"
    return f"{when}: {'; '.join(part for part in (readers, blind) if part)}."


def why(study: TextStudy) -> str:
    """What the accuracies in order say about the question; "" until all models are trained.

    A model is called better only where the difference is more than two standard errors of the test.
    """
    if not study.finished:
        return ""
    first = {name: float(tested.accuracy[0]) for name, tested in study.tested.items()}
    examples = len(study.answers)
    lstm, pairs, convolution = first["lstm"], first["pairs"], first["convolution"]
    if study.question.alter is None:
        best = max(("lstm", "pairs", "convolution"), key=first.__getitem__)
        bag = max(BAGS, key=first.__getitem__)
        if clearly_better(first[best], first[bag], examples):
            return f"Order helps: {LABELS[best]} is clearly better than the best bag, {LABELS[bag]}."
        words = (
            f"No model that sees order is clearly better than the best bag, {LABELS[bag]} "
            f"({_percent(first[bag])}): after {study.training_examples:,} sentences, words tell the book."
        )
        lost = 100 * (lstm - float(study.tested["lstm"].accuracy[-1]))
        if clearly_better(lstm, float(study.tested["lstm"].accuracy[-1]), examples):
            words += (
                f" The LSTM leans on order all the same: it loses {lost:.0f} points when all is shuffled."
            )
        return words
    windows = max(pairs, convolution)
    if clearly_better(lstm, windows, examples):
        return (
            f"Windows of two or three words reach {_percent(windows)} at most; the LSTM, which carries the "
            f"beginning to the end, {_percent(lstm)}: here order over a distance counts."
        )
    relation = "do better than" if clearly_better(pairs, lstm, examples) else "do as well as"
    if clearly_better(lstm, pairs, examples):
        return "The LSTM is clearly better than pairs of neighbours, but not than windows of three words."
    return (
        f"Pairs of neighbours ({_percent(pairs)}) {relation} the LSTM ({_percent(lstm)}): "
        "order is asked for, and yet no recurrence is needed, because neighbours tell it."
    )


def _rates(study: TextStudy, name: str, stop: int) -> str:
    """Accuracy, or both accuracies where the words are shuffled."""
    accuracy = study.tested[name].accuracy
    return (
        f"{100 * accuracy[0]:.0f}\N{NO-BREAK SPACE}→\N{NO-BREAK SPACE}{_percent(accuracy[stop])}"
        if stop
        else _percent(accuracy[0])
    )


def _percent(share: float) -> str:
    return f"{100 * share:.0f}\N{NO-BREAK SPACE}%"
