"""Particles to learn from: fixed by their seeds, sampled as asked, centred; a dislocation turns the phase once."""

import numpy as np
import pytest
from nanotexture.simulate.learning import example
from nanotexture.simulate.particles import FAMILIES, STRAINS, Particles, random_particle

DRAWN = Particles(size=48)
SOME = [random_particle(DRAWN, seed=1, number=k) for k in range(12)]


def test_a_particle_is_fixed_by_seed_and_number():
    again = random_particle(DRAWN, seed=1, number=3)
    assert np.array_equal(again.density, SOME[3].density)
    assert not np.array_equal(random_particle(DRAWN, seed=2, number=3).density, SOME[3].density)


def test_all_families_and_strains_come_up():
    found = [random_particle(Particles(size=32), seed=0, number=k) for k in range(60)]
    assert {one.family for one in found} == set(FAMILIES)
    assert {one.strain for one in found} == set(STRAINS)


@pytest.mark.parametrize("particle", SOME)
def test_every_axis_is_sampled_twice_or_more(particle):
    inside = np.abs(particle.density) > 0.5
    for axis in range(3):
        extent = np.flatnonzero(inside.any(axis=tuple(a for a in range(3) if a != axis)))
        assert 2.0 <= 48 / (np.ptp(extent) + 1) <= 5.5


@pytest.mark.parametrize("particle", SOME)
def test_the_particle_lies_about_the_middle_and_is_whole(particle):
    weight = np.abs(particle.density)
    middle = [np.sum(weight * g) / weight.sum() for g in np.indices(weight.shape)]
    assert middle == pytest.approx([24, 24, 24], abs=1.0)
    assert all(weight.take(i, axis).max() == 0 for axis in range(3) for i in (0, -1))


def test_a_smooth_field_has_the_range_asked_for():
    drawn = Particles(size=48, phase_range=(2.0, 2.0), defects=0.0, off_centre=0.0)
    psi = random_particle(drawn, seed=0, number=0).density
    inside = np.abs(psi) > 0.5
    mean = np.angle(psi[inside].sum())
    assert np.ptp(np.angle(psi[inside] * np.exp(-1j * mean))) == pytest.approx(2.0, abs=0.7)


def test_the_peak_is_at_most_as_far_off_the_middle_as_asked():
    for k in range(4):
        found = example(Particles(size=64, off_centre=0.5), grid=32, coherence=0.0, seed=3, number=k)
        grid = np.indices(found.amplitude.shape) - 16
        centroid = [float(np.sum(found.amplitude**2 * g) / np.sum(found.amplitude**2)) for g in grid]
        assert np.abs(centroid).max() < 0.9


def test_intensity_and_phase_are_those_of_the_particle_about_its_centroid():
    found = example(Particles(size=32, off_centre=0.0), grid=32, coherence=0.0, seed=0, number=1)
    psi = np.fft.ifftn(np.fft.ifftshift(found.amplitude * np.exp(1j * found.phase)))
    weight = np.abs(np.fft.fftshift(psi))
    middle = [np.sum(weight * g) / weight.sum() for g in np.indices(weight.shape)]
    assert middle == pytest.approx([16, 16, 16], abs=0.35)
