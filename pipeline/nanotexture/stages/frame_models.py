"""Frozen configs of the stages of frames; apart from the others, whose imports (torch) workers that read frames can spare."""

from __future__ import annotations

from nanotexture.stages.config import Config, Hkl

Vector = tuple[float, float, float]
Range = tuple[float, float]


class CircleConfig(Config):
    """A motor, its axis and the reading at its zero in degrees."""

    motor: str
    axis: str | Vector
    offset: float


class GoniometerConfig(Config):
    """Circles outermost first, beam, and where rows and columns of the detector grow."""

    sample: tuple[CircleConfig, ...]
    detector: tuple[CircleConfig, ...]
    beam: str | Vector
    rows: str
    columns: str


class MountedConfig(Config):
    """hkl of a crystal along laboratory directions, all circles at zero."""

    in_plane: Vector
    along: str | Vector
    normal: Vector
    up: str | Vector


class FramesConfig(Config):
    """One scan of a file, and what its reader is told."""

    scan: int | None
    motors: tuple[str, ...] = ()
    detector: str = ""
    monitor: str = ""
    images: str = ""


class SurveyConfig(Config):
    """A scan; looked: frames from its beginning that are looked at for bad pixels, None for all."""

    frames: FramesConfig
    looked: int | None = None


class PlaceConfig(Config):
    """Geometry of a scan: preset or circles (None: the file's chain); lengths in mm, energy in keV, cell in angstrom and degrees.

    in_plane, normal: hkl along the film's x and z.
    """

    goniometer: str | GoniometerConfig | None
    energy: float | None
    distance: float | None
    pixel: tuple[float, float] | None
    direct_beam: tuple[float, float] | None
    lattice: tuple[float, float, float, float, float, float] | None
    mounted: MountedConfig | None
    in_plane: Vector
    normal: Vector


class FrameGridConfig(Config):
    """Voxels of a series: ranges and steps in 1/angstrom (None: from the data).

    flat: summed over qy; shared: pixels between voxels; as_told: ranges stand where nothing is measured yet.
    """

    place: PlaceConfig
    ranges: tuple[Range | None, Range | None, Range | None]
    steps: Vector | None
    flat: bool
    shared: bool
    as_told: bool


class BlockConfig(Config):
    """Frames start to stop of a scan, and what is done to their counts.

    corrections: None for what was recorded; polarization: direction across the beam and share along it; pedestal: counts,
    None for that of the survey; spot: look for the brightest.
    """

    frames: FramesConfig
    place: PlaceConfig
    start: int
    stop: int
    corrections: tuple[str, ...] | None
    polarization: tuple[str | Vector, float] | None
    pedestal: float | None
    spot: bool


class MergeConfig(Config):
    """Nothing to say: sums are sums."""


class FrameMapConfig(Config):
    """Reflection of a scan, its temperature in kelvin (None: what its file says), frames converted, whether more may come.

    check: reflections, one of which must have the brightest spot within tolerance (1/angstrom); none: not checked.
    near: a film's in-plane lattice, least and largest c in angstrom, whose reflection the map must hold; None: not known.
    """

    place: PlaceConfig
    hkl: Hkl
    temperature: float | None
    frames: int
    growing: bool
    check: tuple[Vector, ...]
    tolerance: float
    near: Vector | None
