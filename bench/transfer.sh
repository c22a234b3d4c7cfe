#!/usr/bin/env bash
# Compares how fast, and in how much memory, a video gets from its URL to a local disk and into a MinIO
# server: by curl, aria2, rclone and this project's archiver. Prints Markdown. See README.md.
set -Eeuo pipefail
trap 'echo "bench/transfer.sh: line $LINENO failed" >&2' ERR
cd "$(dirname "$0")/.."

archiver=$(realpath -m "${ARCHIVER:-target/release/seedance-archiver}")
minio=${MINIO:-target/tools/minio}
bytes=${BYTES:-4294967296}
runs=${RUNS:-5}

export LC_ALL=C no_proxy=127.0.0.1 NO_PROXY=127.0.0.1
# Those of another store.
unset AWS_CA_BUNDLE AWS_PROFILE AWS_SESSION_TOKEN

fail() {
  echo "bench/transfer.sh: $*" >&2
  exit 1
}

without() {
  echo "bench/transfer.sh: no $1: left out ($2)" >&2
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
  has "$tool" || fail "no $tool: install it"
done
[ -r /proc/self/status ] || fail "no /proc: memory is read there, so this needs Linux"
[ -x "$archiver" ] || fail "no $archiver: run \`cargo build --release\`, or set ARCHIVER"
temporal=$(find_temporal)
[ -x "$temporal" ] || fail "no Temporal CLI: run \`seedance-archiver demo\` once, which fetches it, or set SEEDANCE_TEMPORAL_CLI"
has aria2c || without aria2c "apt-get install aria2"
has rclone || without rclone "apt-get install rclone"
minio=$(command -v "$minio" || command -v minio || true)
[ -n "$minio" ] || without MinIO "ci/tools installs it, or set MINIO"

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
  fail "$work has no room for three times $bytes bytes: set TMPDIR or BYTES"

# Starts a program whose output goes into a file of that name; its process id is $pid then.
start() {
  local name=$1
  shift
  "$@" >"$work/$name.log" 2>&1 </dev/null &
  pid=$!
}

# Waits until a command succeeds.
await() {
  local name=$1 attempt
  shift
  for ((attempt = 0; attempt < 300; attempt++)); do
    "$@" >/dev/null 2>&1 && return
    sleep 0.1
  done
  tail -n 5 "$work/$name.log" >&2
  fail "$name does not start"
}

mapfile -t ports < <(python3 - <<'PYTHON'
import socket
sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(4)]
for each in sockets:
    print(each.getsockname()[1])
PYTHON
)

# Seedance.
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

# A worker for each store, with a task queue of its own.
declare -A worker
start_worker() {
  start "worker-$1" env SEEDANCE_ARCHIVE_URL="$2" TEMPORAL_TASK_QUEUE="bench-$1" "$archiver" worker
  worker[$1]=$pid
}
mkdir "$work/archive"
start_worker disk "file://$work/archive"
[ -z "$minio" ] || start_worker minio s3://bench/archive

# A line for each run: its row, the seconds it took, the KiB of memory it had at most.
record() {
  printf '%s\t%s\t%s\n' "$@" >>"$work/results"
  printf '  %s: %s s\n' "$1" "$2" >&2
}

memory() {
  awk -v key="$2:" '$1 == key { print $2 }' "/proc/$1/status" 2>/dev/null
}

# Follows the peak memory of a process until it ends.
watch_memory() {
  local now
  echo 0 >"$work/peak"
  while now=$(memory "$1" VmHWM) && [ -n "$now" ]; do
    echo "$now" >"$work/peak"
    sleep 0.05
  done
}

# Runs a command and records it, with the time that a local file takes to be on the disk.
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
    arrived "$row" "$(stat -c %s "$file")"
    rm "$file"
  fi
  record "$row" "$(seconds $((end - begin)))" "$(cat "$work/peak")"
}

seconds() {
  awk -v ns="$1" 'BEGIN { printf "%.3f", ns / 1e9 }'
}

arrived() {
  [ "$2" = "$bytes" ] || fail "$1 made $2 bytes, not $bytes"
}

bucket() {
  curl -fsS --aws-sigv4 aws:amz:us-east-1:s3 -u "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" "$@"
}

in_bucket() {
  arrived "$1" "$(bucket -I "$AWS_ENDPOINT/$2" | tr -d '\r' | awk 'tolower($1) == "content-length:" { print $2 }')"
  bucket -X DELETE "$AWS_ENDPOINT/$2"
}

# What a task's history says: seconds from the start of its transfer to its end.
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

# Archives a task into one of the stores, by the worker that is there for it.
archive() {
  local row=$1 store=$2 task=$3 pid=${worker[$2]} took manifest
  [ "$run" != 1 ] || printf '%s\t%s\n' "$row" "$(memory "$pid" VmRSS)" >>"$work/idle"
  # Forgets the peak of the run before.
  echo 5 >"/proc/$pid/clear_refs"
  TEMPORAL_TASK_QUEUE=bench-$store "$archiver" archive "$task" --output json >"$work/command.log" 2>&1 ||
    fail "$row failed: $(tail -n 5 "$work/command.log")"
  took=$(transfer_seconds "$task")
  record "$row" "$took" "$(memory "$pid" VmHWM)"
  if [ "$store" = disk ]; then
    arrived "$row" "$(find "$work/archive" -name video.mp4 -printf %s)"
    find "$work/archive" -mindepth 1 -delete
  else
    manifest=$(grep -o 's3://[^"]*/manifest\.json' "$work/command.log")
    in_bucket "$row" "$(dirname "${manifest#s3://}")/video.mp4"
  fi
}

for ((run = 1; run <= runs; run++)); do
  echo "run $run of $runs" >&2
  # A video of its own: no archiver has it yet.
  prompt="a kite --simulate queued=0,running=0,bytes=$bytes"
  created=$(api "" -d "{\"model\": \"seedance-1-0-pro\", \"content\": [{\"type\": \"text\", \"text\": \"$prompt\"}]}")
  task=$(python3 -c 'import json, sys; print(json.load(sys.stdin)["id"])' <<<"$created")
  video_url() {
    url=$(api "/$task" | python3 -c 'import json, sys; print(json.load(sys.stdin)["content"]["video_url"])')
  }
  await simulator video_url
  # The simulator reads a video once for its digests, before it serves the first byte.
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
      in_bucket "$row" bench/video.mp4
      row="MinIO: \`curl\` into \`rclone rcat\`"
      measure "$row" "" rclone rcat bench:bench/video.mp4 < <(curl -fsS "$url")
      in_bucket "$row" bench/video.mp4
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
most = {row: max(memory for _, memory in found) for row, found in rows.items()}
base = next(iter(median.values()))
print(f"{size / 2**30:.2f} GiB, runs: {runs}\n")
print("| | MB/s, best | MB/s, median | to `curl` | MiB of memory, most |")
print("|---|---:|---:|---:|---:|")
for row, found in rows.items():
    best = max(speed for speed, _ in found)
    print(f"| {row} | {best:.0f} | {median[row]:.0f} | {median[row] / base:.2f} | {most[row]:.0f} |")
print()
for line in open(idle):
    row, memory = line.rstrip("\n").split("\t")
    before = int(memory) / 1024
    print(f"{row}: {before:.0f} MiB before the first transfer, so {most[row] - before:.0f} MiB for one.")
PYTHON
