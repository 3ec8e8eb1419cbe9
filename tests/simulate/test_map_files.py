"""Map files: what the readers make of them is what was measured."""

from dataclasses import replace

import h5py
import numpy as np
import pytest
from nanotexture.errors import UserError
from nanotexture.readers import read_map, read_map_header
from nanotexture.simulate.axes import Axes
from nanotexture.simulate.counting import Measured
from nanotexture.simulate.map_files import write_map


def measured(deep=False):
    rng = np.random.default_rng(0)
    qy = np.linspace(-0.01, 0.01, 9) if deep else None
    axes = Axes(np.linspace(1.5, 1.7, 21), np.linspace(4.5, 4.8, 15), qy)
    counts = rng.poisson(40.0, axes.shape).astype(float)
    mask = np.zeros(axes.shape, np.uint8)
    mask[3:6, ..., 4:8] = 1
    counts[mask != 0] = 0.0
    return Measured((-1, 0, 3), axes, 8.048, counts, np.where(mask == 0, 1.5 * counts, 0.0), mask)


def test_what_is_read_back_is_what_was_measured(tmp_path):
    told = measured()
    found = read_map(write_map(tmp_path / "a" / "m.nxs", told, name="film 7", temperature=200.0, scale=1.25))
    np.testing.assert_allclose(found["qx"], told.axes.qx, atol=1e-14)
    np.testing.assert_allclose(found["qz"], told.axes.qz, atol=1e-14)
    seen = told.mask == 0
    for name in ("intensity", "variance"):
        np.testing.assert_array_equal(found[name].values[seen], getattr(told, name)[seen])
        assert np.isnan(found[name].values[~seen]).all()
    np.testing.assert_array_equal(found["mask"], told.mask)
    assert tuple(found["hkl"].values) == (-1, 0, 3)
    assert float(found["temperature"]) == 200.0
    assert float(found["energy"]) == 8.048
    assert float(found["scale"]) == 1.25
    assert found.attrs["sample"] == "film 7"


def test_a_map_with_qy_is_read_as_its_sum_over_qy(tmp_path):
    told = measured(deep=True)
    path = write_map(tmp_path / "m.nxs", told, name="film")
    header = read_map_header(path)
    assert header.axes == ("qx", "qy", "qz")
    assert header.shape == (21, 9, 15)
    assert np.isnan(header.temperature)
    found = read_map(path)
    seen = (told.mask == 0).all(axis=1)
    np.testing.assert_allclose(found["intensity"].values[seen], told.intensity.sum(axis=1)[seen])
    np.testing.assert_allclose(found["variance"].values[seen], told.variance.sum(axis=1)[seen])
    np.testing.assert_array_equal(found["mask"].values == 0, seen)


def test_the_file_leads_a_nexus_viewer_to_its_plot(tmp_path):
    with h5py.File(write_map(tmp_path / "m.nxs", measured(), name="film")) as file:
        entry = file[file.attrs["default"]]
        data = entry[entry.attrs["default"]]
        assert [entry.attrs["NX_class"], data.attrs["NX_class"]] == ["NXentry", "NXdata"]
        assert data[data.attrs["signal"]].shape == tuple(len(data[name]) for name in data.attrs["axes"])


def test_the_same_measurement_makes_the_same_bytes(tmp_path):
    one, other = (write_map(tmp_path / name, measured(), name="film") for name in ("a.nxs", "b.nxs"))
    assert one.read_bytes() == other.read_bytes()


def test_nothing_is_left_of_a_file_that_could_not_be_written(tmp_path):
    broken = replace(measured(), intensity=np.array([object()]))
    with pytest.raises(TypeError):
        write_map(tmp_path / "m.nxs", broken, name="film")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("told", [{"temperature": 0.0}, {"temperature": np.nan}, {"scale": -1.0}])
def test_numbers_that_the_reader_would_refuse_are_not_written(tmp_path, told):
    with pytest.raises(UserError, match=f"{next(iter(told))}: expected a number above 0"):
        write_map(tmp_path / "m.nxs", measured(), name="film", **told)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_in_the_place_of_the_file_is_refused(tmp_path):
    (tmp_path / "map.nxs").mkdir()
    with pytest.raises(UserError, match=r"map\.nxs: expected a place for a file, found a folder"):
        write_map(tmp_path / "map.nxs", measured(), name="film")
