"""Bad input, and what the service says to it: a Markdown table, also written to docs/bad-input.md.

    python -m benchmarks.bad_input [--url URL | --port PORT] [--page FILE]

Exits with 1 when an answer isn't the one expected, isn't a problem document (RFC 9457) that names the field,
or when something was left behind.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from benchmarks.bad_cases import Case, config_cases, corpus_cases, text_cases, training_corpus
from benchmarks.service import open_service
from client import ApiError, Client
from client.paging import iterate_pages

NAME = "bad-input"
"""Of the dataset and model that the requests need."""
PROBLEM = "application/problem+json"
MEMBERS = ("type", "title", "status", "detail", "instance")


class PreparationFailedError(Exception):
    """The model to ask couldn't be trained; the message says why."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back for one case."""

    case: Case
    status: int
    message: str
    faults: tuple[str, ...]
    """What is wrong with it; empty: nothing."""


def main() -> int:
    arguments = _parser().parse_args()
    with open_service(arguments.url, arguments.port) as client:
        _prepare(client)
        before = _counts(client)
        with httpx.Client(base_url=client.base_url, timeout=120, trust_env=False) as http:
            answers = [_ask(http, case) for case in (*corpus_cases(), *config_cases(NAME), *text_cases(NAME))]
        after = _counts(client)
    page = _page(answers, before, after)
    arguments.page.write_text(page, encoding="utf-8")
    print(page)
    problems = [f"{answer.case.sent}: {fault}" for answer in answers for fault in answer.faults]
    if before != after:
        problems.append(f"something was left behind: {before} became {after}")
    for problem in problems:
        print(f"NOT SO: {problem}")
    return int(bool(problems))


def _prepare(client: Client) -> None:
    """Have a dataset and a model of one name, so that only what is tested is wrong about a request."""
    if not _has(lambda: client.datasets.get(NAME)):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "corpus.jsonl"
            path.write_bytes(training_corpus())
            client.datasets.upload(path, NAME)
    if not _has(lambda: client.models.get(NAME)):
        queued = client.experiments.create("train", NAME, config={"training": {"epochs": 2}})
        experiment = client.wait(queued["id"], timeout_seconds=600)
        if experiment["status"] != "succeeded":
            raise PreparationFailedError(f"training {experiment['status']}: {experiment['error']}")


def _has(look: Callable[[], object]) -> bool:
    try:
        look()
    except ApiError as error:
        if error.status != 404:
            raise
        return False
    return True


def _counts(client: Client) -> dict[str, int]:
    """How many datasets, experiments and models there are."""
    return {
        "datasets": sum(1 for _ in iterate_pages(lambda cursor: client.datasets.list(cursor=cursor))),
        "experiments": sum(1 for _ in iterate_pages(lambda cursor: client.experiments.list(cursor=cursor))),
        "models": sum(1 for _ in iterate_pages(lambda cursor: client.models.list(cursor=cursor))),
    }


def _ask(http: httpx.Client, case: Case) -> Answer:
    files = None if case.file is None else {"file": case.file}
    response = http.post(case.path, json=case.body, data=case.form, files=files)
    found = tuple(_faults(case, response))
    return Answer(case, response.status_code, _message(response), found)


def _faults(case: Case, response: httpx.Response) -> Iterator[str]:
    if response.status_code != case.status:
        yield f"expected status {case.status}, found {response.status_code}"
    elif case.status == 200:
        result = response.json()["results"][0]
        if result["truncated"] is not case.is_truncated:
            yield f"expected truncated {case.is_truncated}, found {result['truncated']}"
        total = sum(entry["probability"] for entry in result["distribution"])
        if abs(total + result["other"] + result["unknown"] - 1) > 1e-6:
            yield "the distribution doesn't sum to 1"
    else:
        yield from _problem_faults(case, response)


def _problem_faults(case: Case, response: httpx.Response) -> Iterator[str]:
    """What makes an answer no problem document, or one that doesn't name field, expected and found."""
    if response.headers.get("content-type") != PROBLEM:
        yield f"expected {PROBLEM}, found {response.headers.get('content-type')}"
        return
    problem = response.json()
    missing = [name for name in MEMBERS if not problem.get(name)]
    if missing:
        yield f"lacks {', '.join(missing)}"
    if problem.get("status") != response.status_code:
        yield "its status is not that of the answer"
    errors = problem.get("errors") or []
    named = [error for error in errors if tuple(error["loc"][: len(case.loc)]) == case.loc]
    if not named:
        yield f"expected an error at {list(case.loc)}, found {[error['loc'] for error in errors]}"
    elif not all("expected " in error["msg"] and "found " in error["msg"] for error in named):
        yield "doesn't say what was expected and what was found"


def _message(response: httpx.Response) -> str:
    """The problem's detail, or of an answer what it says of the text."""
    content = response.json()
    if response.status_code != 200:
        return str(content.get("detail", ""))
    result = content["results"][0]
    return f"classified; truncated: {json.dumps(result['truncated'])}"


def _page(answers: Sequence[Answer], before: dict[str, int], after: dict[str, int]) -> str:
    rows = "\n".join(
        f"| {_cell(answer.case.sent)} | {answer.status} | {_cell(answer.message)} |" for answer in answers
    )
    return (
        "# Bad input\n\n"
        "This page is made by a script, which fails when an answer isn't as it should be; don't edit it.\n\n"
        "```sh\npython -m benchmarks.bad_input\n```\n\n"
        "Each 422 is an `application/problem+json` document; the message is its `detail`, and `errors` holds "
        "the field (`loc`) and what was expected and found for each field.\n\n"
        f"| what was sent | status | message |\n| --- | --- | --- |\n{rows}\n\n"
        f"Left behind: {_difference(before, after)}.\n"
    )


def _difference(before: dict[str, int], after: dict[str, int]) -> str:
    """How many more there are of each than before."""
    return ", ".join(f"{after[name] - count} {name}" for name, count in before.items())


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Bad input, and what the service says to it.")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--url", help="a service that runs already; a dataset and a model are added to it")
    where.add_argument(
        "--port", type=int, help="where the service that is started listens; else any free one"
    )
    parser.add_argument("--page", type=Path, default=Path("docs/bad-input.md"))
    return parser


if __name__ == "__main__":
    sys.exit(main())
