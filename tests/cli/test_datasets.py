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


def flat(message: str) -> str:
    """A message without the frame and the line ends a terminal's width puts in it."""
    return " ".join(message.replace("│", " ").split())


def test_an_import_is_watched_until_it_is_ready(sip: Sip, stand_in: StandIn) -> None:
    result = sip("datasets", "add", "--path", "/data/books.jsonl.gz", "--format", "jsonl")
    assert result.exit_code == 0, result.output
    assert stand_in.bodies == [{"name": "books", "format": "jsonl", "from": {"path": "/data/books.jsonl.gz"}}]
    assert "added books: 4 documents of 60 sources" in result.stdout
    assert "training" in result.stdout


def test_a_repository_of_the_hub_is_named_with_its_columns(sip: Sip, stand_in: StandIn) -> None:
    words = ("--config", "v1", "--split", "train", "--source-column", "label", "--revision", "main")
    result = sip("datasets", "add", "--hub", "acme/tales", *words, "--json")
    assert result.exit_code == 0, result.output
    hub = {
        "repo": "acme/tales",
        "config": "v1",
        "split": "train",
        "source_column": "label",
        "revision": "main",
    }
    assert stand_in.bodies == [{"name": "tales", "from": {"hub": hub}}]
    assert json.loads(result.stdout)["status"] == "ready"


def test_an_import_may_be_left_running(sip: Sip, stand_in: StandIn) -> None:
    result = sip("datasets", "add", "--uri", "s3://bucket/some/t.csv", "--detach")
    assert (result.exit_code, stand_in.datasets["t"]["status"]) == (0, "importing")
    assert "importing t by exp_0" in result.stdout


def test_an_import_that_fails_exits_1_and_says_why(sip: Sip, stand_in: StandIn) -> None:
    stand_in.ends_as = "failed"
    result = sip("datasets", "add", "--hub", "acme/tales", "--format", "wikitext")
    assert result.exit_code == 1
    assert "tales failed: CorpusError: line 3: expected a JSON object" in result.stdout
    assert "sip datasets delete tales" in result.stderr
    stand_in.datasets.clear()
    result = sip("datasets", "add", "--hub", "acme/tales", "--json")
    assert (result.exit_code, json.loads(result.stdout)["error"]["type"]) == (1, "CorpusError")


def test_neither_file_nor_builtin_is_wrong_usage(sip: Sip) -> None:
    result = sip("datasets", "add")
    assert result.exit_code == 2
    assert "expected a file, --builtin, --path, --uri or --hub; found none" in flat(result.stderr)
    result = sip("datasets", "add", "--builtin", "python-docs", "--hub", "a/b")
    assert (result.exit_code, "found 2 of them" in flat(result.stderr)) == (2, True)
    result = sip("datasets", "add", "--path", "/data/x.csv", "--text-column", "t")
    assert (result.exit_code, "--text-column: expected with --hub only" in flat(result.stderr)) == (2, True)
    result = sip("datasets", "add", "--hub", "a/b", "--format", "csv")
    assert (result.exit_code, "expected wikitext or none" in flat(result.stderr)) == (2, True)


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
