# shellcheck shell=sh
# An engine for a machine that has none: Debian's, of the machine's own release so that it fits the machine's libc,
# started by hand with its data in the private folder. Started again after a reboot, unpacked only once.

# A machine without systemd may have mounted no control groups, and an engine needs them.
mount_cgroups() {
    [ -z "$(ls /sys/fs/cgroup)" ] || return 0
    mount -t cgroup2 cgroup2 /sys/fs/cgroup
    ! grep -q memory /sys/fs/cgroup/cgroup.controllers || return 0
    # The kernel keeps them in the older form, one tree each.
    umount /sys/fs/cgroup
    mount -t tmpfs cgroup /sys/fs/cgroup
    awk '!/^#/ && $4 == 1 { print $1 }' /proc/cgroups | while read -r tree; do
        mkdir "/sys/fs/cgroup/$tree"
        mount -t cgroup -o "$tree" cgroup "/sys/fs/cgroup/$tree" || rmdir "/sys/fs/cgroup/$tree"
    done
}

# The default place, so that later commands find this engine without a word; only where nobody listens there.
default_host() {
    socket=/var/run/docker.sock
    ! grep -qE " ($socket|/run/docker.sock)\$" /proc/net/unix || return 0
    echo "--host unix://$socket"
}

# started FILE PROGRAM: the process that the file names, if it is still that program of the private engine.
started() {
    pid=$(cat "$1" 2>/dev/null) || return 0
    case $(readlink "/proc/$pid/exe") in "$setup_dir/engine/root/usr/"*"bin/$2") echo "$pid" ;; esac
}

# stop SIGNAL PID: and waits for its end.
stop() {
    kill "-$1" "$2" 2>/dev/null || true
    # One that has ended stays a process until its parent has asked.
    while kill -0 "$2" 2>/dev/null && ! grep -q '^State:.Z' "/proc/$2/status" 2>/dev/null; do
        sleep 0.1
    done
}

private_engine() {
    export DOCKER_HOST="$engine_host"
    ! engine_answers || return 0
    [ "$(id -u)" = 0 ] || die "no engine answers, and only root can start one"
    home=$setup_dir/engine
    suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
    if [ ! -x "$home/root/usr/sbin/dockerd" ]; then
        debian_lists "$suite"
        unpack "$suite" "$tmp/engine" docker.io containerd runc iptables procps
        mkdir -p "$home"
        mv "$tmp/engine" "$home/root"
        say "engine unpacked"
    fi
    libraries=$home/root/usr/lib/$(cd "$home/root/usr/lib" && ls -d ./*-linux-gnu*)
    # The loader and libc must be one pair: the machine's.
    rm -f "$libraries"/libc.so.6 "$libraries"/ld-linux* "$libraries"/libm.so.6 "$libraries"/libpthread.so.0 \
        "$libraries"/libdl.so.2 "$libraries"/librt.so.1 "$libraries"/libresolv.so.2
    # Debian makes these links when it installs. Legacy tables need no kernel support that nft ones would do without;
    # but where the machine has an iptables, that is the one that knows its tables.
    for tool in iptables ip6tables; do
        command -v $tool >/dev/null || ln -sf xtables-legacy-multi "$home/root/usr/sbin/$tool"
    done
    # An engine that was killed leaves these behind, and a new one would wait for the old one's containerd.
    for each in "$home/dockerd.pid dockerd" "$engine_run/exec/containerd/containerd.pid containerd"; do
        pid=$(started "${each% *}" "${each##* }")
        [ -z "$pid" ] || stop KILL "$pid"
        rm -f "${each% *}"
    done
    mount_cgroups
    mkdir -p "$engine_run"
    # A configuration of its own: the machine may have one left from an engine that is gone.
    echo '{}' >"$home/daemon.json"
    (
        PATH=$PATH:/usr/sbin:/sbin:$home/root/usr/sbin:$home/root/usr/bin
        export PATH LD_LIBRARY_PATH="$libraries" XTABLES_LIBDIR="$libraries/xtables"
        # shellcheck disable=SC2046 # a flag and its value, or nothing
        exec setsid "$home/root/usr/sbin/dockerd" --config-file "$home/daemon.json" \
            --host "$engine_host" $(default_host) --data-root "$home/data" \
            --exec-root "$engine_run/exec" --pidfile "$home/dockerd.pid" \
            >"$home/dockerd.log" 2>&1 </dev/null 9>&-
    ) &
    daemon=$!
    # Back as soon as it answers; two minutes are what nobody should ever see.
    limit=$(($(date +%s) + 120))
    until timeout 30 docker version >/dev/null 2>"$tmp/answer"; do
        if [ "$(date +%s)" -gt $limit ] || ! kill -0 $daemon 2>/dev/null; then
            tail -n 1 "$tmp/answer" >&2
            tail -n 5 "$home/dockerd.log" >&2
            die "the engine does not start: $home/dockerd.log says why"
        fi
        sleep 0.1
    done
    say "engine $(docker version --format '{{.Server.Version}}') started, log in $home/dockerd.log"
}

# Stopped with TERM, which stops the containers first, and waited for: its data is removed next.
stop_private_engine() {
    home=$setup_dir/engine
    [ -x "$home/root/usr/sbin/dockerd" ] || return 0
    # One that was killed has left its containers running, and only an engine ends them.
    (private_engine) || true
    pid=$(started "$home/dockerd.pid" dockerd)
    if [ -n "$pid" ]; then
        stop TERM "$pid"
        say "engine stopped"
    fi
    # Containers' namespaces, and the data folder itself, can be left as mounts.
    awk -v data="$home/" -v run="$engine_run/" 'index($2, data) == 1 || index($2, run) == 1 { print $2 }' /proc/mounts |
        sort -r | while read -r mount; do
        umount "$mount"
    done
    rm -rf "$engine_run"
}
