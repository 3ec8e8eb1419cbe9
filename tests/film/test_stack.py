"""The film as planes, and what each plane adds to the amplitude."""

import numpy as np
import pytest
from nanotexture.film.config import FilmConfig, LayerConfig, SubstrateConfig
from nanotexture.film.kernel import plane_kernel, substrate_amplitude
from nanotexture.film.materials import built_in
from nanotexture.film.rod import film_sum_from_thickness, substrate_sum_from_gap
from nanotexture.film.stack import Layer, Stack, Substrate
from nanotexture.film.structure_factor import structure_factor

STO, PTO = built_in("SrTiO3"), built_in("PbTiO3")
TWO = Stack(3.905, (Layer(STO, 2, 3.9), Layer(PTO, 3, 4.1)), 2)


def test_planes_follow_the_stack_from_the_substrate_up():
    np.testing.assert_allclose(TWO.spacings, [3.9, 3.9, 4.1, 4.1, 4.1] * 2)
    np.testing.assert_allclose(TWO.heights, np.cumsum(TWO.spacings) - TWO.spacings)
    assert TWO.plane_materials == (0, 0, 1, 1, 1) * 2
    assert TWO.thickness == pytest.approx(2 * (2 * 3.9 + 3 * 4.1))
    assert TWO.mean_c == pytest.approx(TWO.thickness / 10)


def test_the_kernel_of_one_material_sums_to_the_film_rod():
    c, planes = 4.05, 40
    stack = Stack(3.905, (Layer(PTO, planes, c),))
    qz = 2 * np.pi * 3 / c + np.linspace(-0.1, 0.1, 41)
    factor = structure_factor(
        material=PTO, h=np.array(-1.0), k=0.0, qz=qz, in_plane=3.905, c=c, energy_kev=8.048
    )
    kernel = plane_kernel(stack=stack, hkl=(-1, 0, 3), qz=qz, energy_kev=8.048)
    assert kernel.shape == (41, planes)
    np.testing.assert_allclose(
        kernel.sum(1),
        factor * film_sum_from_thickness(qz=qz, c=c, thickness=planes * c),
        rtol=1e-6,
        atol=1e-4,
    )


def test_the_kernel_of_a_stack_is_the_sum_over_its_atoms():
    qz = np.linspace(4.5, 4.9, 5)
    kernel = plane_kernel(stack=TWO, hkl=(1, 0, 3), qz=qz, energy_kev=8.048)
    from nanotexture.geometry import atomic_form_factor

    for p, (height, which) in enumerate(zip(TWO.heights, TWO.plane_materials, strict=True)):
        layer, expected = TWO.layers[which], 0.0
        for atom in layer.material.atoms:
            f = atomic_form_factor(atom.element, np.hypot(2 * np.pi / 3.905, qz), 8.048)
            z = height + layer.c * atom.position[2]
            expected = expected + f * np.exp(1j * (2 * np.pi * atom.position[0] + qz * z))
        np.testing.assert_allclose(kernel[:, p], expected, rtol=1e-10)


def test_a_stretch_of_all_heights_is_a_stack_of_stretched_layers():
    qz = np.linspace(4.5, 4.9, 7)
    stretched = Stack(3.905, tuple(Layer(one.material, one.cells, one.c * 1.01) for one in TWO.layers), 2)
    np.testing.assert_allclose(
        plane_kernel(stack=TWO, hkl=(0, 0, 3), qz=qz, energy_kev=8.0, stretch=1.01),
        plane_kernel(stack=stretched, hkl=(0, 0, 3), qz=qz, energy_kev=8.0),
        rtol=1e-10,
    )


def test_the_substrate_is_its_structure_factor_times_the_rod_or_nothing():
    qz = np.linspace(4.6, 4.9, 9)
    common = {"hkl": (-1, 0, 3), "qz": qz, "in_plane": 3.905, "energy_kev": 8.048}
    found = substrate_amplitude(substrate=Substrate(STO, 3.905), **common)
    factor = structure_factor(
        material=STO, h=np.array(-1.0), k=0.0, qz=qz, in_plane=3.905, c=3.905, energy_kev=8.048
    )
    np.testing.assert_allclose(found, factor * substrate_sum_from_gap(qz=qz, c=3.905, gap=0.0))
    np.testing.assert_array_equal(substrate_amplitude(substrate=None, **common), 0)


def config(layers, **more):
    made = tuple(LayerConfig(material=m, cells=n, c=c) for m, n, c in layers)
    return FilmConfig(in_plane=3.905, layers=made, **more)


def test_what_the_recipe_leaves_open_is_filled_in():
    film = config([(PTO, None, None)])
    assert film.single
    stack = film.stack(c=4.0, thickness=81.0)
    assert (len(stack.heights), stack.mean_c) == (20, 4.0)
    told = config([(PTO, None, 4.1)], thickness=205.0)
    assert told.stack(c=9.9, thickness=9.9).thickness == pytest.approx(205.0)
    assert len(config([(PTO, None, None)]).stack(c=4.0, thickness=0.0).heights) == 1


def test_c_guess_is_the_mean_over_cells():
    assert config([(STO, 10, 3.9), (PTO, 30, 4.1)]).c_guess == pytest.approx(4.05)
    assert config([(PTO, None, None)]).c_guess == PTO.lattice[2]


@pytest.mark.parametrize(
    ("layers", "repeat", "symmetric"),
    [
        ([(PTO, 10, 4.1)], 1, True),
        ([(STO, 5, 3.9), (PTO, 5, 4.1)], 1, False),
        ([(STO, 5, 3.9), (PTO, 5, 4.1)], 3, False),
        ([(STO, 5, 3.9), (PTO, 5, 4.1), (STO, 5, 3.9)], 1, True),
    ],
)
def test_a_stack_is_symmetric_if_it_is_the_same_upside_down(layers, repeat, symmetric):
    assert config(layers, repeat=repeat).symmetric is symmetric


def test_the_substrate_of_a_config():
    assert config([(PTO, 1, 4.1)]).below() is None
    below = config([(PTO, 1, 4.1)], substrate=SubstrateConfig(material=STO, c=3.9)).below()
    assert below == Substrate(STO, 3.9)
