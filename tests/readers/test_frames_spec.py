"""SPEC scans with images: what the real ones hold, and what is missing is named."""

from __future__ import annotations

import pickle
import re
from pathlib import Path

import fabio
import numpy as np
import pytest
from nanotexture.errors import InputError
from nanotexture.readers import Request, list_scans, read_frames
from nanotexture.readers.archive import Archive
from nanotexture.readers.spec_file import spec_scan
from nanotexture.schema import FRAMES, check
from silx.io.specfile import SpecFile

from .frame_sources import counts, spec_text, write_spec, zipped


@pytest.fixture(scope="module")
def nno(mirror: Path):
    """NdNiO3 membrane, 51 frames in a zip."""
    return read_frames(mirror / "nno_6idb.zip")


def test_the_membranes_scan_is_read_from_its_zip_as_it_lies(nno) -> None:
    header = check(nno.header, FRAMES)
    assert nno.pixels.shape == (51, 516, 516)
    assert header.attrs["scan"] == 21
    assert float(header.energy) == 21.0001
    position = header.position.sel(circle=["mu", "eta", "chi", "phi", "nu", "delta"])
    np.testing.assert_allclose(position[:, 0], [0, 7.39675, 147.61363, -85.93, 0, 15.060875])
    np.testing.assert_allclose(position.sel(circle="eta")[50], 9.39675)
    np.testing.assert_array_equal(header.scan_hkl[0], [0.97666, 1.02776, 0.991182])
    assert float(header.temperature) == pytest.approx(61.38, abs=0.02)
    assert np.isnan(header.distance)
    assert np.isnan(header.monitor).all()


def test_the_membranes_ub_and_angles_give_back_its_recorded_hkl_lengths(nno) -> None:
    header = nno.header
    q = np.linalg.norm(header.scan_hkl.values @ header.ub.values.T, axis=1)
    wave = 2 * np.pi * float(header.energy) / 12.398419843320026
    delta = np.radians(
        header.position.sel(circle="delta").values
    )  # nu is 0: the direct-beam pixel sees 2 theta
    np.testing.assert_allclose(q, 2 * wave * np.sin(delta / 2), rtol=1e-5)


def test_the_membranes_dead_pixels_and_pedestal_are_found(nno) -> None:
    attrs = nno.header.attrs
    assert (attrs["dead_pixels"], attrs["hot_pixels"], attrs["excluded_pixels"]) == (121, 0, 0)
    assert 180 < float(attrs["pedestal"]) < 195
    whole = nno.pixels.read(0, 51)
    np.testing.assert_array_equal(nno.header["mask"].values == 1, whole.max(axis=0) == 0)


def test_a_counter_of_the_scan_serves_as_monitor_where_it_is_named(mirror: Path) -> None:
    found = read_frames(mirror / "nno_6idb.zip", 21, Request(monitor="Ion_Ch_4"))
    assert found.header.monitor[0] == 115700
    with pytest.raises(InputError, match=r"monitor ion_ch_9: expected one of eta.*no such column"):
        read_frames(mirror / "nno_6idb.zip", 21, Request(monitor="Ion_Ch_9"))
    with pytest.raises(InputError, match=r"monitor: expected numbers above 0, found 0 at frame 0"):
        read_frames(mirror / "nno_6idb.zip", 21, Request(monitor="APD"))


def test_the_crystals_frame_sums_are_the_spec_files_image_totals(mirror: Path) -> None:
    found = read_frames(mirror / "staff54_34idc.zip", 54)
    with found.pixels.place.opened() as read:
        totals = spec_scan("example.spec", read("example.spec"), 54).columns["imagetot"]
    sums = [found.pixels.read(n, n + 1).sum() for n in range(201)]
    np.testing.assert_array_equal(sums, totals)
    assert found.header.attrs["dark_field_pixels"] == 13
    assert float(found.header.energy) == 9.0
    assert float(found.header.distance) == 500.0
    assert "ub" not in found.header
    response = found.header.response.values[found.header["mask"].values == 0]
    assert np.median(response) == pytest.approx(1.0, abs=0.05)


def test_an_aborted_scan_loses_its_surplus_frame_and_says_so(mirror: Path) -> None:
    path = mirror / "bfo_series.zip"
    last, first = read_frames(path, 10), read_frames(path, 1)
    assert (last.pixels.shape, first.pixels.shape) == ((40, 195, 487), (41, 195, 487))
    assert (last.header.attrs["surplus_frames"], last.header.attrs["unfinished_points"]) == (1, 1)
    assert first.header.attrs["surplus_frames"] == 0


def test_pixels_that_a_camera_marks_with_minus_two_are_excluded(mirror: Path) -> None:
    found = read_frames(mirror / "bfo_series.zip", 1)
    assert found.header.attrs["excluded_pixels"] == 6
    negative = (found.pixels.read(0, 41) < 0).any(axis=0)
    np.testing.assert_array_equal(found.header["mask"].values == 1, negative)
    assert float(found.header.saturation) == 1048574
    np.testing.assert_allclose(found.header.pixel_size, [0.172, 0.172])
    assert np.isnan(found.header.distance)
    assert np.isnan(found.header.energy)  # 1.54 angstrom is what SPEC says if nobody told it


def test_a_file_of_several_scans_wants_one_named(mirror: Path) -> None:
    path = mirror / "bfo_series.zip"
    assert list_scans(path) == list(range(1, 11))
    with pytest.raises(InputError, match=r"scan: expected one of 1, 2, .*, 10, found none named"):
        read_frames(path)
    with pytest.raises(InputError, match=r"scan 22: expected one of 1, 2, .*, 10, found no scan 22"):
        read_frames(path, 22)


@pytest.mark.parametrize(
    "name", ["nno_6idb/data.spec", "bfo_series/spec_pilatus.spec", "staff54_34idc/example.spec"]
)
def test_columns_and_motors_are_those_that_silx_reads(mirror: Path, tmp_path: Path, name: str) -> None:
    folder, file = name.split("/")
    with Archive(mirror / f"{folder}.zip").opened() as read:
        content = read(file)
    (tmp_path / file).write_bytes(content)
    theirs = SpecFile(str(tmp_path / file))
    number = {"nno_6idb": 21, "bfo_series": 10, "staff54_34idc": 54}[folder]
    other, ours = theirs[f"{number}.1"], spec_scan(file, content, number)
    motors = list(zip(other.motor_names, other.motor_positions, strict=True))[
        ::-1
    ]  # of like names the first counts
    plain = {name.replace("_", ""): value for name, value in ours.motors.items()}
    assert plain == pytest.approx(
        {"".join(name.lower().split("_")).replace(" ", ""): v for name, v in motors}
    )
    first = {label: n for n, label in reversed(list(enumerate(other.labels)))}
    for label, row in first.items():
        np.testing.assert_allclose(ours.columns["_".join(label.lower().split())], other.data[row])


def test_pixels_are_small_enough_to_travel_and_read_alike_afterwards(nno) -> None:
    sent = pickle.dumps(nno.pixels)
    assert len(sent) < 4000
    np.testing.assert_array_equal(pickle.loads(sent).read(3, 5), nno.pixels.read(3, 5))


@pytest.mark.parametrize("suffix", ["tif", "edf", "cbf"])
def test_every_kind_of_image_gives_back_its_counts(tmp_path: Path, suffix: str) -> None:
    frames = counts()
    found = read_frames(write_spec(tmp_path, frames, suffix=suffix))
    np.testing.assert_array_equal(found.pixels.read(0, 5), frames)
    np.testing.assert_array_equal(found.pixels.read(2, 4), frames[2:4])
    header = check(found.header, FRAMES)
    np.testing.assert_allclose(header.position.sel(circle="eta"), np.linspace(10, 11, 5))
    np.testing.assert_array_equal(header.monitor, 1000 + np.arange(5))
    np.testing.assert_array_equal(header.seconds, 0.5)
    assert float(header.energy) == pytest.approx(10.0)
    np.testing.assert_allclose(header.ub, np.eye(3) * 2 * np.pi / 4)


@pytest.mark.parametrize("kind", ["u1", "i2", "u2", "i4", "u4", "i8", "f4", "f8"])
@pytest.mark.parametrize("suffix", ["tif", "edf"])
def test_images_of_every_type_of_number_are_read_as_written(tmp_path: Path, suffix: str, kind: str) -> None:
    frames = counts().astype(kind)
    found = read_frames(write_spec(tmp_path, frames, suffix=suffix)).pixels.read(0, 5)
    np.testing.assert_array_equal(found, frames)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b"SignedInteger", b"SignedIntegral", "known order, found SignedIntegral"),
        (b"LowByteFirst", b"SomeByteFirst", "known order, found .*SomeByteFirst"),
        (b"DataType", b"DataKind", "header: expected DataType, found nothing"),
        (b"Dim_1 = 10", b"Dim_1 = 11", r"12 x 11 pixels of SignedInteger in 528 bytes, found 480 bytes"),
    ],
)
def test_an_edf_header_that_leaves_the_pixels_open_is_refused(
    tmp_path: Path, old: bytes, new: bytes, message: str
) -> None:
    path = write_spec(tmp_path, counts(), suffix="edf")
    image = tmp_path / "S007/film_S007_00003.edf"
    content = image.read_bytes()
    assert old in content
    image.write_bytes(content.replace(old, new, 1))
    with pytest.raises(InputError, match=message):
        read_frames(path)


def test_a_zip_reads_as_the_folder_it_was_made_of(tmp_path: Path) -> None:
    folder = read_frames(write_spec(tmp_path / "a", counts()))
    packed = read_frames(zipped(tmp_path / "a", tmp_path / "a.zip"), 7)
    assert packed.header.identical(folder.header)
    np.testing.assert_array_equal(packed.pixels.read(1, 5), folder.pixels.read(1, 5))


def renamed(folder: Path, template: str) -> Path:
    """The scan's images under other names, of scan and frame number."""
    for n, image in enumerate(sorted(folder.rglob("*.tif"))):
        target = folder / template.format(scan=7, frame=n)
        target.parent.mkdir(parents=True, exist_ok=True)
        image.rename(target)
    return folder / "film.spec"


@pytest.mark.parametrize(
    "template",
    [
        "film_{scan}_{frame}.tif",
        "images/film_scan{scan:04d}_{frame:04d}.tif",
        "S{scan:03d}/{frame}.tif",
        "s20_film1_S{scan:04d}/s20_film1_S{scan:04d}_{frame:05d}.tif",
        "run{scan}/frame-{frame:03d}.tif",
    ],
)
def test_images_find_their_scan_by_their_names(tmp_path: Path, template: str) -> None:
    frames = counts()
    write_spec(tmp_path, frames)
    found = read_frames(renamed(tmp_path, template), 7)
    np.testing.assert_array_equal(found.pixels.read(0, 5), frames)
    with pytest.raises(InputError, match="no scan 1"):
        read_frames(tmp_path / "film.spec", 1)


def test_a_glob_names_images_that_do_not_say_their_scan(tmp_path: Path) -> None:
    frames = counts()
    write_spec(tmp_path, frames)
    path = renamed(tmp_path, "data/{scan:02d}b/x{frame}.tif")
    (tmp_path / "other7").mkdir()
    fabio.tifimage.TifImage(data=frames[0]).write(str(tmp_path / "other7/y0.tif"))
    with pytest.raises(InputError, match="one series of images"):
        read_frames(path)
    found = read_frames(path, 7, Request(images="data/{scan:02d}b/*.tif"))
    np.testing.assert_array_equal(found.pixels.read(0, 5), frames)


def test_images_may_count_from_one(tmp_path: Path) -> None:
    frames = counts()
    write_spec(tmp_path, frames)
    for n in reversed(range(5)):
        (tmp_path / f"S007/film_S007_{n:05d}.tif").rename(tmp_path / f"S007/film_S007_{n + 1:05d}.tif")
    np.testing.assert_array_equal(read_frames(tmp_path / "film.spec").pixels.read(0, 5), frames)


def test_two_images_of_one_number_are_refused(tmp_path: Path) -> None:
    path = write_spec(tmp_path, counts())
    (tmp_path / "S007/film_S007_3.tif").write_bytes(b"another")
    with pytest.raises(InputError, match=r"film_S007_3\.tif: images: expected each number once"):
        read_frames(path)


def test_pixels_are_found_from_another_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_spec(tmp_path, counts())
    monkeypatch.chdir(tmp_path)
    found = read_frames("film.spec")
    monkeypatch.chdir("/")
    np.testing.assert_array_equal(found.pixels.read(0, 5), counts())


@pytest.mark.parametrize("lost", [1, 3, 4])
def test_an_image_that_is_missing_is_named(tmp_path: Path, lost: int) -> None:
    path = write_spec(tmp_path, counts())
    (tmp_path / f"S007/film_S007_{lost:05d}.tif").unlink()
    with pytest.raises(InputError, match=rf"5 images .* found 4, without S007/film_S007_0000{lost}\.tif"):
        read_frames(path)


def test_an_image_that_vanishes_later_is_named_when_it_is_read(tmp_path: Path) -> None:
    found = read_frames(write_spec(tmp_path, counts()))
    (tmp_path / "S007/film_S007_00002.tif").unlink()
    with pytest.raises(InputError, match=r"film_S007_00002.tif: file: expected a readable file"):
        found.pixels.read(0, 5)


def changed(old: str, new: str) -> str:
    text = spec_text()
    assert old in text
    return text.replace(old, new)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "file type"),
        ("hello", "file type"),
        (changed("#O0", "#X0"), r"scan 7, motors: expected circles such as eta, chi, phi, found no motors"),
        (changed("#P0", "#X0"), r"scan 7, #P0: expected positions of Delta.*found nothing"),
        (changed(" 0 0 1.25", " 0 0"), r"#P0: expected 7 positions as #O0 has names, found 6"),
        (changed("#N 7", "#N 8"), r"#L: expected 8 names as #N says, found 7"),
        (
            changed("#L Eta", "#L Epoch"),
            r"#L: expected a column of eta, which 'ascan  eta.*' moves, found none",
        ),
        (changed("10.5 0 0.02 3", "10.5 0 3"), r"point 2: expected 7 numbers as #L has names, found 6"),
        (changed("10.5 0 0.02 3", "x 0 0.02 3"), r"point 2: expected numbers, found .*'x'"),
        (changed("10.5 0 0.02 3", "nan 0 0.02 3"), r"motor eta: expected finite angles"),
        (changed("120 1002 7", "120 0 7"), r"monitor: expected numbers above 0, found 0 at frame 2"),
        (changed("#G3 1.57", "#G3 1.97"), r"#G3: expected UB of the lattice in #G1, 2 pi included"),
        (spec_text(points=8), r"8 images .* found 5, without S007/film_S007_00005.tif"),
        (spec_text() + spec_text(), r"scan 7: expected one of 7, 7, found 2 scans 7"),
        (spec_text(number=9), "scan: expected a scan with images, found no image of any"),
    ],
)
def test_what_is_wrong_with_a_spec_file_is_said(tmp_path: Path, text: str, message: str) -> None:
    path = write_spec(tmp_path, counts(), text)
    with pytest.raises(InputError, match=message):
        read_frames(path) if "2 scans" not in message else read_frames(path, 7)


def test_filters_are_made_up_for_where_the_scan_has_their_transmission(tmp_path: Path) -> None:
    assert (read_frames(write_spec(tmp_path / "a", counts())).header.attenuation == 1).all()
    text = re.sub(r"(?m) 7$", " 0.25", changed("Detector", "transm")).replace("#N 0.25", "#N 7")
    header = read_frames(write_spec(tmp_path / "b", counts(), text)).header
    np.testing.assert_array_equal(header.attenuation, 4.0)


def test_an_image_of_another_shape_is_named(tmp_path: Path) -> None:
    path = write_spec(tmp_path, counts())
    fabio.tifimage.TifImage(data=np.ones((3, 3), np.int32)).write(str(tmp_path / "S007/film_S007_00003.tif"))
    with pytest.raises(InputError, match=r"00003.tif: image: expected 12 x 10 pixels as .* found \(3, 3\)"):
        read_frames(path)


@pytest.mark.parametrize("suffix", ["tif", "edf", "cbf"])
@pytest.mark.parametrize("share", [0.02, 0.4, 0.8, 0.97])
def test_a_truncated_image_is_never_filled_with_zeros(tmp_path: Path, suffix: str, share: float) -> None:
    path = write_spec(tmp_path, counts(), suffix=suffix)
    image = tmp_path / f"S007/film_S007_00002.{suffix}"
    content = image.read_bytes()
    image.write_bytes(content[: int(share * len(content))])
    if (suffix, share) == ("cbf", 0.97):  # what is cut off is the text behind the pixels
        np.testing.assert_array_equal(read_frames(path).pixels.read(0, 5), counts())
        return
    with pytest.raises(InputError, match=rf"film_S007_00002\.{suffix}"):
        read_frames(path).pixels.read(0, 5)


def test_frames_without_a_single_count_are_refused(tmp_path: Path) -> None:
    path = write_spec(tmp_path, np.zeros((5, 12, 10), np.int32))
    with pytest.raises(InputError, match="frames: expected counts, found zero in all of 5 frames"):
        read_frames(path)


def test_motors_that_are_asked_for_come_in_that_order_by_name_or_mnemonic(tmp_path: Path) -> None:
    path = write_spec(tmp_path, counts())
    header = read_frames(path, 7, Request(motors=("st", "del", "Eta"))).header
    assert list(header.circle.values) == ["st", "del", "Eta"]
    np.testing.assert_allclose(header.position[:, 1], [1.25, 30.5, 10.25])
    with pytest.raises(InputError, match=r"motor kappa: expected one of delta, eta.*no such motor"):
        read_frames(path, 7, Request(motors=("kappa",)))
