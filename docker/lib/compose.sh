# shellcheck shell=sh
# The tools: compose v2 from Debian testing, alone and as a plugin; a docker client where there is none; compose v1.

tools_missing() {
    [ -x "$setup_dir/cli-plugins/docker-compose" ] && [ -e "$setup_dir/bin/docker-compose" ] || echo compose
    command -v docker >/dev/null || echo client
    # Tried once: where it cannot be had, the file says so, and is not asked for again.
    [ -e "$setup_dir/bin/docker-compose-v1" ] || [ -e "$setup_dir/no-compose-v1" ] || echo compose-v1
}

compose_install() {
    unpack_one testing "$tmp/compose" docker-compose
    mkdir -p "$setup_dir/cli-plugins"
    mv "$tmp/compose/usr/libexec/docker/cli-plugins/docker-compose" "$setup_dir/cli-plugins/.docker-compose"
    version=$("$setup_dir/cli-plugins/.docker-compose" version --short) ||
        die "Debian testing's docker-compose does not run on this machine"
    mv "$setup_dir/cli-plugins/.docker-compose" "$setup_dir/cli-plugins/docker-compose"
    ln -sf ../cli-plugins/docker-compose "$setup_dir/bin/docker-compose"
    say "compose $version"
}

client_install() {
    unpack_one testing "$tmp/client" docker-cli
    mv "$tmp/client/usr/bin/docker" "$setup_dir/bin/docker"
    say "docker client $("$setup_dir/bin/docker" --version | sed 's/^Docker version //; s/,.*//')"
}

# The one on PATH if it is v1; else bookworm's, which is Python, with a Python of its own.
compose_v1_install() {
    there=$(command -v docker-compose) || there=
    case $([ -z "$there" ] || "$there" version --short 2>/dev/null) in
    1.*)
        ln -sf "$there" "$setup_dir/bin/docker-compose-v1"
        say "compose $("$there" version --short), the machine's"
        return
        ;;
    esac
    home=$setup_dir/compose-v1
    rm -rf "$home"
    # In a subshell, because the tests that want v1 can be skipped: nothing else shall fail for it.
    (
        unpack bookworm "$tmp/compose-v1" python3 docker-compose
        mv "$tmp/compose-v1" "$home"
        libraries=$home/usr/lib/$(cd "$home/usr/lib" && ls -d ./*-linux-gnu*)
        # The machine's own libc stays: it belongs to the machine's own loader, and a newer one serves as well.
        rm -f "$libraries"/libc.so.6 "$libraries"/ld-linux* "$libraries"/libm.so.6 "$libraries"/libpthread.so.0 \
            "$libraries"/libdl.so.2 "$libraries"/librt.so.1 "$libraries"/libutil.so.1
        cat >"$tmp/docker-compose-v1" <<END
#!/bin/sh
LD_LIBRARY_PATH='$libraries' PYTHONHOME='$home/usr' PYTHONPATH='$home/usr/lib/python3/dist-packages' \\
    exec '$home/usr/bin/python3' '$home/usr/bin/docker-compose' "\$@"
END
        chmod +x "$tmp/docker-compose-v1"
        version=$("$tmp/docker-compose-v1" version --short)
        mv "$tmp/docker-compose-v1" "$setup_dir/bin/docker-compose-v1"
        say "compose $version, from bookworm"
    ) || {
        rm -rf "$home"
        say "no compose v1: bookworm's docker-compose cannot be unpacked here"
        : >"$setup_dir/no-compose-v1"
    }
}
