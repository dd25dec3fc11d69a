"""The hostile-input catalogue: what strangers send, and the status that each is answered with."""

from tests.security import origins, requests
from tests.security.hostile import Hostile


def catalogue() -> list[Hostile]:
    """All of it, each entry under a name of its own."""
    parts = (
        requests.keys, requests.scopes, requests.methods_and_headers, requests.bodies, requests.shapes,
        requests.sizes, requests.paths, requests.queries, origins.origins, origins.backbones,
        origins.multipart, origins.files, origins.names,
    )  # fmt: skip
    return [hostile for part in parts for hostile in part()]
