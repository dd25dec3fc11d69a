"""What the benchmark of answers measures, and the page it writes."""

import numpy as np

from benchmarks.backing import problems_of, summary
from benchmarks.backing_measures import draw_quotes
from benchmarks.backing_page import backing_page
from sip_model.evidence.passages import Passage

TEXT = "one two three four five six seven eight nine ten eleven twelve"


def passage(first: str, last: str) -> Passage:
    start, end = TEXT.index(first), TEXT.index(last) + len(last)
    return Passage("book", start, end, TEXT[start:end])


def measured(evidence: list[int], identifier: list[int], covered: list[int]) -> dict[str, object]:
    documents = ["a", "a", "b", "b"]
    sets = {"documents": documents, "covered": covered, "sizes": [1, 2, 3, 4]}
    return {
        "evidence": {
            "documents": documents,
            "identifier": identifier,
            "evidence": evidence,
            "features_alone": [0, 0, 0, 1],
        },
        "quotes": {"documents": ["a"], "found": [1], "features_alone": [0]},
        "sets": {"0.8": sets, "0.9": sets, "0.95": sets},
        "evidence_bytes": 2_000_000,
    }


def test_quotes_reach_over_passages_that_stand_beside_each_other_and_over_no_gap() -> None:
    kept = {0: passage("one", "three"), 1: passage("four", "six"), 2: passage("eight", "ten")}
    quotes = draw_quotes(kept, {"book": TEXT}, 100, 4, seed=0)
    assert [TEXT[quote.start : quote.end] for quote in quotes] == [
        "one two three four",
        "two three four five",
        "three four five six",
    ]
    assert draw_quotes(kept, {"book": TEXT}, 2, 4, seed=1) == draw_quotes(kept, {"book": TEXT}, 2, 4, seed=1)
    assert draw_quotes(kept, {"book": TEXT}, 100, 9, seed=0) == []


def test_what_does_not_hold_is_named() -> None:
    good = summary([measured([1, 1, 0, 0], [1, 0, 0, 0], [1, 1, 1, 1])])
    assert good["top1"] == {"identifier": 0.25, "evidence": 0.5, "features_alone": 0.25}
    assert good["difference"]["mean"] == 0.25
    bad = summary([measured([0, 0, 0, 0], [1, 0, 0, 0], [1, 1, 1, 0])])
    problems = list(problems_of({"corpora": {"books": bad}}))
    assert len(problems) == 4
    assert "less often than the identifier" in problems[0]


def test_the_page_shows_the_numbers() -> None:
    result = summary([measured([1, 1, 0, 0], [1, 0, 0, 0], [1, 1, 1, 0])] * 2)
    page = backing_page(
        {"command": "python -m benchmarks.backing", "seeds": [0], "corpora": {"books": result}}
    )
    assert "| books | 8 | 0.250 | 0.500 | +0.2500 [" in page
    assert "| books | 2 | 1.0000 | 0.0000 | 2.0 MB |" in page
    assert "| books | 0.9 | 0.750 [" in page
    assert np.isclose(result["sets"]["0.9"]["mean_size"], 2.5)
