#!/bin/sh
# record-kernel.sh: what the Linux kernel allocates while a command runs, as text smpalloc replays.
#
#   sudo sh scripts/record-kernel.sh OUT.txt.gz COMMAND [ARGS...]
#
# Records the kmem tracepoints on all CPUs with perf(1), then prints them with perf script. Needs root, or
# kernel.perf_event_paranoid = -1 and a readable tracefs. The whole machine is recorded, not only the command.
# The text holds kernel addresses, call sites and cache names: look at it before you give it away.
set -eu

if [ $# -lt 2 ]; then
  echo "usage: record-kernel.sh OUT.txt.gz COMMAND [ARGS...]" >&2
  exit 2
fi
out=$1
shift

data=$(mktemp "${TMPDIR:-/tmp}/record-kernel.XXXXXX")
trap 'rm -f "$data" "$data.old"' EXIT INT TERM

# kernels before 6.1 have events of their own for allocations with a node
events=
for event in kmalloc kmalloc_node kfree kmem_cache_alloc kmem_cache_alloc_node kmem_cache_free; do
  if perf list --no-desc "kmem:$event" 2>/dev/null | grep -q "kmem:$event "; then
    events="$events -e kmem:$event"
  fi
done
if [ -z "$events" ]; then
  echo "record-kernel.sh: perf knows no kmem tracepoint here: are you root, is tracefs mounted?" >&2
  exit 2
fi

# 16 MiB of buffer a CPU: what does not fit is lost, and perf script says how much
# shellcheck disable=SC2086
perf record -a -m 16M $events -o "$data" -- "$@" >&2
perf script -i "$data" --ns -F cpu,time,event,trace | gzip -9 > "$out"
echo "$out: $(gzip -dc "$out" | wc -l) events" >&2
