"""Every page in a real browser, one after the other, as a person would go through them."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from client import Client
from tests.cli.service import RunningService
from tests.end_to_end.small_corpus import NUM_SOURCES, write_small_corpus
from tests.web.browser import Visit

TRAINING_MILLISECONDS = 600_000
"""Experiments give way to everything else on the machine."""
pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_small_corpus(tmp_path_factory.mktemp("corpus") / "tales.jsonl")


def train(visit: Visit, name: str, epochs: int) -> str:
    """Start a training from the form; returns the experiment's id."""
    page = visit.open("#/experiments/new/train")
    page.get_by_label("Dataset", exact=True).select_option(label=f"tales ({NUM_SOURCES} sources)")
    page.get_by_label("Name", exact=True).fill(name)
    page.locator("#config-training-epochs").fill(str(epochs))
    if name == "tales":
        visit.photograph("start")
    page.get_by_role("button", name="Start").click()
    page.wait_for_url(re.compile(r"#/experiments/exp_\w+$"))
    return page.url.rpartition("/")[2]


def test_a_corpus_with_a_bad_line_is_refused_and_the_line_is_named(visit: Visit, tmp_path: Path) -> None:
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"text": "one", "source": "a"}\n{"text": 2, "source": "b"}\n')
    page = visit.open("#/corpora")
    page.locator("#file").set_input_files(bad)
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_role("alert")).to_contain_text("line 2")
    visit.photograph("corpora-refused")


def test_a_corpus_is_uploaded_and_looked_at(visit: Visit, corpus: Path) -> None:
    page = visit.open("#/corpora")
    page.locator("#file").set_input_files(corpus)
    expect(page.locator("#name")).to_have_value("tales")
    page.get_by_role("button", name="Upload").click()
    page.wait_for_url(re.compile(r"#/corpora/ds_\w+$"))
    expect(page.get_by_role("table").locator("tbody tr")).to_have_count(NUM_SOURCES)
    expect(page.locator(".chunks li")).to_have_count(NUM_SOURCES)
    visit.photograph("corpus")
    page.get_by_role("button", name="Look for near-duplicates").click()
    page.wait_for_url(re.compile(r"#/experiments/exp_\w+$"))
    expect(page.locator(".badge").first).to_have_text("succeeded", timeout=TRAINING_MILLISECONDS)
    page.get_by_role("link", name="tales", exact=True).click()
    expect(page.get_by_role("region", name="Near-duplicates")).to_contain_text(
        "are near-duplicates of another one"
    )
    visit.open("#/corpora")
    visit.photograph("corpora")


def test_a_training_is_started_watched_and_leaves_a_model(visit: Visit, service: RunningService) -> None:
    train(visit, "tales", epochs=3)
    page = visit.page
    expect(page.locator(".badge").first).to_have_text("succeeded", timeout=TRAINING_MILLISECONDS)
    expect(page.get_by_role("region", name="Loss")).to_be_visible()
    page.locator(".js-plotly-plot .scatterlayer path.js-line").first.wait_for(state="attached")
    expect(page.get_by_role("region", name="Results")).to_contain_text("eval/accuracy")
    expect(page.get_by_role("list", name="What happened")).to_contain_text("begins: features")
    expect(page.get_by_role("list", name="What happened").locator("li").last).to_contain_text("succeeded")
    expect(page.locator(".figures img").first).to_be_visible()
    visit.photograph("experiment")
    with Client(service.url) as client:
        experiment = client.experiments.list(name="tales")["data"][0]
    assert experiment["config"]["training"]["epochs"] == 3


def test_a_text_is_tried_painted_and_backed_by_evidence(visit: Visit, corpus: Path) -> None:
    row = json.loads(corpus.read_text().splitlines()[0])
    text = " ".join(row["text"].split()[400:640])
    page = visit.open("#/try")
    page.get_by_label("Text", exact=True).fill(text)
    page.get_by_role("button", name="Identify").click()
    expect(page.locator(".verdict")).to_contain_text(row["source"])
    expect(page.locator(".bars li.unknown")).to_contain_text("%")
    assert page.locator(".painted").text_content() == text
    assert page.locator(".painted mark").count() >= 2
    assert page.locator(".evidence blockquote mark.same").count() >= 1
    visit.photograph("try")

    page.get_by_role("button", name="Copy link").click()
    link = page.evaluate("navigator.clipboard.readText()")
    address, _, fragment = link.partition("#")
    assert "400" not in address
    assert "text=" in fragment
    page.get_by_role("button", name="Copy as curl").click()
    command = page.evaluate("navigator.clipboard.readText()")
    assert command.startswith(f"curl -s {visit.url}/classify ")
    page.goto("about:blank")
    page.goto(link)
    expect(page.locator(".verdict")).to_contain_text(row["source"])


def test_what_each_token_says_is_shown_where_asked_for(visit: Visit, corpus: Path) -> None:
    row = json.loads(corpus.read_text().splitlines()[0])
    text = " ".join(row["text"].split()[400:430])
    page = visit.open("#/try")
    page.get_by_label("Text", exact=True).fill(text)
    page.get_by_label("Show what each token says").check()
    page.get_by_role("button", name="Identify").click()
    said = page.get_by_role("region", name="What each token says", exact=True)
    shaded = said.get_by_role("group", name="Text with the weights of its tokens")
    # several passes through the model for each window
    shaded.wait_for(timeout=TRAINING_MILLISECONDS)
    assert shaded.text_content() == text
    assert shaded.locator("mark.for").count() >= 1
    weights = said.get_by_role("table").locator("tbody tr").first.locator("td.number")
    expect(weights.first).to_have_text(re.compile(r"^\+\d"))
    before = weights.first.text_content()
    said.get_by_label("Explain").select_option("gradient")
    expect(weights.first).not_to_have_text(before or "")
    assert shaded.text_content() == text
    visit.photograph("try-explained")

    page.get_by_role("button", name="Copy link").click()
    link = page.evaluate("navigator.clipboard.readText()")
    page.goto("about:blank")
    page.goto(link)
    expect(shaded).to_have_text(text, timeout=TRAINING_MILLISECONDS)


def test_a_model_is_looked_at_and_downloaded(visit: Visit) -> None:
    page = visit.open("#/models")
    visit.photograph("models")
    page.get_by_role("link", name="tales", exact=True).click()
    expect(page.get_by_role("region", name="Confusion")).to_be_visible()
    expect(page.get_by_role("region", name="By source")).to_be_visible()
    page.locator(".js-plotly-plot .scatterlayer path.js-line").first.wait_for(state="attached")
    visit.photograph("model")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    assert download.value.suggested_filename == "tales@1.zip"


def test_a_training_is_cancelled_tried_again_and_compared(visit: Visit) -> None:
    train(visit, "longer", epochs=5)
    visit.page.get_by_role("button", name="Cancel").click()
    expect(visit.page.locator(".badge").first).to_have_text("cancelled")
    expect(visit.page.get_by_role("button", name="Retry")).to_be_visible()
    log = visit.page.get_by_role("list", name="What happened")
    expect(log.locator("li", has_text="asked to stop")).to_have_count(1)
    expect(log.locator("li").last).to_contain_text("cancelled")
    visit.photograph("cancelled")

    visit.page.get_by_role("button", name="Retry").click()
    expect(log.locator("li", has_text="tried again")).to_have_count(1)
    expect(visit.page.locator(".badge").first).to_have_text("succeeded", timeout=TRAINING_MILLISECONDS)

    page = visit.open("#/experiments")
    page.get_by_label("Compare longer").check()
    page.get_by_label("Compare tales", exact=True).check()
    visit.photograph("experiments")
    page.get_by_role("button", name="Compare 2").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Compare experiments")
    expect(page.locator("tr.differs", has_text="training.epochs")).to_have_count(1)
    visit.photograph("compare")


def test_another_model_is_made_the_default(visit: Visit) -> None:
    page = visit.open("#/models")
    page.get_by_role("link", name="longer", exact=True).click()
    page.get_by_role("button", name="Make default").click()
    expect(page.locator(".badge")).to_have_text("default")
    page = visit.open("#/models")
    expect(page.locator(".card", has=page.locator(".badge"))).to_contain_text("longer")


def test_a_page_works_by_keyboard_alone(visit: Visit) -> None:
    page = visit.open("#/try")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "text"
    page.keyboard.type("The sea was calm and the ship lay still at anchor all that day.")
    for control in ("model", "top-k", "evidence", "tokens", "explain", "identify"):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.id") == control
    page.keyboard.press("Enter")
    expect(page.locator(".verdict")).to_be_visible()

    page.get_by_role("link", name="Experiments", exact=True).focus()
    page.keyboard.press("Enter")
    page.get_by_label("Compare tales", exact=True).wait_for()
    assert page.evaluate("document.activeElement.id") == "content"
    for name in ("tales", "longer"):
        page.get_by_label(f"Compare {name}", exact=True).focus()
        page.keyboard.press("Space")
    page.get_by_role("button", name="Compare 2").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Compare experiments")


def test_the_page_of_the_api_needs_no_other_host(visit: Visit) -> None:
    visit.page.goto(f"{visit.url}/docs")
    expect(visit.page.locator(".opblock").first).to_be_visible()
