"""Made-up layers to probe."""

from dataclasses import dataclass, replace

import numpy as np
import torch

from sip_model.analysis.control_task import chunk_types, control_task
from sip_model.analysis.probe_rows import ProbeRows
from sip_model.analysis.probing import ProbeSamples
from sip_model.identifiers.positives import IntArray, Positives
from tests.sip_model.identifiers.clusters import make_clusters, one_each


def make_rows(num_labels: int = 6, per_label: int = 40, *, spread: float = 2.0, seed: int = 0) -> ProbeRows:
    """Points around one centre per label, in 12 dimensions."""
    clusters = make_clusters(num_labels, per_label, 12, spread=spread, seed=seed)
    return ProbeRows(torch.from_numpy(clusters.features), clusters.positives, num_labels)


def parts_of(rows: ProbeRows) -> tuple[ProbeRows, ProbeRows, ProbeRows]:
    """Every fifth sample for validation, every fifth for test, the others for training."""
    places = np.arange(len(rows)) // rows.num_labels % 5
    return tuple(rows.take(np.flatnonzero(chosen)) for chosen in (places > 1, places == 0, places == 1))  # type: ignore[return-value]  # three


@dataclass(frozen=True, slots=True, eq=False)
class WordCorpus:
    """n chunks, each of one telling word among words that all sources use."""

    texts: list[str]
    words: IntArray
    """(n,) number of the telling word."""
    sources: IntArray
    """(n,) its source."""
    samples: ProbeSamples


def make_word_corpus(
    num_sources: int = 5, words_per_source: int = 3, per_word: int = 20, *, seeds: int = 2
) -> WordCorpus:
    """A corpus in which a chunk's source follows from its telling word; one document per source."""
    words = np.tile(np.arange(num_sources * words_per_source), per_word)
    sources = words % num_sources
    letters = [chr(ord("a") + number) for number in range(26)]
    texts = [f"the {letters[word % 26]}tale{letters[word // 26]} of the and the" for word in words.tolist()]
    position = np.arange(len(words)) // (num_sources * words_per_source) % 5
    train, validation, test = (np.flatnonzero(p) for p in (position > 1, position == 0, position == 1))
    positives = one_each(sources)
    types = chunk_types(texts, train, int(np.bincount(sources[train]).max()))
    samples = ProbeSamples(
        positives=positives,
        num_sources=num_sources,
        documents=sources.astype(np.str_),
        train=train,
        validation=validation,
        test=test,
        controls=[control_task(types, train, positives, seed) for seed in range(seeds)],
    )
    return WordCorpus(texts, words, sources, samples)


def with_other_test_labels(samples: ProbeSamples, seed: int = 0) -> ProbeSamples:
    """The same samples, the labels of the test part dealt anew among its samples, control labels too."""
    shuffled = np.arange(len(samples.positives))
    shuffled[samples.test] = np.random.default_rng(seed).permutation(samples.test)
    return replace(
        samples,
        positives=samples.positives.take(shuffled),
        controls=[replace(task, positives=task.positives.take(shuffled)) for task in samples.controls],
    )


def several(lists: list[list[int]]) -> Positives:
    """Positives from plain lists."""
    return Positives.from_lists([np.array(labels) for labels in lists])
