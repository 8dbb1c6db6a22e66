# shellcheck shell=sh
# What every script here shares: where things are kept, how to speak, the lock, and which docker client to use.
# Sourced with $here set to this folder's parent, `docker/`.

# Everything that the scripts make lies in one private folder, so that removing it undoes them.
setup_dir=${ZDT_SETUP_DIR:-$(dirname "$here")/target/setup}
mkdir -p "$setup_dir/bin" "$setup_dir/tmp"
setup_dir=$(cd "$setup_dir" && pwd -P)

# The private engine's sockets: a socket's path may have 108 bytes at most, and the private folder may lie deep.
engine_run=/run/zdt-$(printf %s "$setup_dir" | cksum | cut -d ' ' -f 1)
engine_host=unix://$engine_run/docker.sock

say() { printf '%s\n' "$*" >&2; }

die() {
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
    exit 1
}

# One at a time: two runs at once would build the same things over each other. The lock ends with the process.
# It lies beside the folder's contents, and what is started to stay must close descriptor 9.
lock() {
    exec 9>"$setup_dir/lock"
    flock -w 1800 9 || die "somebody else has been at it for half an hour: $setup_dir/lock"
}

# A scratch folder that goes when the script ends, however it ends; one that was left goes now. Needs the lock.
scratch() {
    rm -rf "$setup_dir"/tmp/*
    tmp=$(mktemp -d "$setup_dir/tmp/XXXXXX")
    trap 'rm -rf "$tmp"' EXIT
    trap 'exit 130' INT TERM
}

# Whether the engine answers, and more than its version: one that is stuck in a lock of its own still tells that.
# The seconds are a bound and no expectation: each question takes 20 ms.
engine_answers() {
    for question in version 'network ls' 'container ls'; do
        # shellcheck disable=SC2086 # a question is words
        timeout 60 docker $question >/dev/null 2>&1 || return 1
    done
}

# Waits for background jobs; false if one of them failed.
wait_all() {
    failed=0
    for job in "$@"; do
        wait "$job" || failed=1
    done
    return $failed
}

PATH=$PATH:$setup_dir/bin
# `docker compose` finds the unpacked plugin here. Whoever has a configuration of his own (contexts) keeps it.
if [ -z "${DOCKER_CONFIG:-}" ] && [ ! -e "${HOME:-/root}/.docker/config.json" ]; then
    export DOCKER_CONFIG="$setup_dir"
fi
