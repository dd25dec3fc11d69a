"""All figures a study has the values for."""

from sip_model.figures.distribution import distributions
from sip_model.figures.honesty import honesty
from sip_model.figures.identifier_loss import identifier_loss
from sip_model.figures.layers import layers
from sip_model.figures.ngrams import ngrams
from sip_model.figures.perplexity import perplexity
from sip_model.figures.picture import Picture
from sip_model.figures.presets import classes, lengths, shots
from sip_model.figures.pretraining import pretraining
from sip_model.figures.probing import probing
from sip_model.figures.scatter import scatter
from sip_model.figures.silhouette import silhouette
from sip_model.figures.study import Study


def gallery(study: Study) -> list[Picture]:
    """The pictures in the order in which a report shows them; those without values are left out."""
    rows, encoders = study.main_rows, study.encoders
    pictures = [
        perplexity(rows, "lm/perplexity", encoders),
        perplexity(rows, "lm/bits_per_byte", encoders),
        silhouette(rows),
        probing(rows, encoders),
        layers(rows),
        scatter(study),
        lengths(study.rows),
        shots(study.rows),
        classes(study.rows),
        ngrams(study.rows),
        honesty(study.rows),
        pretraining(rows),
        identifier_loss(rows),
    ]
    return distributions(study) + [picture for picture in pictures if picture is not None]
