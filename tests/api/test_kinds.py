"""`/kinds`: what each kind takes, for forms."""

from starlette.testclient import TestClient

from sip_model.experiments.kinds import KINDS


def test_every_kind_says_what_it_takes_and_all_its_defaults(client: TestClient) -> None:
    kinds = {each["kind"]: each for each in client.get("/kinds").json()["data"]}
    assert list(kinds) == list(KINDS)
    assert [kind for kind, each in kinds.items() if not each["needs_dataset"]] == ["suite"]
    assert all(each["description"] for each in kinds.values())
    for each in kinds.values():
        assert set(each["config_defaults"]) == set(each["config_schema"]["properties"])
    assert kinds["train"]["config_defaults"]["chunk"]["num_words"] == 32
    chunk = kinds["train"]["config_schema"]["$defs"]["ChunkConfig"]["properties"]
    assert all(field["description"] for field in chunk.values())
