"""The checks of the block `honesty` of the kind `train`."""

from sip_model.analysis.entity_masking import mask_entities
from sip_model.analysis.leak_rate import leak_rate
from sip_model.analysis.lexical_baseline import lexical_baseline
from sip_model.analysis.scores import ranked
from sip_model.corpora.samples import Samples
from sip_model.experiments.honesty import HonestyConfig
from sip_model.identifiers.identifier import Identifier
from sip_model.identifiers.positives import Positives
from worker.jobs.context import JobContext
from worker.jobs.reading import BackboneReader


def report_honesty(
    context: JobContext[object],
    config: HonestyConfig,
    samples: Samples,
    positives: Positives,
    identifier: Identifier,
    reader: BackboneReader | None,
) -> dict[str, float]:
    """Record the checks asked for; returns their values by metric name.

    Args:
        reader: of the identifier's features; None where it reads n-grams only.
    """
    found: dict[str, float] = {}
    if config.leak_rate:
        context.progress("leak rate", 0, 1, "checks")
        found["data/leak_rate"] = leak_rate(samples)
    if config.entity_masked:
        found |= _score_masked(context, samples, positives, identifier, reader)
    for name, value in found.items():
        context.metric(name, value, split="test")
    return found


def _score_masked(
    context: JobContext[object],
    samples: Samples,
    positives: Positives,
    identifier: Identifier,
    reader: BackboneReader | None,
) -> dict[str, float]:
    """Accuracy on the test part with names and numbers replaced, of the identifier and of the baseline."""
    test, learned = samples.part("test"), samples.part("train", "validation")
    masked = mask_entities([samples.texts[row] for row in test.tolist()])
    features = None
    if reader is not None:
        cached = reader.read(masked, lambda done, total: context.progress("masked", done, total, "texts"))
        features = cached.features.reshape(len(masked), -1)
        # beside `system/features_computed`: these are other texts
        context.metric("system/masked_features_computed", cached.num_computed, backbone=reader.reading.id)
    logits = identifier.scored(masked, features).logits
    truth = positives.take(test)
    baseline = lexical_baseline(
        [samples.texts[row] for row in learned.tolist()],
        positives.take(learned),
        masked,
        context.seed,
        context.kept,
    )
    return {
        "eval/entity_masked_accuracy": float(truth.mark(ranked(logits, 1)).mean()),
        "baseline/lexical_entity_masked_accuracy": float(truth.mark(baseline[:, None]).mean()),
    }
