//! `Z2xx`: what the preflight finds before anything is touched. Errors refuse the run, warnings are told.

super::codes! {
OLD_NGINX "Z201" "old-nginx" "this nginx resets pooled connections at each reload"
"Before 1.27.4 a reload closes every idle keep-alive connection at once. A client that sends on one at that very
moment sees a reset: at most one request a connection and reload. Clients with fresh connections lose nothing.

    param proxy_image = nginx:1.30      # has keepalive_min_timeout

A warning: the upgrade works, and the probe shows what it cost."

COMPOSE_V1 "Z202" "compose-v1" "this compose dies on this engine in the middle of a recreate"
"docker-compose 1.x reads a field (`ContainerConfig`) that engines from 25 on no longer give. It fails *after* it
stopped the old container.

    zdt … --compose-command 'docker compose'

An error."

OTHER_FOLDER "Z203" "other-folder" "the project is deployed from another folder"
"The labels of the running containers say which folder they come from. Two folders for one project would undo each
other's work.

    zdt recipes/upgrade.zdt --set dir=/srv/shop

An error."

IMAGE_MISSING "Z204" "image-missing" "a step uses an image that is not on the engine and that nothing pulls"
"Compose is never let to pull or build in the middle of an upgrade.

    pull $repo:$version          # before the first drain

An error."

NOT_ONE_CONTAINER "Z205" "not-one-container" "a backend has no container, or more than one"
"A backend is exactly one container: that is what is drained, replaced and looked at.

    docker ps -a --filter label=com.docker.compose.service=app_1

An error where a step needs it; half-renamed leftovers of an aborted recreate are removed by `zdt resume` or
`zdt rollback`."

OTHER_WAY_IN "Z206" "other-way-in" "the proxy reaches a backend by another way than the one zdt renders"
"A drain takes the backend out of the file that zdt writes. Another `proxy_pass` or `server` to the same address would
go on sending requests to it, also where a `set` or a `map` says the host and the `proxy_pass` the port.

    location /admin { proxy_pass http://app_1:3000; }      # in another file

An error: put it into the template, through the upstream."

PUBLISHED_PORT "Z207" "published-port" "a backend can be reached past the proxy"
"A published port of a backend is a way in that no drain closes.

    ports: [\"3000:3000\"]       # of the backend's service

A warning: whoever uses that port is not protected."

DISK_FULL "Z208" "disk-full" "there is no room for journal and configuration"
"zdt writes a step down before it does it. Without room nothing may begin.

    df -h .

An error below 16 MiB."

RESTARTS_PROXY "Z209" "restarts-proxy" "recreating a backend would restart the proxy"
"Compose restarts services that depend on another one with `restart: true`.

    depends_on:
      app_1: { condition: service_started, restart: true }      # remove `restart: true`

An error."

WOULD_RECREATE "Z210" "would-recreate" "a plain `compose up` would replace a container"
"The container was made from another definition than the file has now. zdt itself touches only what a step names, but
somebody's `compose up -d` would replace it, with an outage if it is the proxy or the database.

    zdt status                   # shows the drift

A warning."

NO_RESTART "Z211" "no-restart-policy" "a container would not come back after a reboot"
"Without a restart policy the engine does not start it again.

    restart: always

With `unless-stopped` it comes back after a reboot, but not after the engine alone was killed: that takes what it finds
running for stopped by hand.

A warning."

UNHEALTHY "Z212" "unhealthy-backend" "a backend in traffic does not answer its health endpoint"
"It counts for nothing in the capacity guard, so that the site can receive its fix. If it is well, the declared path or
port is wrong.

    backend app_1 port=3000 health=/ping

A warning. An error where all that serve answer 4xx, and the plan drains: they run, and the path is wrong."

DRAIN_TOO_LONG "Z213" "drain-too-long" "a drain may last longer than nginx lets a worker live"
"At `worker_shutdown_timeout` nginx cuts the requests a worker still has: the client gets an empty reply although the
application may have done the work. The drain's own limit must end before that.

    drain app_1 timeout=30s      # below worker_shutdown_timeout

An error."

NO_SHUTDOWN_LIMIT "Z214" "no-shutdown-limit" "nginx lets an old worker live for ever"
"Without `worker_shutdown_timeout` one websocket or one stuck client keeps a worker, and so a drain, until its limit. It
is a main directive:

    command: [\"nginx\", \"-g\", \"daemon off; worker_shutdown_timeout 90s;\"]

A warning."

GENTLE_RELOAD "Z215" "gentle-reload" "this nginx could let pooled clients go gently, but its configuration does not say so"
"The configuration of *before* a reload rules it, so the directive must be live before the upgrade begins.

    keepalive_min_timeout 10s;   # in the server block, then `up`

A warning."

STREAM "Z216" "stream" "a backend is served through `stream { }`"
"zdt steers http traffic only; a TCP stream to the backend would be neither drained nor counted.

    stream { server { listen 5432; proxy_pass app_1:5432; } }

An error."

PORT_TAKEN "Z217" "port-taken" "something else listens at a port that a service would publish"
"Compose would find out after it had started the other containers. Where no earlier step could change it, it is known
before anything is touched.

    ss -ltnp sport = :8080       # names what listens there

An error."

SERVER_NOT_LISTED "Z218" "server-not-listed" "the proxy's template does not list a backend's server as zdt gives it"
"A drain renders the template with that server `down`. Where the upstream is written by hand, or the address without the
rest of what zdt gives, nothing changes, and requests go on to a container that is about to be replaced.

    upstream {{name}} { {{#each servers}}server {{{server}}}; {{/each}} }

An error."

SET_RULES_NOTHING "Z219" "set-rules-nothing" "the image of a backend's service is not what its `set=` variable says"
"Without a template for the compose file, zdt changes an image by a variable in `.env`: the whole REPO:TAG, and one
variable for each backend.

    image: ${SHOP_1_IMAGE}       # in the compose file
    backend shop_1 port=8000 health=/health set=SHOP_1_IMAGE

A variable of that name in the environment comes before `.env`, and has to be unset first. An error."

WRONG_PORT "Z220" "wrong-port" "a backend that serves does not listen at its declared port"
"The running configuration reaches it, and the next one would not: the address in the file is made from `port=`.

    backend app_1 port=3000 health=/ping

An error."

UNDECLARED "Z221" "undeclared-backend" "nginx sends requests to a backend that the recipe does not declare"
"zdt renders nginx's file from the backends that a recipe declares. One that serves now and is missing there, or has
another name there, would lose its traffic at the first reload, without a drain.

    backend app_3 port=3000 health=/ping      # as the recipe has it that put it there

An error; `--allow downtime` drops it all the same."

DEFINITION_CHANGED "Z222" "definition-changed" "a backend's service was changed in the compose file since its container was made"
"A recreate makes the next container from the compose file as it is now. A rollback brings the old image back, but not the
old definition: with a compose file of your own, that is yours to keep.

    git diff docker-compose.yml

A warning."

SEVERAL_FILES "Z223" "several-files" "the application was brought up from more than one compose file"
"An override file, several `-f`, or `COMPOSE_FILE` with several names: zdt gives compose the one file that the recipe
declares, so what the others say would be gone from the next container.

    docker compose config --no-interpolate > one.yml

An error."
}
