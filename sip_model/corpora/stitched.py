"""Texts put together from passages of several sources, cut between sentences: what spans are fitted and
tested on."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from sip_model.corpora.chunking import IntArray
from sip_model.corpora.samples import Samples
from sip_model.corpora.sentences import sentence_starts

PASSAGE_CHUNKS = (2, 4)
"""Chunks of a source's passage, fewest and most, where its document has so many side by side."""
MAX_DRAWS = 20
"""For each text; a text whose draw comes to nothing is drawn again."""


class Stitched(NamedTuple):
    """A text and where its sources begin."""

    text: str
    starts: tuple[int, ...]
    """Code points, 0 first, one for each of `sources`."""
    sources: tuple[int, ...]
    """Numbers, none beside itself."""


def stitch(samples: Samples, rows: IntArray, num_passages: int, count: int, seed: int) -> list[Stitched]:
    """Draw texts of several passages; each ends with its last whole sentence, and the next one begins with
    its first whole one. Passages that would lose more than half are drawn again, as are neighbours of the
    same source. Chunks of several sources take no part.

    Args:
        samples: their chunks stand in for text; neighbouring ones are joined by a space.
        rows: the chunks to draw from, ascending.
        num_passages: of every text.
        count: of the texts.
        seed: of the draw.

    Returns:
        `count` texts; fewer where most draws come to nothing.
    """
    runs = _runs(samples, [row for row in rows.tolist() if len(samples.positives[row]) == 1])
    generator = np.random.default_rng(seed)
    found: list[Stitched] = []
    for _ in range(MAX_DRAWS * count if runs else 0):
        drawn = [_draw(runs, generator) for _ in range(num_passages)]
        sources = tuple(_source(samples, run) for run in drawn)
        texts = [" ".join(samples.texts[row] for row in run) for run in drawn]
        parts = [
            _whole_sentences(text, begins=number > 0, ends=number < num_passages - 1)
            for number, text in enumerate(texts)
        ]
        is_long = all(2 * len(part) >= len(text) for part, text in zip(parts, texts, strict=True))
        if is_long and all(one != other for one, other in pairwise(sources)):
            starts = np.cumsum([0, *(len(part) + 1 for part in parts[:-1])])
            found.append(Stitched(" ".join(parts), tuple(starts.tolist()), sources))
        if len(found) == count:
            break
    return found


def _runs(samples: Samples, rows: Sequence[int]) -> list[list[int]]:
    """Rows that follow one another in a document; single ones too where those are of one source at most."""
    runs: list[list[int]] = []
    for before, row in pairwise([-1, *rows]):
        follows = (
            before >= 0
            and samples.documents[before] == samples.documents[row]
            and samples.chunks[before] + 1 == samples.chunks[row]
            and _source(samples, [before]) == _source(samples, [row])
        )
        if follows:
            runs[-1].append(row)
        else:
            runs.append([row])
    long = [run for run in runs if len(run) >= PASSAGE_CHUNKS[0]]
    return long if len({_source(samples, run) for run in long}) > 1 else runs


def _draw(runs: Sequence[list[int]], generator: np.random.Generator) -> list[int]:
    run = runs[int(generator.integers(len(runs)))]
    size = int(generator.integers(PASSAGE_CHUNKS[0], PASSAGE_CHUNKS[1] + 1))
    start = int(generator.integers(max(1, len(run) - size + 1)))
    return run[start : start + size]


def _source(samples: Samples, run: Sequence[int]) -> int:
    return int(samples.positives[run[0]][0])


def _whole_sentences(text: str, *, begins: bool, ends: bool) -> str:
    """A text from its first whole sentence on where it `begins` with it, up to its last where it `ends`; one
    without a break between sentences is taken as it is."""
    edges = sentence_starts(text).tolist()[1:]
    first = edges[0] if begins and edges else 0
    last = edges[-1] if ends and edges else len(text)
    return text[first:last].rstrip()
