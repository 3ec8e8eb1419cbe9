"""Placements: xrayutilities' Q of every pixel, the simulator's Q through chains, an instrument's own hkl, refusals."""

import zipfile
from dataclasses import replace

import numpy as np
import pytest
import xrayutilities as xu
from hypothesis import given, settings
from hypothesis import strategies as st
from nanotexture.errors import InputError
from nanotexture.geometry.goniometer import PRESETS, Circle, Goniometer, Panel
from nanotexture.geometry.orientation import Lattice, Mounting
from nanotexture.geometry.peak_check import Spot, check_peaks, predicted_spot
from nanotexture.geometry.placement import hkl_of, place
from nanotexture.simulate import six_circle
from silx.io.specfile import SpecFile

from .headers import NAN, header_of

PSIC = PRESETS["6idb_psic"]
ALL = slice(None)
AXES = st.sampled_from([a + s for a in "xyz" for s in "+-"])
ANGLES = st.floats(-180, 180)
PLAIN = {"ub": np.eye(3), "pixel_size": [0.3, 0.2], "distance": 400.0, "direct_beam": [2.5, 1.0]}


def lab(header, goniometer):
    """Placement whose film axes are the laboratory's."""
    return place(header, goniometer, (1, 0, 0), (0, 0, 1))


@settings(max_examples=30)
@given(
    st.lists(st.tuples(AXES, ANGLES, ANGLES, st.floats(-5, 5)), min_size=1, max_size=4),
    st.lists(st.tuples(AXES, ANGLES, ANGLES, st.floats(-5, 5)), max_size=3),
    st.sampled_from([("x+", "y-", "z+"), ("y+", "x-", "z-"), ("z+", "x+", "y-")]),
    st.floats(5, 25),
)
def test_every_pixel_of_any_goniometer_is_where_xrayutilities_says(sample, detector, frame, energy):
    beam, rows, columns = frame
    still = Circle(
        "still", "z+" if beam[0] != "z" else "x+"
    )  # keeps goniometers about the beam alone from being refused
    circles = [Circle(f"{n}", axis, offset) for n, (axis, _, _, offset) in enumerate(sample + detector)]
    s, d = tuple(circles[: len(sample)]), tuple(circles[len(sample) :])
    goniometer = Goniometer("any", (*s, still), (*d, replace(still, name="rest")), beam, Panel(rows, columns))
    positions = {
        c.name: np.array([one, two]) for c, (_, one, two, _) in zip(circles, sample + detector, strict=True)
    }
    found = lab(header_of(positions | {"still": 0.0, "rest": 0.0}, energy=energy, **PLAIN), goniometer)
    conversion = xu.QConversion(
        [c.axis for c in s], [c.axis for c in d], np.eye(3)["xyz".index(beam[0])], en=1000 * energy
    )
    conversion.init_area(
        rows, columns, cch1=2.5, cch2=1.0, Nch1=6, Nch2=5, distance=400, pwidth1=0.3, pwidth2=0.2
    )
    truth = np.stack(
        conversion.area(*positions.values(), delta=[c.offset for c in circles], UB=np.eye(3)), axis=-1
    )
    q = found.q(ALL, ALL, ALL)
    np.testing.assert_allclose(q, truth, atol=1e-10)
    assert np.linalg.norm(q, axis=-1).max() <= 2 * found.wave_number * (1 + 1e-12)


VECTORS = st.tuples(*[st.floats(-1, 1)] * 3).filter(lambda v: np.linalg.norm(v) > 0.1)
NEXT = {"x": "y", "y": "z", "z": "x"}
CYCLE = np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])  # the turn that takes x to y to z to x


@settings(max_examples=30)
@given(st.lists(st.tuples(VECTORS, ANGLES), min_size=3, max_size=6), VECTORS)
def test_turning_sample_beam_and_detector_together_changes_nothing(turns, row):
    def built(turn, panel, beam):
        circles = [Circle(str(n), tuple(turn @ axis)) for n, (axis, _) in enumerate(turns)]
        still = Circle("still", tuple(turn @ [1.0, 0.0, 0.0]))
        goniometer = Goniometer("any", (*circles[:2], still), (*circles[2:], still), beam, panel)
        header = header_of(
            {str(n): angle for n, (_, angle) in enumerate(turns)} | {"still": 0.0},
            **PLAIN | {"ub": turn @ ub},
        )
        return lab(header, goniometer).q(ALL, ALL, ALL)

    ub = np.eye(3) + 0.1 * np.outer(row, [0.0, 1.0, 0.0])
    turned = built(CYCLE, Panel("y-", "x-"), "z+")
    np.testing.assert_allclose(turned, built(np.eye(3), Panel("x-", "z-"), "y+"), atol=1e-10)


def chained(angles, detector, energy, cell):
    """Header of a simulated scan as its NXmx file has it: chains evaluated at every frame."""
    sample, arm = (
        six_circle._turns(six_circle.SAMPLE_CIRCLES, angles),
        six_circle._turns(six_circle.DETECTOR_CIRCLES, angles),
    )
    slow, fast, beam = (np.array(v) for v in (six_circle.SLOW, six_circle.FAST, six_circle.BEAM))
    origin = detector.distance * beam - detector.pixel * (
        detector.centre[0] * slow + detector.centre[1] * fast
    )
    return header_of(
        {"eta": angles.eta}, detector.shape, "f.nxs", energy=energy,
        ub=six_circle.ORIENTATION @ np.diag(2 * np.pi / np.array(cell)), beam=beam, sample_turn=sample,
        pixel_origin=arm @ origin, slow_step=arm @ slow * detector.pixel, fast_step=arm @ fast * detector.pixel,
    )  # fmt: skip


@pytest.fixture(scope="module")
def simulated():
    angles = six_circle.Angles(*np.random.default_rng(3).uniform(-40, 40, (6, 5)))
    detector = six_circle.AreaDetector((7, 5), 0.3, 300.0, (2.0, 1.5))
    return angles, detector, chained(angles, detector, 9.5, (3.9, 3.9, 4.1))


def test_chains_of_a_simulated_scan_give_the_simulators_q(simulated):
    angles, detector, header = simulated
    found = place(header, None, (1, 0, 0), (0, 0, 1))
    truth = six_circle.pixel_q(angles=angles, detector=detector, energy_kev=9.5)
    np.testing.assert_allclose(found.q(ALL, ALL, ALL), truth, atol=1e-9)
    hkl = hkl_of(found, frames=[0, 4], rows=[6, 2], columns=[0, 3])
    np.testing.assert_allclose(
        hkl, np.array([truth[0, 6, 0], truth[4, 2, 3]]) * [3.9, 3.9, 4.1] / (2 * np.pi), atol=1e-9
    )


def test_a_detector_that_moves_other_than_about_the_sample_is_refused(simulated):
    header = simulated[2].copy(deep=True)
    header["pixel_origin"][3] += [0.0, 0.4, 0.0]
    with pytest.raises(
        InputError, match=r"f.nxs: pixel_origin: .*only turns about the sample.*moved by 0.4 mm at frame 3"
    ):
        place(header, None, (1, 0, 0), (0, 0, 1))


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("fast_step", 0.0, "rows and columns of some size"),
        ("pixel_origin", NAN, "distance or pixel size unknown"),
        ("sample_turn", 1.0, "a rotation at every frame"),
        ("beam", 0.0, "a direction"),
    ],
)
def test_chains_that_cannot_be_are_refused(simulated, name, value, words):
    header = simulated[2].copy(deep=True)
    header[name][...] = value
    with pytest.raises(InputError, match=words):
        place(header, None, (1, 0, 0), (0, 0, 1))


def test_the_instruments_own_hkl_is_that_of_the_direct_beam_pixel(mirror, tmp_path):
    with zipfile.ZipFile(mirror / "nno_6idb.zip") as archive:
        (tmp_path / "data.spec").write_bytes(archive.read("data.spec"))
    scan = SpecFile(str(tmp_path / "data.spec"))["21.1"]
    motors = dict(zip(scan.motor_names, scan.motor_positions, strict=True)) | {
        "Eta": scan.data_column_by_name("Eta")
    }
    positions = {n: np.broadcast_to(motors[n], 51) for n in ("Delta", "Eta", "Chi", "Phi", "Nu", "Mu")}
    ub = np.array(scan.scan_header_dict["G3"].split(), float).reshape(3, 3)
    header = header_of(positions, (516, 516), energy=21.0001, ub=ub)
    found = place(header, PSIC, (1, -1, 0), (1, 1, 1))
    hkl = hkl_of(found, frames=np.arange(51), rows=np.full(51, 188), columns=np.full(51, 146))
    recorded = np.stack([scan.data_column_by_name(n) for n in "HKL"], axis=-1)
    np.testing.assert_allclose(hkl, recorded, atol=1e-5)
    np.testing.assert_allclose(hkl[0], [0.97666, 1.02776, 0.991182], atol=1e-5)
    np.testing.assert_allclose(hkl[50], [1.0197199, 0.9849342, 0.9913033], atol=1e-5)


RIGHT = {"mu": 0.0, "eta": [10.0, 10.1], "chi": 3.0, "phi": 0.0, "nu": 0.0, "DEL": 20.0}


def test_motors_are_found_by_any_of_their_names():
    assert lab(header_of(RIGHT, **PLAIN), PSIC).frames == 2


@pytest.mark.parametrize(
    ("positions", "changes", "field", "words"),
    [
        ({"eta": 1.0, "phi": 2.0}, {}, "mu", "expected positions of this circle .*found motors eta, phi"),
        (RIGHT | {"eta": [1.0, NAN]}, {}, "eta", "an angle in degrees at every frame"),
        (RIGHT, {"energy": NAN}, "energy", "expected a photon energy in keV, found none"),
        (RIGHT, {"energy": 9000.0}, "energy", "9000 eV taken for keV"),
        (RIGHT, {"energy": 0.009}, "energy", "9 keV taken for eV"),
    ],
)
def test_headers_that_do_not_say_enough_are_refused(positions, changes, field, words):
    with pytest.raises(InputError, match=words) as refused:
        lab(header_of(positions, **PLAIN | changes), PSIC)
    assert (refused.value.file, refused.value.field) == ("scan.spec", field)


@pytest.mark.parametrize("field", ["pixel_size", "distance", "direct_beam", "ub"])
def test_a_detector_or_lattice_that_nobody_tells_is_refused(field):
    told = {name: value for name, value in PLAIN.items() if name != field}
    bare = replace(PSIC, panel=Panel("x-", "z-"))
    with pytest.raises(InputError, match="declared") as refused:
        lab(header_of(RIGHT, **told), bare)
    assert refused.value.field == field


def test_the_panel_of_a_gold_111_measured_at_34idc_sees_gold_111():
    """theta and the pixel of the beam were not recorded with staff54: |Q| at the panel's middle is right to 1 %."""
    moves = {"th": 0.2, "chi": 90.0, "phi": 0.0, "delta": 32.174, "gamma": 12.6346}
    header = header_of(
        moves, (256, 256), energy=9.0, distance=500.0, direct_beam=[128.0, 128.0], ub=np.eye(3)
    )
    q = lab(header, PRESETS["34idc"]).q(ALL, slice(128, 129), slice(128, 129))
    assert np.linalg.norm(q) == pytest.approx(2 * np.pi / 2.355, rel=0.01)


def test_a_file_without_chains_needs_a_goniometer():
    with pytest.raises(InputError, match="or a declared goniometer"):
        lab(header_of(RIGHT, **PLAIN), None)


def rocking():
    """A scan of eta through 0 0 2 of a cubic crystal of 4 angstrom, 003 straight up and 100 along the beam."""
    mounting = Mounting(Lattice(4, 4, 4), (1, 0, 0), "y+", (0, 0, 1), "x+")
    theta = np.degrees(np.arcsin(2 * np.pi / 4 / (2 * np.pi * 10.0 / 12.398419843320026)))
    moves = {
        "mu": 0.0,
        "eta": theta + np.linspace(-1, 1, 21),
        "chi": 0.0,
        "phi": 0.0,
        "nu": 0.0,
        "delta": 2 * theta,
    }
    header = header_of(moves, (40, 30), pixel_size=[0.1, 0.1], distance=800.0)
    told = replace(PSIC, panel=Panel("x-", "z-", (17.0, 11.0), (0.1, 0.1), 800.0))
    return place(header, told, (1, 0, 0), (0, 0, 1), mounting)


def test_a_reflection_is_predicted_at_its_angle_in_the_pixel_of_the_direct_beam():
    spot, missed = predicted_spot(rocking(), (0, 0, 2))
    assert spot == Spot(10, 17, 11)
    assert missed < 1e-9


def test_a_bright_spot_near_a_reflection_names_it():
    assert check_peaks(
        rocking(), brightest=Spot(11, 18, 11), hkls=[(1, 0, 3), (0, 0, 2)], tolerance=0.02
    ) == (0, 0, 2)


def test_a_bright_spot_elsewhere_is_refused_with_both_places():
    expected = (
        "nearest to frame 10, row 17, column 11, found frame 2, row 17, column 11, at hkl .* 1/angstrom away"
    )
    with pytest.raises(InputError, match=expected):
        check_peaks(rocking(), brightest=Spot(2, 17, 11), hkls=[(0, 0, 2)], tolerance=0.02)
    with pytest.raises(InputError, match="not seen"):
        check_peaks(rocking(), brightest=Spot(2, 17, 11), hkls=[(0, 0, 3)], tolerance=0.02)
