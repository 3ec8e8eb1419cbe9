"""Films drawn for learning: reproducible, of the families told, and none of the benchmark suite's."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
from nanotexture.simulate.film_draws import (
    HELD_OUT,
    PERIODS,
    SEEDS,
    THICKNESSES,
    DrawnFilm,
    Family,
    planes_of,
    random_film,
)
from nanotexture.simulate.random_texture import RandomTexture
from nanotexture.simulate.suite import films

MANY = 30


@pytest.fixture(scope="module")
def drawn() -> list[DrawnFilm]:
    return [random_film(seed=0, number=number) for number in range(MANY)]


def test_a_film_follows_from_seed_and_number_alone() -> None:
    first, again, other = (
        random_film(seed=s, number=n, families=("elastic",)) for s, n in ((3, 5), (3, 5), (3, 6))
    )
    assert np.array_equal(first.motif.displacement, again.motif.displacement)
    assert first.stack == again.stack
    assert first.gap == again.gap
    assert first.texture != other.texture


def test_no_film_is_of_the_suite_nor_of_a_family_held_out(drawn: list[DrawnFilm]) -> None:
    suite = films()
    for film in drawn:
        assert planes_of(film.stack) not in {planes_of(one.stack) for one in suite}
        assert film.texture.kind not in HELD_OUT
        assert film.texture not in {one.texture for one in suite}
        if isinstance(film.texture, RandomTexture):
            assert film.texture.seed >= SEEDS


def test_films_are_single_ones_within_the_limits_and_of_every_family(drawn: list[DrawnFilm]) -> None:
    assert {film.family for film in drawn} == set(get_args(Family))
    for film in drawn:
        assert film.stack.repeat == 1
        assert PERIODS[0] <= film.motif.periods[0] <= PERIODS[1]
        assert 0.95 * THICKNESSES[0] < film.stack.thickness < 1.1 * THICKNESSES[1]
        assert film.motif.displacement.shape[-1] == planes_of(film.stack)
