"""What a person chooses in the section BLEU of the page Decoding; part of the view."""

from __future__ import annotations

from typing import Literal

from explorer.parameters import Parameters, parameter
from explorer.seq2seq.sentence_scores import EXAMPLES


class BleuChoices(Parameters):
    """Two sentences, and how they are cut into tokens and scored."""

    bleu_candidate: str = parameter(
        EXAMPLES["negation"].candidate, "candidate", "The sentence that is judged.", max_length=300
    )
    bleu_reference: str = parameter(
        EXAMPLES["negation"].reference, "reference", "What it should have been.", max_length=300
    )
    bleu_tokeniser: Literal["13a", "zh"] = parameter(
        "13a",
        "tokeniser",
        "English: words and punctuation (sacrebleu's 13a); Chinese: each character.",
        names={"13a": "English", "zh": "Chinese"},
    )
    bleu_smoothing: Literal["exp", "floor", "add-k", "none"] = parameter(
        "exp",
        "smoothing",
        "What stands in place of a precision of 0, which would make the whole score 0.",
        names={"exp": "Exponential (usual)", "floor": "0.1 matches", "add-k": "Add 1", "none": "None"},
    )
