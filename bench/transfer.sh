#!/usr/bin/env bash
# Compares the speed and memory of curl, aria2, rclone and seedance-archiver for the transfer of a video from its URL to
# a local disk and to a MinIO server. Prints a Markdown table. See README.md.
set -Eeuo pipefail
trap 'echo "bench/transfer.sh: line $LINENO failed" >&2' ERR
cd "$(dirname "$0")/.."

archiver=$(realpath -m "${ARCHIVER:-target/release/seedance-archiver}")
minio=${MINIO:-target/tools/minio}
bytes=${BYTES:-4294967296}
runs=${RUNS:-5}

export LC_ALL=C no_proxy=127.0.0.1 NO_PROXY=127.0.0.1
# Settings of another store would interfere.
unset AWS_CA_BUNDLE AWS_PROFILE AWS_SESSION_TOKEN

fail() {
  echo "bench/transfer.sh: $*" >&2
  exit 1
}

skip() {
  echo "bench/transfer.sh: skipping $1: not installed ($2)" >&2
}

has() {
  command -v "$1" >/dev/null
}

find_temporal() {
  if [ -n "${SEEDANCE_TEMPORAL_CLI:-}" ]; then
    echo "$SEEDANCE_TEMPORAL_CLI"
  elif ! command -v temporal; then
    find "${XDG_CACHE_HOME:-$HOME/.cache}/seedance-archiver" -name 'temporal-v*' -type f 2>/dev/null |
      sort -V | tail -n 1 || true
  fi
}

for tool in curl python3; do
  has "$tool" || fail "$tool is not installed"
done
[ -r /proc/self/status ] || fail "/proc/self/status is missing: Linux is required to measure memory"
[ -x "$archiver" ] || fail "$archiver does not exist: run \`cargo build --release\` or set ARCHIVER"
temporal=$(find_temporal)
[ -x "$temporal" ] || fail "no Temporal CLI found: run \`seedance-archiver demo\` once, which downloads it, or set SEEDANCE_TEMPORAL_CLI"
has aria2c || skip aria2c "apt-get install aria2"
has rclone || skip rclone "apt-get install rclone"
minio=$(command -v "$minio" || command -v minio || true)
[ -n "$minio" ] || skip MinIO "run ci/tools or set MINIO"

work=$(mktemp -d)

clean_up() {
  trap - ERR
  jobs -p >"$work/jobs"
  xargs -r kill <"$work/jobs" 2>/dev/null || true
  wait
  rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

free_kilobytes=$(df -Pk "$work" | awk 'NR == 2 { print $4 }')
((free_kilobytes * 1024 > 3 * bytes)) ||
  fail "$work has less free space than three times $bytes bytes: set TMPDIR or BYTES"

# start NAME COMMAND...: starts a process, logs to $work/NAME.log and sets $pid.
start() {
  local name=$1
  shift
  "$@" >"$work/$name.log" 2>&1 </dev/null &
  pid=$!
}

# await NAME COMMAND...: waits until COMMAND succeeds; NAME is the process that it depends on.
await() {
  local name=$1 attempt
  shift
  for ((attempt = 0; attempt < 300; attempt++)); do
    "$@" >/dev/null 2>&1 && return
    sleep 0.1
  done
  tail -n 5 "$work/$name.log" >&2
  fail "$name did not start within 30 s"
}

mapfile -t ports < <(python3 - <<'PYTHON'
import socket
sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(4)]
for sock in sockets:
    print(sock.getsockname()[1])
PYTHON
)

# The simulated Seedance API.
start simulator "$archiver" simulator --address "127.0.0.1:${ports[0]}" --api-key bench
export SEEDANCE_BASE_URL=http://127.0.0.1:${ports[0]}/api/v3 SEEDANCE_API_KEY=bench
api() {
  curl -fsS -H "Authorization: Bearer $SEEDANCE_API_KEY" "$SEEDANCE_BASE_URL/contents/generations/tasks$1" "${@:2}"
}
await simulator api ""

# Temporal.
start temporal "$temporal" server start-dev --ip 127.0.0.1 --port "${ports[1]}" --headless --log-level error
export TEMPORAL_ADDRESS=127.0.0.1:${ports[1]} TEMPORAL_NAMESPACE=default
await temporal "$temporal" operator namespace describe --address "$TEMPORAL_ADDRESS" default

# MinIO.
if [ -n "$minio" ]; then
  export AWS_ACCESS_KEY_ID=bench AWS_SECRET_ACCESS_KEY=bench-password AWS_REGION=us-east-1 \
    AWS_ENDPOINT=http://127.0.0.1:${ports[2]} AWS_ALLOW_HTTP=true
  export MINIO_ROOT_USER=$AWS_ACCESS_KEY_ID MINIO_ROOT_PASSWORD=$AWS_SECRET_ACCESS_KEY
  mkdir "$work/minio"
  start minio "$minio" server "$work/minio" --address "127.0.0.1:${ports[2]}" --console-address "127.0.0.1:${ports[3]}"
  await minio curl -fsS "$AWS_ENDPOINT/minio/health/live"
  curl -fsS -X PUT --aws-sigv4 aws:amz:us-east-1:s3 -u "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" "$AWS_ENDPOINT/bench"
fi
export RCLONE_CONFIG="$work/rclone.conf" RCLONE_CONFIG_BENCH_TYPE=s3 RCLONE_CONFIG_BENCH_PROVIDER=Minio \
  RCLONE_CONFIG_BENCH_ENV_AUTH=true RCLONE_CONFIG_BENCH_REGION=us-east-1 \
  RCLONE_CONFIG_BENCH_ENDPOINT="${AWS_ENDPOINT:-}" RCLONE_S3_NO_CHECK_BUCKET=true
touch "$RCLONE_CONFIG"

# One worker for each store, on its own task queue.
declare -A worker
start_worker() {
  start "worker-$1" env SEEDANCE_ARCHIVE_URL="$2" TEMPORAL_TASK_QUEUE="bench-$1" "$archiver" worker
  worker[$1]=$pid
}
mkdir "$work/archive"
start_worker disk "file://$work/archive"
[ -z "$minio" ] || start_worker minio s3://bench/archive

# record ROW SECONDS KIB: appends the duration and peak memory of a run.
record() {
  printf '%s\t%s\t%s\n' "$@" >>"$work/results"
  printf '  %s: %s s\n' "$1" "$2" >&2
}

memory() {
  awk -v key="$2:" '$1 == key { print $2 }' "/proc/$1/status" 2>/dev/null
}

# Records the peak memory of a process until it exits.
watch_memory() {
  local now
  echo 0 >"$work/peak"
  while now=$(memory "$1" VmHWM) && [ -n "$now" ]; do
    echo "$now" >"$work/peak"
    sleep 0.05
  done
}

# measure ROW FILE COMMAND...: runs a command and records it; for a local file, including the time of `sync`.
measure() {
  local row=$1 file=$2 begin end command watch
  shift 2
  begin=$(date +%s%N)
  "$@" <&0 >"$work/command.log" 2>&1 &
  command=$!
  watch_memory "$command" &
  watch=$!
  if ! wait "$command"; then
    tail -n 5 "$work/command.log" >&2
    fail "$row failed"
  fi
  [ -z "$file" ] || sync "$file"
  end=$(date +%s%N)
  wait "$watch"
  if [ -n "$file" ]; then
    check_size "$row" "$(stat -c %s "$file")"
    rm "$file"
  fi
  record "$row" "$(seconds $((end - begin)))" "$(cat "$work/peak")"
}

seconds() {
  awk -v ns="$1" 'BEGIN { printf "%.3f", ns / 1e9 }'
}

check_size() {
  [ "$2" = "$bytes" ] || fail "$1 produced $2 bytes instead of $bytes"
}

bucket() {
  curl -fsS --aws-sigv4 aws:amz:us-east-1:s3 -u "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" "$@"
}

check_and_delete() {
  check_size "$1" "$(bucket -I "$AWS_ENDPOINT/$2" | tr -d '\r' | awk 'tolower($1) == "content-length:" { print $2 }')"
  bucket -X DELETE "$AWS_ENDPOINT/$2"
}

# Prints the seconds from the start of a task's transfer to its completion, from the workflow's history.
transfer_seconds() {
  "$temporal" workflow show --address "$TEMPORAL_ADDRESS" --workflow-id "video-task/default/$1" --output json |
    python3 -c '
import json, sys
from datetime import datetime

def time(event):
    text, _, fraction = event["eventTime"].rstrip("Z").partition(".")
    return datetime.fromisoformat(text).timestamp() + float("0." + (fraction or "0"))

scheduled, begins = {}, {}
for event in json.load(sys.stdin)["events"]:
    kind = event["eventType"].rsplit("_TASK_", 1)[-1]
    about = event.get("activityTaskScheduledEventAttributes")
    if about and about["activityType"]["name"] == "ArchiveVideo":
        scheduled[event["eventId"]] = event
    about = event.get("activityTaskStartedEventAttributes")
    if about and about["scheduledEventId"] in scheduled:
        if about.get("attempt", 1) != 1:
            sys.exit("the transfer took more than one attempt")
        begins[about["scheduledEventId"]] = time(event)
    about = event.get("activityTaskCompletedEventAttributes")
    if about and about["scheduledEventId"] in begins:
        print(f"{time(event) - begins[about['"'scheduledEventId'"']]:.3f}")
'
}

# archive ROW STORE TASK: archives a task with the worker of that store.
archive() {
  local row=$1 store=$2 task=$3 pid=${worker[$2]} took manifest
  [ "$run" != 1 ] || printf '%s\t%s\n' "$row" "$(memory "$pid" VmRSS)" >>"$work/idle"
  # Resets the peak of the previous run.
  echo 5 >"/proc/$pid/clear_refs"
  TEMPORAL_TASK_QUEUE=bench-$store "$archiver" archive "$task" --output json >"$work/command.log" 2>&1 ||
    fail "$row failed: $(tail -n 5 "$work/command.log")"
  took=$(transfer_seconds "$task")
  record "$row" "$took" "$(memory "$pid" VmHWM)"
  if [ "$store" = disk ]; then
    check_size "$row" "$(find "$work/archive" -name video.mp4 -printf %s)"
    find "$work/archive" -mindepth 1 -delete
  else
    manifest=$(grep -o 's3://[^"]*/manifest\.json' "$work/command.log")
    check_and_delete "$row" "$(dirname "${manifest#s3://}")/video.mp4"
  fi
}

for ((run = 1; run <= runs; run++)); do
  echo "run $run of $runs" >&2
  # A new video: no worker has archived it yet.
  prompt="a kite --simulate queued=0,running=0,bytes=$bytes"
  created=$(api "" -d "{\"model\": \"seedance-1-0-pro\", \"content\": [{\"type\": \"text\", \"text\": \"$prompt\"}]}")
  task=$(python3 -c 'import json, sys; print(json.load(sys.stdin)["id"])' <<<"$created")
  video_url() {
    url=$(api "/$task" | python3 -c 'import json, sys; print(json.load(sys.stdin)["content"]["video_url"])')
  }
  await simulator video_url
  # The simulator computes a video's digests before it serves the first byte.
  curl -fsS -r 0-0 -o "$work/first" "$url"

  file=$work/video.mp4
  measure "disk: \`curl -o\`" "$file" curl -fsS -o "$file" "$url"
  if has aria2c; then
    aria=(aria2c --no-conf --quiet --dir "$work" --out video.mp4)
    measure "disk: \`aria2c\` (1 connection, its default)" "$file" "${aria[@]}" "$url"
    measure "disk: \`aria2c -s 16 -x 16\`" "$file" "${aria[@]}" -s 16 -x 16 "$url"
  fi
  if has rclone; then
    measure "disk: \`rclone copyurl\`" "$file" rclone copyurl "$url" "$file"
  fi
  archive "disk: seedance-archiver" disk "$task"

  if [ -n "$minio" ]; then
    if has rclone; then
      row="MinIO: \`rclone copyurl\`"
      measure "$row" "" rclone copyurl "$url" bench:bench/video.mp4
      check_and_delete "$row" bench/video.mp4
      row="MinIO: \`curl\` into \`rclone rcat\`"
      measure "$row" "" rclone rcat bench:bench/video.mp4 < <(curl -fsS "$url")
      check_and_delete "$row" bench/video.mp4
    fi
    archive "MinIO: seedance-archiver" minio "$task"
  fi
done

python3 - "$work/results" "$work/idle" "$bytes" "$runs" <<'PYTHON'
import statistics, sys

results, idle, size, runs = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
rows = {}
for line in open(results):
    row, seconds, memory = line.rstrip("\n").split("\t")
    rows.setdefault(row, []).append((size / float(seconds) / 1e6, int(memory) / 1024))
median = {row: statistics.median(speed for speed, _ in found) for row, found in rows.items()}
peak = {row: max(memory for _, memory in found) for row, found in rows.items()}
base = next(iter(median.values()))
print(f"{size / 2**30:.2f} GiB, runs: {runs}\n")
print("| | MB/s, best | MB/s, median | relative to `curl` | peak memory, MiB |")
print("|---|---:|---:|---:|---:|")
for row, found in rows.items():
    best = max(speed for speed, _ in found)
    print(f"| {row} | {best:.0f} | {median[row]:.0f} | {median[row] / base:.2f} | {peak[row]:.0f} |")
print()
for line in open(idle):
    row, memory = line.rstrip("\n").split("\t")
    before = int(memory) / 1024
    print(f"{row}: {before:.0f} MiB before the first transfer, {peak[row] - before:.0f} MiB for the transfer.")
PYTHON
