"""Scales that contradict the intensities are told from those that a strong texture misleads."""

import numpy as np
import pytest
from nanotexture.film.config import FilmConfig, LayerConfig
from nanotexture.film.materials import built_in
from nanotexture.preparation.contradictions import scale_deviations, told_thickness

NEAR = np.array([1.02, 0.97, 1.0, 1.05, 0.99])


@pytest.mark.parametrize("factor", [0.1, 2.0, 10.0])
@pytest.mark.parametrize("number", [2, 3, 5])
def test_one_wrong_scale_is_found_with_its_factor(factor, number):
    told = np.ones(number)
    told[1] = factor
    found = scale_deviations(rod=NEAR[:number], summed=NEAR[:number][::-1], told=told)
    assert found[1] == pytest.approx(1 / factor, rel=0.12)
    assert number == 2 or np.abs(np.delete(found, 1) - 1).max() < 0.2


def test_a_common_factor_is_the_flux_and_no_contradiction():
    one, other = (scale_deviations(rod=k * NEAR, summed=k * NEAR, told=np.ones(5)) for k in (1.0, 3e7))
    np.testing.assert_allclose(one, other)
    np.testing.assert_allclose(one, 1.0, atol=0.1)


def test_estimates_on_either_side_of_the_told_scale_accuse_nobody():
    rod, summed = np.array([2.8, 1.0, 0.9, 1.1]), np.array([0.7, 1.0, 1.1, 0.95])
    assert scale_deviations(rod=rod, summed=summed, told=np.ones(4))[0] == pytest.approx(1.0)


def test_a_factor_within_the_scatter_of_the_others_accuses_nobody():
    scattered = np.array([0.4, 1.2, 0.8, 2.0, 1.5])
    assert scale_deviations(rod=scattered, summed=scattered, told=np.ones(5))[4] == 1.0
    assert (
        scale_deviations(rod=np.array([*NEAR, 1.5]), summed=np.array([*NEAR, 1.5]), told=np.ones(6))[5] > 1.4
    )


def test_one_reflection_has_nothing_to_contradict():
    assert scale_deviations(rod=np.array([5.0]), summed=np.array([2.0]), told=np.array([9.0])) == [1.0]


def test_the_thickness_told_is_that_of_the_stack_before_that_of_the_recipe():
    def film(cells, c, thickness):
        layer = LayerConfig(material=built_in("PbTiO3"), cells=cells, c=c)
        return FilmConfig(in_plane=3.905, layers=(layer,), repeat=1, thickness=thickness)

    assert told_thickness(film(40, 4.0, 155.0)) == pytest.approx(160.0)
    assert told_thickness(film(None, 4.0, 155.0)) == 155.0
    assert told_thickness(film(None, None, None)) is None
