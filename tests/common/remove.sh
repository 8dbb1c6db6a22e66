#!/bin/sh
# remove.sh PROJECT: removes a compose project by its label, and the names that zdt put on its images.
label=com.docker.compose.project=$1
docker ps -aq --filter "label=$label" | xargs -r docker rm --force --volumes >/dev/null
docker network ls -q --filter "label=$label" | xargs -r docker network rm >/dev/null
docker volume ls -q --filter "label=$label" | xargs -r docker volume rm >/dev/null
docker image ls --format '{{.Repository}}:{{.Tag}}' "zdt-keep/$1" | xargs -r docker image rm >/dev/null
exit 0
