# Process 1 of an engine in a container: makes the mounts that dockerd needs, then runs dockerd. When dockerd ends it is
# not started again until somebody writes a line to /run/start, so that a test decides how long the engine is away.
# Busybox sh; $ENGINE_FLAGS are dockerd's.
set -eu

# Docker mounts these read-only into a container that is not privileged.
for mount in /sys/fs/cgroup /sys/fs/cgroup/* /proc/sys; do
    mount -o remount,rw,bind "$mount" 2>/dev/null || true
done
# The second kind of control groups lets no group have both processes and sub-groups with limits.
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
    mkdir -p /sys/fs/cgroup/init
    while read -r pid; do
        echo "$pid" >/sys/fs/cgroup/init/cgroup.procs || true
    done </sys/fs/cgroup/cgroup.procs
    sed 's/^/+/; s/ / +/g' /sys/fs/cgroup/cgroup.controllers >/sys/fs/cgroup/cgroup.subtree_control
fi

mkfifo /run/start
supervise() {
    while :; do
        # A killed dockerd leaves its file behind, and by now the number may be somebody else's.
        rm -f /run/docker.pid
        # Addresses of its own, so that nobody takes its networks for the machine's.
        # shellcheck disable=SC2086 # flags are words
        dockerd --host tcp://0.0.0.0:2375 --host unix:///run/docker.sock --tls=false \
            --bip 10.209.0.1/24 --default-address-pool base=10.210.0.0/16,size=24 $ENGINE_FLAGS || true
        read -r _ </run/start
    done
}
supervise &
# Waiting is what makes process 1 collect the children of others that ended before them.
trap 'exit 0' TERM
while :; do
    wait || true
done
