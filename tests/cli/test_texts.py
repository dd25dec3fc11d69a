import json
from pathlib import Path

from tests.cli.conftest import Sip
from tests.client.stand_in import StandIn


def test_a_text_is_shown_with_a_bar_per_source_and_the_unknown(sip: Sip) -> None:
    result = sip("classify", "where is this from?")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert '"where is this from?"' in lines[0]
    assert [line.split()[-1] for line in lines[1:5]] == ["70.0%", "10.0%", "5.0%", "15.0%"]
    assert "no known source" in lines[4]


def test_text_that_looks_like_markup_is_shown_as_it_is(sip: Sip) -> None:
    assert '"[bold]not bold[/]"' in sip("classify", "[bold]not bold[/]").stdout


def test_what_an_answer_rests_on_is_shown(sip: Sip, stand_in: StandIn) -> None:
    result = sip("classify", "a text", "--evidence", "2", "--coverage", "0.9")
    assert stand_in.bodies[0]["evidence"] == 2
    assert stand_in.bodies[0]["coverage"] == 0.9
    lines = [line.strip() for line in result.stdout.splitlines()]
    assert "set: source 1, source 2" in lines
    assert "source 1 book 1 10–40, 0.50, 3 words in a row" in lines
    assert '"a [b] c d"' in lines
    assert "1 words; the shortest has 16." in lines


def test_spans_are_shown_with_their_sources(sip: Sip, stand_in: StandIn) -> None:
    result = sip("classify", "a text", "--level", "token")
    assert stand_in.bodies[0]["level"] == "token"
    lines = [line.strip() for line in result.stdout.splitlines()]
    at = lines.index("source 1 0–1  90.0%")
    assert lines[at : at + 4] == ["source 1 0–1  90.0%", '"a"', "no known source 2–6  60.0%", '"text"']


def test_the_words_that_speak_for_a_source_are_shown(sip: Sip, stand_in: StandIn) -> None:
    result = sip("classify", "a [b] c", "--explain")
    assert stand_in.bodies[0]["explain"] is True
    lines = [line.strip() for line in result.stdout.splitlines()]
    assert "a [b] c" in lines
    assert "strongest: [b] +1.50, a -0.25" in lines
    assert "strongest" not in sip("classify", "a [b] c").stdout


def test_standard_input_is_one_text(sip: Sip, stand_in: StandIn) -> None:
    assert sip("classify", "-", "--json", text="two\nlines\n").exit_code == 0
    assert stand_in.bodies[0]["input"] == ["two\nlines\n"]


def test_a_file_holds_one_text_per_line(sip: Sip, tmp_path: Path) -> None:
    file = tmp_path / "texts.txt"
    file.write_text("one\n\ntwo\n")
    answer = json.loads(sip("classify", "--file", str(file), "--json").stdout)
    assert [result["index"] for result in answer["results"]] == [0, 1]


def test_a_file_that_is_not_utf8_is_wrong_usage(sip: Sip, tmp_path: Path) -> None:
    file = tmp_path / "texts.txt"
    file.write_bytes(b"caf\xe9\n")
    result = sip("classify", "--file", str(file))
    assert result.exit_code == 2
    assert "expected UTF-8, found other bytes at 3" in result.stderr


def test_blank_input_is_wrong_usage(sip: Sip) -> None:
    assert sip("classify", text=" \n").exit_code == 2


def test_vectors_come_as_json(sip: Sip) -> None:
    assert json.loads(sip("embed", "a", "b").stdout)["data"][1]["embedding"] == [0.6, 0.8]
