#!/bin/bash
# The floor: a rolling upgrade ordered by hand, with the least docker work that still waits for the facts zdt waits
# for (old workers gone, the new container healthy as seen from the proxy). It keeps nothing, proves nothing, checks
# nothing, and cannot go back. It works on a folder that recipes/provision.zdt has filled.
#
#   benches/floor.sh PROJECT DIR HOST:PORT IMAGE        COMPOSE: the compose command
set -euo pipefail
project=$1 dir=$2 place=$3 image=$4
config=$dir/nginx/default.conf
file=$dir/docker-compose.yml
proxy=$(docker ps --quiet --filter "label=com.docker.compose.project=$project" --filter label=com.docker.compose.service=proxy)
private=$(grep -o 'zdt-[0-9a-f]*\.internal' "$config")
full=$(cat "$config")

workers() { docker top "$proxy" -eo pid,args | awk '/nginx: worker/ { print $1 }' | sort; }

# steer CONFIG: installs it, reloads, and waits until the workers of before are gone.
steer() {
    local before
    before=$(workers)
    printf '%s\n' "$1" >"$config.next"
    mv "$config.next" "$config"
    docker kill --signal HUP "$proxy" >/dev/null
    [ "$2" = drain ] || return 0
    while [ -n "$(comm -12 <(echo "$before") <(workers))" ]; do
        sleep 0.05
    done
}

healthy() {
    local answer
    exec 3<>"/dev/tcp/${place%:*}/${place#*:}"
    printf 'GET /%s/ping HTTP/1.0\r\nHost: %s\r\n\r\n' "$1" "$private" >&3
    answer=$(cat <&3)
    exec 3>&-
    [[ $answer == *" 200 "*"@${image#*:}"* ]]
}

for app in app_1 app_2; do
    address=$(sed -n "/^  $app:/,/ipv4_address/ s/.*ipv4_address: //p" "$file")
    steer "$(sed "s/server $address:3000[^;]*;/server $address:3000 down;/; t; s/\(server [0-9.]*:3000\)[^;]*;/\1 max_fails=0;/" <<<"$full")" drain
    sed -i "/^  $app:/,/image:/ s|image: .*|image: $image|" "$file"
    $COMPOSE --project-name "$project" --file "$file" up --detach --no-deps --pull never "$app" >/dev/null 2>&1
    until healthy $app; do
        sleep 0.05
    done
    steer "$full" enable
done
