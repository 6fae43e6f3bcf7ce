"""What the section Search says: what was found, whether anything better was lost, and why it stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from explorer.app.decoding.source import Source
from explorer.app.view import View
from explorer.figures.decoding_looks import plain_sequence, probability
from explorer.seq2seq.decoding import PRUNED, Hypothesis, Search

if TYPE_CHECKING:
    from explorer.app.decoding.search import Searched

_STOPPED = {
    "bound": "nothing unfinished could score more",
    "empty": "nothing was left to extend",
    "length": "the longest length was reached",
}


def search_words(view: View, source: Source, found: Searched, step: int) -> tuple[str, str]:
    """(main sentence, further ones)."""
    search = found.search
    count = len(search.steps)
    symbols = source.model.symbols
    if step < count:
        return f"Step {step} of {count}: {step_words(search, step)}.", _lost(found, symbols, step)
    name = (
        "Greedy search" if view.beam_width == 1 and view.beam_groups == 1 else f"A beam of {view.beam_width}"
    )
    if view.beam_groups > 1:
        name = (
            f"{view.beam_groups} groups of {view.beam_width}"
            if view.beam_width > 1
            else f"{view.beam_groups} groups"
        )
    verb = "find" if view.beam_groups > 1 else "finds"
    main = f"{name} {verb} {_named(search.best, symbols)}{_judged(found, symbols)}."
    more = []
    if search.best.tokens != found.greedy.tokens and name != "Greedy search":
        more.append(f"Greedy finds {_named(found.greedy, symbols)}.")
    lost = _lost(found, symbols, step)
    if lost:
        more.append(lost)
    if found.likeliest and found.best and found.likeliest.tokens != found.best.tokens:
        more.append(
            f"{_causes(view, source)} the winner: the likeliest is {_named(found.likeliest, symbols)}."
        )
    reasons = dict.fromkeys(_STOPPED[reason] for reason in search.stopped)
    steps = "1 step" if count == 1 else f"{count} steps"
    more.append(f"It stopped after {steps}: {' and '.join(reasons)}.")
    return main, " ".join(more)


def step_words(search: Search, step: int) -> str:
    """How many candidates of a step were kept."""
    candidates = search.steps[step - 1]
    return f"{len(candidates)} candidates, {int((candidates.fates != PRUNED).sum())} kept"


def _causes(view: View, source: Source) -> str:
    """What makes another sequence the best than the likeliest one."""
    covered = view.beam_coverage > 0 and source.model.attention is not None
    if view.beam_norm == "none":
        return "Coverage changes"
    return "Length normalisation and coverage change" if covered else "Length normalisation changes"


def _named(one: Hypothesis, symbols: tuple[str, ...]) -> str:
    """The sequence, its spaces made visible where there is nothing else, and its probability."""
    cut = "" if one.finished else ", cut off"
    said = plain_sequence(one.tokens, symbols, 60, visible=False)
    if not said.strip(" …"):
        said = plain_sequence(one.tokens, symbols, 60)
    return f"“{said}” (P = {probability(one.log_prob)}{cut})"


def _judged(found: Searched, symbols: tuple[str, ...]) -> str:
    won, best = found.search.best, found.best
    if best is None:
        return "; there are too many sequences to know the best one"
    if won.tokens == best.tokens:
        return ", the best of all sequences"
    whose = "the best that ends" if best.finished and not won.finished else "the best"
    return f"; {whose} is {_named(best, symbols)}"


def _lost(found: Searched, symbols: tuple[str, ...], step: int) -> str:
    """Where the best sequence was pruned, once that step is drawn."""
    search, best = found.search, found.best
    if best is None or search.best.tokens == best.tokens:
        return ""
    rows = search.rows_of(best.tokens)
    at = len(rows)
    if not rows or at > step or search.steps[at - 1].fates[rows[-1]] != PRUNED:
        return ""
    kept = search.steps[at - 1].log_probs[search.steps[at - 1].fates != PRUNED].min()
    prefix = plain_sequence(best.tokens[:at], symbols, 40, visible=False)
    here = float(search.steps[at - 1].log_probs[rows[-1]])
    return (
        f"The best sequence was lost in step {at}: “{prefix}” has {probability(here)}, "
        f"and what was kept has {probability(float(kept))} or more."
    )
