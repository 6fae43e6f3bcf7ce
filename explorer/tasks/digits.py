"""Sequential digits: real images, read pixel by pixel."""

from __future__ import annotations

from functools import lru_cache
from typing import ClassVar, Literal

import numpy as np

from explorer.tasks.batch import Baseline, Batch
from explorer.tasks.task import Task, check_batch_size

PIXELS = 64
TEST_IMAGES = 360  # a fifth of 1797
_SPLIT_SEED = 0


class SequentialDigits(Task):
    """Name a handwritten digit that is read pixel by pixel, row by row (after Le, Jaitly & Hinton 2015).

    The images are the 1797 of scikit-learn's ``load_digits`` (8×8 pixels; Alpaydin & Kaynak 1998), in place
    of the paper's 28×28 ones. A fixed fifth, 360 images with each digit's share of it, is never trained on.
    Shapes: x [T, B, 1], brightness between 0 and 1; targets [1, B], digits 0 to 9, read at the last step. A
    whole image takes T = 64 steps; fewer cut it, more end in zeros and so take a longer memory.
    """

    kind: Literal["digits"] = "digits"
    lengths: ClassVar[tuple[int, int]] = (8, 1000)

    @property
    def input_size(self) -> int:
        """One pixel."""
        return 1

    @property
    def output_size(self) -> int:
        """Ten digits."""
        return 10

    def notes(self, num_steps: int) -> list[str]:
        """Whether the image is cut or followed by zeros."""
        if num_steps < PIXELS:
            return [f"A digit has {PIXELS} pixels: only the first {num_steps} are read."]
        if num_steps > PIXELS:
            return [f"A digit has {PIXELS} pixels: steps {PIXELS + 1} to {num_steps} read 0."]
        return []

    def baseline(self, num_steps: int) -> Baseline:
        """On the test part: mean −ln of the digits' shares in training, and the likeliest digit's share."""
        self.check(num_steps)
        _, train, _, test = split()
        shares = np.bincount(train, minlength=10) / len(train)
        usual = shares.argmax()
        score = float((test == usual).mean())
        return Baseline(
            loss=float(-np.log(shares[test]).mean()),
            score=score,
            said=f"Always naming {usual}, the most frequent digit in training, is right for {score:.1%}.",
        )

    def draw(self, rng: np.random.Generator, num_steps: int, batch_size: int) -> Batch:
        """Images of the training part, each as likely as any other."""
        pixels, labels, _, _ = split()
        return _read(pixels, labels, rng.integers(len(labels), size=batch_size), num_steps)

    def held_out(self, num_steps: int, batch_size: int) -> Batch:
        """The first B of the 360 images of the test part, in a fixed random order."""
        self.check(num_steps)
        check_batch_size(batch_size)
        _, _, pixels, labels = split()
        return _read(pixels, labels, np.arange(min(batch_size, len(labels))), num_steps)


@lru_cache(maxsize=1)
def split() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Training pixels [1437, 64] between 0 and 1 and labels [1437], then those of the test part, 360."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    digits = load_digits()
    train, test = train_test_split(
        np.arange(len(digits.target)),
        test_size=TEST_IMAGES,
        stratify=digits.target,
        random_state=_SPLIT_SEED,
    )
    pixels, labels = digits.data / 16.0, digits.target.astype(np.int64)
    return pixels[train], labels[train], pixels[test], labels[test]


def _read(pixels: np.ndarray, labels: np.ndarray, chosen: np.ndarray, num_steps: int) -> Batch:
    """The chosen images as a batch of ``num_steps`` pixels."""
    x = np.zeros((num_steps, len(chosen), 1))
    used = min(num_steps, PIXELS)
    x[:used, :, 0] = pixels[chosen, :used].T
    return Batch(x, labels[chosen][None])
