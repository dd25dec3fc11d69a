"""Ways from hidden states to two dimensions, one per file."""

from sip_model.analysis.projections.base import FittingData, Method, Projection
from sip_model.analysis.projections.bottleneck import fit_bottleneck
from sip_model.analysis.projections.lda import fit_lda
from sip_model.analysis.projections.pca import fit_pca
from sip_model.analysis.projections.raw import fit_raw
from sip_model.analysis.projections.umap import fit_umap
from sip_model.experiments.geometry import ProjectionName

PROJECTIONS: dict[ProjectionName, Method] = {
    "pca": Method(fit_pca, uses_labels=False),
    "lda": Method(fit_lda, uses_labels=True),
    "raw": Method(fit_raw, uses_labels=False),
    "bottleneck": Method(fit_bottleneck, uses_labels=True),
    "umap": Method(fit_umap, uses_labels=False),
}

__all__ = ["PROJECTIONS", "FittingData", "Method", "Projection"]
