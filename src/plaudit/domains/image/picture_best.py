"""Pictures of a set, each the best of n of its class by a reward: best-of-n learned instead of searched for.

Whoever learns from these draws in one go what best-of-n pays n draws for. The distribution of the best of n
is near the set tilted by exp(reward / beta) and needs no temperature: only the order of the rewards counts
(BOND, Sessa et al., 2024, arXiv 2407.14622). Departs from it by choosing among pictures of the set and not
among the generator's own: nothing is drawn, the reward is asked once a picture, and what is learned keeps to
real ones.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from plaudit.domains.image.picture_source import PictureReward, PictureSource
from plaudit.domains.image.sets import PictureSet
from plaudit.errors import InputError

_CHUNK = 500


class BestPictures(PictureSource):
    """Draws each picture as the best of `best_of` of a class; classes are as frequent as in the set.

    Attributes:
        paid: what each picture of the train split is worth `(N,)`, NaN where it could not be scored.
    """

    def __init__(
        self,
        pictures: PictureSet,
        reward: PictureReward,
        best_of: int,
        classes: bool = True,
        mirror: bool = False,
    ) -> None:
        """Score the train split; raise `InputError` for a term that compares pictures with each other."""
        super().__init__(pictures, classes, mirror)
        for term in reward.weighing.terms:
            if term.scope != "item":
                raise InputError(
                    f'"{term.name}" compares pictures with each other: no single one is the best by it.',
                    place="env.best_of",
                    hint="Take terms that score each picture alone.",
                )
        self.best_of, self.paid = best_of, self._scored(reward)
        labels = self._train.labels if classes else np.zeros(len(self._train), np.int64)
        known = ~np.isnan(self.paid)
        # Class after class, and within a class the worst first.
        self._order = np.lexsort((self.paid, labels))
        self._order = self._order[known[self._order]]
        self._sizes = np.bincount(labels[known])
        self._starts = np.cumsum(self._sizes) - self._sizes

    def _scored(self, reward: PictureReward) -> NDArray[np.float64]:
        weights = reward.weighing.weights(1.0)
        used, found = weights != 0, []
        for at in np.array_split(np.arange(len(self._train)), -(-len(self._train) // _CHUNK)):
            images, labels = self._shown(self._train, at)
            with torch.no_grad():
                columns = reward.score(labels, images)
            found.append((columns[:, used] * weights[used]).sum(1))
        return np.concatenate(found)

    def _chosen(self, n: int, random: np.random.Generator) -> NDArray[np.int64]:
        kind = random.choice(len(self._sizes), n, p=self._sizes / self._sizes.sum())
        # The highest of k ranks, each uniform in [0, 1), is distributed as the k-th root of one.
        rank = random.random(n) ** (1.0 / self.best_of)
        return self._order[self._starts[kind] + (rank * self._sizes[kind]).astype(np.int64)]
