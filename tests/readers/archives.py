"""Small .brml and .rasx archives, and zips that are not to be trusted."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

Contents = Mapping[str, str | bytes]


def written_zip(path: Path, contents: Contents) -> Path:
    """A zip of these members."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return path


def unpacked(path: Path) -> dict[str, bytes]:
    """All members of a zip."""
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def axis_info(axis: str, reference: float, stop: float, step: float) -> str:
    return (
        f'<ScanAxisInfo AxisId="{axis}" Unit="°"><Reference>{reference}</Reference><Start>0</Start>'
        f"<Stop>{stop}</Stop><Increment>{step}</Increment></ScanAxisInfo>"
    )


def raw_data(rows: np.ndarray, axes: str, omega: float = 32.0, status: str = "Measured") -> str:
    """RawData of rows of time, absorber's factor and counts; axes as elements; omega is where the drive stands."""
    data = "".join(f"<Datum>{','.join(str(v) for v in row)}</Datum>" for row in rows)
    return f"""<?xml version="1.0"?><RawData><MeasurementStatus>{status}</MeasurementStatus><DataRoutes>
<DataRoute RouteFlag="Measured"><ScanInformation><ScanAxes>{axes}</ScanAxes></ScanInformation>{data}<DataViews>
<RawDataView Start="0" Length="1" LogicName="MeasuredTime"/><RawDataView Start="1" Length="1" LogicName="AbsorptionFactor"/>
<RawDataView Start="2" Length="{rows.shape[1] - 2}"><Recording Category="Count" VisibleName="strip"/></RawDataView>
</DataViews></DataRoute></DataRoutes><FixedInformation><Drives>
<InfoData AxisId="Theta"><Position Unit="°" Value="{omega}"/><VirtualPosition Unit="°" Value="{omega + 2}"/></InfoData>
</Drives><WaveLengthAlpha1 Unit="Å" Value="1.5406"/></FixedInformation></RawData>"""


def brml(scans: Sequence[str]) -> dict[str, str]:
    """Members of a .brml of these RawData."""
    names = [f"Experiment0/RawData{i}.xml" for i in range(len(scans))]
    listed = "".join(f"<string>{name}</string>" for name in names)
    table = f"<DataContainer><RawDataReferenceList>{listed}</RawDataReferenceList></DataContainer>"
    return {"Experiment0/DataContainer.xml": table, **dict(zip(names, scans, strict=True))}


def snapshots(counts: np.ndarray, factor: float = 1.0) -> list[str]:
    """RawData of one snapshot per row of counts, omega from 32 in steps of 0.1, two theta from 64 in steps of 0.5."""
    channels = counts.shape[1]
    axes = axis_info("TwoTheta", 64.0, 0.5 * channels, 0.5)
    rows = (np.concatenate([[9.0, factor], row]) for row in counts)
    return [raw_data(row[None], axes, omega=round(32 + 0.1 * i, 4)) for i, row in enumerate(rows)]


def conditions(omega: float, points: int, axis: str = "TwoTheta", wave: str = "Ka1") -> str:
    """Conditions of one line of a .rasx; two theta stands at 40, a step is 0.02 deg at 1.2 s."""
    return f"""<MeasurementConditions><HWConfigurations><XrayGenerator><WaveType>{wave}</WaveType>
<WavelengthKalpha1>1.5</WavelengthKalpha1><WavelengthKalpha2>1.6</WavelengthKalpha2></XrayGenerator></HWConfigurations>
<Axes><Axis Name="TwoTheta" Unit="deg" Offset="0.9" Position="40.0"/>
<Axis Name="Omega" Unit="deg" Offset="1.1" Position="{omega}"/></Axes>
<ScanInformation><AxisName>{axis}</AxisName><Step>0.02</Step><Speed>1.2</Speed><SpeedUnit>sec</SpeedUnit>
<IntensityUnit>counts</IntensityUnit><DataCount>{points}</DataCount></ScanInformation></MeasurementConditions>"""


def rasx(lines: Sequence[np.ndarray], **changed: str) -> dict[str, str | bytes]:
    """Members of a .rasx of lines of angle, counts, factor; omega from 20 in steps of 0.5."""
    found: dict[str, str | bytes] = {}
    listed = ""
    for i, rows in enumerate(lines):
        text = "\r\n".join("\t".join(str(v) for v in row) for row in rows)
        found[f"Data{i}/Profile{i}.txt"] = text.encode("utf-8-sig")
        found[f"Data{i}/MesurementConditions{i}.xml"] = conditions(20 + 0.5 * i, len(rows), **changed)
        listed += f'<Data{i} Type="Profile"/>'
    return {**found, "root.xml": f"<Root>{listed}</Root>"}
