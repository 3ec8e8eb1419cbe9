"""Frame files: the chains written in them, followed by rule and without knowledge of the writer, place every pixel."""

import h5py
import numpy as np
import pytest
from nanotexture.simulate.frame_files import write_frames
from nanotexture.simulate.frames import Frames
from nanotexture.simulate.six_circle import Angles, AreaDetector, pixel_q

DETECTOR = AreaDetector((7, 5), 0.1, 300.0, (2.0, 1.5))
ENERGY = 9.5


@pytest.fixture(scope="module")
def frames():
    rng = np.random.default_rng(0)
    return Frames(
        hkl=(1, 0, 3),
        counts=rng.poisson(5.0, (4, 7, 5)).astype(np.uint32),
        monitor=rng.poisson(1e6, 4).astype(float),
        pixel_mask=(rng.random((7, 5)) < 0.1).astype(np.uint32),
        saturation=1000,
        angles=Angles(*rng.uniform(-40, 40, (6, 4))),
        detector=DETECTOR,
        energy_kev=ENERGY,
        cell=(3.9, 3.9, 4.1),
    )


@pytest.fixture(scope="module")
def file(frames, tmp_path_factory):
    path = write_frames(tmp_path_factory.mktemp("frames") / "f.nxs", frames, name="film", temperature=90.0)
    with h5py.File(path) as handle:
        yield handle


def placed(file, path, frame):
    """Homogeneous matrix (4, 4) of a chain of transformations, mm and degrees, by the rule of NXtransformations."""
    total = np.eye(4)
    while path != ".":
        axis = file[path]
        value, vector = np.ravel(axis[()]), np.asarray(axis.attrs["vector"], float)
        value = value[min(frame, len(value) - 1)]
        step = np.eye(4)
        if axis.attrs["transformation_type"] == "translation":
            assert axis.attrs["units"] == "mm"
            step[:3, 3] = value * vector
        else:
            assert axis.attrs["units"] == "deg"
            x, y, z = vector / np.linalg.norm(vector)
            c, s = np.cos(np.radians(value)), np.sin(np.radians(value))
            step[:3, :3] = np.array([
                [c + x * x * (1 - c), x * y * (1 - c) - z * s, x * z * (1 - c) + y * s],
                [y * x * (1 - c) + z * s, c + y * y * (1 - c), y * z * (1 - c) - x * s],
                [z * x * (1 - c) - y * s, z * y * (1 - c) + x * s, c + z * z * (1 - c)],
            ])  # fmt: skip
        total, path = step @ total, axis.attrs["depends_on"]
    return total


def test_the_chains_of_the_file_place_every_pixel_and_turn_the_sample(file, frames):
    expected = pixel_q(angles=frames.angles, detector=DETECTOR, energy_kev=ENERGY)
    module, sample = file["/entry/instrument/detector/module"], file["/entry/sample"]
    wave = 2 * np.pi / file["/entry/instrument/beam/incident_wavelength"][()]
    for frame in range(4):
        for row, col in ((0, 0), (6, 4), (3, 1)):
            corner = placed(file, module["module_offset"].name, frame)
            pixel = sum(
                (i + 0.5) * module[n][()] * np.asarray(module[n].attrs["vector"])
                for i, n in ((row, "slow_pixel_direction"), (col, "fast_pixel_direction"))
            )
            place = (corner @ [*pixel, 1.0])[:3]
            lab = wave * (place / np.linalg.norm(place) - [0, 0, 1])
            turned = placed(file, sample["depends_on"][()].decode(), frame)[:3, :3]
            found = np.linalg.inv(turned @ sample["orientation_matrix"][()]) @ lab
            np.testing.assert_allclose(found, expected[frame, row, col], atol=1e-10)


def test_the_first_pixel_of_the_chain_depends_on_the_detectors_own(file):
    detector = file["/entry/instrument/detector"]
    assert detector["depends_on"][()].decode() == detector["module/module_offset"].attrs["depends_on"]
    assert file["/entry/sample/transformations/mu"].attrs["depends_on"] == "."


def test_ub_takes_hkl_to_the_q_of_the_reference_lattice(file, frames):
    ub, u = file["/entry/sample/ub_matrix"][()], file["/entry/sample/orientation_matrix"][()]
    np.testing.assert_allclose(u.T @ ub @ [1, 0, 3], 2 * np.pi * np.array([1 / 3.9, 0, 3 / 4.1]), atol=1e-12)
    np.testing.assert_allclose(u.T @ u, np.eye(3), atol=1e-15)
    assert np.linalg.det(u) == pytest.approx(1.0)
    np.testing.assert_allclose(file["/entry/sample/unit_cell"][()], [3.9, 3.9, 4.1, 90, 90, 90])


def test_what_was_counted_and_what_was_set_stand_in_their_fields(file, frames):
    detector = file["/entry/instrument/detector"]
    np.testing.assert_array_equal(detector["data"][()], frames.counts)
    np.testing.assert_array_equal(detector["pixel_mask"][()], frames.pixel_mask)
    np.testing.assert_array_equal(file["/entry/monitor/data"][()], frames.monitor)
    np.testing.assert_array_equal(file["/entry/sample/transformations/chi"][()], frames.angles.chi)
    assert detector["saturation_value"][()] == 1000
    assert file["/entry/instrument/beam/incident_energy"][()] == ENERGY
    assert file["/entry/sample/temperature"][()] == 90.0
    assert detector["beam_center_x"][()] == 2.0
    assert detector["beam_center_y"][()] == 2.5


def test_the_file_leads_a_nexus_viewer_to_the_frames(file, frames):
    data = file[file.attrs["default"]]["data"]
    assert data[data.attrs["signal"]].shape == (4, 7, 5)
    assert list(data.attrs["axes"]) == ["eta", ".", "."]
    np.testing.assert_array_equal(data["eta"][()], frames.angles.eta)
    assert file["/entry/definition"][()].decode() == "NXmx"
