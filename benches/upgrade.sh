#!/bin/bash
# What an upgrade costs the users, and how much longer it takes than it must: two backends move to a new version under
# load, by zdt and by benches/floor.sh, one after the other in turns.
#
#   benches/upgrade.sh [--runs N] [--rate N] [--engine] [ROW…]
#
#   --runs N    how often each of the two moves each row; 3 by default
#   --rate N    requests a second; 200 by default
#   --engine    on a modern engine in a container (docker/engine.sh) instead of this machine's
#   ROW         boot1 boot5 slow2 pooled-new pooled-old own; all by default. `own` is zdt's own share.
#
# It wants bash, a release build (cargo build --release) and what docker/setup.sh makes. What it starts it removes.
set -euo pipefail
cd "$(dirname "$0")/.."
zdt=${ZDT:-$PWD/target/release/zdt}
runs=3 rate=200 engine=
while [ $# -gt 0 ]; do
    case $1 in
    --runs) runs=$2 && shift 2 ;;
    --rate) rate=$2 && shift 2 ;;
    --engine) engine=demo-bench && shift ;;
    -*) sed -n '2,12p' "$0" && exit 1 ;;
    *) break ;;
    esac
done
rows=${*:-boot1 boot5 slow2 pooled-new pooled-old own}

docker/setup.sh
. target/setup/env
export COMPOSE=$PWD/target/setup/bin/docker-compose
project=demo-bench port=${BENCH_PORT:-18190} host=127.0.0.1
home=$(mktemp -d /tmp/zdt-bench-XXXXXX)
load=
finish() {
    [ -z "$load" ] || kill "$load" 2>/dev/null || true
    remove
    rm -rf "$home"
    [ -z "$engine" ] || { unset DOCKER_HOST && docker/engine.sh down $engine; }
}
remove() {
    local label=label=com.docker.compose.project=$project
    docker container ls --all --quiet --filter $label | xargs -r docker container rm --force --volumes >/dev/null
    docker volume ls --quiet --filter $label | xargs -r docker volume rm >/dev/null
    docker network ls --quiet --filter $label | xargs -r docker network rm >/dev/null
    docker image ls --filter "reference=zdt-keep/$project" --format '{{.Repository}}:{{.Tag}}' |
        xargs -r docker image rm >/dev/null
    rm -rf "$home/app"
}
trap finish EXIT
trap 'exit 130' INT TERM
if [ -n "$engine" ]; then
    export ZDT_ENGINE_SHARE=$home
    line=$(docker/engine.sh up $engine)
    export DOCKER_HOST=${line#*=}
    host=${DOCKER_HOST#tcp://} host=${host%:*}
fi
url=http://$host:$port
echo "engine $(docker version --format '{{.Server.Version}}'), compose $($COMPOSE version --short), $(nproc) cores, $rate requests/s, $runs runs each"

number() { grep -oE "\"$2\":[0-9]+" "$1" | head -n 1 | cut -d : -f 2; }
milliseconds() { echo $(($(date +%s%N) / 1000000)); }
# median FIELD FILE…: of the runs' numbers
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

set_params() {
    params=(--set "dir=$home/app" --set "project=$project" --set "http_port=$port" --set "proxy_image=$proxy"
        --compose-command "$COMPOSE")
}

# The row's versions, proxy, and load.
row() {
    proxy=zdt/nginx:new from=0.0.1 to=0.0.2 posts=5
    case $1 in
    boot1) from=0.0.1-slowboot1 to=0.0.2-slowboot1 load_is="fresh, GET + POST" probe=(--fresh-only --rate "$rate") ;;
    boot5) from=0.0.1-slowboot5 to=0.0.2-slowboot5 load_is="fresh, GET + POST" probe=(--fresh-only --rate "$rate") ;;
    slow2)
        from=0.0.1-slow2 to=0.0.2-slow2 load_is="fresh, POST of 2 s" posts=$rate
        probe=(--fresh-only --rate 10 --timeout 20s)
        ;;
    pooled-new) load_is="32 pooled, nginx new" probe=(--pooled-only --connections 32 --rate "$rate") ;;
    pooled-old)
        load_is="32 pooled + fresh, nginx old" proxy=zdt/nginx:old
        probe=(--connections 32 --rate "$((2 * rate))")
        ;;
    *) echo "there is no row $1" >&2 && exit 1 ;;
    esac
    probe+=(--post-url "$url/orders" --posts "$posts")
}

with_zdt() { "$zdt" recipes/upgrade.zdt "${params[@]}" --set "version=$to" >"$home/log" 2>&1; }
with_floor() { benches/floor.sh $project "$home/app" "$host:$port" "zdt/sample-app:$to" >"$home/log" 2>&1; }

# measure WAY: sets requests, failed, outage, wall; ends the benchmark where the upgrade itself fails.
measure() {
    remove
    "$zdt" recipes/provision.zdt "${params[@]}" --set "version=$from" >"$home/log" 2>&1 || { cat "$home/log" && exit 1; }
    "$zdt" probe "$url/ping" "${probe[@]}" --json >"$home/found" 2>"$home/probe.err" &
    load=$!
    sleep 1
    local start
    start=$(milliseconds)
    "with_$1" || { cat "$home/log" && exit 1; }
    wall=$(($(milliseconds) - start))
    sleep 1
    kill -INT "$load"
    wait "$load" || true
    load=
    requests=$(number "$home/found" requests) failed=$(number "$home/found" failed)
    outage=$(grep -oE '"longest_outage":\{[^}]*\}' "$home/found" | head -n 1 | grep -oE '"lasted_ms":[0-9]+' | cut -d : -f 2 || true)
    kinds=$(grep -oE '"failures":\{[^}]*\}' "$home/found" | head -n 1 | cut -d '{' -f 2 | tr -d '}"')
    by_stream=$(grep -oE '"stream":"[a-z]+","requests":[0-9]+,"ok":[0-9]+,"failed":[0-9]+' "$home/found" |
        sed -E 's/"stream":"([a-z]+)".*"failed":([0-9]+)/\1 \2/' | paste -sd ' ')
    orders
}

# Every accepted order is in the database, exactly once.
orders() {
    accepted=$(grep -oE '"accepted":\[[^]]*\]' "$home/found" | grep -oE 'zdt-[0-9a-f]+-[0-9a-f]+-[0-9]+' | sort)
    exec 3<>"/dev/tcp/$host/$port"
    printf 'GET /orders/ids HTTP/1.0\r\nHost: bench\r\n\r\n' >&3
    stored=$(grep -oE 'zdt-[0-9a-f]+-[0-9a-f]+-[0-9]+' <&3 | sort)
    exec 3>&-
    lost=$(comm -23 <(echo "$accepted") <(uniq <<<"$stored") | grep -c . || true)
    twice=$(uniq -d <<<"$stored" | grep -c . || true)
}

own_share() {
    proxy=zdt/nginx:new
    set_params
    local start=0 tries=200
    start=$(date +%s%N)
    for _ in $(seq $tries); do "$zdt" --version >/dev/null; done
    echo "zdt --version: $((($(date +%s%N) - start) / tries / 1000)) µs, fork and exec included"

    # The kernel's own account of the process alone, looked at until it is gone.
    remove
    "$zdt" recipes/provision.zdt "${params[@]}" --set version=0.0.1 >"$home/log" 2>&1
    "$zdt" recipes/upgrade.zdt "${params[@]}" --set version=0.0.2 >"$home/log" 2>&1 &
    local pid=$! fields= peak= line
    while line=$(cat "/proc/$pid/stat" 2>/dev/null) && [[ ${line#*) } != Z* ]]; do
        fields=${line#*) }
        peak=$(awk '/VmHWM/ { print $2 }' "/proc/$pid/status" 2>/dev/null || true)
        [ -z "$peak" ] || resident=$peak
        sleep 0.01
    done
    wait $pid
    # shellcheck disable=SC2086 # fields are words
    set -- $fields
    echo "an upgrade: ${resident} kB resident at most, $(((${12} + ${13}) * 1000 / $(getconf CLK_TCK))) ms CPU beside its children"

    journal
    {
        echo "include $PWD/recipes/app.zdt"
        echo 'task long {'
        for _ in $(seq 1999); do
            printf '    %s\n' 'drain app_1 timeout=30s' 'recreate app_1 image=$repo:0.0.2' \
                'await healthy app_1 timeout=60s' 'enable app_1' 'say "one more"'
        done
        echo '}'
    } >"$home/long.zdt"
    start=$(milliseconds)
    if "$zdt" "$home/long.zdt" --dry-run "${params[@]}" >"$home/log" 2>&1; then
        echo "dry run of $(wc -l <"$home/long.zdt") lines: $(($(milliseconds) - start)) ms, $(wc -l <"$home/log") lines out"
    else
        echo "dry run of $(wc -l <"$home/long.zdt") lines: $(tail -n 1 "$home/log")"
    fi
}

# The same thousand steps with a journal on disk, each record synced, and without an application, so with none.
journal() {
    local steps=1000 start with without
    for _ in $(seq $steps); do echo "    say x"; done >"$home/steps"
    { echo 'task talk {' && cat "$home/steps" && echo '}'; } >"$home/talk.zdt"
    { echo "include $PWD/recipes/app.zdt" && cat "$home/talk.zdt"; } >"$home/told.zdt"
    start=$(date +%s%N)
    "$zdt" "$home/talk.zdt" >"$home/log"
    without=$(($(date +%s%N) - start))
    start=$(date +%s%N)
    "$zdt" "$home/told.zdt" "${params[@]}" >"$home/log"
    with=$(($(date +%s%N) - start))
    echo "the journal: $(((with - without) / steps / 1000)) µs a step"
}

format='%-30s %-6s %9s %7s %-32s %8s %7s %7s\n'
# shellcheck disable=SC2059 # the format is above
printf "$format" load by requests failed "failed by stream" "outage" "wall" "ratio"
for row in $rows; do
    if [ "$row" = own ]; then
        own_share
        continue
    fi
    row "$row"
    set_params
    : >"$home/zdt" >"$home/floor"
    for _ in $(seq "$runs"); do
        for way in zdt floor; do
            measure $way
            echo "$wall" >>"$home/$way"
            # shellcheck disable=SC2059
            printf "$format" "$row: $load_is" $way "$requests" "$failed" "$by_stream" "${outage:-0}ms" "${wall}ms" ""
            [ -z "$kinds" ] || echo "    $kinds"
            [ "$lost$twice" = 00 ] || echo "    orders: $lost lost, $twice twice"
        done
    done
    ours=$(median <"$home/zdt") theirs=$(median <"$home/floor")
    # shellcheck disable=SC2059
    printf "$format" "$row" median "" "" "" "" "$ours/$theirs" "$(awk "BEGIN { printf \"%.2f\", $ours / $theirs }")"
done
