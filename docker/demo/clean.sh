#!/bin/sh
# Removes all that recipes/demo.zdt made: the project by its label, whatever is left of it, then all of set-up's.
#
#   clean.sh PROJECT DIR PORT
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
. "$here/lib/common.sh"

label=label=com.docker.compose.project=$1
# A private engine that is not running any more keeps containers all the same; it goes with everything in it.
if engine_answers; then
    docker container ls --all --quiet --filter "$label" | xargs -r docker container rm --force --volumes >/dev/null
    docker volume ls --quiet --filter "$label" | xargs -r docker volume rm >/dev/null
    docker network ls --quiet --filter "$label" | xargs -r docker network rm >/dev/null
    # The names by which zdt keeps images that it may have to bring back.
    docker image ls --filter "reference=zdt-keep/$1" --format '{{.Repository}}:{{.Tag}}' | xargs -r docker image rm >/dev/null
fi
# Before the images, of which one may be in use elsewhere: what a load has found says nothing any more.
rm -f "$(dirname "$here")/target/demo-load-$3".*
"$here/clean.sh"
# zdt keeps the journal of this very step in the folder, so the folder goes when zdt has gone.
zdt=$PPID
setsid sh -c 'while kill -0 "$1" 2>/dev/null; do sleep 0.02; done; rm -rf "$2"' sh "$zdt" "$2" >/dev/null 2>&1 </dev/null &
echo "$1 removed"
