"""Three networks that read the same word embeddings: a bag, windows of three words, and all words in turn."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence

from explorer.training.text.corpus import PADDING

EMBEDDING, HIDDEN, CHANNELS, WINDOW = 32, 32, 64, 3
_BATCH, _EVALUATED_AT_ONCE = 64, 512
_STEPS_BETWEEN_REPORTS = 8


class WordNetwork(nn.Module):
    """Embeddings → what the network makes of a sentence → one score for each answer; trained with Adam.

    Weights, order of the batches and so the whole training follow from the seed; PyTorch's own random numbers
    are neither used nor changed.

    Args:
        vocabulary_size: how many numbers of words there are.
        answers: number of answers C.
        seed: of weights and batches.
    """

    examples_seen: ClassVar[int]
    """Length of the training, at most one batch more: the same for questions with more or fewer sentences."""
    learning_rate: ClassVar[float] = 5e-3

    def __init__(self, vocabulary_size: int, answers: int, seed: int) -> None:
        super().__init__()
        self.generator = torch.Generator().manual_seed(seed)
        with torch.device("meta"):  # else PyTorch would draw weights from its global generator
            self.embedding = nn.Embedding(vocabulary_size, EMBEDDING, padding_idx=PADDING)
            self.build(answers)
        self.to_empty(device="cpu")
        self._draw_weights()

    @abstractmethod
    def build(self, answers: int) -> None:
        """Make the layers above the embedding."""

    @abstractmethod
    def scores(self, embedded: Tensor, present: Tensor) -> Tensor:
        """[B, C] from embeddings [B, L, E] and which of them are words [B, L], from the left."""

    @torch.no_grad()
    def _draw_weights(self) -> None:
        """Standard normal embeddings; all else uniform in ±1/√fan-in (LSTM: ±1/√H), as PyTorch's defaults."""
        self.embedding.weight.normal_(generator=self.generator)
        self.embedding.weight[PADDING] = 0
        for module in self.modules():
            if isinstance(module, nn.Linear | nn.Conv1d):
                limit = module.weight[0].numel() ** -0.5
            elif isinstance(module, nn.LSTM):
                limit = module.hidden_size**-0.5
            else:
                continue
            for weight in module.parameters():
                weight.uniform_(-limit, limit, generator=self.generator)

    def forward(self, numbers: Tensor) -> Tensor:
        """Scores [B, C] of sentences [B, L]."""
        return self.scores(self.embedding(numbers), numbers != PADDING)

    @property
    def num_parameters(self) -> int:
        """How many numbers were learned; the embedding of the padding is none."""
        return sum(weight.numel() for weight in self.parameters()) - EMBEDDING


class NetworkClassifier:
    """A ``WordNetwork`` behind the interface of ``TextModel``."""

    def __init__(self, network: WordNetwork) -> None:
        self.network = network

    @property
    def parameters(self) -> int:
        """How many numbers were learned."""
        return self.network.num_parameters

    def fit(self, numbers: np.ndarray, answers: np.ndarray) -> Iterator[float]:
        """Cross-entropy, minibatches in a new random order in each epoch; yields which share is done."""
        network = self.network
        inputs, targets = torch.from_numpy(numbers), torch.from_numpy(answers)
        optimizer = torch.optim.Adam(network.parameters(), network.learning_rate)
        seen = 0
        while seen < network.examples_seen:
            order = torch.randperm(len(inputs), generator=network.generator)
            for place, chosen in enumerate(torch.split(order, _BATCH)):
                loss = nn.functional.cross_entropy(network(_trimmed(inputs[chosen])), targets[chosen])
                optimizer.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimizer.step()
                seen += len(chosen)
                if place % _STEPS_BETWEEN_REPORTS == 0:
                    yield min(seen / network.examples_seen, 1.0)
        network.eval().requires_grad_(False)
        yield 1.0

    @torch.inference_mode()
    def log_probabilities(self, numbers: np.ndarray) -> np.ndarray:
        """[N, C]."""
        parts = torch.split(torch.from_numpy(numbers), _EVALUATED_AT_ONCE)
        scores = torch.cat([self.network(_trimmed(part)) for part in parts])
        return np.asarray(scores.double().log_softmax(1))

    def word_weights(self, words: np.ndarray, answer: int) -> np.ndarray:
        """|⟨embedding, ∂log p(answer)/∂embedding⟩| of each word [L].

        The length of the gradient alone would be the same for all words of a mean.
        """
        numbers = torch.from_numpy(words)[None]
        embedded = self.network.embedding(numbers).detach().requires_grad_()
        said = self.network.scores(embedded, numbers != PADDING).log_softmax(1)[0, answer]
        (slope,) = torch.autograd.grad(said, embedded)
        return np.asarray((slope * embedded.detach())[0].sum(1).abs().double())


def _trimmed(numbers: Tensor) -> Tensor:
    """Without columns that are padding in all rows."""
    return numbers[:, : int((numbers != PADDING).sum(1).max())]


class AveragedEmbeddings(WordNetwork):
    """The mean of all embeddings through one hidden layer: feed-forward on a bag (Iyyer et al. 2015)."""

    examples_seen = 80_000

    def build(self, answers: int) -> None:
        """One hidden layer."""
        self.layers = nn.Sequential(nn.Linear(EMBEDDING, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, answers))

    def scores(self, embedded: Tensor, present: Tensor) -> Tensor:
        """The mean over the words, and what the layers make of it."""
        mean = (embedded * present[..., None]).sum(1) / present.sum(1, keepdim=True)
        return self.layers(mean)  # type: ignore[no-any-return]


class WindowNetwork(WordNetwork):
    """A 1-D convolution over windows of three words and its largest answer in each channel (Kim 2014).

    It knows which triples occur, with the sentence's two ends, and not where.
    """

    examples_seen = 64_000

    def build(self, answers: int) -> None:
        """The convolution and what reads its maxima."""
        self.convolution = nn.Conv1d(EMBEDDING, CHANNELS, WINDOW, padding=WINDOW // 2)
        self.readout = nn.Linear(CHANNELS, answers)

    def scores(self, embedded: Tensor, present: Tensor) -> Tensor:
        """ReLU of every window, the maximum over the places of words, the readout."""
        windows = torch.relu(self.convolution(embedded.transpose(1, 2)))
        largest = (windows * present[:, None]).amax(2)  # ReLU is never below the 0 of a place without a word
        return self.readout(largest)  # type: ignore[no-any-return]


class BothDirections(WordNetwork):
    """A bidirectional LSTM; the last state of each direction is read (Graves & Schmidhuber 2005)."""

    examples_seen = 32_000

    def build(self, answers: int) -> None:
        """The LSTM and what reads both of its last states."""
        self.lstm = nn.LSTM(EMBEDDING, HIDDEN, batch_first=True, bidirectional=True)
        self.readout = nn.Linear(2 * HIDDEN, answers)

    def scores(self, embedded: Tensor, present: Tensor) -> Tensor:
        """Forward to the last word, backward to the first, the readout."""
        packed = pack_padded_sequence(embedded, present.sum(1), batch_first=True, enforce_sorted=False)
        _, (last, _) = self.lstm(packed)
        return self.readout(torch.cat([last[0], last[1]], 1))  # type: ignore[no-any-return]
