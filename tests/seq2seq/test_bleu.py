"""BLEU is sacrebleu's to the last digit, and its parts make it up again."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
import sacrebleu
from hypothesis import given, settings
from hypothesis import strategies as st
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF
from sacrebleu.metrics.ter import TER

from explorer.seq2seq.bleu import BleuParts, bleu
from explorer.seq2seq.sentence_scores import EXAMPLES, sentence_scores

VOCABULARY = ("the", "a", "cat", "dog", "sat", "on", "mat", ".", ",", "'s", "U.S.", "3.5")
WORDS = st.lists(st.sampled_from(VOCABULARY), max_size=14).map(" ".join)
CHINESE = st.text("的一是在不了有和人这 abc。", max_size=14)
SMOOTHINGS = ("exp", "floor", "add-k", "none")


def recomposed(parts: BleuParts, smoothing: str) -> float:
    """BLEU from the matched places alone, written down from the paper and sacrebleu's smoothing."""
    length, right = len(parts.candidate), len(parts.reference)
    if not length or not any(match.candidate.any() for match in parts.matches):
        return 0.0
    logs, halved = [], 1
    for match in parts.matches[: min(4, length)]:
        count, total = float(match.candidate.sum()), float(len(match.candidate))
        if smoothing == "add-k" and match.order > 1:
            count, total = count + 1, total + 1
        if not count:
            halved *= 2
            count = {"exp": 1 / halved, "floor": 0.1, "none": 0.0, "add-k": 0.0}[smoothing]
        logs.append(math.log(count / total) if count else -math.inf)
    if smoothing == "add-k":  # orders without an n-gram have 1 of 1
        logs += [0.0] * (4 - len(logs))
    penalty = min(1.0, math.exp(1 - right / length))
    return 100 * penalty * math.exp(sum(logs) / len(logs))


@given(candidate=WORDS, reference=WORDS.filter(str.strip), smoothing=st.sampled_from(SMOOTHINGS))
@settings(max_examples=200, deadline=None)
def test_it_is_sacrebleus_and_its_parts_make_it(candidate: str, reference: str, smoothing: str) -> None:
    parts = bleu(candidate, reference, smoothing=smoothing)  # type: ignore[arg-type]
    metric = BLEU(smooth_method=smoothing, effective_order=True)
    found = metric.sentence_score(candidate, [reference])
    assert parts.score == found.score
    assert parts.precisions == tuple(found.precisions) and parts.brevity_penalty == found.bp
    assert (len(parts.candidate), len(parts.reference)) == (found.sys_len, found.ref_len)
    assert parts.score == pytest.approx(recomposed(parts, smoothing), rel=1e-12, abs=1e-12)
    if smoothing == "exp":
        assert parts.score == sacrebleu.sentence_bleu(candidate, [reference]).score
        assert [match.count for match in parts.matches] == found.counts
        assert [match.total for match in parts.matches] == found.totals


@given(candidate=CHINESE, reference=CHINESE.filter(str.strip))
@settings(max_examples=80, deadline=None)
def test_chinese_too(candidate: str, reference: str) -> None:
    parts = bleu(candidate, reference, tokeniser="zh")
    found = BLEU(tokenize="zh", effective_order=True).sentence_score(candidate, [reference])
    assert parts.score == found.score == pytest.approx(recomposed(parts, "exp"), rel=1e-12, abs=1e-12)


@given(candidate=WORDS, reference=WORDS.filter(str.strip))
@settings(max_examples=100, deadline=None)
def test_matches_are_clipped_counts(candidate: str, reference: str) -> None:
    parts = bleu(candidate, reference)
    for match in parts.matches:
        n = match.order
        ours = [parts.candidate[at : at + n] for at in range(len(parts.candidate) - n + 1)]
        theirs = [parts.reference[at : at + n] for at in range(len(parts.reference) - n + 1)]
        both = Counter(ours) & Counter(theirs)
        assert Counter(gram for gram, hit in zip(ours, match.candidate, strict=True) if hit) == both
        assert Counter(gram for gram, hit in zip(theirs, match.reference, strict=True) if hit) == both
        assert not (match.candidate & match.clipped).any()
        for gram, cut, hit in zip(ours, match.clipped, match.candidate, strict=True):
            assert (cut or hit) == (gram in theirs)


@given(candidate=WORDS, reference=WORDS.filter(str.strip))
@settings(max_examples=60, deadline=None)
def test_the_other_scores_are_sacrebleus(candidate: str, reference: str) -> None:
    found = sentence_scores(candidate, reference)
    assert found.bleu == sacrebleu.sentence_bleu(candidate, [reference]).score
    assert found.chrf == CHRF().sentence_score(candidate, [reference]).score
    assert found.ter == TER().sentence_score(candidate, [reference]).score
    assert found.exact == (candidate.strip() == reference.strip())


def test_the_examples_say_what_is_so() -> None:
    """SCIENCE: a negated sentence scores 82, a good paraphrase 0."""
    scores = {
        name: sentence_scores(one.candidate, one.reference, tokeniser=one.tokeniser)
        for name, one in EXAMPLES.items()
    }
    assert scores["negation"].bleu == pytest.approx(82, abs=0.5) and not EXAMPLES["negation"].same
    assert scores["paraphrase"].bleu == 0 and EXAMPLES["paraphrase"].same
    assert scores["paraphrase"].chrf > 0
    assert scores["synonym"].bleu < scores["negation"].bleu and EXAMPLES["synonym"].same
    short = bleu(EXAMPLES["shortened"].candidate, EXAMPLES["shortened"].reference)
    assert short.brevity_penalty == pytest.approx(0.51, abs=0.01) and min(short.precisions) > 80
    shuffled = bleu(EXAMPLES["shuffled"].candidate, EXAMPLES["shuffled"].reference)
    assert shuffled.precisions[0] == 100 and shuffled.score < 10
    repeated = bleu(EXAMPLES["repeated"].candidate, EXAMPLES["repeated"].reference)
    assert repeated.matches[0].count == 2 and repeated.matches[0].clipped.sum() == 13
    assert scores["chinese"].bleu == pytest.approx(82, abs=0.5)
    assert bleu(EXAMPLES["chinese"].candidate, EXAMPLES["chinese"].reference).score == 0  # 13a sees one word
    assert not any(found.exact for found in scores.values())


def test_the_smallest_sentences() -> None:
    nothing = bleu("", "a b c")
    assert nothing.score == 0 and nothing.brevity_penalty == 0 and nothing.candidate == ()
    one = bleu("cat", "cat")
    assert one.score == pytest.approx(100) and one.order == 1
    assert sentence_scores(" cat ", "cat").exact
    assert bleu("cat dog", "cat").precisions[0] == 50
    assert np.isfinite(sentence_scores("", "cat").ter)


@pytest.mark.parametrize("reference", ["", "  \n"])
def test_an_empty_reference_is_refused(reference: str) -> None:
    for score in (bleu, sentence_scores):
        with pytest.raises(ValueError, match="reference is empty"):
            score("a", reference)


def test_unknown_choices_are_refused() -> None:
    with pytest.raises(ValueError, match="tokeniser = 'ja' is unknown"):
        bleu("a", "a", tokeniser="ja")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="smoothing = 'more' is unknown; known are none, floor, add-k, exp"):
        bleu("a", "a", smoothing="more")  # type: ignore[arg-type]
