"""Small scans of area detectors in every format, written as the instruments do."""

from __future__ import annotations

import zipfile
from pathlib import Path

import fabio
import h5py
import hdf5plugin
import numpy as np

SHAPE = (12, 10)


def counts(frames: int = 5, shape: tuple[int, int] = SHAPE, seed: int = 1) -> np.ndarray:
    """Poisson counts of 30, none of them zero by chance."""
    return np.random.default_rng(seed).poisson(30.0, (frames, *shape)).astype(np.int32) + 1


def spec_text(points: int = 5, number: int = 7, *, end: str = "\n") -> str:
    """A SPEC file of one eta scan with a psic's motors, a cubic UB, and an energy of 10 keV in #G4."""
    a = 2 * np.pi / 4.0
    wavelength = 12.398419843320026 / 10
    rows = ["#F film", "#E 1", "#D now", "#C psic  User = me", "#O0 Delta  Eta  Chi  Phi  Nu  Mu  Slit top"]
    rows += ["#o0 del eta chi phi nu mu st", "", f"#S {number}  ascan  eta 10 11  {points - 1} 0.5"]
    rows += ["#D now", "#T 0.5  (Seconds)", f"#G1 4 4 4 90 90 90 {a} {a} {a} 90 90 90 0 0 1"]
    rows += [f"#G3 {a} 0 0 0 {a} 0 0 0 {a}", f"#G4 0 0 3 {wavelength} 1 2", "#P0 30.5 10 90 -5 0 0 1.25"]
    rows += ["#N 7", "#L Eta  H  K  L  DegK  Monitor  Detector"]
    for n in range(points):
        rows.append(f"{10 + n / (points - 1)} 0 {n / 100} 3 120 {1000 + n} 7")
    return "\n".join(rows) + end


def write_spec(folder: Path, frames: np.ndarray, text: str | None = None, suffix: str = "tif") -> Path:
    """The SPEC file, and one image a frame in S007/film_S007_00000.tif and so on."""
    (folder / "S007").mkdir(parents=True)
    for n, frame in enumerate(frames):
        image = {
            "tif": fabio.tifimage.TifImage,
            "edf": fabio.edfimage.EdfImage,
            "cbf": fabio.cbfimage.CbfImage,
        }
        image[suffix](data=frame).write(str(folder / f"S007/film_S007_{n:05d}.{suffix}"))
    (folder / "film.spec").write_text(spec_text() if text is None else text)
    return folder / "film.spec"


def zipped(folder: Path, path: Path) -> Path:
    """A zip of all files of a folder."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as handle:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                handle.write(file, file.relative_to(folder).as_posix())
    return path


def write_bliss(folder: Path, frames: np.ndarray, *, points: int | None = None) -> Path:
    """A BLISS file of scan 3, its frames virtual, two files of scan0003 behind them."""
    (folder / "scan0003").mkdir(parents=True)
    points = len(frames) if points is None else points
    half, shape = len(frames) // 2, frames.shape
    layout = h5py.VirtualLayout(shape, frames.dtype)
    for part, (a, b) in enumerate(((0, half), (half, shape[0]))):
        name = f"scan0003/mpx_{part:04d}.h5"
        with h5py.File(folder / name, "w") as file:
            file.create_dataset(
                "entry_0000/data", data=frames[a:b], chunks=(1, *shape[1:]), compression="gzip"
            )
        layout[a:b] = h5py.VirtualSource(name, "entry_0000/data", (b - a, *shape[1:]))
    path = folder / "film_0001.h5"
    with h5py.File(path, "w") as file:
        file.attrs["creator"] = "Bliss"
        entry = file.create_group("3.1")
        entry.attrs["NX_class"] = "NXentry"
        entry["title"], entry["sample/name"] = "ascan eta 10 11 4 0.5", "film"
        _bliss_instrument(entry, points)
        camera = entry["instrument"].create_group("mpx")
        camera.create_virtual_dataset("image", layout)
        camera["pixel_mask"] = np.eye(*shape[1:], dtype=np.uint8)
        camera["saturation_value"], camera["distance"] = 400000, 0.5
        camera["beam_center_x"], camera["beam_center_y"] = 4.5, 6.0
        for axis in "xy":
            camera[f"{axis}_pixel_size"] = 55e-6
            camera[f"{axis}_pixel_size"].attrs["units"] = "m"
        entry["measurement/mpx"] = h5py.SoftLink("/3.1/instrument/mpx/image")
        entry["measurement/eta"] = h5py.SoftLink("/3.1/instrument/eta/value")
        entry["measurement/mon"] = 1000.0 + np.arange(points)
        entry["measurement/acq_time"] = np.full(points, 0.5)
        entry["measurement/acq_time"].attrs["units"] = "s"
    return path


def _bliss_instrument(entry: h5py.Group, points: int) -> None:
    instrument = entry.create_group("instrument")
    instrument["eta/value"] = 10 + np.arange(points) / 4
    instrument["eta/value"].attrs["units"] = "deg"
    for name, share in (("filtAl100", 0.5), ("filtMo50", 0.1)):
        instrument[f"{name}/transmission"], instrument[f"{name}/position"] = share, 1
    positioners = instrument.create_group("positioners")
    positioners["eta"] = h5py.SoftLink(f"{entry.name}/instrument/eta/value")
    for name, value, units in (("phi", 45.0, "deg"), ("delta", 37.0, "deg"), ("nrj", 9.5, "keV")):
        positioners[name] = value
        positioners[name].attrs["units"] = units


def write_eiger(folder: Path, frames: np.ndarray, files: int = 3) -> Path:
    """An Eiger's master file and its data files, bitshuffle and LZ4, without any chain but omega's."""
    path = folder / "film_master.h5"
    parts = np.array_split(np.arange(len(frames)), files)
    with h5py.File(path, "w") as master:
        entry = master.create_group("entry")
        entry.attrs["NX_class"] = "NXentry"
        data = entry.create_group("data")
        for number, part in enumerate(parts, 1):
            name = f"film_data_{number:06d}.h5"
            with h5py.File(folder / name, "w") as file:
                file.create_dataset(
                    "entry/data/data",
                    data=frames[part].astype(np.uint32),
                    chunks=(1, *frames.shape[1:]),
                    **hdf5plugin.Bitshuffle(cname="lz4"),
                )
            data[f"data_{number:06d}"] = h5py.ExternalLink(name, "entry/data/data")
        _eiger_instrument(entry, frames)
        omega = entry.create_dataset("sample/transformations/omega", data=np.linspace(0, 1, len(frames)))
        omega.attrs.update(
            {"units": "deg", "vector": [-1.0, 0, 0], "transformation_type": "rotation", "depends_on": "."}
        )
        entry["sample/depends_on"] = "transformations/omega"
    return path


def _eiger_instrument(entry: h5py.Group, frames: np.ndarray) -> None:
    detector = entry.create_group("instrument/detector")
    entry["instrument"].attrs["NX_class"], detector.attrs["NX_class"] = "NXinstrument", "NXdetector"
    detector["beam_center_x"], detector["beam_center_y"], detector["count_time"] = 4.5, 6.5, 0.1
    for name, value in (("x_pixel_size", 75e-6), ("y_pixel_size", 75e-6), ("detector_distance", 0.3)):
        detector[name] = value
        detector[name].attrs["units"] = "m"
    mask = np.zeros(frames.shape[1:], np.uint32)
    mask[3] = 1
    detector["detectorSpecific/pixel_mask"] = mask
    detector["detectorSpecific/countrate_correction_count_cutoff"] = 9000
    beam = entry.create_group("instrument/beam")
    beam.attrs["NX_class"], beam["incident_wavelength"] = "NXbeam", 1.0
    beam["incident_wavelength"].attrs["units"] = "angstrom"
