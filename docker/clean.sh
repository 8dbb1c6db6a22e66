#!/bin/sh
# Undoes setup.sh and engine.sh: the engines in containers, the images, the private engine, and the private folder.
# It goes by label, exact name and process id only. An image that a container still uses stays, and is named.
#
#   docker/clean.sh
#
# ZDT_SETUP_DIR: as for setup.sh.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lib/common.sh"
. "$here/lib/private-engine.sh"

remove_engines() {
    label='{{.Label "zdt.engine"}}'
    docker container ls --all --filter label=zdt.engine --format "{{.ID}} $label" | while read -r id name; do
        docker container rm --force --volumes "$id" >/dev/null
        # Made by engine.sh, but what is in it is somebody's.
        rmdir "/tmp/zdt-share-$name" 2>/dev/null || true
        say "engine $name removed"
    done
    docker volume ls --quiet --filter label=zdt.engine | xargs -r docker volume rm >/dev/null
    docker network ls --quiet --filter label=zdt.engine | xargs -r docker network rm >/dev/null
}

remove_images() {
    for image in $(docker image ls --filter label=zdt.inputs --filter dangling=false --format '{{.Repository}}:{{.Tag}}'); do
        if docker image rm "$image" >/dev/null 2>"$tmp/why"; then
            say "image $image removed"
        else
            say "image $image stays: $(sed 's/.*: //' "$tmp/why")"
            left=1
        fi
    done
    for image in $(docker image ls --quiet --filter label=zdt.inputs --filter dangling=true); do
        docker image rm "$image" >/dev/null 2>&1 || true
    done
}

lock
scratch
left=0
# The engines in containers are on this machine's own engine, whatever engine the caller's docker commands are for.
caller=${DOCKER_HOST:-}
unset DOCKER_HOST DOCKER_CONTEXT
if engine_answers; then
    remove_engines
    remove_images
fi
if [ -n "$caller" ] && [ "$caller" != "$engine_host" ] && (export DOCKER_HOST="$caller" && engine_answers); then
    export DOCKER_HOST="$caller"
    remove_images
fi
# What the private engine holds goes with it.
stop_private_engine

# By name and not the folder as a whole: it may be one that has other things in it.
for made in apt app bin cli-plugins compose-v1 no-compose-v1 engine env tmp lock; do
    rm -rf "${setup_dir:?}/$made"
done
rmdir "$setup_dir" 2>/dev/null || true
exit $left
