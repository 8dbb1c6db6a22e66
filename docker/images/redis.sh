# shellcheck shell=sh
# zdt/redis:debian, from bookworm: keeps every write in an append-only file under /data, takes no snapshots.

redis_inputs() { inputs lib/debian.sh lib/images.sh images/redis.sh; }

# redis_build NAME SUITE
redis_build() {
    root=$tmp/redis
    unpack "$2" "$root" redis-server busybox-static
    accounts "$root"
    busybox_links "$root"
    find "$root/usr/bin" "$root/usr/sbin" -type f ! -name 'redis-*' ! -name busybox -delete
    rm -rf "$root/usr/bin/redis-benchmark" "$root/etc/redis" "${root:?}/usr/share" "$root/var/lib/dpkg" "$root/usr/lib/systemd"
    mkdir -p "$root/data" "$root/run" "$root/root" "$root/dev" "$root/proc" "$root/sys"
    mkdir -p "$root/tmp"
    chmod 1777 "$root/tmp"
    # Not protected: that mode answers only to its own machine, and every client here is another container.
    id=$(tar -C "$root" --numeric-owner --owner=0 --group=0 -c . |
        import "$(redis_inputs)" \
            'CMD ["redis-server","--save","","--appendonly","yes","--dir","/data","--protected-mode","no"]' \
            'WORKDIR /data' 'EXPOSE 6379' 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin')
    publish "$1" "$id"
}
