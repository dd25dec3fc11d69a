"""A corpus' near-duplicates for people: how many, which sources share them, the largest groups."""

from collections import defaultdict
from dataclasses import dataclass

from sip_model.corpora.duplicates import near_duplicate_clusters, normal_form
from sip_model.corpora.samples import Dealt
from sip_model.kept import NOT_KEPT, KeptResults

NUM_EXAMPLES = 3
"""Different texts shown of a group."""


@dataclass(frozen=True, slots=True)
class DuplicateGroup:
    """Chunks that near-duplicates link."""

    chunks: int
    sources: list[str]
    """Of all of them, in order of first appearance in the corpus."""
    documents: int
    """Distinct documents they were cut from."""
    examples: list[str]
    """Some of its texts, no two with the same normal form."""


@dataclass(frozen=True, slots=True)
class DuplicateReport:
    """What is found among the chunks that an experiment would choose."""

    chunks: int
    """Chunks looked at."""
    in_groups: int
    """Those of them that have a near-duplicate."""
    groups: int
    across_sources: int
    """Groups whose chunks have no source in common."""
    largest: list[DuplicateGroup]


def report_duplicates(dealt: Dealt, listed: int, kept: KeptResults = NOT_KEPT) -> DuplicateReport:
    """Group the chunks; whether two are near-duplicates is said in `near_duplicate_clusters`.

    Args:
        dealt: the chosen chunks of a corpus.
        listed: groups described at most.
        kept: where the clusters are found again.
    """
    members: dict[int, list[int]] = defaultdict(list)
    for number, label in enumerate(near_duplicate_clusters(dealt.pieces.texts, kept).tolist()):
        members[label].append(number)
    groups = sorted((group for group in members.values() if len(group) > 1), key=len, reverse=True)
    sources = [[_sources(dealt, number) for number in group] for group in groups]
    return DuplicateReport(
        chunks=len(dealt.pieces.texts),
        in_groups=sum(map(len, groups)),
        groups=len(groups),
        across_sources=sum(not frozenset.intersection(*each) for each in sources),
        largest=[
            _described(dealt, group, each)
            for group, each in zip(groups[:listed], sources[:listed], strict=True)
        ],
    )


def _sources(dealt: Dealt, number: int) -> frozenset[int]:
    first, end = dealt.inventory.indptr[dealt.kept.documents[number] :][:2].tolist()
    return frozenset(dealt.inventory.indices[first:end].tolist())


def _described(dealt: Dealt, group: list[int], sources: list[frozenset[int]]) -> DuplicateGroup:
    texts = {normal_form(text): text for text in reversed([dealt.pieces.texts[number] for number in group])}
    return DuplicateGroup(
        chunks=len(group),
        sources=[dealt.inventory.sources[number] for number in sorted(frozenset.union(*sources))],
        documents=len({dealt.pieces.documents[number] for number in group}),
        examples=list(texts.values())[::-1][:NUM_EXAMPLES],
    )
