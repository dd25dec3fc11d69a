"""What the Dockerfile promises, read from the file; `make test-image` runs what it builds."""

import fnmatch
import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
IGNORED = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def default_of(argument: str) -> str:
    found = re.search(rf"^ARG {argument}=(.*)$", DOCKERFILE, re.MULTILINE)
    assert found is not None, argument
    return found[1].strip('"')


def test_every_package_is_copied_and_nothing_else() -> None:
    folders = {line.split()[1] for line in DOCKERFILE.splitlines() if re.match(r"COPY \w+ \w+$", line)}
    packages = {name.split(".")[0] for name in PROJECT["tool"]["setuptools"]["packages"]}
    assert folders == packages | {"alembic"}


def test_the_build_sees_exactly_what_it_copies() -> None:
    copied = {line.split()[1] for line in DOCKERFILE.splitlines() if re.match(r"COPY (?!--from)", line)}
    assert {line.removeprefix("!") for line in IGNORED if line.startswith("!")} == copied
    assert "*" in IGNORED


def test_the_torch_of_the_image_is_the_one_that_is_tested() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert f"torch=={default_of('TORCH_VERSION')}\n" in makefile


def test_the_extras_it_installs_exist() -> None:
    extras = PROJECT["project"]["optional-dependencies"]
    chosen = default_of("EXTRAS").split(",")
    assert set(chosen) <= set(extras)
    assert set(chosen).isdisjoint({"dev", "embedded"})


def test_code_is_copied_after_everything_that_takes_long_to_install() -> None:
    steps = [line for line in DOCKERFILE.splitlines() if line.startswith(("RUN pip", "    && pip", "COPY"))]
    code = next(number for number, line in enumerate(steps) if fnmatch.fnmatch(line, "COPY sip_model *"))
    assert [line for line in steps[code:] if "pip install" in line] == ["RUN pip install --no-deps ."]


def test_the_image_brings_the_list_of_what_it_is_made_of_and_not_the_tool_that_wrote_it() -> None:
    building, last_stage = DOCKERFILE.split("\nFROM ${PYTHON_IMAGE}\n")
    assert "--output-file /opt/sip/sbom.cdx.json /opt/sip/bin/python" in building
    assert "COPY --from=build /opt/sip /opt/sip" in last_stage
    assert "/opt/bom" not in last_stage


def test_the_image_asks_the_api_how_it_is_and_takes_any_command() -> None:
    assert re.search(r'^HEALTHCHECK .* CMD \["sip", "health", "api"\]$', DOCKERFILE, re.MULTILINE)
    assert "ENTRYPOINT" not in DOCKERFILE


def test_the_service_runs_as_a_user_without_rights() -> None:
    last_stage = DOCKERFILE.rpartition("FROM ")[2]
    assert re.search(r"^USER 10001:10001$", last_stage, re.MULTILINE)
    assert "pip" not in last_stage
