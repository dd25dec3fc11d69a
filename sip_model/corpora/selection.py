"""Which sources and which of their chunks take part in an experiment."""

from dataclasses import dataclass

import numpy as np

from sip_model.corpora.chunking import IntArray
from sip_model.corpora.inventory import Inventory
from sip_model.errors import InvalidInputError
from sip_model.experiments.config import SourcesConfig


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A source with too few chunks to take part."""

    source: str
    num_chunks: int


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """The chunks that take part, n of them, by document and place in it."""

    documents: IntArray
    """(n,) number of the document in the corpus, ascending."""
    chunks: IntArray
    """(n,) number of the chunk in its document, ascending within the document."""
    strata: IntArray
    """(n,) the source by which the document is dealt: the rarest of its sources."""


def choose_sources(
    inventory: Inventory, sources: SourcesConfig, min_per_source: int, seed: int
) -> tuple[IntArray, tuple[LeftOut, ...]]:
    """Numbers of the sources that take part, (C,) ascending, and those left out for want of chunks.

    Raises:
        InvalidInputError: fewer than two take part.
    """
    totals = inventory.num_source_chunks()
    able = np.flatnonzero(totals >= min_per_source)
    left_out = tuple(
        LeftOut(inventory.sources[number], int(totals[number]))
        for number in np.flatnonzero(totals < min_per_source).tolist()
    )
    if len(able) < 2:
        raise InvalidInputError(
            ("chunk", "min_per_source"),
            f"two sources or more with at least {min_per_source} chunks",
            f"{len(able)} of {len(totals)}",
            "Lower min_per_source, make the chunks shorter, or add text",
        )
    limit = sources.limit if sources.limit is not None else len(able)
    match sources.select:
        case "largest":
            able = able[np.argsort(-totals[able], kind="stable")]
        case "random":
            able = np.random.default_rng(seed).permutation(able)
        case "first":
            pass
    return np.sort(able[:limit]), left_out


def choose_chunks(inventory: Inventory, chosen: IntArray, max_per_source: int) -> Kept:
    """At most `max_per_source` chunks of each source, evenly spaced over all it has.

    No seed enters, so that features computed for one seed serve all. A chunk kept for one of its sources
    counts for the others too: a source of documents with several sources may end up with more.
    """
    documents = np.repeat(np.arange(len(inventory.num_chunks)), np.diff(inventory.indptr))  # (links,)
    taking_part = np.isin(inventory.indices, chosen)
    documents, links = documents[taking_part], inventory.indices[taking_part].astype(np.int64)
    order = np.argsort(links, kind="stable")
    documents = documents[order]
    starts = np.searchsorted(links[order], chosen)
    ends = np.append(starts[1:], len(documents))

    width = int(inventory.num_chunks.max())
    keys = [
        _spaced(inventory, documents[start:end], max_per_source, width)
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True)
    ]
    kept, chunks = np.divmod(np.unique(np.concatenate(keys)), width)

    rarest = _rarest_sources(documents, links[order], np.bincount(links), len(inventory.num_chunks))
    return Kept(documents=kept, chunks=chunks, strata=rarest[kept])


def _spaced(inventory: Inventory, documents: IntArray, num_kept: int, width: int) -> IntArray:
    """``document * width + chunk`` of the chunks kept of one source with these documents."""
    counts = inventory.num_chunks[documents].astype(np.int64)
    ends = np.cumsum(counts)
    total = int(ends[-1])
    num_kept = min(num_kept, total)
    places = (2 * np.arange(num_kept) + 1) * total // (2 * num_kept)  # the middles of equal stretches
    which = np.searchsorted(ends, places, side="right")
    return np.asarray(documents[which] * width + places - (ends - counts)[which])


def _rarest_sources(documents: IntArray, links: IntArray, num_documents: IntArray, size: int) -> IntArray:
    """The source with the fewest documents of each document, (size,); ties go to the first source."""
    rarest = np.full(size, -1)
    order = np.lexsort((-links, -num_documents[links]))  # the rarest is written last
    rarest[documents[order]] = links[order]
    return rarest
