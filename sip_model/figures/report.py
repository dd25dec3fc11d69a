"""A study's report: its figures as files and one self-contained page with everything on it."""

import base64
import itertools
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from sip_model.figures.gallery import gallery
from sip_model.figures.markup import Markup, element
from sip_model.figures.page import Section, bullets, page
from sip_model.figures.page import folded as folded_away
from sip_model.figures.picture import Picture
from sip_model.figures.sections import asked, downloads, missing, protocol, provenance
from sip_model.figures.study import ReportFile, Study
from sip_model.figures.style import save
from sip_model.figures.tables import association_table, results_table, varied_tables
from sip_model.figures.together import Together, sentences, together

REPORT = "report.html"
PNG, SVG, HTML, JSON = "image/png", "image/svg+xml", "text/html; charset=utf-8", "application/json"
LARGEST_INLINE_SVG_BYTES = 256 * 1024
"""Beyond that many bytes (thousands of points) the page holds the PNG."""

WIDE_INCHES = 6.0
"""Wider figures keep their size on a phone, and are scrolled."""


def build_report(study: Study, folder: Path) -> list[ReportFile]:
    """Draw the figures and write the page; the same study gives the same bytes.

    Args:
        study: as far as it has come; what is missing is said on the page.
        folder: where the files go; it must be there.

    Returns:
        The page (``report.html``), ``association.json`` and each figure as PNG and SVG.
    """
    pictures = gallery(study)
    drawn = [(picture, *save(picture.figure, folder, picture.name)) for picture in pictures]
    found = together(study)
    association = folder / "association.json"
    association.write_text(_association_json(found), encoding="utf-8")
    files = [ReportFile(association.name, association, JSON)]
    for _, png, svg in drawn:
        files += [ReportFile(png.name, png, PNG), ReportFile(svg.name, svg, SVG)]
    html = folder / REPORT
    names = [*(file.name for file in files), *study.artifacts]
    figures = _figures(drawn)
    html.write_text(_page(study, figures, found, names), encoding="utf-8")
    return [ReportFile(REPORT, html, HTML), *files]


def _page(study: Study, figures: Sequence[Markup], found: Sequence[Together], names: Sequence[str]) -> str:
    tables = results_table(study) + varied_tables(study)
    association = [bullets(sentences(found)), *association_table(found)] if found else []
    sections = [
        Section("asked", "What was asked", asked(study)),
        Section("figures", "Figures", figures),
        Section("results", "Results", tables),
        Section("association", "Do the measures move together?", association),
        Section("missing", "What is missing, and what can’t be had", missing(study)),
        Section("protocol", "Protocol and configuration", protocol(study)),
        Section("provenance", "Versions, hardware, splits and experiments", provenance(study)),
        Section("downloads", "Downloads", downloads(names)),
    ]
    lead = (
        "A report made from measured values alone; every number can be recomputed from the files linked here."
    )
    return page(study.title, lead, sections, f"Experiment {study.experiment}")


def _figures(drawn: Sequence[tuple[Picture, Path, Path]]) -> list[Markup]:
    """One after another; a run of folded ones stands behind one line."""
    parts: list[Markup] = []
    for folded, run in itertools.groupby(drawn, key=lambda entry: entry[0].folded):
        shown = [_figure(*entry) for entry in run]
        parts += [folded_away(f"{len(shown)} more, of other seeds", *shown)] if folded else shown
    return parts


def _figure(picture: Picture, png: Path, svg: Path) -> Markup:
    small = svg.stat().st_size <= LARGEST_INLINE_SVG_BYTES
    path, media_type = (svg, SVG) if small else (png, PNG)
    encoded = base64.b64encode(path.read_bytes()).decode("ascii")
    inches = picture.figure.get_size_inches()
    return element(
        "figure",
        element("h3", picture.title),
        element(
            "div",
            element(
                "img",
                src=f"data:{media_type};base64,{encoded}",
                alt=picture.alt,
                width=round(96 * inches[0]),
                height=round(96 * inches[1]),
                class_="wide" if inches[0] > WIDE_INCHES else None,
            ),
            class_="scroll",
        ),
        element(
            "figcaption",
            picture.caption,
            " ",
            element("a", "PNG", href=f"artifacts/{png.name}"),
            " ",
            element("a", "SVG", href=f"artifacts/{svg.name}"),
        ),
    )


def _association_json(found: Sequence[Together]) -> str:
    """Numbers that aren't there are null: JSON has no NaN."""
    rows = [
        {
            "over": one.models,
            "first": one.first,
            "second": one.second,
            "corpus": one.corpus,
            **{key: None if value != value else value for key, value in asdict(one.found).items()},
        }
        for one in found
    ]
    return json.dumps(rows, indent=1, ensure_ascii=False) + "\n"
