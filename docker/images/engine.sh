# shellcheck shell=sh
# zdt/engine:28: Debian testing's engine in an image, for tests that want a modern engine, several, or a broken one.

engine_inputs() { inputs lib/debian.sh lib/images.sh images/engine.sh images/engine-init.sh; }

# engine_build NAME
engine_build() {
    root=$tmp/engine
    debian_lists testing
    # procps, because the engine answers `docker top` with the `ps` beside it.
    unpack testing "$root" docker.io docker-cli containerd runc iptables procps busybox-static
    accounts "$root"
    busybox_links "$root"
    # What Debian's packages link when they install. Legacy tables are those that every kernel here has.
    for tool in iptables ip6tables; do
        ln -sf xtables-legacy-multi "$root/usr/sbin/$tool"
    done
    rm -rf "$root/usr/lib/systemd" "$root"/usr/lib/*/systemd/*.so.wtmp "$root/usr/bin/containerd-stress" \
        "$root/var/lib/dpkg" "$root/usr/libexec/docker/cli-plugins" "${root:?}/usr/share" "$root/var/lib/systemd"
    cp "$here/images/engine-init.sh" "$root/engine-init.sh"
    mkdir -p "$root/var/lib/docker" "$root/run" "$root/root" "$root/dev" "$root/proc" "$root/sys" "$root/opt"
    rm -rf "$root/var/run"
    ln -s /run "$root/var/run"
    mkdir -p "$root/tmp"
    chmod 1777 "$root/tmp"
    id=$(tar -C "$root" --numeric-owner --owner=0 --group=0 -c . |
        import "$(engine_inputs)" 'CMD ["/bin/sh","/engine-init.sh"]' 'EXPOSE 2375' \
            'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin')
    publish "$1" "$id"
}
