"""Frozen configs of the stages: plain numbers in angstrom, 1/angstrom, kelvin; their content names the artefacts."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from nanotexture.film.config import FilmConfig
from nanotexture.simulate.instrument import Instrument
from nanotexture.simulate.places import Disorder
from nanotexture.simulate.textures import Texture
from nanotexture.stages.config import Config, Hkl


class Tie(StrEnum):
    """What ties the displacement to the polarization.

    NONE: nothing; LAYERS: mechanical equilibrium of layers that are each as stiff as their material; MEAN: of one stiffness.
    """

    NONE = "none"
    LAYERS = "layers"
    MEAN = "mean"


class AlignConfig(Config):
    """Substrate reflection and lattice that fix the goniometer offsets."""

    hkl: Hkl
    a: float
    c: float


class ConvertConfig(Config):
    """Reflection of a scan, temperature (None: unknown), voxel and crop in 1/angstrom; film (None: not known) to check it."""

    hkl: Hkl
    temperature: float | None
    voxel: tuple[float, float] | None
    qx_range: tuple[float, float] | None
    qz_range: tuple[float, float] | None
    film: FilmConfig | None


class ConvertHklConfig(Config):
    """Scans along h, k, l that make one map: their numbers (none: the file's only one)."""

    map: ConvertConfig
    scans: tuple[int, ...]


class LoadConfig(Config):
    """What a map is checked against."""

    film: FilmConfig


class DirectionsConfig(Config):
    """The film whose lattice says where the maps' reflections are."""

    film: FilmConfig


class ThicknessScanConfig(Config):
    """Reflection of a symmetric scan and the film it is fitted with."""

    hkl: Hkl
    film: FilmConfig


class CombsConfig(Config):
    """Film and period (None: found from the satellites)."""

    film: FilmConfig
    period: float | None


class MapFitConfig(Config):
    """The film that order 0 is fitted with."""

    film: FilmConfig


class PrepareConfig(Config):
    """Film and period (None: found from the satellites)."""

    film: FilmConfig
    period: float | None
    seed: int


class ReferenceConfig(Config):
    """The film whose reference lattice all temperatures share."""

    film: FilmConfig


class ResizeConfig(Config):
    """Film whose number of planes is tried, and the pilot's numbers."""

    film: FilmConfig
    harmonics: int | None
    polynomials: int | None
    strain: float
    polarization: bool = False


class PilotConfig(Config):
    """A few starts with the modes as told, or as the data show (None)."""

    film: FilmConfig
    harmonics: int | None
    polynomials: int | None
    starts: int
    seed: int
    strain: float
    polarization: bool = False
    tie: Tie = Tie.NONE


class BetterPilotConfig(Config):
    """Nothing to set: the held-out satellites say."""


class TrialConfig(Config):
    """A number of modes: as told, or what the data show, more harmonics or fewer polynomials; choices of what is held out."""

    film: FilmConfig
    harmonics: int | None
    polynomials: int | None
    more_harmonics: int
    fewer_polynomials: bool
    folds: int
    seed: int
    strain: float
    polarization: bool = False


class ChooseConfig(Config):
    """Standard errors of the free chi2 within which fewer modes are preferred."""

    tolerance: float = 0.5


class InvertConfig(Config):
    """Film, numbers of the starts of this batch, seed and prior strain."""

    film: FilmConfig
    starts: tuple[int, ...]
    seed: int
    strain: float
    polarization: bool = False


class ConsensusConfig(Config):
    """Film whose stack decides whether the inversion can be told, and the solver's numbers to relax the inverse with."""

    film: FilmConfig
    solver: Literal["motif", "window"]
    strain: float
    polarization: bool = False


class WeighConfig(Config):
    """Film, and the prior strain that the data scale."""

    film: FilmConfig
    strain: float
    polarization: bool


class DenoiseConfig(Config):
    """Film, prior strain, choices of what is held out and their seed."""

    film: FilmConfig
    strain: float
    polarization: bool
    seed: int
    folds: int = 5


class BelieveConfig(Config):
    """Nothing to set: the held-out satellites said."""


class SettleConfig(Config):
    """Film and prior strain."""

    film: FilmConfig
    strain: float
    polarization: bool


class LeaveOutConfig(Config):
    """Film, prior strain, and the number of the reflection that is left out."""

    film: FilmConfig
    strain: float
    polarization: bool
    left: int


class WindowConfig(Config):
    """Film, numbers of the starts, seed and reflection (None: strongest satellites) of the baseline solver."""

    film: FilmConfig
    starts: tuple[int, ...]
    seed: int
    hkl: Hkl | None = None


class TextureConfig(Config):
    """Film whose polarization was asked for (None: none was), and may be read as displacement where it is not told."""

    polar_film: FilmConfig | None = None


class DomainsConfig(Config):
    """Seed of the fields that errors are drawn from."""

    seed: int


class EnergyConfig(Config):
    """Film whose materials' coefficients are used, seed of the fields that errors are drawn from."""

    film: FilmConfig
    seed: int


class SeriesConfig(Config):
    """Nothing to set: the series follows from the textures."""


class SimulateConfig(Config):
    """Film, and the texture simulated in it."""

    film: FilmConfig
    texture: Annotated[Texture, Field(discriminator="kind")]


class BrightConfig(Config):
    """Film and measurement of one simulated reflection.

    axis_period, axis_period_y: angstrom, whose orders the map's axes reach, None of a map without qy; gap of film and
    substrate in angstrom; seed: of the places.
    """

    film: FilmConfig
    hkl: Hkl
    axis_period: float
    orders: float
    voxels: tuple[int, int] | tuple[int, int, int]
    disorder: Disorder
    instrument: Instrument
    film_gap: float
    seed: int
    axis_period_y: float | None = None


class CountsConfig(Config):
    """Which reflection is counted, how bright the brightest of all is, temperature (None: unknown)."""

    hkl: Hkl
    peak_counts: float
    instrument: Instrument
    temperature: float | None
    seed: int


class TruthConfig(Config):
    """Film, its gap to the substrate in angstrom, cumulative disorder, temperature (None: unknown)."""

    film: FilmConfig
    film_gap: float
    disorder: float
    temperature: float | None
