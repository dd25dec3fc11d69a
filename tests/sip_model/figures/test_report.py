"""The report: one page that holds everything, fetches nothing and takes no name for markup."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from sip_model.figures.report import build_report
from sip_model.figures.rows import Value
from sip_model.figures.study import Child, DatasetInfo, Study
from tests.sip_model.figures.studies import study

HOSTILE = '<script>alert("x")</script>&amp;'
SECTIONS = [
    "asked", "figures", "results", "association", "missing", "protocol", "provenance", "downloads",
]  # fmt: skip
VOID = {"meta", "img", "br"}


class Page(HTMLParser):
    """What stands in a page: elements with attributes, text, and whether every element is closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("report")


@pytest.fixture(scope="module")
def html(folder: Path) -> str:
    whole = study(presets=False)
    two_corpora = [row for row in whole.rows if row.dataset != "articles"]
    files = build_report(replace(whole, rows=two_corpora), folder)
    assert files[0].name == "report.html"
    assert files[0].media_type == "text/html; charset=utf-8"
    assert {file.path.parent for file in files} == {folder}
    assert sorted(path.name for path in folder.iterdir()) == sorted(file.name for file in files)
    return files[0].path.read_text(encoding="utf-8")


def test_every_section_is_there_and_linked(html: str) -> None:
    page = Page(html)
    assert page.open == []
    assert [attributes["id"] for attributes in page.all("section")] == SECTIONS
    links = [attributes["href"] for attributes in page.all("a")]
    assert links[: len(SECTIONS)] == [f"#{name}" for name in SECTIONS]
    assert page.all("html") == [{"lang": "en"}]
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in page.all("meta")


def test_nothing_is_fetched_and_nothing_runs(html: str) -> None:
    page = Page(html)
    assert not {"script", "link", "iframe", "object", "form", "base"} & {tag for tag, _ in page.elements}
    for _, attributes in page.elements:
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
        target = attributes.get("src") or ""
        assert target == "" or target.startswith("data:image/")
        link = attributes.get("href") or ""
        assert re.fullmatch(r"(#|artifacts/|\.\./exp_)[\w./%-]*|", link), link
    without_data = re.sub(r'src="data:[^"]*"', "", html)
    assert "http" not in without_data
    assert "//" not in without_data
    assert "url(" not in without_data


def test_every_figure_can_be_seen_heard_and_fetched(html: str, folder: Path) -> None:
    page = Page(html)
    assert len(page.all("img")) == 7
    for image in page.all("img"):
        assert len(image["alt"] or "") > 30
        assert int(image["width"] or 0) > 100
    offered = {link["href"] for link in page.all("a")}
    for path in folder.glob("*.svg"):
        assert f"artifacts/{path.name}" in offered
        assert f"artifacts/{path.stem}.png" in offered


def test_it_says_what_was_asked_found_and_is_missing(html: str) -> None:
    text = Page(html).text
    for part in (
        "ksc2023", "nano, micro", "books", "probe and geometry",
        "exp_0007", "OutOfMemory: the probe needed more than 4 GB",
        "images that nobody could read", "only PG19's labels are documents", "n/a for perplexity",
        "pg19, wikipedia-500k and amazon-131k took no part", "naics2012 stands in for Amazon-131K",
        "chunk.num_words", "torch", "2.12.0", "Split hashes (18)", "cd" * 32,
    ):  # fmt: skip
        assert part in text, part


def test_tables_name_their_columns_and_rows_and_give_spread_and_number(html: str) -> None:
    page = Page(html)
    assert len(page.all("caption")) == len(page.all("table"))
    assert {attributes.get("scope") for attributes in page.all("th")} == {"col", "row"}
    assert re.search(r"0\.\d+ ± 0\.\d+ \(6\)", page.text)
    assert "n/a" in page.text


def test_the_association_says_how_little_few_models_can_show(html: str, folder: Path) -> None:
    text = Page(html).text
    assert "Comparisons of 4 models can't be significant whatever their order" in text
    assert "no evidence of a law over models in general" in text
    rows = json.loads((folder / "association.json").read_text())
    pooled = [row for row in rows if row["over"] == "backbones" and row["corpus"].startswith("all")]
    by_pair = {(row["first"], row["second"]): row for row in pooled}
    of_perplexity = by_pair["lm/bits_per_byte", "probe/linear/accuracy"]
    assert of_perplexity["num_models"] == 4
    assert of_perplexity["smallest_p"] == pytest.approx(2 / 24)
    assert of_perplexity["spearman"] < -0.9
    assert by_pair["geometry/silhouette", "probe/linear/accuracy"]["num_models"] == 5
    within = [row for row in rows if row["over"] == "pre-training seeds within a size"]
    assert {row["num_models"] for row in within} == {24}


def test_the_same_study_gives_the_same_bytes(tmp_path: Path) -> None:
    whole = study()
    names = ("lm/perplexity", "geometry/silhouette")
    rows = [row for row in whole.rows if row.dataset == "books" and row.name in names]
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
    one, other = (build_report(replace(whole, rows=rows), tmp_path / name) for name in ("one", "other"))
    assert len(one) == 2 + 2 * len(["perplexity", "silhouette", "layers", "together"])
    for first, second in zip(one, other, strict=True):
        assert first.path.read_bytes() == second.path.read_bytes(), first.name


def hostile_study() -> Study:
    rows = [
        Value(
            name="lm/perplexity",
            value=3.0 + size,
            dataset=HOSTILE,
            backbone=HOSTILE,
            num_parameters=size,
            seed=0,
        )
        for size in (1000, 2000)
    ]
    child = Child(
        experiment="exp_1", kind="perplexity", backbone=HOSTILE, dataset=HOSTILE, seed=0, status="failed",
        error=HOSTILE, artifacts=('"><img src=x>.csv',),
    )  # fmt: skip
    return Study(
        title=HOSTILE,
        preset=None,
        experiment="exp_0",
        config={"suite": {"name": HOSTILE}, HOSTILE: HOSTILE},
        children=[child],
        rows=rows,
        datasets=[DatasetInfo(name=HOSTILE, sha256=HOSTILE, labels=HOSTILE)],
        versions={HOSTILE: HOSTILE},
        hardware={HOSTILE: HOSTILE},
        notes=[HOSTILE],
        artifacts=["../../../x", "javascript:alert(1)"],
    )


def test_names_are_text_wherever_they_stand(tmp_path: Path) -> None:
    html = build_report(hostile_study(), tmp_path)[0].path.read_text(encoding="utf-8")
    page = Page(html)
    assert page.open == []
    assert "script" not in {tag for tag, _ in page.elements}
    assert page.text.count(HOSTILE) > 10
    links = [attributes["href"] or "" for attributes in page.all("a")]
    assert all(link.startswith(("#", "artifacts/", "../exp_1")) for link in links)
    assert "artifacts/javascript%3Aalert%281%29" in links
    assert all("/../" not in link for link in links)


def test_a_study_without_any_value_still_has_its_page(tmp_path: Path) -> None:
    empty = replace(study(), rows=[], children=[], backbones=[], datasets=[], notes=[], preset=None)
    files = build_report(empty, tmp_path)
    assert [file.name for file in files] == ["report.html", "association.json"]
    page = Page(files[0].path.read_text(encoding="utf-8"))
    assert "figures" not in [attributes["id"] for attributes in page.all("section")]
