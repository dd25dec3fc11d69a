"""Kind `classify`: the source distribution of every chunk of a dataset, as a table."""

import time

from sip_model.analysis.predictions import PredictionTable, Spans
from sip_model.corpora.store import Corpus
from sip_model.experiments.classify import ClassifyConfig
from worker.jobs.context import JobContext
from worker.jobs.reading import report_memory
from worker.jobs.results import PARQUET
from worker.jobs.trained import TrainedModel


def run(context: JobContext[ClassifyConfig]) -> None:
    """Stream the corpus through the model into ``results.parquet``, in the order of the corpus."""
    model = TrainedModel.open(context)
    corpus = Corpus(context.corpus_path)
    num_documents, num_chunks, started = corpus.num_documents, 0, time.perf_counter()
    path = context.scratch / "results.parquet"
    with PredictionTable(path, model.loaded.sources, context.config.top_k) as table:
        for batch in model.batches(corpus, context.config.chunk):
            found = model.loaded.classify([piece.text for piece in batch])
            spans = Spans(
                [piece.document for piece in batch],
                [piece.start for piece in batch],
                [piece.end for piece in batch],
            )
            table.write(spans, found.probabilities, found.unknown)
            num_chunks += len(batch)
            context.progress("classification", batch[-1].number + 1, num_documents, "documents")
    context.artifact(path.name, path, PARQUET)
    context.metric("system/texts_per_second", num_chunks / (time.perf_counter() - started))
    report_memory(context)
