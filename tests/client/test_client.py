import pickle
import socket

import pytest

from client import ApiError, Client, ConnectionFailedError, UnexpectedAnswerError
from client.connection import Connection
from tests.client.stand_in import StandIn


def test_one_text_and_several_are_classified_in_their_order(client: Client, stand_in: StandIn) -> None:
    one = client.classify("a text")
    several = client.classify(["a text", "another"], model="stand-in@1", top_k=2)
    assert one["results"][0]["distribution"][0]["source"] == "source 1"
    assert [result["index"] for result in several["results"]] == [0, 1]
    assert stand_in.bodies == [
        {"input": "a text"},
        {"input": ["a text", "another"], "model": "stand-in@1", "top_k": 2},
    ]


def test_what_an_answer_rests_on_is_asked_for_by_name(client: Client, stand_in: StandIn) -> None:
    (result,) = client.classify("a text", evidence=1, coverage=0.9, explain=True)["results"]
    assert stand_in.bodies == [{"input": "a text", "evidence": 1, "coverage": 0.9, "explain": True}]
    assert [token["weight"] for token in result["saliency"]] == [-0.25, 1.5]
    assert result["evidence"][0]["document"] == "book 1"
    assert [member["source"] for member in result["conformal_set"]] == ["source 1", "source 2"]


def test_spans_are_asked_for_by_their_level(client: Client, stand_in: StandIn) -> None:
    (result,) = client.classify("a text", level="token")["results"]
    assert stand_in.bodies == [{"input": "a text", "level": "token"}]
    assert [span["source"] for span in result["spans"]] == ["source 1", None]
    assert [token["text"] for token in result["tokens"]] == ["a", "text"]


def test_embeddings_come_one_per_text(client: Client) -> None:
    embedded = client.embed(["a", "b"], backbone="minilm", normalize=True)
    assert [row["embedding"] for row in embedded["data"]] == [[0.6, 0.8], [0.6, 0.8]]


def test_a_blank_text_is_refused_with_its_place(client: Client) -> None:
    with pytest.raises(ApiError) as caught:
        client.classify(["a text", " "])
    assert caught.value.errors[0].field == "body.input.1"
    assert caught.value.request_id == "req-1"


def test_a_service_that_is_ready_says_so(client: Client) -> None:
    assert client.is_live()
    assert client.ready()["status"] == "ok"


def test_nobody_listening_is_an_error_with_the_address() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with Client(f"http://127.0.0.1:{port}") as client, pytest.raises(ConnectionFailedError) as caught:
        client.classify("a text")
    assert f"http://127.0.0.1:{port}" in str(caught.value)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_an_answer_that_is_not_json_is_an_error_of_its_own(url: str) -> None:
    connection = Connection(url, None, 5)
    with pytest.raises(UnexpectedAnswerError, match="is this the service"):
        connection.request("GET", "/not-json")
    with pytest.raises(ApiError, match="404"):
        connection.request("GET", "/nothing")
    connection.close()


def test_a_proxy_in_the_environment_is_not_used_for_this_machine(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    with Client(url) as client:
        assert client.is_live()


def test_retry_after_is_read_in_seconds() -> None:
    error = ApiError.from_problem(503, "Service Unavailable", {}, None, 7.0)
    assert (error.title, error.retry_after_seconds) == ("Service Unavailable", 7.0)


def test_a_bar_is_drawn_while_an_experiment_is_awaited(
    client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    experiment = client.experiments.create("train", "mine")
    assert client.wait(experiment["id"], progress=True)["status"] == "succeeded"
    assert "train" in capsys.readouterr().out
