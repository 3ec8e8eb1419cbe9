"""The benchmark suite: films whose truth is known, measured at four counts and three strengths of disorder, fixed seeds.

Nothing is stored: a case is a few numbers, and its maps follow from them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from nanotexture.film.materials import Atom, Material, built_in
from nanotexture.film.stack import Layer, Stack, Substrate
from nanotexture.simulate.a_c_domains import ACDomains
from nanotexture.simulate.axes import Hkl, middle, sensible_axes
from nanotexture.simulate.brightness import Brightness, bright_map
from nanotexture.simulate.closure import Closure
from nanotexture.simulate.counting import Measured, measured_maps
from nanotexture.simulate.instrument import Instrument
from nanotexture.simulate.laminate import Laminate
from nanotexture.simulate.motif import Motif
from nanotexture.simulate.places import Disorder
from nanotexture.simulate.random_texture import RandomTexture
from nanotexture.simulate.textures import Texture, motif_from_texture
from nanotexture.simulate.vortices import Vortices

COUNTS = (1e4, 1e5, 1e6, 1e7)
DISORDERS = (0.02, 0.06, 0.15)
COHERENT_PERIODS = 8.0  # standard deviation of a place, at least, in periods
COHERENCE = 1200.0  # and in angstrom
ENERGY = 8.048
INSTRUMENT = Instrument(
    energy_kev=ENERGY, resolution=(5e-4, 1e-3), background=2.0, diffuse=1e-5, drift=0.01, dead=0.002
)
PEROVSKITE: tuple[Hkl, ...] = ((0, 0, 1), (0, 0, 2), (0, 0, 3), (1, 0, 2), (1, 0, 3), (-1, 0, 3))
LAYERED: tuple[Hkl, ...] = ((0, 0, 2), (0, 0, 6), (0, 0, 8), (2, 0, 6), (-2, 0, 6), (2, 0, 8))
NEAR = 0.3  # of the distance between orders: where a satellite is looked for


@dataclass(frozen=True)
class Film:
    """A textured film on a substrate and the reflections that are measured of it; gap in angstrom."""

    name: str
    stack: Stack
    substrate: Substrate
    texture: Texture
    reflections: tuple[Hkl, ...]
    gap: float
    seed: int
    energy_kev: float = ENERGY


@dataclass(frozen=True)
class Case:
    """A film measured with peak_counts in its brightest voxel, its periods scattered by `disorder` (relative, cumulative)."""

    film: Film
    peak_counts: float
    disorder: float

    @property
    def name(self) -> str:
        """Film, counts and disorder in per cent, fit for a folder."""
        return f"{self.film.name}_{self.peak_counts:.0e}_{100 * self.disorder:02.0f}".replace("e+0", "e")


def films() -> tuple[Film, ...]:
    """Fourteen films: periods of 5 to 30 nm, thicknesses of 15 to 60 nm."""
    listed = (*_vortices(), *_closures(), *_domains(), *_laminates(), *_smooth())
    return tuple(replace(film, seed=index) for index, film in enumerate(listed))


def cases(
    *,
    chosen: Sequence[Film] | None = None,
    counts: Sequence[float] = COUNTS,
    disorders: Sequence[float] = DISORDERS,
) -> tuple[Case, ...]:
    """Every film, all by default, at every count and disorder."""
    return tuple(Case(f, n, d) for f in chosen or films() for d in disorders for n in counts)


def motif_of(film: Film) -> Motif:
    """The truth: one period of the film's texture."""
    below = film.substrate.material.elastic
    return motif_from_texture(stack=film.stack, texture=film.texture, below=below)


def brightness_of(film: Film, *, disorder: float, motif: Motif) -> tuple[Brightness, ...]:
    """All reflections at unit flux, places seeded by the film's number."""
    period = motif.periods[0]
    told = Disorder(cumulative=disorder, coherence=max(COHERENCE, COHERENT_PERIODS * period))
    return tuple(
        bright_map(
            motif=motif,
            stack=film.stack,
            substrate=film.substrate,
            hkl=hkl,
            axes=sensible_axes(period=period, stack=film.stack, hkl=hkl),
            disorder=told,
            instrument=replace(INSTRUMENT, energy_kev=film.energy_kev),
            seed=film.seed,
            gap=film.gap,
        )
        for hkl in film.reflections
    )


def measure(case: Case, *, motif: Motif, brights: Sequence[Brightness] | None = None) -> tuple[Measured, ...]:
    """Counts of all reflections of a case; brights, of the same film and disorder, if they are known already."""
    film = case.film
    known = brights or brightness_of(film, disorder=case.disorder, motif=motif)
    instrument = replace(INSTRUMENT, energy_kev=film.energy_kev)
    return measured_maps(known, peak_counts=case.peak_counts, instrument=instrument, seed=film.seed)


def satellite_visibility(
    measured: Measured, *, in_plane: float, period: float, order: int
) -> tuple[float, float]:
    """Largest count of orders +-n over the background, and their summed signal over its standard deviation.

    The background is the median of the map; voxels within NEAR of the orders' distance from either order are taken.
    """
    away = np.abs(measured.axes.qx - middle(measured.hkl[0], in_plane)) * period / (2 * np.pi)
    near = (np.abs(away - abs(order)) < NEAR)[:, None] & (measured.mask == 0)
    background = max(float(np.median(measured.intensity[measured.mask == 0])), 0.5)
    if not near.any():
        return 0.0, 0.0
    signal = measured.intensity[near] - background
    noise = float(np.sqrt(measured.variance[near].sum()))
    return float(signal.max()) / background, float(signal.sum()) / noise


def _film(
    name: str, below: Substrate, layers: tuple[Layer, ...], repeat: int, texture: Texture, gap: float
) -> Film:
    """A film coherent with a cubic substrate, whose c is its in-plane parameter."""
    return Film(name, Stack(below.c, layers, repeat), below, texture, PEROVSKITE, gap, 0)


def _vortices() -> list[Film]:
    sto, pto, below = built_in("SrTiO3"), built_in("PbTiO3"), Substrate(built_in("DyScO3"), 3.95)
    told = ((10, 6, 88.0, 0.15), (16, 3, 117.0, 0.25), (20, 2, 132.0, -0.1))
    return [
        _film(f"vortices_{n}", below, (Layer(sto, n, 3.885), Layer(pto, n, 4.02)), m, Vortices(period), gap)
        for n, m, period, gap in told
    ]


def _closures() -> list[Film]:
    pto = built_in("PbTiO3")
    low, high = Substrate(built_in("SrTiO3"), 3.905), Substrate(built_in("DyScO3"), 3.95)
    told = ((38, 56.0, low, 4.10), (50, 100.0, high, 4.03), (85, 170.0, high, 4.03))
    return [
        _film(f"closure_{n}", below, (Layer(pto, n, c),), 1, Closure(period), 0.2)
        for n, period, below, c in told
    ]


def _domains() -> list[Film]:
    pto, below = built_in("PbTiO3"), Substrate(built_in("KTaO3"), 3.9885)
    return [
        _film(f"a_c_{n}", below, (Layer(pto, n, 4.06),), 1, ACDomains(period, duty=duty), 0.3)
        for n, period, duty in ((60, 200.0, 0.7), (145, 300.0, 0.6))
    ]


def _laminates() -> list[Film]:
    material, below = built_in("Ca2RuO4_L"), Substrate(rotated_cell(built_in("LaAlO3")), 3.79)
    return [
        Film(
            name=f"laminate_{n}",
            stack=Stack(below.c * 2**0.5, (Layer(material, n, 12.264),)),
            substrate=below,
            texture=Laminate(period, duty=duty),
            reflections=LAYERED,
            gap=0.4,
            seed=0,
        )
        for n, period, duty in ((13, 50.0, 0.5), (25, 100.0, 0.4), (41, 180.0, 0.6))
    ]


def _smooth() -> list[Film]:
    below = Substrate(built_in("SrTiO3"), 3.905)
    pto, sro = built_in("PbTiO3"), built_in("SrRuO3")
    told: tuple[tuple[str, tuple[Layer, ...], RandomTexture], ...] = (
        ("polar", (Layer(pto, 75, 4.10),), RandomTexture(80.0, 0.12, 0.5, seed=1)),
        ("elastic", (Layer(sro, 50, 3.96),), RandomTexture(150.0, 0.15, seed=2)),
        ("mixed", (Layer(sro, 15, 3.96), Layer(pto, 40, 4.10)), RandomTexture(120.0, 0.1, 0.4, seed=3)),
    )
    return [_film(f"smooth_{name}", below, layers, 1, texture, 0.1) for name, layers, texture in told]


def rotated_cell(material: Material) -> Material:
    """A pseudocubic material in the cell turned by 45 degrees about c, sqrt(2) larger in the plane: two formula units."""
    a, b, c = material.lattice
    return replace(
        material,
        name=f"{material.name}_rotated",
        lattice=(a * 2**0.5, b * 2**0.5, c),
        atoms=tuple(_turned(atom, half) for atom in material.atoms for half in (0.0, 0.5)),
    )


def _turned(atom: Atom, half: float) -> Atom:
    x, y, z = atom.position
    return replace(atom, position=((0.5 * (x + y) + half) % 1.0, (0.5 * (y - x) + half) % 1.0, z))
