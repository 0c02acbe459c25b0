"""Start maps: a function of the seed, and far from each other."""

import numpy as np
import pytest

from plaudit.domains.level.seeds import SERIES, start_maps, training_numbers


def distances(maps):
    flat = maps.reshape(len(maps), -1).astype(int)
    return (flat[:, None] != flat[None]).sum(-1)[np.triu_indices(len(flat), 1)]


@pytest.mark.parametrize("series", [0, 7, 2**31 - 1])
def test_neighbouring_seeds_start_far_apart(series):
    apart = distances(start_maps(series * SERIES + np.arange(398), (14, 14)))
    # Code words: about half of the 196 cells; independent maps come as near as 70.
    assert apart.min() >= 90


def test_a_map_depends_on_its_seed_alone():
    seeds = np.array([3, 5_000_017, 12, 398, 10**16 + 5, 3])
    together = start_maps(seeds, (7, 5))
    assert together.shape == (6, 5, 7)
    for seed, level in zip(seeds, together, strict=True):
        assert (start_maps(np.array([seed]), (7, 5))[0] == level).all()
    assert (together[0] == together[5]).all()


def test_blocks_and_series_differ():
    first, block, series, candidate = start_maps(np.array([0, 398, SERIES, 10**16]), (14, 14))
    for other in (block, series, candidate):
        assert 40 < (first != other).sum() < 196


def test_half_of_the_cells_are_open():
    assert start_maps(np.arange(200), (14, 14)).mean() == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("density", [0.0, 0.2, 0.9, 1.0])
def test_a_density_is_kept(density):
    assert start_maps(np.arange(200), (14, 14), density).mean() == pytest.approx(density, abs=0.02)


def test_training_never_starts_from_an_item_of_a_user():
    ours = {level.tobytes() for level in start_maps(training_numbers(500), (14, 14))}
    users = {level.tobytes() for level in start_maps(np.arange(500), (14, 14))}
    assert not ours & users


def test_every_size_has_starts():
    for size in ((3, 3), (3, 64), (64, 64)):
        assert start_maps(np.arange(3), size).shape == (3, size[1], size[0])
