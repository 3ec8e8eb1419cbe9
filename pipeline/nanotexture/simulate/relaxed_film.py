"""Films and superlattices relaxed by the phase field with numbers drawn at random: the textures that an energy made."""

from __future__ import annotations

from collections.abc import Callable, Set
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

import numpy as np

from nanotexture.film.materials import Material, built_in
from nanotexture.film.stack import Layer, Stack, Substrate
from nanotexture.simulate.motif import Motif
from nanotexture.simulate.phasefield.film import layer_spacings, motif_from_equilibrium, stack_with_spacings
from nanotexture.simulate.phasefield.relax import Equilibrium, relax
from nanotexture.simulate.phasefield.settings import Electrical, Settings, Stepping, Surroundings
from nanotexture.simulate.phasefield.settings import Layer as Cells

Rng = np.random.Generator

# substrate, its lattice parameter and what the cubic PbTiO3 on it has, angstrom: compressed by 0.3 to 2 per cent, for under
# tension it ends in a/c domains, which are held out
SUBSTRATES = (("SrTiO3", 3.905, (3.927, 3.987)), ("DyScO3", 3.95, (3.962, 3.987)))
FILM_CELLS, LAYER_CELLS = (24, 75), (7, 22)
# period over the root of the polar layer's height, root angstrom: about the one of least energy, of films and superlattices
FILM_KITTEL, LAYER_KITTEL = (6.0, 13.0), (9.0, 18.0)
TEMPERATURES = (200.0, 500.0)  # K
SCREENINGS = tuple(Electrical)
BELOW, ABOVE = 8, 6  # cells of substrate and vacuum
# P is then within a few per cent of the equilibrium, for a third of the work
CONVERGED = replace(Stepping(), force=1e-3)
UPRIGHT = 0.6  # rms P_x over rms P_z at most: more is a/c domains
MODULATED = 0.1  # C/m^2, rms of what varies along x, at least: less is one domain
ALTERNATING = 0.2  # P_y at most over P_z: the film is flat along y
TRIES = 100  # draws, of which nearly all fit


@dataclass(frozen=True)
class RelaxedFilm:
    """What a run was told: period in angstrom, temperature in K, cubic lattice parameter of the polar layer in angstrom,
    electrical condition, seed of its noise."""

    period: float
    temperature: float
    cubic: float
    electrical: Electrical
    seed: int
    kind: Literal["phase_field"] = "phase_field"


@dataclass(frozen=True)
class Relaxed:
    """A stack whose c are those of the run, its substrate, what the run was told, and its motif."""

    stack: Stack
    substrate: Substrate
    texture: RelaxedFilm
    motif: Motif


def relaxed_film(rng: Rng, *, taken: Set[int]) -> Relaxed:
    """A single film of PbTiO3 in vertical domains, of any number of cells but those taken."""

    def drawn() -> Relaxed | None:
        cells = _cells(rng, FILM_CELLS, taken)
        return _relaxed(rng, (("PbTiO3", cells),), cells)

    return _first(drawn)


def relaxed_superlattice(rng: Rng, *, taken: Set[int], freedom: float) -> Relaxed:
    """One repeat of (SrTiO3, PbTiO3), whose numbers of cells differ by a share of `freedom` at most."""

    def drawn() -> Relaxed | None:
        polar = _cells(rng, LAYER_CELLS, taken)
        other = max(4, round(polar * float(rng.uniform(1 - freedom, 1 + freedom))))
        return _relaxed(rng, (("SrTiO3", other), ("PbTiO3", polar)), polar)

    return _first(drawn)


def _first(drawn: Callable[[], Relaxed | None]) -> Relaxed:
    """The first draw that ends in vertical domains: twelve of twelve did."""
    for _ in range(TRIES):
        if (found := drawn()) is not None:
            return found
    raise RuntimeError(f"{TRIES} films relaxed, none of them in vertical domains: the draws are broken")


def _cells(rng: Rng, limits: tuple[int, int], taken: Set[int]) -> int:
    free = [n for n in range(limits[0], limits[1] + 1) if n not in taken]
    return free[int(rng.integers(len(free)))]


def _relaxed(rng: Rng, layers: tuple[tuple[str, int], ...], polar: int) -> Relaxed | None:
    """One run; None where it ended in anything but vertical domains."""
    name, in_plane, cubic = SUBSTRATES[int(rng.integers(len(SUBSTRATES)))]
    single = len(layers) == 1
    texture = RelaxedFilm(
        period=float(rng.uniform(*(FILM_KITTEL if single else LAYER_KITTEL)) * np.sqrt(polar * in_plane)),
        temperature=float(rng.uniform(*TEMPERATURES)),
        cubic=float(rng.uniform(*cubic)),
        electrical=SCREENINGS[int(rng.integers(len(SCREENINGS)))] if single else Electrical.SHORT,
        seed=int(rng.integers(2**31)),
    )
    below = Substrate(_material(name), in_plane)
    ended = relax(_settings(layers, below, texture))
    if not _vertical_domains(ended):
        return None
    stack = Stack(in_plane, tuple(Layer(_material(kind), n, in_plane) for kind, n in layers))
    agreed = stack_with_spacings(stack, layer_spacings(ended))
    return Relaxed(agreed, below, texture, motif_from_equilibrium(ended, agreed))


def _settings(layers: tuple[tuple[str, int], ...], below: Substrate, told: RelaxedFilm) -> Settings:
    stiff = _material("SrTiO3").elastic
    assert stiff is not None
    lattice = {"PbTiO3": told.cubic, "SrTiO3": _material("SrTiO3").lattice[0]}
    return Settings(
        layers=tuple(Cells(_material(name), cells, lattice[name]) for name, cells in layers),
        in_plane=below.c,
        period=told.period,
        temperature=told.temperature,
        electrical=told.electrical,
        surroundings=Surroundings(stiff, BELOW, ABOVE, softness=0.05) if len(layers) == 1 else None,
        stepping=CONVERGED,
        seed=told.seed,
        dtype="float32",
    )


@cache
def _material(name: str) -> Material:
    """A built-in material, read once."""
    return built_in(name)


def _vertical_domains(ended: Equilibrium) -> bool:
    settings = ended.settings
    film = ended.polarization[..., settings.below : settings.shape[2] - settings.above]
    varying = np.sqrt(((film - film.mean(1, keepdims=True)) ** 2).mean((1, 2, 3)))
    rms = np.sqrt((film**2).mean((1, 2, 3)))
    upright = rms[0] <= UPRIGHT * rms[2] and rms[1] <= ALTERNATING * rms[2]
    return bool(varying[2] > MODULATED and upright)
