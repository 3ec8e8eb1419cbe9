"""Scans with an area detector for tests: random goniometers, and the measured rod of nno_6idb."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from nanotexture.geometry import PRESETS, Circle, Goniometer, Panel, Placement, place
from nanotexture.quantities import Frames
from PIL import Image
from silx.io.specfile import SpecFile

from tests.geometry.headers import header_of as bare_header


def header_of(positions: dict[str, Any], shape: tuple[int, int], **changes: Any) -> Frames:
    """A header with motors (name: degrees per frame) and a lattice; all else unknown unless told."""
    return bare_header(positions, shape, **{"ub": np.eye(3)} | changes)


@dataclass(frozen=True)
class Scan:
    """A header, its placement and its frames."""

    header: Frames
    placement: Placement
    frames: np.ndarray


def random_scan(seed: int, frames: int = 4, shape: tuple[int, int] = (9, 7), dtype: str = "u2") -> Scan:
    """Random circles that all move, sample and detector, and random counts."""
    rng = np.random.default_rng(seed)
    names = ("a", "b", "c", "d")
    circles = [Circle(name, tuple(rng.normal(size=3))) for name in names]
    panel = Panel("x-", "z-", tuple(rng.uniform(-3, 12, 2)), (0.5, 0.6), 60.0)
    goniometer = Goniometer("random", tuple(circles[:2]), tuple(circles[2:]), "y+", panel)
    header = header_of({n: rng.uniform(-180, 180) + rng.normal(size=frames) for n in names}, shape)
    counts = rng.poisson(6.0, (frames, *shape)).astype(dtype)
    return Scan(header, place(header, goniometer, (1, 0, 0), (0, 0, 1)), counts)


def measured_rod(mirror: Path, folder: Path) -> Scan:
    """Scan 21 of nno_6idb, film's z along l; pixels that never count are masked."""
    with zipfile.ZipFile(mirror / "nno_6idb.zip") as archive:
        names = sorted(name for name in archive.namelist() if name.endswith(".tif"))
        frames = np.stack([np.array(Image.open(io.BytesIO(archive.read(name)))) for name in names])
        spec = folder / "data.spec"
        spec.write_bytes(archive.read("data.spec"))
    scan = SpecFile(str(spec))["21.1"]
    motors = dict(zip(scan.motor_names, scan.motor_positions, strict=True))
    positions = {n: motors[n] for n in ("Mu", "Chi", "Phi", "Nu", "Delta")} | {
        "Eta": scan.data_column_by_name("Eta")
    }
    ub = np.array(scan.scan_header_dict["G3"].split(), float).reshape(3, 3)
    mask = (frames.max(axis=0) == 0).astype(np.uint8)
    header = header_of(positions, mask.shape, energy=21.0001, ub=ub, mask=mask)
    return Scan(header, place(header, PRESETS["6idb_psic"], (1, 0, 0), (0, 0, 1)), frames.astype(np.uint32))
