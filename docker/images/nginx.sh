# shellcheck shell=sh
# zdt/nginx:new and :old, which look like the official image from outside. `new` is Debian testing's (keepalive_min_timeout
# since 1.27.4, so a reload spares pooled clients), `old` is bookworm's 1.22, which resets them.

nginx_inputs() { inputs lib/debian.sh lib/images.sh images/nginx.sh images/nginx.conf; }

# nginx_build NAME SUITE
nginx_build() {
    root=$tmp/nginx-$2
    unpack "$2" "$root" nginx busybox-static
    accounts "$root"
    busybox_links "$root"
    rm -rf "$root/etc/nginx/sites-available" "$root/etc/nginx/sites-enabled" "$root/etc/nginx/modules-enabled" \
        "$root/etc/nginx/snippets" "$root/usr/lib/nginx" "$root"/usr/lib/*/ossl-modules "$root/var/www"
    # Only nginx, busybox and the libraries: no loader configuration, no tools of the packages.
    find "$root/usr/bin" "$root/usr/sbin" -type f ! -name nginx ! -name busybox -delete
    rm -rf "$root/usr/share/debconf" "$root/usr/share/gcc" "$root/var/lib/dpkg" "$root/var/cache"
    cp "$here/images/nginx.conf" "$root/etc/nginx/nginx.conf"
    mkdir -p "$root/etc/nginx/conf.d" "$root/run" "$root/var/log/nginx" "$root/var/cache/nginx" \
        "$root/var/lib/nginx" "$root/root" "$root/dev" "$root/proc" "$root/sys"
    [ -e "$root/var/run" ] || ln -s /run "$root/var/run"
    ln -sf /dev/stdout "$root/var/log/nginx/access.log"
    ln -sf /dev/stderr "$root/var/log/nginx/error.log"
    mkdir -p "$root/tmp"
    chmod 1777 "$root/tmp"
    id=$(tar -C "$root" --numeric-owner --owner=0 --group=0 -c . |
        import "$(nginx_inputs)" 'CMD ["nginx","-g","daemon off;"]' 'EXPOSE 80' \
            'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin')
    # Older engines cannot set this at import. With docker's own choice, TERM, a stop would cut what is in flight.
    id=$(printf '%s\n' "FROM $id" 'STOPSIGNAL SIGQUIT' | DOCKER_BUILDKIT=0 timeout 300 docker build --quiet - 2>"$tmp/build-$2") || {
        cat "$tmp/build-$2" >&2
        die "cannot set the stop signal of $1"
    }
    publish "$1" "$id"
}
