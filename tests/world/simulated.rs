//! The simulated world, by the command lines and files that the drivers would use.

#[path = "simulated/engine.rs"]
mod engine;
#[path = "simulated/faults.rs"]
mod faults;
#[path = "simulated/proxy.rs"]
mod proxy;

use serde_json::Value;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use zdt::world::simulated::{Answers, Behaviour, Crashed, Death, Facts, Fault, Image, ImageKind, Kind, Nth, Simulated};
use zdt::world::{
    Api, Clock, Command, Files, HttpAnswer, HttpRequest, Interrupt, Net, NetError, Output, PENDING, ProcessError,
    Processes, Question, Signals, Status,
};

const DIR: &str = "/srv/shop";

const CONF: &str = "/srv/shop/nginx/default.conf";

fn compose_file(tag: &str) -> String {
    format!(
        "x-app: &app
  image: shop:{tag}
  restart: unless-stopped
services:
  app_1:
    <<: *app
    networks: {{ default: {{ ipv4_address: 172.30.0.11 }} }}
  app_2:
    image: shop:${{TAG:-0.0.1}}
    networks: {{ default: {{ ipv4_address: 172.30.0.12 }} }}
  proxy:
    image: nginx:1.30
    command: [nginx, -g, 'daemon off; worker_shutdown_timeout 60s;']
    ports: ['127.0.0.1:8080:80']
    volumes: ['./nginx:/etc/nginx/conf.d:ro']
    depends_on: [app_1, app_2]
networks:
  default:
    ipam: {{ config: [{{ subnet: 172.30.0.0/24, ip_range: 172.30.0.128/25 }}] }}
"
    )
}

fn conf(down: Option<u8>, nonce: &str) -> String {
    let server = |n: u8| {
        let down = if down == Some(n) { " down" } else { "" };
        format!("    server 172.30.0.1{n}:3000{down} max_fails=0;\n")
    };
    format!(
        "upstream shop {{\n    zone shop 64k;\n{}{}    keepalive 16;\n}}
server {{\n    listen 80 default_server;\n    server_name _;\n    location / {{ proxy_pass http://shop; }}\n}}
server {{\n    listen 80;\n    server_name secret;\n    location = /nonce {{ return 200 \"{nonce}\"; }}
    location /app_1/ {{ proxy_pass http://172.30.0.11:3000/; }}\n}}\n",
        server(1),
        server(2)
    )
}

fn site() -> Simulated {
    Simulated::empty()
        .image(Image::app("shop:0.0.1"))
        .image(Image::nginx("nginx:1.30", "1.30.1"))
        .registry_image(Image::app("shop:0.0.2"))
        .file(format!("{DIR}/docker-compose.yml"), compose_file("0.0.1"))
        .file(CONF, conf(None, "1"))
        .recording(true)
}

fn up() -> Simulated {
    let world = site();
    ok(&world, "docker compose -p shop -f /srv/shop/docker-compose.yml up -d");
    world.pause(Duration::from_secs(1));
    world
}

fn command(line: &str) -> Command<'static> {
    let mut words = line.split(' ');
    let program = words.next().unwrap().to_string();
    Command::new(program, words)
}

fn run(world: &Simulated, line: &str) -> Output {
    world.run(&command(line)).unwrap()
}

fn ok(world: &Simulated, line: &str) -> String {
    let output = run(world, line);
    assert!(output.success(), "{line}: {output:?}");
    output.stdout
}

fn fails(world: &Simulated, line: &str) -> String {
    let output = run(world, line);
    assert!(!output.success(), "{line}: {output:?}");
    output.stderr
}

fn compose(world: &Simulated, rest: &str) -> String {
    ok(
        world,
        &format!("docker compose -p shop -f /srv/shop/docker-compose.yml {rest}"),
    )
}

fn get(world: &Simulated, url: &str, host: Option<&str>) -> Result<HttpAnswer, NetError> {
    let (url, host) = (url.to_string(), host.map(str::to_string));
    world.get(&HttpRequest {
        url,
        host,
        timeout: Duration::from_secs(2),
    })
}

fn inspect(world: &Simulated, name: &str) -> Value {
    ask(world, &format!("/containers/{name}/json"))
}

/// What the engine answers.
fn ask(world: &Simulated, path: &str) -> Value {
    let docker = "docker";
    let deadline = Duration::from_secs(60);
    Arc::unwrap_or_clone(world.ask(&Question { docker, path, deadline }).unwrap().body)
}

/// Processes of the proxy, by pid and title.
fn top(world: &Simulated) -> Vec<(u32, String)> {
    let answer = ask(world, "/containers/shop-proxy-1/top?ps_args=-eo%20pid,args");
    let rows = answer["Processes"].as_array().unwrap();
    let process = |row: &Value| {
        (
            row[0].as_str().unwrap().parse().unwrap(),
            row[1].as_str().unwrap().to_string(),
        )
    };
    rows.iter().map(process).collect()
}

fn names(world: &Simulated) -> Vec<String> {
    let filter = "%7B%22label%22%3A%5B%22com.docker.compose.project%3Dshop%22%5D%7D";
    let rows = ask(world, &format!("/containers/json?all=1&filters={filter}"));
    let name = |row: &Value| row["Names"][0].as_str().unwrap()[1..].to_string();
    let mut names: Vec<String> = rows.as_array().unwrap().iter().map(name).collect();
    names.sort();
    names
}

fn write(world: &Simulated, path: &str, content: &str) {
    world.write(Path::new(path), content.as_bytes(), 0o644).unwrap();
}
