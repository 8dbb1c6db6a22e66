#!/bin/sh
# A modern engine (Debian testing's docker.io) in a container on this machine's own, for tests that kill, restart or
# fill up an engine: the machine's is never touched.
#
#   docker/engine.sh up NAME [--live-restore]  starts it, loads the images, prints DOCKER_HOST=tcp://ADDRESS:2375
#   docker/engine.sh kill NAME                 kill -9 of dockerd alone: it stays away until `start`
#   docker/engine.sh start NAME                dockerd again, back when it answers
#   docker/engine.sh freeze NAME               dockerd stands still: it takes connections and answers nothing
#   docker/engine.sh thaw NAME                 and goes on
#   docker/engine.sh reboot NAME               everything in it killed at once, then started
#   docker/engine.sh down NAME                 removes it with all that it holds
#
# What is published inside answers on ADDRESS too, which stays the same over a reboot.
# ZDT_ENGINE_SHARE: a folder seen inside under the same path, for bind mounts; /tmp/zdt-share-NAME by default.
# ZDT_ENGINE_IMAGES: what to load; by default all zdt/* images but the engine's own.
# ZDT_SETUP_DIR: as for setup.sh, which makes the images.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lib/common.sh"
. "$here/lib/debian.sh"
. "$here/lib/images.sh"
. "$here/images/engine.sh"

image=zdt/engine:28
usage() { die "usage: engine.sh up NAME [--live-restore] | VERB NAME, VERB one of kill start freeze thaw reboot down"; }

# The outer engine is this machine's, whatever engine the caller's docker commands are for.
unset DOCKER_HOST DOCKER_CONTEXT
engine_answers || export DOCKER_HOST="$engine_host"

# Every word to an engine has a bound: one of these is frozen on purpose, and the other may be stuck.
docker() { timeout 120 docker "$@"; }
inner() { timeout "${bound:-120}" env DOCKER_HOST="tcp://$(address):2375" docker "$@"; }

address() { docker inspect --format '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' "$node"; }

running() { [ "$(docker inspect --format '{{.State.Running}}' "$node" 2>/dev/null)" = true ]; }

must_run() { running || die "there is no engine \`$name\`: engine.sh up $name"; }

# Back as soon as dockerd answers; two minutes are what nobody should ever see.
await_answer() {
    limit=$(($(date +%s) + 120))
    bound=5
    until inner version >/dev/null 2>&1; do
        if [ "$(date +%s)" -gt $limit ] || ! running; then
            docker logs --tail 10 "$node" >&2
            die "engine \`$name\` does not answer"
        fi
        sleep 0.1
    done
    bound=
}

create() {
    # A network of its own, so that the address is the same after a reboot: nobody else can have taken it meanwhile.
    docker network inspect "$node" >/dev/null 2>&1 || docker network create --label zdt.engine="$name" "$node" >/dev/null
    docker volume create --label zdt.engine="$name" "$node" >/dev/null
    # Not --privileged, which some machines cannot give: what dockerd needs, by name. /run is empty after a reboot, as
    # on a real machine.
    capabilities=
    for capability in SYS_ADMIN NET_ADMIN NET_RAW SYS_PTRACE SYS_CHROOT MKNOD SYS_MODULE DAC_READ_SEARCH AUDIT_WRITE \
        SETFCAP LINUX_IMMUTABLE IPC_LOCK SYS_NICE SYSLOG MAC_ADMIN; do
        capabilities="$capabilities --cap-add $capability"
    done
    # shellcheck disable=SC2086 # flags are words
    docker run --detach --name "$node" --hostname "$name" --label zdt.engine="$name" --network "$node" $capabilities \
        --security-opt seccomp=unconfined --security-opt apparmor=unconfined --security-opt systempaths=unconfined \
        --tmpfs /run:exec --volume "$node:/var/lib/docker" --volume "$share:$share" \
        --env ENGINE_FLAGS="$flags" $image >/dev/null
}

load() {
    images=${ZDT_ENGINE_IMAGES:-$(docker image ls --format '{{.Repository}}:{{.Tag}}' --filter 'reference=zdt/*' |
        grep -v '^zdt/engine:' || true)}
    # By id: a tag that is there may be an older image's.
    have=$(inner image ls --no-trunc --format '{{.Repository}}:{{.Tag}} {{.ID}}')
    wanted=
    for each in $images; do
        id=$(docker image inspect --format '{{.Id}}' "$each") || die "there is no image \`$each\`: docker/setup.sh makes them"
        case "$have" in *"$each $id"*) ;; *) wanted="$wanted $each" ;; esac
    done
    # A hundred megabytes, on a machine that may be busy.
    bound=600
    # shellcheck disable=SC2086 # image names are words
    [ -z "$wanted" ] || timeout $bound docker save $wanted | inner load --quiet >/dev/null
}

up() {
    flags=
    case ${1:-} in
    --live-restore) flags=--live-restore ;;
    '') ;;
    *) usage ;;
    esac
    share=${ZDT_ENGINE_SHARE:-/tmp/zdt-share-$name}
    mkdir -p "$share"
    [ -z "$(missing "$(engine_inputs)" $image)" ] || engine_build $image
    if docker inspect "$node" >/dev/null 2>&1; then
        [ "$(docker inspect --format '{{index .Config.Env 0}}' "$node")" = "ENGINE_FLAGS=$flags" ] ||
            die "engine \`$name\` is there with other flags: engine.sh down $name"
        running || docker start "$node" >/dev/null
    else
        create
    fi
    await_answer
    load
    echo "DOCKER_HOST=tcp://$(address):2375"
}

[ $# -ge 2 ] || usage
name=$2 node=zdt-engine-$2
case $name in *[!a-z0-9_-]* | '' | -*) die "\`$name\` is not a name of small letters, digits, \`-\` and \`_\`" ;; esac
# Whatever is left must go even while somebody else builds.
[ "$1" = down ] || lock
[ "$1" = down ] || scratch
case $1 in
up) up "${3:-}" ;;
kill)
    must_run
    docker exec "$node" sh -c 'pid=$(cat /run/docker.pid); kill -9 $pid; while kill -0 $pid 2>/dev/null; do sleep 0.05; done'
    ;;
start)
    must_run
    # Nobody reads the line while dockerd runs.
    bound=5
    inner version >/dev/null 2>&1 || docker exec "$node" sh -c 'echo >/run/start'
    await_answer
    ;;
freeze)
    must_run
    docker exec "$node" sh -c 'kill -STOP $(cat /run/docker.pid)'
    ;;
thaw)
    must_run
    docker exec "$node" sh -c 'kill -CONT $(cat /run/docker.pid)'
    await_answer
    ;;
reboot)
    must_run
    docker kill "$node" >/dev/null
    docker start "$node" >/dev/null
    await_answer
    ;;
down)
    docker rm --force --volumes "$node" >/dev/null 2>&1 || true
    docker volume rm "$node" >/dev/null 2>&1 || true
    docker network rm "$node" >/dev/null 2>&1 || true
    # Only if nobody has put anything there.
    rmdir "${ZDT_ENGINE_SHARE:-/tmp/zdt-share-$name}" 2>/dev/null || true
    ;;
*) usage ;;
esac
