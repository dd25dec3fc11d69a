"""Kind `duplicates`: the near-duplicates of a dataset."""

import json
from dataclasses import asdict

from sip_model.corpora.duplicate_report import report_duplicates
from sip_model.corpora.samples import deal_chunks
from sip_model.corpora.store import Corpus
from sip_model.experiments.config import SplitConfig
from sip_model.experiments.duplicates import DuplicatesConfig
from worker.jobs.context import JobContext
from worker.jobs.reading import report_memory
from worker.jobs.results import JSON


def run(context: JobContext[DuplicatesConfig]) -> None:
    """Look at the chunks that a training would choose among; leave ``duplicates.json``."""
    config = context.config
    context.progress("samples", 0, 2, "steps")
    dealt = deal_chunks(
        Corpus(context.corpus_path), config.chunk, config.sources, SplitConfig(), context.seed
    )
    context.progress("duplicates", 1, 2, "steps")
    report = report_duplicates(dealt, config.duplicates.listed, context.kept)
    path = context.scratch / "duplicates.json"
    path.write_text(json.dumps(asdict(report), ensure_ascii=False, indent=1), encoding="utf-8")
    context.artifact(path.name, path, JSON)
    context.metric("data/chunks", report.chunks)
    context.metric("data/near_duplicates", report.in_groups)
    context.metric("data/near_duplicate_groups", report.groups)
    context.metric("data/near_duplicate_groups_across_sources", report.across_sources)
    context.progress("duplicates", 2, 2, "steps")
    report_memory(context)
