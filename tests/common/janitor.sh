#!/bin/sh
# Reads what is to be removed until the test process has ended, and then removes it.
here=$(cd "$(dirname "$0")" && pwd)
# Folders first: an engine's shared folder goes with it only when it is empty.
sort -r | while read -r what name; do
    case $what in
    project) timeout 300 sh "$here/remove.sh" "$name" ;;
    engine) timeout 300 "$here/../../docker/engine.sh" down "$name" ;;
    folder) rm -rf "$name" ;;
    esac
done
