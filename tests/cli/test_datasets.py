import json
from pathlib import Path

from tests.cli.conftest import Sip
from tests.client.stand_in import StandIn


def test_a_file_is_added_under_its_own_name(sip: Sip, stand_in: StandIn, tmp_path: Path) -> None:
    corpus = tmp_path / "books.jsonl"
    corpus.write_text('{"text": "a", "source": "x"}\n')
    result = sip("datasets", "add", str(corpus))
    assert result.exit_code == 0
    assert "added books: 1 documents of 60 sources" in result.stdout
    assert stand_in.bodies[0]["name"] == "books"


def test_a_refused_file_exits_1_and_names_line_and_field(sip: Sip, tmp_path: Path) -> None:
    corpus = tmp_path / "books.jsonl"
    corpus.write_text("broken")
    result = sip("datasets", "add", str(corpus))
    assert result.exit_code == 1
    assert "422 Invalid corpus line 2 can't be used" in result.stderr
    assert "body.file.line 2.source: expected a name; found null" in result.stderr


def test_a_refusal_is_a_problem_document_with_json(sip: Sip, tmp_path: Path) -> None:
    corpus = tmp_path / "books.jsonl"
    corpus.write_text("broken")
    result = sip("datasets", "add", str(corpus), "--json")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert json.loads(result.stderr)["errors"][0]["loc"] == ["body", "file", "line 2", "source"]


def test_neither_file_nor_builtin_is_wrong_usage(sip: Sip) -> None:
    result = sip("datasets", "add")
    assert result.exit_code == 2
    assert "expected a file or --builtin; found neither" in result.stderr


def test_the_list_is_plain_and_aligned_outside_a_terminal(sip: Sip) -> None:
    sip("datasets", "add", "--builtin", "python-docs")
    lines = sip("datasets", "list").stdout.splitlines()
    assert lines[0].split() == ["NAME", "ID", "STATUS", "FORMAT", "DOCUMENTS", "SOURCES", "TEXT", "ADDED"]
    assert lines[1].split()[:3] == ["python-docs", "ds_0", "ready"]
    assert lines[0].index("STATUS") == lines[1].index("ready")
    assert "\x1b" not in "".join(lines)


def test_a_page_that_is_not_the_last_says_how_to_go_on(sip: Sip) -> None:
    for name in ("a", "b"):
        sip("datasets", "add", "--builtin", "python-docs", "--name", name)
    assert "There is more: --cursor 1" in sip("datasets", "list", "--limit", "1").stdout


def test_the_answer_itself_is_printed_with_json(sip: Sip) -> None:
    sip("datasets", "add", "--builtin", "python-docs")
    assert json.loads(sip("datasets", "show", "python-docs", "--json").stdout)["id"] == "ds_0"
    assert "num_sources    60" in sip("datasets", "show", "python-docs").stdout


def test_all_sources_are_listed(sip: Sip) -> None:
    assert len(sip("datasets", "sources", "any").stdout.splitlines()) == 1201


def test_a_removed_dataset_is_gone(sip: Sip, stand_in: StandIn) -> None:
    sip("datasets", "add", "--builtin", "python-docs")
    assert sip("datasets", "delete", "python-docs").exit_code == 0
    assert stand_in.datasets == {}
