"""Frozen configs of the stages of one crystal."""

from __future__ import annotations

from typing import Literal

from nanotexture.stages.models import Config, Hkl


class LoadCrystalConfig(Config):
    """What the array is; step: voxel of the object in angstrom; seed: which blocks are held out."""

    hkl: Hkl
    d_spacing: float
    voxel: tuple[float, float, float] | None
    step: tuple[float, float, float] | None
    q: tuple[float, float, float] | None
    values: Literal["counts", "amplitude"]
    peak_counts: float | None
    unmeasured: Literal["blank", "zeros", "none"]
    array: str | None
    mask: str | None
    seed: int


class CrystalFramesConfig(Config):
    """Box of `size` voxels about the peak of gridded frames; seed: which blocks are held out."""

    hkl: Hkl
    d_spacing: float
    size: tuple[int, int, int]
    seed: int


class SolverConfig(Config):
    """Projections and gradients of a start."""

    solver: Literal["hio", "raar", "dm"]
    beta: float
    cycles: int
    even: int
    iterations: int
    refine: int
    hops: int
    first: Literal["box", "halved"]


class CrystalTrialConfig(Config):
    """A threshold tried with a few starts, the beam coherent, partly coherent, or both."""

    solver: SolverConfig
    threshold: float
    beams: tuple[bool, ...]
    starts: tuple[int, ...]
    seed: int


class CrystalChooseConfig(Config):
    """Threshold and coherence that the recipe tells; None: the trials say."""

    threshold: float | None
    partial: bool | None


class CrystalStartsConfig(Config):
    """Starts of these numbers."""

    solver: SolverConfig
    starts: tuple[int, ...]
    seed: int


class CrystalGroupConfig(Config):
    """How starts are compared."""


class CrystalAnswersConfig(Config):
    """What follows from the clusters."""
