"""Kind `classify`: the source distribution of every chunk of a dataset, as a table."""

import time

from sip_model.analysis.predictions import Spans
from sip_model.corpora.store import Corpus
from sip_model.experiments.classify import ClassifyConfig
from worker.jobs.context import JobContext
from worker.jobs.kept_table import KeptTable
from worker.jobs.reading import report_memory
from worker.jobs.results import PARQUET
from worker.jobs.trained import TrainedModel


def run(context: JobContext[ClassifyConfig]) -> None:
    """Stream the corpus through the model into ``results.parquet``, in the order of the corpus.

    A later attempt goes on behind the rows that an earlier one has kept.
    """
    model = TrainedModel.open(context)
    corpus = Corpus(context.corpus_path)
    table = KeptTable(context, model.loaded.sources, context.config.top_k)
    if table.num_kept:
        context.resumed(table.num_kept)
    num_documents, num_chunks, started = corpus.num_documents, 0, time.perf_counter()
    with context.writing_checkpoints():
        for batch in model.batches(corpus, context.config.chunk, skip=table.num_kept):
            found = model.loaded.classify([piece.text for piece in batch])
            spans = Spans(
                [piece.document for piece in batch],
                [piece.start for piece in batch],
                [piece.end for piece in batch],
            )
            table.write(spans, found.probabilities, found.unknown)
            num_chunks += len(batch)
            context.progress("classification", batch[-1].number + 1, num_documents, "documents")
            table.keep_if_due()
    path = context.scratch / "results.parquet"
    table.finish(path)
    context.artifact(path.name, path, PARQUET)
    context.metric("system/texts_per_second", num_chunks / (time.perf_counter() - started))
    report_memory(context)
