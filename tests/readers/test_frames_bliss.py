"""BLISS files: a whole one is read through its virtual dataset, one whose frames are missing is never zeros."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest
from nanotexture.errors import InputError
from nanotexture.readers import Request, list_scans, read_frames
from nanotexture.schema import FRAMES, check

from .frame_sources import counts, write_bliss


def test_a_superlattice_whose_frames_are_missing_is_refused_and_they_are_named(mirror: Path) -> None:
    path = mirror / "id01_missing_frames/PTO_STO_SL_0001.h5"
    assert list_scans(path) == [20]
    with pytest.raises(
        InputError, match=r"measurement/mpx1x4: .* source file 'scan0020/mpx1x4_0000.h5' .* no such"
    ):
        read_frames(path)


def test_a_whole_scan_comes_back_with_its_counts_and_motors(tmp_path: Path) -> None:
    frames = counts(5)
    found = read_frames(write_bliss(tmp_path, frames))
    header = check(found.header, FRAMES)
    np.testing.assert_array_equal(found.pixels.read(0, 5), frames)
    np.testing.assert_array_equal(found.pixels.read(1, 4), frames[1:4])
    np.testing.assert_allclose(header.position.sel(circle="eta"), 10 + np.arange(5) / 4)
    np.testing.assert_allclose(header.position.sel(circle="delta"), 37.0)
    np.testing.assert_array_equal(header.monitor, 1000 + np.arange(5))
    np.testing.assert_array_equal(header.seconds, 0.5)
    np.testing.assert_allclose(header.attenuation, 20.0)
    np.testing.assert_array_equal(header["mask"], np.eye(12, 10))
    np.testing.assert_allclose(header.pixel_size, [0.055, 0.055])
    np.testing.assert_allclose(header.direct_beam, [6.0, 4.5])
    assert (float(header.energy), float(header.distance), float(header.saturation)) == (9.5, 500, 400000)
    assert header.attrs["sample"] == "film"


def test_pixels_are_found_from_another_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_bliss(tmp_path, counts(5))
    monkeypatch.chdir(tmp_path)
    found = read_frames(path.name)
    monkeypatch.chdir("/")
    np.testing.assert_array_equal(found.pixels.read(0, 5), counts(5))


def test_a_master_that_links_to_another_folder_finds_the_frames_beside_the_file_it_links_to(
    tmp_path: Path,
) -> None:
    write_bliss(tmp_path / "deep", counts(5))
    with h5py.File(tmp_path / "all.h5", "w") as file:
        file["3.1"] = h5py.ExternalLink("deep/film_0001.h5", "/3.1")
    np.testing.assert_array_equal(read_frames(tmp_path / "all.h5").pixels.read(0, 5), counts(5))
    (tmp_path / "deep/scan0003/mpx_0001.h5").unlink()
    with pytest.raises(InputError, match=r"its source file 'scan0003/mpx_0001\.h5' beside it"):
        read_frames(tmp_path / "all.h5")


@pytest.mark.parametrize("number", [0, 1])
def test_a_source_that_is_missing_is_named_before_a_frame_is_read(tmp_path: Path, number: int) -> None:
    path = write_bliss(tmp_path, counts(5))
    (tmp_path / f"scan0003/mpx_000{number}.h5").unlink()
    with h5py.File(path) as file:  # what HDF5 itself makes of it
        assert not file["3.1/measurement/mpx"][3 * number].any()
    with pytest.raises(
        InputError, match=rf"its source file 'scan0003/mpx_000{number}.h5' beside it, found no such"
    ):
        read_frames(path)


def test_a_source_that_vanishes_later_is_named_when_it_is_read(tmp_path: Path) -> None:
    found = read_frames(write_bliss(tmp_path, counts(5)))
    (tmp_path / "scan0003/mpx_0001.h5").unlink()
    with pytest.raises(InputError, match=r"mpx_0001.h5: file: expected the frames, found no such file"):
        found.pixels.read(0, 1)


def test_a_source_that_is_too_short_is_refused(tmp_path: Path) -> None:
    path = write_bliss(tmp_path, counts(6))
    with h5py.File(tmp_path / "scan0003/mpx_0001.h5", "w") as file:
        file["entry_0000/data"] = counts(2)
    with pytest.raises(
        InputError, match=r"mpx_0001.h5: entry_0000/data: expected 360 values for film_0001.h5"
    ):
        read_frames(path)


def test_a_source_with_frames_never_written_is_refused(tmp_path: Path) -> None:
    path = write_bliss(tmp_path, counts(6))
    with h5py.File(tmp_path / "scan0003/mpx_0001.h5", "w") as file:
        data = file.create_dataset("entry_0000/data", (3, 12, 10), np.int32, chunks=(1, 12, 10))
        data[0] = 5
    with pytest.raises(
        InputError, match=r"mpx_0001.h5: entry_0000/data: expected 360 values .* found 1 frames written"
    ):
        read_frames(path)


def test_a_part_of_the_scan_without_any_source_is_refused(tmp_path: Path) -> None:
    path = write_bliss(tmp_path, counts(6))
    layout = h5py.VirtualLayout((6, 12, 10), np.int32)
    layout[:3] = h5py.VirtualSource("scan0003/mpx_0000.h5", "entry_0000/data", (3, 12, 10))
    with h5py.File(path, "a") as file:
        del file["3.1/instrument/mpx/image"]
        file["3.1/instrument/mpx"].create_virtual_dataset("image", layout)
    with pytest.raises(InputError, match="expected sources for all 720 values, found for 360"):
        read_frames(path)


def test_a_stopped_scan_loses_frames_beyond_its_points_and_counts_them(tmp_path: Path) -> None:
    found = read_frames(write_bliss(tmp_path, counts(6), points=4))
    assert found.pixels.shape == (4, 12, 10)
    assert found.header.attrs["surplus_frames"] == 2
    np.testing.assert_array_equal(found.pixels.read(0, 4), counts(6)[:4])


def test_fewer_frames_than_points_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="measurement/mpx: expected 6 frames, one for each point, found 4"):
        read_frames(write_bliss(tmp_path, counts(4), points=6))


def test_scans_monitors_and_motors_that_are_not_there_are_named(tmp_path: Path) -> None:
    path = write_bliss(tmp_path, counts(5))
    with pytest.raises(InputError, match="scan: expected one of 3, found no scan 4"):
        read_frames(path, 4)
    with pytest.raises(
        InputError, match="motor kappa: expected one of delta, eta, nrj, phi, found no such motor"
    ):
        read_frames(path, 3, Request(motors=("kappa",)))
    with pytest.raises(InputError, match="measurement/i1: expected to be there"):
        read_frames(path, 3, Request(monitor="i1"))
    with pytest.raises(InputError, match="measurement/eiger: expected a detector, found none of that name"):
        read_frames(path, 3, Request(detector="eiger"))
    with h5py.File(path, "a") as file:
        file["3.1/measurement/mon"][2] = 0
        file.copy("3.1", "5.1")
    with pytest.raises(InputError, match="scan: expected one of 3, 5, found none named"):
        read_frames(path)
    with pytest.raises(InputError, match="monitor: expected numbers above 0, found 0 at frame 2"):
        read_frames(path, 3)
