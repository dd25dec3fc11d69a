import subprocess
import sys
from pathlib import Path

import pytest

from sip_model.backbones.catalog import BackboneCatalog
from sip_model.errors import BackboneError
from sip_model.experiments.config import BackboneConfig
from tests.sip_model.backbones.tiny import HIDDEN_SIZE, MAX_TOKENS, NUM_LAYERS, make_tiny_backbone

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_tiny_backbone(tmp_path / "own", "gpt_neox")


@pytest.fixture
def catalog(folder: Path, tmp_path: Path) -> BackboneCatalog:
    """A local backbone `own`, and an empty cache of the hub."""
    return BackboneCatalog({"own": folder}, hub_cache=tmp_path / "hub")


def cache_snapshot(hub_cache: Path, id: str, family: str) -> None:
    """Put a backbone into the hub's cache, as a download of its main branch would."""
    repository = hub_cache / f"models--{id.replace('/', '--')}"
    make_tiny_backbone(repository / "snapshots" / COMMIT, family)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(COMMIT)


def test_everything_that_may_be_named_is_listed(catalog: BackboneCatalog) -> None:
    entries = {(entry.name, entry.kind) for entry in catalog.ids()}
    assert {("minilm", "bundled"), ("own", "local"), ("EleutherAI/pythia-*", "pattern")} <= entries


def test_the_bundled_backbone_is_described(catalog: BackboneCatalog) -> None:
    info = catalog.check(BackboneConfig())
    assert info is not None
    assert (info.family, info.is_causal, info.num_layers, info.hidden_size, info.max_tokens) == (
        "bert",
        False,
        6,
        384,
        256,
    )
    assert info.poolings == ("mean", "cls")


def test_a_local_backbone_is_described_without_its_weights(catalog: BackboneCatalog, folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    info = catalog.check(BackboneConfig(id="own"))
    assert info is not None
    assert (info.id, info.family, info.is_causal) == ("own", "gpt_neox", True)
    assert (info.num_layers, info.hidden_size, info.max_tokens) == (NUM_LAYERS, HIDDEN_SIZE, MAX_TOKENS)
    assert info.poolings == ("mean", "last")


def test_a_hub_id_that_is_not_here_is_left_to_the_worker(catalog: BackboneCatalog) -> None:
    assert catalog.check(BackboneConfig(id="EleutherAI/pythia-70m", layers=(99,))) is None


def test_a_hub_id_that_is_here_is_checked_and_named_by_commit(
    catalog: BackboneCatalog, tmp_path: Path
) -> None:
    cache_snapshot(tmp_path / "hub", "EleutherAI/pythia-70m", "gpt_neox")
    info = catalog.check(BackboneConfig(id="EleutherAI/pythia-70m"))
    assert info is not None
    assert info.revision == COMMIT
    with pytest.raises(BackboneError) as caught:
        catalog.check(BackboneConfig(id="EleutherAI/pythia-70m", layers=(99,)))
    assert caught.value.loc == ("backbone", "layers", 0)


def test_a_commit_that_is_here_loads_without_the_network(catalog: BackboneCatalog, tmp_path: Path) -> None:
    cache_snapshot(tmp_path / "hub", "EleutherAI/pythia-70m", "gpt_neox")
    backbone = catalog.load("EleutherAI/pythia-70m", COMMIT, "cpu", "float32")
    assert backbone.info.revision == COMMIT


@pytest.mark.parametrize(
    "id",
    [
        "evil/pythia-70m",
        "gpt2-evil/model",
        "EleutherAI/pythia-70m/../../x",
        "../own",
        "/etc",
        "file:///etc",
        "https://example.org/gpt2",
        "gpt2\0",
        "EleutherAI/pythia-..",
        "EleutherAI/pythia-70m\n",
        "gpt2\\x",
    ],
)
def test_an_id_off_the_list_is_refused_before_anything_is_looked_at(
    id: str, catalog: BackboneCatalog
) -> None:
    for act in (
        lambda: catalog.check(BackboneConfig(id=id)),
        lambda: catalog.fetch(id),
        lambda: catalog.load(id),
    ):
        with pytest.raises(BackboneError) as caught:
            act()
        assert caught.value.loc == ("backbone", "id")
        assert id not in str(caught.value)


@pytest.mark.parametrize("revision", ["../main", "a b", "", "main\0", "-x", "a/../b"])
def test_a_revision_that_is_none_is_refused(revision: str, catalog: BackboneCatalog) -> None:
    with pytest.raises(BackboneError) as caught:
        catalog.check(BackboneConfig(id="gpt2", revision=revision))
    assert caught.value.loc == ("backbone", "revision")


def test_altered_content_does_not_answer_to_its_old_revision(catalog: BackboneCatalog, folder: Path) -> None:
    revision = catalog.fetch("own").revision
    assert catalog.load("own", revision, "cpu", "float32").info.revision == revision
    make_tiny_backbone(folder, "gpt_neox", seed=1)
    assert catalog.fetch("own").revision != revision
    with pytest.raises(BackboneError) as caught:
        catalog.load("own", revision, "cpu", "float32")
    assert caught.value.loc == ("backbone", "revision")


@pytest.mark.parametrize(
    ("config", "loc"),
    [
        (BackboneConfig(id="own", layers=(0, NUM_LAYERS + 1)), ("backbone", "layers", 1)),
        (BackboneConfig(id="own", pooling="cls"), ("backbone", "pooling")),
        (BackboneConfig(id="own", max_tokens=MAX_TOKENS + 1), ("backbone", "max_tokens")),
        (BackboneConfig(id="own", revision="0" * 64), ("backbone", "revision")),
    ],
)
def test_what_the_backbone_cannot_do_is_refused_by_field(
    config: BackboneConfig, loc: tuple[str | int, ...], catalog: BackboneCatalog
) -> None:
    with pytest.raises(BackboneError) as caught:
        catalog.check(config)
    assert caught.value.loc == loc


@pytest.mark.parametrize(
    "content", ["", "[]", "{", '{"model_type": "t5"}', '{"model_type": "bert"}', '{"model_type": 3}']
)
def test_a_config_that_describes_no_readable_model_is_refused(
    content: str, catalog: BackboneCatalog, folder: Path
) -> None:
    (folder / "config.json").write_text(content)
    with pytest.raises(BackboneError):
        catalog.check(BackboneConfig(id="own"))


def test_a_local_folder_that_is_gone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BackboneError, match=r"config\.json"):
        BackboneCatalog({"own": tmp_path / "gone"}).check(BackboneConfig(id="own"))


def test_checking_imports_no_torch() -> None:
    program = (
        "import sys; from sip_model.backbones.catalog import BackboneCatalog;"
        "import sip_model.backbones.cache; from sip_model.experiments.config import BackboneConfig;"
        "BackboneCatalog({}).check(BackboneConfig()); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
