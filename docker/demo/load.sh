#!/bin/bash
# The load of recipes/demo.zdt, and what it found. Started as a step, it goes on in the background until another step
# stops it, or until zdt itself is gone. Bash, because a machine may have no curl, and bash can connect.
#
#   load.sh free-port PORT          fails when something listens there
#   load.sh start PORT RATE DELAY   steady GETs on fresh and on kept connections, and orders that take DELAY each
#   load.sh stop PORT               ends it and waits for the last answers; where none runs, that is no failure
#   load.sh proof PORT              fails unless all was answered, and every accepted order is stored exactly once
set -euo pipefail

die() {
    printf '%s\n' "$@" >&2
    exit 1
}

[ $# -ge 2 ] || die "load.sh free-port | start | stop | proof PORT"
port=$2
url=http://127.0.0.1:$port
load=$(cd "$(dirname "$0")/../.." && pwd)/target/demo-load-$port

free_port() {
    # What an earlier load has left says nothing about this run.
    rm -f "$load".*
    if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
        die "port $port is taken on this machine" "choose another: --set http_port=18080"
    fi
}

# start RATE DELAY
start() {
    # Detached, so that what ends this step does not end the load; and none of the step's pipes stays open.
    setsid "$ZDT" probe "$url/ping" --rate "$1" --version-regex '@([0-9A-Za-z.-]+)' --timeout 30s \
        --post-url "$url/orders?delay=$2" --posts 5 --until-pid "$PPID" --json \
        >"$load.json" 2>"$load.err" </dev/null &
    echo $! >"$load.pid"
    sleep 1
    kill -0 $! 2>/dev/null || die "the load cannot be started:" "$(cat "$load.err")"
    echo "$1 requests and 5 orders a second"
}

stop() {
    [ -e "$load.pid" ] || return 0
    pid=$(cat "$load.pid")
    rm "$load.pid"
    # Only if it is still that program: a process id can have been given to another.
    grep -qzx probe "/proc/$pid/cmdline" 2>/dev/null || return 0
    kill -INT "$pid"
    while kill -0 "$pid" 2>/dev/null; do
        sleep 0.05
    done
    echo "the last answers are in"
}

# first PATTERN: what zdt probe found is one line of JSON, and totals come before the figures of each stream.
first() { grep -oE "$1" "$load.json" | head -n 1; }
number() { first "\"$1\":[0-9]+" | cut -d : -f 2; }

get() {
    exec 3<>"/dev/tcp/127.0.0.1/$port"
    printf 'GET %s HTTP/1.0\r\nHost: demo\r\n\r\n' "$1" >&3
    cat <&3
}

# The ids of the load's own orders, one a line, sorted.
ids() { grep -oE "zdt-[0-9a-f]+-[0-9a-f]+-[0-9]+" | sort; }

proof() {
    if [ ! -s "$load.json" ]; then
        [ ! -e "$load.err" ] || die "the load has left no figures" "$(cat "$load.err")"
        echo "no load was started"
        return
    fi
    requests=$(number requests)
    [ "$(number failed)" = 0 ] || die "$(number failed) of $requests requests failed" "$(first '"failures":\{[^}]*\}')"
    accepted=$(first '"accepted":\[[^]]*\]' | ids) || die "no order was accepted"
    # Orders of an earlier load are none of its business.
    run=$(head -n 1 <<<"$accepted" | sed "s|-[0-9]*$||")
    stored=$(get /orders/ids | ids | grep "^$run-") || die "no order is in the database"
    lost=$(comm -23 <(uniq <<<"$accepted") <(uniq <<<"$stored"))
    twice=$(uniq -d <<<"$stored")
    [ -z "$lost" ] || die "$(wc -l <<<"$lost") orders were accepted and are not in the database" "$lost"
    [ -z "$twice" ] || die "$(wc -l <<<"$twice") orders are in the database more than once" "$twice"
    printf '%-9s %s\n' \
        requests "$requests, 0 failed" \
        orders "$(wc -l <<<"$accepted") accepted, $(wc -l <<<"$stored") in the database, each once" \
        versions "$(grep -oE '"version":"[^"]*","count":[0-9]+' "$load.json" |
            sed -E 's/"version":"(.*)","count":(.*)/\1 answered \2/' | paste -sd ';' | sed 's/;/, /g')"
}

case $1 in
free-port) free_port ;;
start) start "$3" "$4" ;;
stop) stop ;;
proof) proof ;;
*) die "load.sh free-port | start | stop | proof PORT" ;;
esac
