from client import Client


def test_models_are_listed_with_their_version(client: Client) -> None:
    models = client.models.list()["data"]
    assert [(model["name"], model["version"]) for model in models] == [("stand-in", 1)]


def test_a_model_becomes_the_default(client: Client) -> None:
    assert client.models.set_default("stand-in@1")["is_default"]


def test_a_model_tells_all_its_sources(client: Client) -> None:
    assert sum(1 for _ in client.models.sources("mdl_0")) == 1200
