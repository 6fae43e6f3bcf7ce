"""How words are chosen in the end: greedy, beam search, diverse beam search, sampling, and the true optimum.

All of them take a ``Step``, a function from a prefix to log-probabilities: a Markov model, a model of a
text's characters, a trained translator, or a function of one's own.
"""

from __future__ import annotations

from explorer.seq2seq.decoding.beam import (
    CUT,
    FINISHED,
    KEPT,
    PRUNED,
    Candidates,
    Search,
    beam_search,
    diverse_beam,
)
from explorer.seq2seq.decoding.exhaustive import TooManySequences, exhaustive, greedy, optimum
from explorer.seq2seq.decoding.hypothesis import Hypothesis
from explorer.seq2seq.decoding.markov import MarkovModel
from explorer.seq2seq.decoding.ngrams import CharacterNgrams
from explorer.seq2seq.decoding.sampling import Sampling, filtered, sample, sample_counts
from explorer.seq2seq.decoding.scoring import Scoring
from explorer.seq2seq.decoding.step import Attention, DecodingModel, Step, after
from explorer.seq2seq.decoding.toys import TOYS

__all__ = [
    "CUT",
    "FINISHED",
    "KEPT",
    "PRUNED",
    "TOYS",
    "Attention",
    "Candidates",
    "CharacterNgrams",
    "DecodingModel",
    "Hypothesis",
    "MarkovModel",
    "Sampling",
    "Scoring",
    "Search",
    "Step",
    "TooManySequences",
    "after",
    "beam_search",
    "diverse_beam",
    "exhaustive",
    "filtered",
    "greedy",
    "optimum",
    "sample",
    "sample_counts",
]
