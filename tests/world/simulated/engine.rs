//! Engine and compose, by their command lines.

use super::*;

#[test]
fn an_up_makes_what_the_file_says() {
    let world = up();
    assert_eq!(names(&world), ["shop-app_1-1", "shop-app_2-1", "shop-proxy-1"]);
    let app = inspect(&world, "shop-app_1-1");
    assert_eq!(app["State"]["Status"], "running");
    assert_eq!(
        app["NetworkSettings"]["Networks"]["shop_default"]["IPAddress"],
        "172.30.0.11"
    );
    assert_eq!(app["HostConfig"]["RestartPolicy"]["Name"], "unless-stopped");
    let labels = &app["Config"]["Labels"];
    assert_eq!(labels["com.docker.compose.service"], "app_1");
    assert_eq!(labels["com.docker.compose.project.working_dir"], DIR);
    assert_eq!(labels["com.docker.compose.image"], app["Image"]);
    let hashes = compose(&world, "config --hash *");
    let hash = labels["com.docker.compose.config-hash"].as_str().unwrap();
    assert!(hashes.contains(&format!("app_1 {hash}\n")), "{hashes}");

    let proxy = inspect(&world, "shop-proxy-1");
    // The gateway took the first of the range.
    assert_eq!(
        proxy["NetworkSettings"]["Networks"]["shop_default"]["IPAddress"],
        "172.30.0.129"
    );
    assert_eq!(proxy["Mounts"][0]["Source"], "/srv/shop/nginx");
    assert_eq!(proxy["Mounts"][0]["RW"], false);
    assert_eq!(proxy["NetworkSettings"]["Ports"]["80/tcp"][0]["HostPort"], "8080");

    assert_eq!(
        get(&world, "http://127.0.0.1:8080/ping", None).unwrap().body,
        "pong from app_2@0.0.1\n"
    );
    assert_eq!(
        get(&world, "http://127.0.0.1:8080/ping", None).unwrap().body,
        "pong from app_1@0.0.1\n"
    );
    assert_eq!(
        get(&world, "http://127.0.0.1:8080/app_1/ping", Some("secret"))
            .unwrap()
            .body,
        "pong from app_1@0.0.1\n"
    );
    assert_eq!(
        get(&world, "http://172.30.0.12:3000/ping", None).unwrap().body,
        "pong from app_2@0.0.1\n"
    );
    assert_eq!(get(&world, "http://127.0.0.1:8081/", None), Err(NetError::Refused));
    assert!(!world.port_free("127.0.0.1:8080".parse().unwrap()));

    // Again changes nothing.
    let before = inspect(&world, "shop-app_1-1");
    compose(&world, "up -d");
    assert_eq!(inspect(&world, "shop-app_1-1"), before);
}

#[test]
fn config_is_printed_as_compose_prints_it() {
    let world = site().file("/srv/shop/.env", "TAG=0.0.7\n");
    let config: Value = serde_json::from_str(&compose(&world, "config --format json")).unwrap();
    assert_eq!(config["name"], "shop");
    let services = &config["services"];
    assert_eq!(services["app_1"]["image"], "shop:0.0.1");
    assert_eq!(services["app_1"]["restart"], "unless-stopped");
    assert_eq!(services["app_2"]["image"], "shop:0.0.7");
    let port = r#"{"mode":"ingress","host_ip":"127.0.0.1","target":80,"published":"8080","protocol":"tcp"}"#;
    assert_eq!(
        services["proxy"]["ports"][0],
        serde_json::from_str::<Value>(port).unwrap()
    );
    let volume = r#"{"type":"bind","source":"/srv/shop/nginx","target":"/etc/nginx/conf.d","read_only":true,"bind":{"create_host_path":true}}"#;
    assert_eq!(
        services["proxy"]["volumes"][0],
        serde_json::from_str::<Value>(volume).unwrap()
    );
    assert_eq!(services["proxy"]["networks"]["default"], Value::Null);
    assert_eq!(services["proxy"]["depends_on"]["app_1"]["condition"], "service_started");
    assert_eq!(config["networks"]["default"]["name"], "shop_default");
    assert_eq!(compose(&world, "config --services"), "app_1\napp_2\nproxy\n");

    write(
        &world,
        "/srv/shop/docker-compose.yml",
        "services: { a: { image: 'x:${NO?it is needed}' } }",
    );
    let line = "docker compose -f /srv/shop/docker-compose.yml config -q";
    assert_eq!(
        fails(&world, line),
        "required variable NO is missing a value: it is needed\n"
    );
    let mut with = command(line);
    with.env.push(("NO".into(), "1".into()));
    assert!(world.run(&with).unwrap().success());
    write(&world, "/srv/shop/docker-compose.yml", "services: [");
    assert!(fails(&world, line).starts_with("yaml: "));
    assert!(fails(&world, "docker compose -f /no/where.yml config").contains("no such file"));
}

#[test]
fn compose_v1_has_its_own_order() {
    let world = site().compose_version("1.29.2").engine_version("20.10.24");
    let line = "docker-compose -p shop -f /srv/shop/docker-compose.yml";
    ok(&world, &format!("{line} up -d"));
    assert_eq!(names(&world), ["shop_app_1_1", "shop_app_2_1", "shop_proxy_1"]);
    write(&world, "/srv/shop/.env", "TAG=0.0.2");
    ok(&world, "docker pull shop:0.0.2");
    ok(&world, &format!("{line} up -d --no-deps app_2"));
    assert_eq!(inspect(&world, "shop_app_2_1")["Config"]["Image"], "shop:0.0.2");
    assert_eq!(ok(&world, "docker-compose version --short"), "1.29.2\n");

    // With an engine that is too new it dies after it has stopped the old one.
    let world = world.engine_version("28.0.0");
    write(&world, "/srv/shop/.env", "TAG=0.0.1");
    assert!(fails(&world, &format!("{line} up -d --no-deps app_2")).contains("KeyError: 'ContainerConfig'"));
    assert_eq!(inspect(&world, "shop_app_2_1")["State"]["Status"], "exited");
}

#[test]
fn images_come_and_go_as_docker_has_it() {
    let world = up();
    assert_eq!(
        ask(&world, "/images/shop:0.0.9/json")["message"],
        "No such image: shop:0.0.9"
    );
    assert!(fails(&world, "docker pull shop:0.0.9").contains("manifest for shop:0.0.9 not found"));
    let id = |name: &str| {
        ask(&world, &format!("/images/{name}/json"))["Id"]
            .as_str()
            .unwrap()
            .to_string()
    };
    let first = id("shop:0.0.1");
    assert_eq!(first, inspect(&world, "shop-app_1-1")["Image"]);
    ok(&world, "docker tag shop:0.0.1 keep:1");
    assert_eq!(id("keep:1"), first);
    assert_eq!(ok(&world, "docker rmi keep:1"), "Untagged: keep:1\n");
    assert!(fails(&world, "docker rmi shop:0.0.1").contains("is using its referenced image"));
    // A tag that moves makes another container necessary, as it does for compose.
    let moved = Image {
        id: format!("sha256:{}", "ab".repeat(32)),
        ..Image::app("shop:0.0.1")
    };
    world.publish(moved);
    ok(&world, "docker pull shop:0.0.1");
    let before = inspect(&world, "shop-app_1-1")["Id"].clone();
    compose(&world, "up -d --no-deps app_1");
    assert_ne!(inspect(&world, "shop-app_1-1")["Id"], before);
    // By its id the old one is still to be had.
    let text = compose_file("0.0.1").replace("shop:0.0.1", &first);
    write(&world, "/srv/shop/docker-compose.yml", &text);
    compose(&world, "up -d --no-deps --pull never app_1");
    assert_eq!(inspect(&world, "shop-app_1-1")["Image"], first.as_str());
}

#[test]
fn unknown_images_spring_into_existence_for_a_dry_run() {
    let world = Simulated::empty()
        .observe_unknown_images(true)
        .file("/srv/shop/docker-compose.yml", compose_file("9"))
        .file(CONF, conf(None, "1"));
    ok(&world, "docker pull shop:9");
    compose(&world, "up -d");
    world.pause(Duration::from_secs(1));
    assert_eq!(get(&world, "http://127.0.0.1:8080/", None).unwrap().status, 200);
}

#[test]
fn a_world_can_be_seeded_with_what_another_engine_runs() {
    let there = up();
    let read = |path: &str| (path.into(), there.read(Path::new(path)).unwrap(), 0o644);
    let mut containers = ["shop-app_1-1", "shop-app_2-1", "shop-proxy-1"]
        .map(|name| inspect(&there, name))
        .to_vec();
    // As if the real compose computed other hashes.
    for (at, hash) in ["h1", "h2", "h3"].into_iter().enumerate() {
        containers[at]["Config"]["Labels"]["com.docker.compose.config-hash"] = hash.into();
    }
    let facts = Facts {
        containers,
        images: ["shop:0.0.1", "nginx:1.30"]
            .map(|name| ask(&there, &format!("/images/{name}/json")))
            .to_vec(),
        networks: ask(&there, "/networks").as_array().unwrap().clone(),
        files: vec![read(CONF), read("/srv/shop/docker-compose.yml")],
        hashes: [("app_1", "h1"), ("app_2", "h2"), ("proxy", "other")]
            .map(|(a, b)| (a.into(), b.into()))
            .into(),
        ..Facts::default()
    };
    let here = Simulated::seed(facts);
    assert_eq!(
        get(&here, "http://127.0.0.1:8080/ping", None).unwrap().body,
        "pong from app_2@0.0.1\n"
    );
    assert_eq!(here.serving().unwrap()["shop"], 2);
    let ids = |world: &Simulated| {
        ["app_1", "app_2", "proxy"].map(|name| inspect(world, &format!("shop-{name}-1"))["Id"].clone())
    };
    assert_eq!(ids(&here), ids(&there));
    assert!(compose(&here, "config --hash *").starts_with("app_1 h1\napp_2 h2\n"));
    compose(&here, "up -d");
    assert_eq!(ids(&here)[..2], ids(&there)[..2]);
    assert_ne!(ids(&here)[2], ids(&there)[2]);
    // The other one was not touched.
    assert_eq!(there.serving().unwrap()["shop"], 2);
}

#[test]
fn a_healthcheck_is_played_and_waited_for() {
    let world = site();
    let text = "services: { app: { image: 'shop:0.0.1', healthcheck: { test: [CMD, 'true'], interval: 2s } } }";
    write(&world, "/srv/shop/docker-compose.yml", text);
    compose(&world, "up -d");
    let health = |world: &Simulated| inspect(world, "shop-app-1")["State"]["Health"]["Status"].clone();
    assert_eq!(health(&world), "starting");
    compose(&world, "up -d --wait --force-recreate");
    assert_eq!(health(&world), "healthy");
}

#[test]
fn two_cannot_have_the_same_port_or_address() {
    let world = up();
    let other = "services: { a: { image: 'shop:0.0.1', ports: ['8080:3000'] } }";
    write(&world, "/srv/other.yml", other);
    assert!(fails(&world, "docker compose -p other -f /srv/other.yml up -d").contains("port is already allocated"));
    let text = compose_file("0.0.1").replace("172.30.0.12", "172.30.0.11");
    write(&world, "/srv/shop/docker-compose.yml", &text);
    assert!(
        fails(
            &world,
            "docker compose -p shop -f /srv/shop/docker-compose.yml up -d app_2"
        )
        .contains("Address already in use")
    );
}

#[test]
fn gaps_are_noticed() {
    let world = up();
    for line in [
        "docker buildx ls",
        "docker ps",
        "docker exec shop-app_1-1 wget x",
        "docker compose -p x -f /srv/shop/docker-compose.yml watch",
        "make all",
    ] {
        let output = run(&world, line);
        assert_eq!(output.status, Status::Exited(125), "{line}");
        assert!(output.stderr.contains("cannot play"), "{line}: {}", output.stderr);
    }
}

/// Networks of others are not taken for the project's own.
#[test]
fn networks_are_found_by_label_and_tell_their_subnets() {
    let world = up();
    let of = |project: &str| {
        let filter = format!("%7B%22label%22%3A%5B%22com.docker.compose.project%3D{project}%22%5D%7D");
        ask(&world, &format!("/networks?filters={filter}"))
    };
    assert_eq!(of("shop").as_array().unwrap().len(), 1);
    assert_eq!(of("shop")[0]["IPAM"]["Config"][0]["Subnet"], "172.30.0.0/24");
    assert_eq!(of("other"), Value::Array(Vec::new()));
}
