"""Small files in every format, and the real ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

Change = Callable[[h5py.File], None]

SCAN_FILES = (
    "pto_kto/e16014_01_-103_KTO_RSM_2-Theta.asc",
    "pto_kto/e16014_02_-103_PTO_RSM_2-Theta.asc",
    "pto_kto/e16014_07_t2t_001.ras",
    "pto_kto/e16014_09_t2t_002.ras",
    "lab_maps/layer_m420_mesh.xrdml",
    "lab_maps/sto_013_area.xrdml",
    "lab_maps/rsm_111.rasx",
)


@pytest.fixture(params=SCAN_FILES)
def scan_file(request: pytest.FixtureRequest, mirror: Path) -> Path:
    """Each real scan file in turn."""
    return mirror / request.param


def asc_text(counts: np.ndarray, omega: np.ndarray, **keys: str) -> str:
    """A Rigaku .asc with one block per line of counts, two theta from 74 to 75."""
    head = {"SCAN_AXIS": "2theta", "WAVE_LENGTH1": "1.5", "YUNIT": "counts", "SPEED_DIM": "sec./step(FT)"}
    head |= {"XRAY_CHAR": "K-ALPHA1", "SEC_COUNT": str(len(counts))} | keys
    rows = [f"*{key}\t=  {value}" for key, value in head.items()]
    for line, angle in zip(counts, omega, strict=True):
        rows += ["", "*BEGIN", "*START =  74", "*STOP = 75", f"*OFFSET = {angle}", "*SPEED = 2"]
        rows += [f"*COUNT = {len(line)}", ", ".join(str(n) for n in line), "*END"]
    return "\r\n".join([*rows, "", "*EOF"])


def ras_text(rows: np.ndarray, axis: str = "TwoThetaOmega", **keys: str) -> str:
    """A Rigaku .ras of one block; omega stands at 21, two theta at 40 when the scan starts."""
    head = {"MEAS_COND_AXIS_NAME_INTERNAL-0": "TwoTheta", "MEAS_COND_AXIS_NAME_INTERNAL-1": "Omega"}
    head |= {"MEAS_COND_AXIS_POSITION-0": "40.0", "MEAS_COND_AXIS_POSITION-1": "21.0"}
    head |= {
        "MEAS_SCAN_AXIS_X_INTERNAL": axis,
        "HW_XG_WAVE_LENGTH_ALPHA1": "1.5",
        "MEAS_SCAN_UNIT_Y": "counts",
    }
    head |= {"HW_XG_WAVE_LENGTH_ALPHA2": "1.6", "MEAS_SCAN_SPEED": "0.2", "MEAS_SCAN_SPEED_UNIT": "deg/min"}
    head |= {"MEAS_SCAN_STEP": "0.01", "MEAS_DATA_COUNT": f"{len(rows)}.0"} | keys
    lines = ["*RAS_DATA_START", "*RAS_HEADER_START", *(f'*{k} "{v}"' for k, v in head.items())]
    lines += ["*RAS_HEADER_END", "*RAS_INT_START", *(" ".join(map(str, row)) for row in rows)]
    return "\n".join([*lines, "*RAS_INT_END", "*RAS_DATA_END", ""])


def xrdml_text(data: str, two_theta: str | None = None, omega: str | None = None, status: str = "") -> str:
    """A PANalytical .xrdml of one scan, whose <dataPoints> hold the given elements beside the positions."""
    two_theta = two_theta or "<startPosition>70</startPosition><endPosition>71</endPosition>"
    omega = omega or "<commonPosition>35</commonPosition>"
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<xrdMeasurements xmlns="http://www.xrdml.com/XRDMeasurement/1.5"><xrdMeasurement>
<usedWavelength intended="K-Alpha 1"><kAlpha1 unit="Angstrom">1.5</kAlpha1></usedWavelength>
<scan scanAxis="2Theta" status="{status}"><dataPoints>
<positions axis="2Theta" unit="deg">{two_theta}</positions>
<positions axis="Omega" unit="deg">{omega}</positions>
{data}</dataPoints></scan></xrdMeasurement></xrdMeasurements>"""


def write_map(path: Path, change: Change | None = None, **options: Any) -> Path:
    """A map file as the contract says, 5 x 7 voxels (qx, qz), changed before it is closed."""
    axes = options.get("axes", ("qx", "qz"))
    grid = {
        "qx": 1.5 + 0.01 * np.arange(5),
        "qy": -0.01 + 0.01 * np.arange(3),
        "qz": 4.7 + 0.02 * np.arange(7),
    }
    shape = tuple(grid[name].size for name in axes)
    counts = np.random.default_rng(3).poisson(20.0, shape).astype(float)
    with h5py.File(path, "w") as file:
        file["entry/sample/name"] = "film"
        file["entry/sample/temperature"] = 300.0
        file["entry/sample/temperature"].attrs["units"] = "K"
        file["entry/reflection/hkl"] = [1, 0, 3]
        file["entry/instrument/beam/incident_energy"] = 8.048
        file["entry/instrument/beam/incident_energy"].attrs["units"] = "keV"
        data = file.create_group("entry/data")
        data.attrs["signal"], data.attrs["axes"] = "intensity", list(axes)
        data["intensity"] = options.get("intensity", counts)
        data["intensity"].attrs["units"] = "count"
        for name in axes:
            data[name] = grid[name]
            data[name].attrs["units"] = "1/angstrom"
        if change is not None:
            change(file)
    return path
