"""What docker-compose.yml promises, read from the file; `make test-image` runs what it describes."""

import re
from typing import Any

import pytest

from cli.serve import DRAIN_SECONDS
from db.settings import Settings
from tests.image.containers import COMPOSE, compose_services, seconds

SERVICES = compose_services()
OURS = [name for name in SERVICES if name not in ("postgres", "redis")]
LASTING = [name for name in SERVICES if not name.startswith("migrate")]


def environment(service: str) -> dict[str, Any]:
    found: dict[str, Any] = SERVICES[service]["environment"]
    return found


@pytest.mark.parametrize("profile", ["cpu", "gpu"])
def test_each_profile_has_migrations_an_api_and_workers(profile: str) -> None:
    suffix = "" if profile == "cpu" else "-gpu"
    of_profile = [name for name, service in SERVICES.items() if service.get("profiles") == [profile]]
    assert of_profile == [f"migrate{suffix}", f"api{suffix}", f"worker{suffix}"]


@pytest.mark.parametrize("name", ["api-gpu", "worker-gpu"])
def test_the_gpu_profile_reserves_gpus_for_api_and_workers_alike(name: str) -> None:
    reserved = SERVICES[name]["deploy"]["resources"]["reservations"]["devices"]
    assert [device["capabilities"] for device in reserved] == [["gpu"]]


@pytest.mark.parametrize("kind", ["migrate", "api", "worker"])
def test_the_profiles_differ_in_image_and_gpus_only(kind: str) -> None:
    cpu, gpu = ({**SERVICES[name]} for name in (kind, f"{kind}-gpu"))
    for service in (cpu, gpu):
        for key in ("image", "build", "deploy", "profiles", "depends_on"):
            service.pop(key, None)
    assert cpu == gpu


def test_no_secret_has_a_default() -> None:
    interpolated = re.findall(r"\$\{([^}]*)\}", COMPOSE.read_text(encoding="utf-8"))
    secrets = [found for found in interpolated if "PASSWORD" in found or "SECRET" in found]
    assert {found.partition(":")[0] for found in secrets} == {
        "POSTGRES_PASSWORD",
        "REDIS_PASSWORD",
        "SIP_KEY_SECRET",
    }
    assert [found for found in secrets if not re.fullmatch(r"[A-Z_]+:\?.+", found)] == []


def test_only_what_checks_keys_has_their_secret() -> None:
    holders = [name for name, service in SERVICES.items() if "SIP_KEY_SECRET" in service["environment"]]
    assert holders == ["migrate", "api", "migrate-gpu", "api-gpu"]


@pytest.mark.parametrize("name", SERVICES)
def test_no_command_line_holds_a_password(name: str) -> None:
    command = SERVICES[name].get("command", [])
    # $$ is for the shell in the container, which takes it from its environment
    assert re.search(r"(?<!\$)\$\{?\w*PASSWORD", " ".join(command)) is None


@pytest.mark.parametrize("name", LASTING)
def test_every_lasting_part_has_a_health_check_and_comes_back(name: str) -> None:
    # the API's is that of the image
    assert "test" in SERVICES[name].get("healthcheck", {}) or name.startswith("api")
    assert SERVICES[name]["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", [name for name in OURS if name in LASTING])
def test_api_and_workers_wait_for_the_migrations_and_the_broker(name: str) -> None:
    migrate = "migrate-gpu" if name.endswith("-gpu") else "migrate"
    assert SERVICES[name]["depends_on"] == {
        migrate: {"condition": "service_completed_successfully"},
        "redis": {"condition": "service_healthy"},
    }


@pytest.mark.parametrize("name", OURS)
def test_our_parts_can_write_to_their_volumes_and_to_memory_only(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["volumes"] == ["data:/data", "artifacts:/artifacts"]
    assert environment(name)["SIP_ARTIFACTS_URL"] == "${SIP_ARTIFACTS_URL:-/artifacts}"


@pytest.mark.parametrize("name", OURS)
def test_every_setting_given_to_our_parts_exists(name: str) -> None:
    given = {key.removeprefix("SIP_").lower() for key in environment(name) if key.startswith("SIP_")}
    assert given <= set(Settings.model_fields)


def test_docker_waits_longer_than_our_parts_take_to_stop() -> None:
    stop_seconds = Settings.model_fields["stop_seconds"].default
    for name in ("api", "api-gpu"):
        assert seconds(SERVICES[name]["stop_grace_period"]) > 2 * DRAIN_SECONDS
    for name in ("worker", "worker-gpu"):
        assert seconds(SERVICES[name]["stop_grace_period"]) >= max(30, 2 * stop_seconds)


@pytest.mark.parametrize("name", ["worker", "worker-gpu"])
def test_any_number_of_workers_can_run(name: str) -> None:
    assert SERVICES[name].keys().isdisjoint({"container_name", "ports", "hostname"})


def test_only_the_api_is_published_and_on_this_machine_alone() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert published.keys() == {"api", "api-gpu"}
    for ports in published.values():
        assert ports == ["${SIP_PUBLISH_ADDRESS:-127.0.0.1}:${SIP_PORT:-8000}:8000"]


def test_what_must_outlive_containers_is_in_volumes() -> None:
    assert SERVICES["postgres"]["volumes"] == ["postgres:/var/lib/postgresql/data"]
    assert SERVICES["redis"]["volumes"] == ["redis:/data"]
    assert "--appendonly yes" in " ".join(SERVICES["redis"]["command"])
