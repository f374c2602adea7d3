"""The small model that the demo trains, in NumPy alone."""

from __future__ import annotations

from typing import Any, final

import numpy as np

__all__ = ["InkModel"]

LEVELS = 17
PLACES = 64
DIGITS = 10
HIDDEN = 64

Floats = np.ndarray[Any, np.dtype[np.float64]]
Bools = np.ndarray[Any, np.dtype[np.bool_]]
Integers = np.ndarray[Any, np.dtype[np.integer[Any]]]


@final
class InkModel:
    """A network that reads a digit off its inked pixels, as a bag of any size.

    Each pixel has the embedding of its place, weighted by its ink; one hidden layer turns their sum into ten scores.
    Trained by Adam on the cross-entropy.

    Args:
      seed: of the initial weights.
      rate: Adam's learning rate.
    """

    def __init__(self, *, seed: int = 0, rate: float = 0.02) -> None:
        rng = np.random.default_rng(seed)
        self._rate = rate
        self._steps = 0
        self._weights = {
            "places": rng.normal(0.0, 0.2, (PLACES, HIDDEN)),
            "hidden": np.zeros(HIDDEN),
            "digits": rng.normal(0.0, HIDDEN**-0.5, (HIDDEN, DIGITS)),
            "bias": np.zeros(DIGITS),
        }
        self._mean = {name: np.zeros_like(weight) for name, weight in self._weights.items()}
        self._square = {name: np.zeros_like(weight) for name, weight in self._weights.items()}

    def train(self, ink: Integers, mask: Bools, digits: Integers) -> float:
        """Takes one step on a batch, and gives the loss before it.

        Args:
          ink: tokens `17 * place + ink`, int[n, longest].
          mask: bool[n, longest], False where `ink` is padding.
          digits: the classes, int[n].

        Returns:
          The mean cross-entropy of the batch. [nats]
        """
        place, level = self._read(ink, mask)
        before, after, scores = self._forward(place, level)
        rows = np.arange(len(digits))
        chance = np.exp(scores - scores.max(axis=1, keepdims=True))
        chance /= chance.sum(axis=1, keepdims=True)
        loss = float(-np.log(chance[rows, digits]).mean())

        by_score = chance
        by_score[rows, digits] -= 1.0
        by_score /= len(digits)
        by_hidden = (by_score @ self._weights["digits"].T) * (before > 0)
        by_place = np.zeros_like(self._weights["places"])
        np.add.at(by_place, place, level[..., None] * by_hidden[:, None, :])
        self._step(
            {
                "places": by_place,
                "hidden": by_hidden.sum(axis=0),
                "digits": after.T @ by_score,
                "bias": by_score.sum(axis=0),
            }
        )
        return loss

    def predict(self, ink: Integers, mask: Bools) -> Integers:
        """Says which digit each example is: int[n]."""
        best: Integers = self._forward(*self._read(ink, mask))[2].argmax(axis=1)
        return best

    def _read(self, ink: Integers, mask: Bools) -> tuple[Integers, Floats]:
        """The place of each token, and its ink from 0 to 1, which is 0 where it is padding."""
        place, level = np.divmod(np.where(mask, ink, 0), LEVELS)
        return place, level / (LEVELS - 1)

    def _forward(self, place: Integers, level: Floats) -> tuple[Floats, Floats, Floats]:
        """The hidden layer before and after its threshold, float64[n, 64], and the scores, float64[n, 10]."""
        before = np.einsum("nt,nth->nh", level, self._weights["places"][place]) + self._weights["hidden"]
        after = np.maximum(before, 0.0)
        return before, after, after @ self._weights["digits"] + self._weights["bias"]

    def _step(self, gradients: dict[str, Floats]) -> None:
        """Adam, with its usual constants (Kingma and Ba, 2015)."""
        self._steps += 1
        for name, gradient in gradients.items():
            self._mean[name] += 0.1 * (gradient - self._mean[name])
            self._square[name] += 0.001 * (gradient**2 - self._square[name])
            mean = self._mean[name] / (1.0 - 0.9**self._steps)
            square = self._square[name] / (1.0 - 0.999**self._steps)
            self._weights[name] -= self._rate * mean / (np.sqrt(square) + 1e-8)
