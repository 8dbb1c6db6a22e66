# shellcheck shell=sh
# Images without a registry. Each carries the hash of what it was made from as a label, and is made again only when
# no image of that name carries the hash.

# inputs PATH...: the hash of these files' names and contents, and of those in these folders.
inputs() { (cd "$here" && find "$@" -type f | LC_ALL=C sort | xargs sha256sum | sha256sum | cut -c 1-16); }

# missing HASH NAME...: those of the names that have to be made. One question for all, because each costs 20 ms.
missing() {
    hash=$1
    shift
    there=$(docker image inspect --format '{{index .Config.Labels "zdt.inputs"}} {{join .RepoTags " "}}' "$@" \
        2>/dev/null | awk -v hash="$hash" '$1 == hash { for (i = 2; i <= NF; i++) print $i }') || true
    for name in "$@"; do
        case "
$there
" in
        *"
$name
"*) ;;
        *) echo "$name" ;;
        esac
    done
}

# import HASH [CHANGE...]: makes an image of the tar archive on standard input and prints its id.
import() {
    set -- "$@" "LABEL zdt.inputs=$1"
    shift
    for change in "$@"; do
        set -- "$@" --change "$change"
        shift
    done
    timeout 300 docker import "$@" -
}

# publish NAME ID: the name goes on last, so that an interrupted run leaves nothing half made under it.
publish() {
    before=$(docker image inspect --format '{{.Id}}' "$1" 2>/dev/null) || before=
    docker tag "$2" "$1"
    # The one that had the name would stay without any. If a container needs it, the engine keeps it.
    [ -z "$before" ] || docker image rm "$before" >/dev/null 2>&1 || true
    say "image $1"
}

# The accounts that a program may ask for by name.
accounts() {
    root=$1
    printf '%s\n' root:x:0:0:root:/root:/bin/sh nobody:x:65534:65534:nobody:/nonexistent:/bin/false \
        nginx:x:101:101:nginx:/nonexistent:/bin/false >"$root/etc/passwd"
    printf '%s\n' root:x:0: nogroup:x:65534: nginx:x:101: adm:x:4: >"$root/etc/group"
}

# A shell to look around with.
busybox_links() {
    root=$1
    for applet in sh ash ls cat ps grep sed awk cut head tail sleep kill id env date mkdir rm mv cp ln test find sort \
        wc tr stat touch chmod chown true false hostname netstat vi less xargs mount umount; do
        [ -e "$root/usr/bin/$applet" ] || ln -s busybox "$root/usr/bin/$applet"
    done
}
