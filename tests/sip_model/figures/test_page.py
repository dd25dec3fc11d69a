"""Pages of tables: escaped, without a script, and without a drawing library."""

import subprocess
import sys

from sip_model.figures.markup import Markup, element, joined
from sip_model.figures.page import Section, number, page, paragraph, table


def test_text_is_escaped_and_markup_is_not() -> None:
    inner = element("b", "a < b")
    assert inner == "<b>a &lt; b</b>"
    assert element("p", inner, "&", title='"x"') == '<p title="&quot;x&quot;"><b>a &lt; b</b>&amp;</p>'
    assert element("img", src="data:", class_="wide", alt=None) == '<img src="data:" class="wide">'
    assert isinstance(joined(["<", inner]), Markup)


def test_sections_without_content_are_left_out_and_one_alone_needs_no_contents() -> None:
    full, empty = Section("a", "First", [paragraph("text")]), Section("b", "Second", [])
    html = page("Title", "lead", [full, empty])
    assert html.startswith('<!DOCTYPE html>\n<html lang="en">')
    assert "Second" not in html
    assert "<nav" not in html
    assert '<a href="#c">Third</a>' in page("Title", "lead", [full, Section("c", "Third", [paragraph("x")])])


def test_a_table_names_its_columns_and_rows() -> None:
    html = table("Scores", ["Name", "Value"], [["<x>", "1"]], numbers=1)
    assert '<th scope="col">Name</th><th scope="col" class="number">Value</th>' in html
    assert '<th scope="row">&lt;x&gt;</th><td class="number">1</td>' in html
    assert "<caption>Scores</caption>" in html


def test_numbers_have_a_true_minus_and_what_is_missing_a_dash() -> None:
    assert number(-0.12345) == "−0.1235"
    assert number(0.5, ".2f") == "0.50"
    assert number(None) == number(float("nan")) == "–"


def test_the_service_builds_pages_without_a_drawing_library() -> None:
    program = "import sys, sip_model.figures.page; print('matplotlib' in sys.modules, 'numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
