# shellcheck shell=sh
# zdt/sample-app: the application in `app/`, one static file in an otherwise empty image. The versions and the ill
# variants are the same file with other settings.

# The tag, then settings. APP_VERSION is the tag, unless a variant says otherwise: 0.0.3-wrong answers with a version
# that it is not.
app_variants() {
    cat <<'END'
0.0.1
0.0.2
0.0.10
0.0.1-slowboot1 APP_BOOT_DELAY=1s
0.0.2-slowboot1 APP_BOOT_DELAY=1s
0.0.1-slowboot5 APP_BOOT_DELAY=5s
0.0.2-slowboot5 APP_BOOT_DELAY=5s
0.0.1-slow2 APP_SLOW=2s
0.0.2-slow2 APP_SLOW=2s
0.0.3-dies APP_DIES=1
0.0.3-never APP_NEVER_HEALTHY=1
0.0.3-sick APP_SICK_AFTER=3s
0.0.3-hangs APP_HANGS=1
0.0.3-wrong APP_VERSION=0.0.1
END
}

app_inputs() { inputs lib/images.sh images/app.sh app/Cargo.toml app/src; }

app_images() { app_variants | sed 's| .*||; s|^|zdt/sample-app:|'; }

# app_build NAME...
app_build() {
    command -v cargo >/dev/null || die "cargo is missing: the sample application is built with it"
    target=$(rustc -vV | sed -n 's/^host: //p')
    # Static, because an empty image has no libc. The target is named so that the flag stays off build scripts.
    CARGO_TARGET_DIR="$setup_dir/app" RUSTFLAGS='-C target-feature=+crt-static' \
        timeout 600 cargo build --quiet --release --locked --target "$target" --manifest-path "$here/app/Cargo.toml"
    mkdir "$tmp/app"
    cp "$setup_dir/app/$target/release/sample-app" "$tmp/app/"
    # The same archive for all, to the byte: then they share one layer.
    tar -C "$tmp/app" --sort=name --owner=0 --group=0 --numeric-owner -cf "$tmp/app.tar" .
    hash=$(app_inputs)
    for image in "$@"; do
        tag=${image#*:}
        settings=$(app_variants | awk -v tag="$tag" '$1 == tag { $1 = ""; print }')
        # shellcheck disable=SC2086 # the settings are words
        set -- APP_VERSION="$tag" $settings
        change="ENV APP_NAME=sample-app"
        for setting in "$@"; do
            change="$change $setting"
        done
        id=$(import "$hash" "$change" 'CMD ["/sample-app"]' 'EXPOSE 3000' <"$tmp/app.tar")
        publish "$image" "$id"
    done
}
