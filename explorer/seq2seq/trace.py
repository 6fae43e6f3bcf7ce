"""What an encoder–decoder did with one source and one target."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from explorer.seq2seq.attention import Memory
from explorer.seq2seq.decoder import DecoderState, Step
from explorer.seq2seq.noise import Noise
from explorer.seq2seq.settings import Seq2Seq
from explorer.seq2seq.translator import Translator
from explorer.seq2seq.vocabulary import LETTERS


@dataclass(frozen=True)
class TranslatorTrace:
    """One run with teacher forcing, in float64.

    Te are the tokens of the source, Td those of the target with its ``<eos>``; step j of the decoder is given
    token j − 1 and has to say token j. What belongs to the attention is None without it.

    Attributes:
        translator: the network, in float64.
        source: token numbers [Te].
        target: token numbers [Td]; the last is ``<eos>``, unless there is none.
        as_training: whether dropout acted and hard attention drew its positions.
        encoder_states: annotations h_i, both directions beside each other, [Te, A].
        decoder_states: s_j of the top layer, [Td, H].
        start: s_0 of the top layer, [H].
        scores: e_ji, [Td, Te].
        probabilities: softmax(e_j), of local attention inside its window, [Td, Te].
        weights: α_ji, what the annotations are multiplied with, [Td, Te].
        contexts: c_j, [Td, A].
        logits: [Td, target vocabulary]; −inf for what is never said.
        losses: L_j = −ln p(y_j), [Td].
    """

    translator: Translator
    source: np.ndarray
    target: np.ndarray
    as_training: bool
    encoder_states: np.ndarray
    decoder_states: np.ndarray
    start: np.ndarray
    scores: np.ndarray | None
    probabilities: np.ndarray | None
    weights: np.ndarray | None
    contexts: np.ndarray | None
    logits: np.ndarray
    losses: np.ndarray

    @property
    def settings(self) -> Seq2Seq:
        """All choices."""
        return self.translator.settings

    @property
    def source_tokens(self) -> list[str]:
        """What the encoder read, [Te]."""
        return [self.translator.source.tokens[number] for number in self.source]

    @property
    def target_tokens(self) -> list[str]:
        """What the decoder had to say, [Td]."""
        return [self.translator.target.tokens[number] for number in self.target]


def run_translator(
    settings: Seq2Seq,
    source: Sequence[int],
    target: Sequence[int],
    *,
    translator: Translator | None = None,
    as_training: bool = True,
) -> TranslatorTrace:
    """Let an encoder–decoder read a source and say a target.

    Args:
        settings: all choices; of a trained network those it was made with.
        source: numbers of 1 to 100 symbols, e.g. ``LETTERS.encode("gradient")``.
        target: numbers of 0 to 99 symbols, to which ``<eos>`` is added; without ``<eos>`` of 1 to 100.
        translator: a trained network; without one, a fresh one between letters.
        as_training: whether dropout acts and hard attention draws its positions, both from the seed.

    Raises:
        ValueError: a token that the vocabulary does not have, a source without tokens, or too many.
    """
    translator = Translator(settings, LETTERS, LETTERS) if translator is None else _double(translator)
    read = np.array(translator.source.check(source, "source"))
    said = np.array(translator.goal(target))
    with torch.no_grad():
        seen = observe(translator, read, said, as_training)
        reading = [step.reading for step in seen.steps if step.reading is not None]
    rows = {
        name: np.stack([getattr(one, name)[0].numpy() for one in reading]) if reading else None
        for name in ("scores", "probabilities", "weights")
    }
    return TranslatorTrace(
        translator,
        read,
        said,
        as_training,
        seen.read[:, 0].numpy(),
        np.stack([step.state.layers[-1][0][0].numpy() for step in seen.steps]),
        seen.start.layers[-1][0][0].numpy(),
        **rows,
        contexts=np.stack([one.context[0].numpy() for one in reading]) if reading else None,
        logits=seen.logits.numpy(),
        losses=seen.losses.numpy(),
    )


@dataclass(frozen=True)
class Observed:
    """One pass with its graph.

    Attributes:
        nudges: zeros added to the states of the encoder's top layer, [Te, 1, A].
        shown: zeros added to what the attention reads of them, [Te, 1, A].
        read: annotations h_i as the attention reads them, [Te, 1, A].
        memory: what the attention reads; None without attention.
        start: the decoder's state before its first step.
        steps: of the decoder.
        logits: [Td, target vocabulary].
        losses: L_j, [Td].
    """

    nudges: torch.Tensor
    shown: torch.Tensor
    read: torch.Tensor
    memory: Memory | None
    start: DecoderState
    steps: list[Step]
    logits: torch.Tensor
    losses: torch.Tensor


def observe(
    translator: Translator,
    source: np.ndarray,
    target: np.ndarray,
    as_training: bool,
    whole_graph: bool = True,
) -> Observed:
    """One pass over one pair, in which the encoder's states can be differentiated by.

    Without ``whole_graph`` the values that make a context are cut off, for whoever adds up
    ∂L/∂h_i = Σ_j α_ji ∂L/∂c_j at once (``gradient_map``).
    """
    settings = translator.settings
    noise = Noise(settings.rng("trace"), settings.dropout) if as_training else None
    dtype = translator.readout.weight.dtype
    nudges, shown = (
        torch.zeros(len(source), 1, settings.annotation_size, dtype=dtype, requires_grad=True)
        for _ in range(2)
    )
    embedded = translator.source_embedding(torch.from_numpy(source)[:, None])
    encoded = translator.encoder.observed(embedded, nudges, noise)
    read = encoded.annotations + shown
    start, memory = translator.decoder.begin(replace(encoded, annotations=read))
    # A state of its own: "last" is one of the encoder, from which there are other ways to the losses.
    start = start._replace(layers=tuple(tuple(part.clone() for part in layer) for layer in start.layers))
    if memory is not None and not whole_graph:
        memory = replace(memory, values=memory.values.detach().requires_grad_())
    goal = torch.from_numpy(target)
    steps = translator.steps(goal[:, None], start, memory, noise)
    logits = translator.logits(torch.cat([step.output for step in steps]))
    losses = torch.nn.functional.cross_entropy(logits, goal, reduction="none")
    return Observed(nudges, shown, read, memory, start, steps, logits, losses)


def _double(translator: Translator) -> Translator:
    """A copy in float64, or the network itself where it is that already."""
    if translator.readout.weight.dtype == torch.float64:
        return translator
    copy = Translator(translator.settings, translator.source, translator.target)
    copy.load_state_dict(translator.state_dict())
    return copy
