#!/usr/bin/env bash
# The study on a GPU: the sizes pre-trained to convergence, its figures made again with them, and how fast hidden
# states are read.
#
#   benchmarks/gpu/study.sh DATA OUTPUT
#
# DATA holds books.jsonl.gz, articles.jsonl.gz and naics2012.jsonl.gz. Needs an environment with the project in it
# (`make setup`, or BIN=/path/to/bin). OUTPUT gets throughput.json, report.html and the service's log; its folder
# data keeps the service, so that a run that was cut off goes on: the suite is tried again from its checkpoints.
# TOKENS is what each size reads at most (20 epochs of a corpus end earlier), SEEDS the seeds.
set -euo pipefail

data=${1:?usage: benchmarks/gpu/study.sh DATA OUTPUT} output=${2:?usage: benchmarks/gpu/study.sh DATA OUTPUT}
bin=${BIN:-.venv/bin} tokens=${TOKENS:-20000000} seeds=${SEEDS:-0,1,2,3,4,5} port=${PORT:-8765}
export SIP_URL=http://127.0.0.1:$port SIP_DATA_DIR=$output/data
mkdir -p "$output"

"$bin/python" -m benchmarks.gpu.throughput --json "$output/throughput.json"

"$bin/sip" serve --port "$port" >"$output/service.log" 2>&1 &
service=$!
trap 'kill "$service" 2>/dev/null; wait "$service" || true' EXIT
until curl -fsS "$SIP_URL/health/ready" >/dev/null 2>&1; do
  kill -0 "$service" || { echo "the service ended: $output/service.log"; exit 1; }
  sleep 1
done

for corpus in books articles naics2012; do
  "$bin/sip" datasets show "$corpus" >/dev/null 2>&1 ||
    "$bin/sip" datasets add "$data/$corpus.jsonl.gz" --name "$corpus"
done

suite=$("$bin/sip" experiments list --kind suite --json | "$bin/python" -c \
  'import json, sys; rows = json.load(sys.stdin)["data"]; print(rows[0]["id"] if rows else "")')
if [ -z "$suite" ]; then
  "$bin/sip" experiments create suite --preset ksc2023 --datasets books,articles,naics2012 --seeds "$seeds" \
    --set pretrain.epochs=20 --set pretrain.max_tokens="$tokens"
  suite=$("$bin/sip" experiments list --kind suite --json | "$bin/python" -c \
    'import json, sys; print(json.load(sys.stdin)["data"][0]["id"])')
else
  "$bin/sip" experiments retry "$suite" || true
  "$bin/sip" experiments watch "$suite"
fi
"$bin/sip" experiments report "$suite" --output "$output/report.html"
