# shellcheck shell=sh
# Software from Debian packages, unpacked into a folder and never installed: apt works on a private state folder with
# an empty status file, so that it offers a package with all its dependencies, and the machine's own stays untouched.

keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# The mirror is the one that the machine itself uses.
debian_mirror() {
    codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-stable}")
    # shellcheck disable=SC2016 # the variables are apt's
    apt-get indextargets --format '$(RELEASE) $(COMPONENT) $(REPO_URI)' 'Created-By: Packages' |
        awk -v name="$codename" '($1 == name || $1 == "stable" || $1 == "testing") && $2 == "main" { print $3; exit }'
}

private_apt() {
    suite=$1
    shift
    state=$setup_dir/apt/$suite
    # A mirror that stalls is asked again; the whole has a bound, because whoever waits for it has none.
    # No lock: the lists are only read here, and several downloads run at the same time.
    timeout 600 apt-get -qq -o Acquire::Retries=3 \
        -o Dir::State="$state" -o Dir::State::status="$state/status" -o Dir::Cache="$state/cache" \
        -o Dir::Etc::sourcelist="$state/sources.list" -o Dir::Etc::sourceparts=- \
        -o APT::Sandbox::User=root -o APT::Update::Error-Mode=any -o APT::Install-Recommends=false \
        -o Acquire::Languages=none -o Debug::NoLocking=true "$@"
}

# debian_lists SUITE: fetches the suite's lists, once a run: a package that is named in an old list may be gone.
debian_lists() {
    state=$setup_dir/apt/$1
    mirror=$(debian_mirror)
    [ -n "$mirror" ] || die "apt names no Debian mirror on this machine (apt-get indextargets)"
    [ -r "$keyring" ] || die "$keyring is missing: install debian-archive-keyring"
    mkdir -p "$state/lists/partial" "$state/cache/archives/partial"
    : >"$state/status"
    echo "deb [signed-by=$keyring target=Packages] $mirror $1 main" >"$state/sources.list"
    private_apt "$1" update >"$state/log" 2>&1 || {
        cat "$state/log" >&2
        die "no signed package lists for Debian $1 (does the machine's debian-archive-keyring know its key?)"
    }
}

# unpack SUITE FOLDER PACKAGE...: the packages and all they depend on, laid out as on a machine with merged /usr.
unpack() {
    suite=$1 root=$2
    shift 2
    mkdir -p "$root.debs/partial" "$root/usr"
    private_apt "$suite" install --yes --download-only -o Dir::Cache::archives="$root.debs" "$@" \
        >"$root.log" 2>&1 || {
        cat "$root.log" >&2
        die "cannot download $* from Debian $suite"
    }
    for dir in bin sbin lib lib64; do
        mkdir -p "$root/usr/$dir"
        [ -e "$root/$dir" ] || ln -s "usr/$dir" "$root/$dir"
    done
    # Through tar, because dpkg-deb would replace the links above by the folders of older packages.
    for deb in "$root.debs"/*.deb; do
        dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$root" --keep-directory-symlink --no-same-owner \
            --exclude './usr/share/doc' --exclude './usr/share/man' --exclude './usr/share/locale' \
            --exclude './usr/share/info' --exclude './usr/share/lintian' --exclude './usr/share/bash-completion' \
            --exclude './usr/share/zsh' --exclude './usr/share/fish' --exclude './usr/share/bug' \
            --exclude './usr/lib/*/gconv' --exclude './usr/lib/*/perl*' --exclude './usr/share/perl*' \
            --exclude './usr/lib/systemd/system' --exclude './lib/systemd/system' --exclude './etc/init.d'
    done
    rm -rf "$root.debs" "$root.log"
}

# unpack_one SUITE FOLDER PACKAGE: the package alone, for programs that need no more than a libc.
unpack_one() {
    mkdir -p "$2"
    (cd "$2" && private_apt "$1" download "$3" >log 2>&1) || {
        cat "$2/log" >&2
        die "cannot download $3 from Debian $1"
    }
    dpkg-deb -x "$2"/*.deb "$2"
    rm "$2"/*.deb
}
