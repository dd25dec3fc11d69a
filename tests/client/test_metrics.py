from client import Client
from tests.client.stand_in import StandIn


def test_a_poll_sends_its_filters_and_the_cursor(client: Client, stand_in: StandIn) -> None:
    client.metrics.poll(
        experiment=["exp_0", "exp_1"], name="eval/*", since=4, latest=True, wait_seconds=0.5, layer=0
    )
    assert stand_in.queries == [
        [
            ("experiment", "exp_0"),
            ("experiment", "exp_1"),
            ("name", "eval/*"),
            ("layer", "0"),
            ("since", "4"),
            ("latest", "true"),
            ("wait", "0.5"),
        ]
    ]


def test_iterating_ends_with_the_last_page(client: Client) -> None:
    experiment = client.experiments.create("train", "mine")
    client.wait(experiment["id"])
    assert [row["step"] for row in client.metrics.iterate(experiment=experiment["id"])] == [0, 1, 2]
