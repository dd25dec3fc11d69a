#!/usr/bin/env bash
# The study on a GPU: the sizes pre-trained to convergence, its figures made again with them, and how fast hidden
# states are read.
#
#   benchmarks/gpu/study.sh DATA OUTPUT
#
# DATA holds books.jsonl.gz, articles.jsonl.gz and naics2012.jsonl.gz. Needs an environment with the project in it
# (`make setup`, or BIN=/path/to/bin). OUTPUT gets throughput.json, and the report and figures of
# `python -m benchmarks.study`; its folder data keeps the service, so that a run that was cut off goes on.
# TOKENS is what each size reads at most (20 epochs of a corpus end earlier).
set -euo pipefail

data=${1:?usage: benchmarks/gpu/study.sh DATA OUTPUT} output=${2:?usage: benchmarks/gpu/study.sh DATA OUTPUT}
bin=${BIN:-.venv/bin} tokens=${TOKENS:-20000000}
mkdir -p "$output"

"$bin/python" -m benchmarks.gpu.throughput --json "$output/throughput.json"
"$bin/python" -m benchmarks.study --data "$data" --output "$output" --kept "$output/data" --workers 1 \
  --set pretrain.epochs=20 --set pretrain.max_tokens="$tokens"
