#!/bin/sh
# Makes everything that zdt's demo and tests need on a Debian machine which has cargo and no container registry: an
# engine where none answers, compose v2 and v1, and the images. Says one line for each thing done, nothing when all is there.
#
#   docker/setup.sh
#   . target/setup/env         # PATH with the tools, and DOCKER_HOST if a private engine has just been started
#
# A private engine listens at the default socket as well, so that whoever comes later finds it without a word.
#
# ZDT_SETUP_DIR: the private folder, `target/setup` of this repository by default. `docker/clean.sh` undoes it all.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lib/common.sh"
. "$here/lib/debian.sh"
. "$here/lib/images.sh"
. "$here/lib/compose.sh"
. "$here/lib/private-engine.sh"
. "$here/images/app.sh"
. "$here/images/nginx.sh"
. "$here/images/redis.sh"

# Whoever runs the engine or the tests finds the tools through this file.
write_env() {
    {
        echo "PATH='$setup_dir/bin':\$PATH"
        echo "export PATH"
        [ "${DOCKER_CONFIG:-}" != "$setup_dir" ] || echo "export DOCKER_CONFIG='$setup_dir'"
        [ "${DOCKER_HOST:-}" != "$engine_host" ] || echo "export DOCKER_HOST='$engine_host'"
    } >"$tmp/env"
    cmp -s "$tmp/env" "$setup_dir/env" || mv "$tmp/env" "$setup_dir/env"
}

# Each of the three is a chain of its own: what one downloads or compiles, the others need not wait for.
from_testing() {
    debian_lists testing
    case $tools in *"compose "*) compose_install ;; esac
    [ -z "$nginx_new" ] || nginx_build "$nginx_new" testing
}

from_bookworm() {
    debian_lists bookworm
    [ -z "$redis" ] || redis_build "$redis" bookworm
    [ -z "$nginx_old" ] || nginx_build "$nginx_old" bookworm
    case $tools in *compose-v1*) compose_v1_install ;; esac
}

lock
scratch
tools="$(tools_missing | tr '\n' ' ')"

# The client comes first, because it is what asks for the engine.
case $tools in *client*)
    debian_lists testing
    client_install
    ;;
esac
engine_answers || private_engine
write_env

# shellcheck disable=SC2046 # image names are words
apps=$(missing "$(app_inputs)" $(app_images))
nginx_new=$(missing "$(nginx_inputs)" zdt/nginx:new)
nginx_old=$(missing "$(nginx_inputs)" zdt/nginx:old)
redis=$(missing "$(redis_inputs)" zdt/redis:debian)

jobs=
# shellcheck disable=SC2086 # image names are words
[ -z "$apps" ] || { app_build $apps & jobs="$jobs $!"; }
case "$nginx_new $tools" in *nginx* | *"compose "*) from_testing & jobs="$jobs $!" ;; esac
case "$nginx_old$redis $tools" in *zdt* | *compose-v1*) from_bookworm & jobs="$jobs $!" ;; esac
# shellcheck disable=SC2086 # process ids are words
wait_all $jobs || die "not everything could be made"
