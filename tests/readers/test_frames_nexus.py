"""NeXus frames: chains placed by the rule of NXtransformations, Eiger files with their data files, UB with 2 pi."""

from __future__ import annotations

import pickle
from pathlib import Path

import h5py
import numpy as np
import pytest
from nanotexture.errors import InputError
from nanotexture.readers import Request, hdf5_probe, list_scans, read_frames
from nanotexture.schema import FRAMES, check
from nanotexture.simulate.frame_files import write_frames
from nanotexture.simulate.frames import Frames
from nanotexture.simulate.six_circle import HC, ORIENTATION, Angles, AreaDetector, pixel_q

from .frame_sources import counts, write_eiger

DETECTOR = AreaDetector((12, 10), 0.1, 300.0, (2.0, 1.5))
ENERGY = 9.5
CHAIN = "entry/instrument/detector/transformations"


@pytest.fixture(scope="module")
def frames() -> Frames:
    rng = np.random.default_rng(0)
    return Frames(
        hkl=(1, 0, 3),
        counts=counts(4).astype(np.uint32),
        monitor=rng.poisson(1e6, 4).astype(float),
        pixel_mask=(rng.random((12, 10)) < 0.1).astype(np.uint32),
        saturation=1000,
        angles=Angles(*rng.uniform(-40, 40, (6, 4))),
        detector=DETECTOR,
        energy_kev=ENERGY,
        cell=(3.9, 3.9, 4.1),
    )


@pytest.fixture
def path(frames: Frames, tmp_path: Path) -> Path:
    return write_frames(tmp_path / "f.nxs", frames, name="film", temperature=90.0)


def q_of_pixels(header) -> np.ndarray:
    """Q (frame, row, column, 3) in the film's axes of the simulation, from what the header says."""
    rows, columns = np.arange(12)[:, None, None], np.arange(10)[None, :, None]
    origin, slow, fast = (header[n].values[:, None, None] for n in ("pixel_origin", "slow_step", "fast_step"))
    place = origin + rows * slow + columns * fast
    leaving = place / np.linalg.norm(place, axis=-1, keepdims=True)
    lab = 2 * np.pi * float(header.energy) / HC * (leaving - header.beam.values)
    return np.einsum("fji,frcj->frci", header.sample_turn.values, lab) @ ORIENTATION


def test_a_simulated_scan_comes_back_with_its_counts_and_every_pixel_in_its_place(
    path: Path, frames: Frames
) -> None:
    found = read_frames(path)
    header = check(found.header, FRAMES)
    np.testing.assert_array_equal(found.pixels.read(0, 4), frames.counts)
    expected = pixel_q(angles=frames.angles, detector=DETECTOR, energy_kev=ENERGY)
    np.testing.assert_allclose(q_of_pixels(header), expected, atol=1e-10)
    np.testing.assert_array_equal(header["mask"], frames.pixel_mask)
    np.testing.assert_array_equal(header.monitor, frames.monitor)
    np.testing.assert_array_equal(header.hkl, [1, 0, 3])
    np.testing.assert_allclose(header.direct_beam, [2.0, 1.5])
    for circle in ("mu", "eta", "chi", "phi", "nu", "delta"):
        np.testing.assert_allclose(header.position.sel(circle=circle), getattr(frames.angles, circle))
    assert (float(header.saturation), float(header.temperature), float(header.distance)) == (1000, 90, 300)
    assert header.attrs["sample"] == "film"
    assert "delta: rotation" in header.attrs["detector_chain"]
    assert header.attrs["sample_chain"].count("\n") == 3


def test_without_a_module_beam_centre_and_distance_say_the_same(path: Path, frames: Frames) -> None:
    with h5py.File(path, "a") as file:
        del file["entry/instrument/detector/module"]
    expected = pixel_q(angles=frames.angles, detector=DETECTOR, energy_kev=ENERGY)
    np.testing.assert_allclose(q_of_pixels(read_frames(path).header), expected, atol=1e-10)


def test_a_distance_beside_a_chain_without_translation_is_used_once(path: Path, frames: Frames) -> None:
    with h5py.File(path, "a") as file:
        del file["entry/instrument/detector/module"]
        file["entry/instrument/detector/depends_on"][()] = f"/{CHAIN}/delta"
    expected = pixel_q(angles=frames.angles, detector=DETECTOR, energy_kev=ENERGY)
    np.testing.assert_allclose(q_of_pixels(read_frames(path).header), expected, atol=1e-10)


def test_an_offset_moves_the_detector_by_its_length_whatever_its_units(path: Path) -> None:
    before = read_frames(path).header
    with h5py.File(path, "a") as file:
        file[f"{CHAIN}/nu"].attrs.update({"offset": [0.001, 0, 0.02], "offset_units": "m"})  # outermost
        file[f"{CHAIN}/distance"][()] = 0.3
        file[f"{CHAIN}/distance"].attrs["units"] = "m"
    after = read_frames(path).header
    np.testing.assert_allclose(
        after.pixel_origin - before.pixel_origin, np.tile([1.0, 0, 20.0], (4, 1)), atol=1e-9
    )
    np.testing.assert_allclose(after.slow_step, before.slow_step, atol=1e-12)


def test_a_part_of_the_detector_is_placed_by_where_its_data_begin(path: Path) -> None:
    before = read_frames(path).header
    with h5py.File(path, "a") as file:
        file["entry/instrument/detector/module/data_origin"][()] = [2, 3]
    after = read_frames(path).header
    moved = before.pixel_origin - 2 * before.slow_step - 3 * before.fast_step
    np.testing.assert_allclose(after.pixel_origin, moved, atol=1e-9)


@pytest.mark.parametrize("scale", [1.0, 1 / (2 * np.pi)])
def test_ub_holds_two_pi_whether_the_file_has_it_or_not(path: Path, scale: float) -> None:
    with h5py.File(path, "a") as file:
        file["entry/sample/ub_matrix"][()] = scale * file["entry/sample/ub_matrix"][()]
    ub = read_frames(path).header.ub.values
    np.testing.assert_allclose(ORIENTATION.T @ ub, np.diag(2 * np.pi / np.array([3.9, 3.9, 4.1])), atol=1e-12)


def test_ub_of_another_cell_is_refused_and_without_a_cell_taken_as_nexus_defines_it(path: Path) -> None:
    with h5py.File(path, "a") as file:
        file["entry/sample/unit_cell"][0] = 4.5
    with pytest.raises(
        InputError, match="ub_matrix: expected UB of the sample's unit_cell, with or without 2 pi"
    ):
        read_frames(path)
    with h5py.File(path, "a") as file:
        del file["entry/sample/unit_cell"]
        written = file["entry/sample/ub_matrix"][()]
    header = read_frames(path).header
    np.testing.assert_allclose(header.ub, 2 * np.pi * written)
    assert "as NeXus defines it" in header.attrs["ub_from"]


def test_the_chunks_of_a_stopped_scan_end_it_and_a_hole_in_it_is_refused(path: Path, frames: Frames) -> None:
    data = "entry/instrument/detector/data"
    with h5py.File(path, "a") as file:
        del file[data]
        made = file.create_dataset(data, (4, 12, 10), np.uint32, chunks=(1, 12, 10))
        made[0], made[1] = frames.counts[0], frames.counts[1]
    found = read_frames(path)
    assert found.pixels.shape == (2, 12, 10)
    assert found.header.attrs["unwritten_frames"] == 2
    assert found.header.sizes["frame"] == 2
    with h5py.File(path, "a") as file:
        file[data][3] = frames.counts[3]
    with pytest.raises(
        InputError, match="data: expected frame 2, as frame 3 is there, found nothing was written"
    ):
        read_frames(path)


def edited(path: Path, change) -> Path:
    with h5py.File(path, "a") as file:
        change(file)
    return path


def put(field: str, value, **attrs):
    def change(file: h5py.File) -> None:
        kept = dict(file[field].attrs) | attrs
        del file[field]
        file[field] = value
        file[field].attrs.update(kept)

    return change


def drop(field: str, name: str = ""):
    def change(file: h5py.File) -> None:
        if name:
            del file[field].attrs[name]
        else:
            del file[field]

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (put("entry/monitor/data", [1.0, 0, 1, 1]), "monitor: expected numbers above 0, found 0 at frame 1"),
        (put("entry/monitor/data", [1.0, 2, 3]), "monitor/data: expected one value or 4"),
        (
            put(f"{CHAIN}/delta", np.zeros(3)),
            "delta: expected one value or one for each of 4 frames, found 3",
        ),
        (put(f"{CHAIN}/delta", np.full(4, np.nan)), "delta: expected finite numbers, found NaN"),
        (put(f"{CHAIN}/delta", np.zeros(4), units="furlong"), "delta@units: expected units such as deg"),
        (put(f"{CHAIN}/delta", np.zeros(4), vector=[0.0, 0, 0]), "delta@vector: expected a direction"),
        (put(f"{CHAIN}/delta", np.zeros(4), depends_on="nothing"), "nothing.*no 'nothing' in"),
        (put(f"{CHAIN}/delta", np.zeros(4), depends_on="distance"), "a chain of at most 40 links that ends"),
        (
            put(f"{CHAIN}/delta", np.zeros(4), transformation_type="shear"),
            "rotation or translation, found 'shear'",
        ),
        (drop(f"{CHAIN}/delta", "depends_on"), "delta@depends_on: expected the next axis, or '.'"),
        (drop(f"{CHAIN}/nu"), "transformations/nu: expected to be there"),
        (put("entry/instrument/beam/incident_energy", 9500.0), "energy: expected 0 to 200 keV, found 9500"),
        (
            put("entry/instrument/detector/pixel_mask", np.zeros((3, 3), int)),
            r"pixel_mask: expected shape \(12, 10\)",
        ),
        (
            put("entry/instrument/detector/pixel_mask", np.ones((12, 10), int)),
            "found zero in all of 4 frames",
        ),
        (
            put("entry/instrument/detector/data", np.zeros((4, 12), int)),
            "frames, rows and columns, found shape",
        ),
        (put("entry/instrument/detector/data", np.zeros((4, 12, 10), int)), "counts, found zero in all of 4"),
        (
            put("entry/instrument/detector/count_time", [1.0, 1, 0, 1]),
            "counting time: expected numbers above 0",
        ),
        (put("entry/sample/temperature", -4.0), "temperature: expected above 0 K"),
        (put("entry/reflection/hkl", [0, 0, 0]), "reflection/hkl: expected 3 integers, not all 0"),
        (drop("entry/instrument"), "instrument: expected a group NXinstrument, found none"),
        (drop("entry/instrument/detector"), "expected one NXdetector"),
        (lambda file: file["entry/instrument/detector"].copy("data", file["entry"], "spare"), None),
        (lambda file: file.copy("entry", "second"), "expected one NXentry, found /entry, /second"),
    ],
)
def test_what_is_wrong_with_a_nexus_file_is_said(path: Path, change, message: str | None) -> None:
    if message is None:
        read_frames(edited(path, change))
        return
    with pytest.raises(InputError, match=message):
        read_frames(edited(path, change))


def test_a_name_that_is_no_text_is_only_another_name(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content.replace(b"monitor", b"m\xffnitor"))
    header = read_frames(path).header
    assert np.isnan(header.monitor).all()
    path.write_bytes(content.replace(b"detector", b"det\xffctor"))
    with pytest.raises(InputError, match="expected one NXdetector"):
        read_frames(path)


def test_the_probe_of_a_file_sees_all_of_it_past_a_name_that_is_no_text(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.write_bytes(path.read_bytes().replace(b"definition", b"def\xffnition"))
    seen: list[str] = []
    monkeypatch.setattr(hdf5_probe, "_touch_node", lambda node, largest: seen.append(node.name))
    hdf5_probe.probe(str(path), 1000, ["/**"])
    assert {"/", "/entry/sample/ub_matrix", "/entry/instrument/detector/module/module_offset"} <= set(seen)


def test_energy_that_is_not_there_is_nan_and_a_wavelength_serves(path: Path) -> None:
    header = read_frames(edited(path, drop("entry/instrument/beam/incident_energy"))).header
    assert float(header.energy) == pytest.approx(ENERGY)
    header = read_frames(edited(path, drop("entry/instrument/beam/incident_wavelength"))).header
    assert np.isnan(header.energy)


def test_a_motor_that_is_not_in_the_chain_is_named(path: Path) -> None:
    assert list(read_frames(path, request=Request(motors=("eta",))).header.circle.values) == ["eta"]
    with pytest.raises(InputError, match="motor kappa: expected one of phi, chi, eta, mu, delta, nu"):
        read_frames(path, request=Request(motors=("kappa",)))


def test_a_nexus_file_holds_scan_one(path: Path) -> None:
    assert list_scans(path) == [1]
    with pytest.raises(InputError, match="scan: expected 1, the only one of a NeXus file, found 4"):
        read_frames(path, 4)


def test_an_eigers_data_files_are_read_one_after_the_other(tmp_path: Path) -> None:
    frames = counts(8)
    found = read_frames(write_eiger(tmp_path, frames))
    np.testing.assert_array_equal(found.pixels.read(0, 8), frames)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(found.pixels)).read(2, 7), frames[2:7])
    header = check(found.header, FRAMES)
    assert header["mask"].values[3].all()
    assert float(header.saturation) == 9000
    np.testing.assert_allclose(header.pixel_size, [0.075, 0.075])
    np.testing.assert_allclose(header.direct_beam, [6.0, 4.0])
    assert float(header.distance) == 300
    assert float(header.energy) == pytest.approx(12.39842)
    np.testing.assert_allclose(header.sample_turn.values[-1] @ [0, 1, 0], [0, *rotated(-1.0)], atol=1e-12)
    assert "pixel_origin" not in header


def rotated(degrees: float) -> tuple[float, float]:
    return np.cos(np.radians(degrees)), np.sin(np.radians(degrees))


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_data_file_that_is_missing_is_named(tmp_path: Path, number: int) -> None:
    path = write_eiger(tmp_path, counts(8))
    (tmp_path / f"film_data_{number:06d}.h5").unlink()
    with pytest.raises(
        InputError, match=f"data_{number:06d}: expected its source file 'film_data_{number:06d}.h5'"
    ):
        read_frames(path)


def test_a_gap_in_the_links_to_data_files_is_refused(tmp_path: Path) -> None:
    path = edited(write_eiger(tmp_path, counts(8)), drop("entry/data/data_000002"))
    with pytest.raises(InputError, match="data_000002: expected to be there, found a gap in the numbering"):
        read_frames(path)


def test_a_data_file_that_vanishes_later_is_named_when_it_is_read(tmp_path: Path) -> None:
    found = read_frames(write_eiger(tmp_path, counts(8)))
    (tmp_path / "film_data_000003.h5").unlink()
    with pytest.raises(
        InputError, match=r"film_data_000003\.h5: file: expected the frames, found no such file"
    ):
        found.pixels.read(0, 8)
