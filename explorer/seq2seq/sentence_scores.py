"""BLEU, chrF, TER and exact match of one sentence side by side, and sentences on which they disagree.

Sources: Popović (2015), "chrF: character n-gram F-score for automatic MT evaluation"; Snover et al.
(2006), "A study of translation edit rate with targeted human annotation".
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from sacrebleu.metrics.chrf import CHRF
from sacrebleu.metrics.ter import TER

from explorer.seq2seq.bleu import Smoothing, Tokeniser, bleu, check_reference


@dataclass(frozen=True)
class SentenceScores:
    """Scores of a candidate against one reference; all but ``exact`` are sacrebleu's.

    Attributes:
        bleu: 0 … 100, higher is better.
        chrf: F₂ of character n-grams up to 6, 0 … 100, higher is better.
        ter: edits (insert, delete, replace, move a block) per 100 tokens of the reference; lower is better,
            and it may exceed 100.
        exact: whether both are equal but for spaces at the ends.
    """

    bleu: float
    chrf: float
    ter: float
    exact: bool


def sentence_scores(
    candidate: str, reference: str, *, tokeniser: Tokeniser = "13a", smoothing: Smoothing = "exp"
) -> SentenceScores:
    """All scores; TER of Chinese counts characters, as the tokeniser does.

    Raises:
        ValueError: as ``explorer.seq2seq.bleu.bleu``.
    """
    check_reference(reference)
    parts = bleu(candidate, reference, tokeniser=tokeniser, smoothing=smoothing)
    chrf = _chrf().sentence_score(candidate, [reference]).score
    ter = _ter(tokeniser == "zh").sentence_score(candidate, [reference]).score
    return SentenceScores(parts.score, float(chrf), float(ter), candidate.strip() == reference.strip())


@cache
def _chrf() -> CHRF:
    return CHRF()


@cache
def _ter(asian: bool) -> TER:
    return TER(normalized=asian, asian_support=asian)


@dataclass(frozen=True)
class Example:
    """Two sentences, and what a person would say of them.

    Attributes:
        label: short name.
        candidate, reference: the sentences.
        tokeniser: for their language.
        same: whether the candidate says what the reference says, as we judge it.
        shows: one sentence.
    """

    label: str
    candidate: str
    reference: str
    same: bool
    shows: str
    tokeniser: Tokeniser = "13a"


_REFERENCE = "The doctor said this morning that the patient is allowed to leave the hospital."
EXAMPLES: dict[str, Example] = {
    "negation": Example(
        "Negation",
        "The doctor said this morning that the patient is not allowed to leave the hospital.",
        _REFERENCE,
        False,
        "One word turns the meaning round, and the score stays high.",
    ),
    "paraphrase": Example(
        "Paraphrase",
        "Today his physician confirmed he can go home",
        _REFERENCE,
        True,
        "It says the same without a common word: BLEU is 0.",
    ),
    "synonym": Example(
        "Synonym",
        "The physician said this morning that the patient is permitted to leave the hospital.",
        _REFERENCE,
        True,
        "Two synonyms cost more than a negation.",
    ),
    "shortened": Example(
        "Shortened",
        "The patient is allowed to leave the hospital.",
        _REFERENCE,
        True,
        "Nearly all n-grams match; the brevity penalty halves the score.",
    ),
    "shuffled": Example(
        "Shuffled",
        "the hospital leave to allowed is patient the that morning this said doctor The.",
        _REFERENCE,
        False,
        "All words are right and none is in its place: only the longer n-grams notice.",
    ),
    "repeated": Example(
        "Repeated",
        "the the the the the the the the the the the the the the the",
        _REFERENCE,
        False,
        "Clipping counts a word only as often as the reference has it.",
    ),
    "chinese": Example(
        "Chinese",
        "医生今天早上说病人不可以出院了。",
        "医生今天早上说病人可以出院了。",
        False,
        "Without spaces every character is a token; the tokeniser for English sees one word and gives 0.",
        "zh",
    ),
}
"""Name → example."""
