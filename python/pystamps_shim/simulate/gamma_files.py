"""The GAMMA style text files of an export: ``.par``, ``.base`` and what SNAP adds."""

from __future__ import annotations

from pathlib import Path

from pystamps_shim.simulate.frame import Frame
from pystamps_shim.simulate.orbits import Baseline


def image_parameters(frame: Frame, date: str) -> str:
    """Return the parameter file of one image."""
    settings = frame.settings
    entries = [
        ("title:", date),
        ("sensor:", "S1A"),
        ("date:", f"{date[:4]} {date[4:6]} {date[6:]}"),
        ("image_format:", "FCOMPLEX"),
        ("image_geometry:", "SLANT_RANGE"),
        ("range_samples:", f"{settings.width}"),
        ("azimuth_lines:", f"{settings.length}"),
        ("range_pixel_spacing:", f"{settings.range_spacing_m:.6f} m"),
        ("azimuth_pixel_spacing:", f"{settings.azimuth_spacing_m:.6f} m"),
        ("near_range_slc:", f"{frame.near_range_m:.4f} m"),
        ("center_range_slc:", f"{frame.centre_range_m:.4f} m"),
        ("incidence_angle:", f"{settings.incidence_deg:.4f} degrees"),
        ("heading:", f"{settings.heading_deg:.4f} degrees"),
        ("radar_frequency:", f"{frame.radar_frequency_hz:.7e} Hz"),
        ("prf:", f"{frame.line_rate_hz:.6f} Hz"),
        ("sar_to_earth_center:", f"{frame.orbit_radius_m:.4f} m"),
        ("earth_radius_below_sensor:", f"{frame.earth_radius_m:.4f} m"),
    ]
    head = "Gamma Interferometric SAR Processor (ISP) - Image Parameter File\n\n"
    return head + "".join(f"{key:<28} {value}\n" for key, value in entries)


def baseline_text(baseline: Baseline) -> str:
    """Return the baseline file of one interferogram."""
    lines = [
        ("initial_baseline(TCN):", baseline.cross_m, baseline.normal_m, "m"),
        ("initial_baseline_rate:", baseline.cross_rate_m_s, baseline.normal_rate_m_s, "m/s"),
        ("precision_baseline(TCN):", 0.0, 0.0, "m"),
    ]
    return "".join(
        f"{key:<26} 0.0000000   {cross:.7f}   {normal:.7f}   {unit}   {unit}   {unit}\n"
        for key, cross, normal, unit in lines
    )


def write_text_files(frame: Frame, baselines: list[Baseline], export: Path) -> None:
    """Write every text file of the export: ``rslc``, ``diff0``, ``geo`` and ``dem``."""
    dates = date_names(frame)
    master = dates[frame.settings.master_index]
    for folder in ("rslc", "diff0", "geo", "dem"):
        export.joinpath(folder).mkdir(parents=True, exist_ok=True)
    for date, baseline in zip(dates, baselines, strict=True):
        _write(export / "rslc" / f"{date}.rslc.par", image_parameters(frame, date))
        if date != master:
            _write(export / "diff0" / f"{master}_{date}.base", baseline_text(baseline))
    lines, samples = frame.shape
    _write(export / "geo" / f"{master}.diff_par", f"range_samp_1: {samples}\naz_samp_1: {lines}\n")
    _write(export / "dem" / "projected_dem_seg.par", "title: synthetic\n")


def date_names(frame: Frame) -> list[str]:
    """Return the dates of the images as in file names."""
    return [f"{date:%Y%m%d}" for date in frame.settings.dates]


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="ascii")
