"""From a corpus to the samples of an experiment: chunk, choose, split, merge and drop duplicates."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sip_model.corpora.chunking import IntArray, Offsets, chunk_spans
from sip_model.corpora.duplicates import first_of_equals, near_duplicate_clusters
from sip_model.corpora.given import given_parts
from sip_model.corpora.inventory import Inventory, take_inventory
from sip_model.corpora.selection import Kept, LeftOut, choose_chunks, choose_sources
from sip_model.corpora.shots import draw_per_source
from sip_model.corpora.split import LEFT_OUT, PARTS, TRAIN, PartArray, deal_parts
from sip_model.corpora.store import Corpus
from sip_model.errors import InvalidInputError
from sip_model.experiments.config import ChunkConfig, SourcesConfig, SplitConfig
from sip_model.kept import NOT_KEPT, KeptResults


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """The samples of an experiment: n chunks of C sources in four parts, in the order of the corpus."""

    texts: list[str]
    documents: list[str]
    """(n,) id of the document each chunk was cut from."""
    starts: IntArray
    ends: IntArray
    """(n,) code points of the document."""
    chunks: IntArray
    """(n,) number of the chunk in its document."""
    positives: list[IntArray]
    """n arrays of source numbers, ascending, at least one each."""
    parts: PartArray
    """(n,) index into `PARTS`."""
    sources: tuple[str, ...]
    """(C,) in order of first appearance in the corpus."""
    authors: tuple[str | None, ...]
    """(C,) the author on whom all documents of the source agree."""
    left_out: tuple[LeftOut, ...]
    """Sources with fewer chunks than `min_per_source`."""
    split_sha256: str
    """Of document, start, end, part and sources of every sample."""
    dropped_near_duplicates: int
    """Chunks dropped because a near-duplicate of them is in another part."""
    merged_duplicates: int
    """Chunks merged into an equal one that came first."""

    def part(self, *names: str) -> IntArray:
        """Numbers of the samples in one or several parts, named as in `PARTS`, ascending."""
        return np.flatnonzero(np.isin(self.parts, [PARTS.index(name) for name in names]))


def prepare_samples(
    corpus: Corpus,
    chunk: ChunkConfig,
    sources: SourcesConfig,
    split: SplitConfig,
    seed: int,
    offsets: Offsets | None = None,
    kept: KeptResults = NOT_KEPT,
) -> Samples:
    """Read a corpus twice and make samples of it; the same arguments give the same samples.

    Memory is bounded by the chosen chunks, the longest document and about 30 bytes per document.

    Args:
        corpus: a normalised corpus.
        chunk: length of chunks and how many per source.
        sources: which sources.
        split: how the chunks are dealt to the parts.
        seed: not negative; turns the split and draws sources where `sources.select` is `random`.
        offsets: the backbone's tokenizer, needed when `chunk.num_tokens` is set.
        kept: where the clusters of near-duplicates are found again.

    Raises:
        InvalidInputError: fewer than two sources take part, or a part is left without samples.
        CorpusError: `split.by` is `given` and a document's own split is missing or unknown.
    """
    dealt = deal_chunks(corpus, chunk, sources, split, seed, offsets)
    inventory, chosen, pieces, parts = dealt.inventory, dealt.chosen, dealt.pieces, dealt.parts

    positives = _positives(inventory, dealt.kept.documents, chosen)
    in_part = np.flatnonzero(parts != LEFT_OUT)
    unique = _merge_equals(in_part, pieces.texts, positives)
    numbers = unique
    if split.deduplicate:
        clusters = near_duplicate_clusters([pieces.texts[number] for number in unique.tolist()], kept)
        numbers = unique[_in_main_part(clusters, parts[unique])]
    num_without_duplicates = len(numbers)
    if chunk.train_per_source is not None:
        is_drawn = draw_per_source(
            [positives[number] for number in numbers.tolist()],
            parts[numbers] == TRAIN,
            chunk.train_per_source,
            seed,
        )
        numbers = numbers[is_drawn | (parts[numbers] != TRAIN)]
    _check_parts(parts[numbers], split)

    documents = [pieces.documents[number] for number in numbers.tolist()]
    labels = [positives[number] for number in numbers.tolist()]
    starts, ends, parts = pieces.starts[numbers], pieces.ends[numbers], parts[numbers]
    names = tuple(inventory.sources[number] for number in chosen.tolist())
    return Samples(
        texts=[pieces.texts[number] for number in numbers.tolist()],
        documents=documents,
        starts=starts,
        ends=ends,
        chunks=dealt.kept.chunks[numbers],
        positives=labels,
        parts=parts,
        sources=names,
        authors=tuple(inventory.authors[number] for number in chosen.tolist()),
        left_out=dealt.left_out,
        split_sha256=_split_sha256(documents, starts, ends, parts, labels, names),
        dropped_near_duplicates=len(unique) - num_without_duplicates,
        merged_duplicates=len(in_part) - len(unique),
    )


def kept_texts(
    corpus: Corpus,
    chunk: ChunkConfig,
    sources: SourcesConfig,
    seeds: Sequence[int],
    offsets: Offsets | None = None,
) -> list[str]:
    """The distinct texts that `prepare_samples` chooses among under any split and any of these seeds, in the
    order of the corpus; only the choice of sources hangs on the seed, and only where `select` is `random`.

    Raises:
        InvalidInputError: fewer than two sources take part.
    """
    inventory = take_inventory(corpus, chunk, offsets)
    chosen = np.unique(
        np.concatenate(
            [choose_sources(inventory, sources, chunk.min_per_source, seed)[0] for seed in sorted(set(seeds))]
        )
    )
    kept = choose_chunks(inventory, chosen, chunk.max_per_source)
    return list(dict.fromkeys(_cut(corpus, kept, chunk, offsets).texts))


@dataclass(frozen=True, slots=True, eq=False)
class Pieces:
    """The kept chunks, n of them, cut out of their documents."""

    texts: list[str]
    documents: list[str]
    splits: list[str | None]
    starts: IntArray
    ends: IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Dealt:
    """The kept chunks of a corpus and their parts, before equal and nearly equal ones are looked for."""

    inventory: Inventory
    chosen: IntArray
    """(C,) numbers of the sources that take part, ascending."""
    left_out: tuple[LeftOut, ...]
    kept: Kept
    pieces: Pieces
    parts: PartArray
    """(n,) index into `PARTS`, or `LEFT_OUT`."""


def deal_chunks(
    corpus: Corpus,
    chunk: ChunkConfig,
    sources: SourcesConfig,
    split: SplitConfig,
    seed: int,
    offsets: Offsets | None = None,
) -> Dealt:
    """Choose sources and chunks and deal them to the parts; arguments and errors as in `prepare_samples`."""
    inventory = take_inventory(corpus, chunk, offsets)
    chosen, left_out = choose_sources(inventory, sources, chunk.min_per_source, seed)
    kept = choose_chunks(inventory, chosen, chunk.max_per_source)
    pieces = _cut(corpus, kept, chunk, offsets)
    given = given_parts(pieces.splits, pieces.documents) if split.by == "given" else None
    return Dealt(inventory, chosen, left_out, kept, pieces, deal_parts(kept, split, seed, given))


def _cut(corpus: Corpus, kept: Kept, chunk: ChunkConfig, offsets: Offsets | None) -> Pieces:
    numbers, firsts = np.unique(kept.documents, return_index=True)
    lasts = dict(zip(numbers.tolist(), [*firsts[1:].tolist(), len(kept.documents)], strict=True))
    pieces = Pieces([], [], [], np.empty_like(kept.chunks), np.empty_like(kept.chunks))
    start = 0
    for number, document in corpus.documents_at(numbers):
        end = lasts[number]
        spans = chunk_spans(document.text, chunk, offsets)
        pieces.starts[start:end], pieces.ends[start:end] = (edges[kept.chunks[start:end]] for edges in spans)
        for left, right in zip(
            pieces.starts[start:end].tolist(), pieces.ends[start:end].tolist(), strict=True
        ):
            pieces.texts.append(document.text[left:right])
            pieces.documents.append(document.document)
            pieces.splits.append(document.split)
        start = end
    return pieces


def _positives(inventory: Inventory, documents: IntArray, chosen: IntArray) -> list[IntArray]:
    """For each of n chunks, the numbers of its document's sources among the `chosen`, ascending."""
    per_document = {
        number: np.flatnonzero(
            np.isin(chosen, inventory.indices[slice(*inventory.indptr[number : number + 2])])
        )
        for number in np.unique(documents).tolist()
    }
    return [per_document[number] for number in documents.tolist()]


def _merge_equals(numbers: IntArray, texts: list[str], positives: list[IntArray]) -> IntArray:
    """Of the chunks `numbers`, those that are the first of their text; they take over the others' sources."""
    firsts = numbers[first_of_equals([texts[number] for number in numbers.tolist()])]
    for number, first in zip(numbers.tolist(), firsts.tolist(), strict=True):
        if number != first:
            positives[first] = np.union1d(positives[first], positives[number])
    return np.asarray(numbers[numbers == firsts])


def _in_main_part(clusters: IntArray, parts: PartArray) -> npt.NDArray[np.bool_]:
    """Whether each of n chunks is in the part that holds most of its cluster; the earlier part wins a tie."""
    counts = np.bincount(clusters * 4 + parts, minlength=4 * len(clusters)).reshape(-1, 4)  # (n, 4)
    return np.asarray(counts.argmax(axis=1)[clusters] == parts)


def _check_parts(parts: PartArray, split: SplitConfig) -> None:
    missing = [name for number, name in enumerate(PARTS) if not np.any(parts == number)]
    if missing:
        hint = "Documents are too few or too short for this rule; `block` or `position` need the least"
        expected = f"samples in every part when split by {split.by}"
        raise InvalidInputError(("split", "by"), expected, f"none in {', '.join(missing)}", hint)


def _split_sha256(
    documents: list[str],
    starts: IntArray,
    ends: IntArray,
    parts: PartArray,
    positives: list[IntArray],
    sources: tuple[str, ...],
) -> str:
    digest = hashlib.sha256()
    columns = (documents, starts.tolist(), ends.tolist(), parts.tolist(), positives)
    for document, start, end, part, labels in zip(*columns, strict=True):
        row = [document, start, end, PARTS[part], [sources[label] for label in labels.tolist()]]
        digest.update(json.dumps(row).encode() + b"\n")
    return digest.hexdigest()
