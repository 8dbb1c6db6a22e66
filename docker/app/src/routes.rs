//! What each request is answered with.

use std::collections::HashSet;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use crate::http::{Request, Response};
use crate::redis::{Redis, Reply};
use crate::settings::{Settings, duration};

const ORDERS: &str = "orders";
const ID_LIMIT: usize = 200;

pub struct App {
    pub settings: Settings,
    /// When it began to listen.
    pub since: Instant,
}

pub fn answer(app: &App, redis: &mut Redis, request: &Request) -> Response {
    let method = if request.method == "HEAD" {
        "GET"
    } else {
        &request.method
    };
    if request.path == "/ping" {
        return if method == "GET" {
            ping(app, redis)
        } else {
            Response::text(405, "only GET\n")
        };
    }
    thread::sleep(app.settings.slow);
    match (method, request.path.as_str()) {
        ("GET", "/") => Response::text(200, format!("{}\n", app.settings.who())),
        ("POST", "/orders") => order(app, redis, request),
        ("GET", "/orders") => or_503(count(redis)),
        ("GET", "/orders/ids") => or_503(ids(redis).map(|ids| {
            let lines: String = ids.iter().map(|id| format!("{id}\n")).collect();
            Response::text(200, lines)
        })),
        ("DELETE", "/orders") => or_503(
            redis
                .read(&["DEL", ORDERS])
                .map(|_| Response::text(200, "no orders\n")),
        ),
        ("GET", "/slow") => match delay(request, Duration::ZERO) {
            Ok(delay) => {
                thread::sleep(delay);
                Response::text(200, format!("slow {}\n", app.settings.who()))
            }
            Err(refusal) => refusal,
        },
        ("GET", "/old-ping") => Response {
            location: Some("/ping"),
            ..Response::text(301, "moved to /ping\n")
        },
        (_, "/" | "/orders" | "/orders/ids" | "/slow" | "/old-ping") => {
            Response::text(405, "not with this method\n")
        }
        _ => Response::text(404, "no such page\n"),
    }
}

fn ping(app: &App, redis: &mut Redis) -> Response {
    let settings = &app.settings;
    if settings.hangs {
        loop {
            thread::park();
        }
    }
    if settings.never_healthy {
        return Response::text(503, format!("{} is never healthy\n", settings.who()));
    }
    if settings
        .sick_after
        .is_some_and(|limit| app.since.elapsed() >= limit)
    {
        return Response::text(500, format!("{} has fallen ill\n", settings.who()));
    }
    or_503(
        redis
            .read(&["PING"])
            .map(|_| Response::text(200, format!("pong from {}\n", settings.who()))),
    )
}

fn order(app: &App, redis: &mut Redis, request: &Request) -> Response {
    let body = String::from_utf8_lossy(&request.body);
    let id = match body.split_whitespace().next() {
        Some(id) if id.len() > ID_LIMIT => return Response::text(400, "the id is too long\n"),
        Some(id) => id.to_string(),
        None => unique_id(),
    };
    match delay(request, app.settings.order_delay) {
        Ok(delay) => thread::sleep(delay),
        Err(refusal) => return refusal,
    }
    or_503(
        redis
            .write(&["RPUSH", ORDERS, &id])
            .map(|_| Response::text(201, format!("order {id} {}\n", app.settings.who()))),
    )
}

fn count(redis: &mut Redis) -> io::Result<Response> {
    let ids = ids(redis)?;
    let distinct: HashSet<&String> = ids.iter().collect();
    let body = format!(
        "{{\"rows\":{},\"distinct\":{}}}\n",
        ids.len(),
        distinct.len()
    );
    Ok(Response {
        content_type: "application/json",
        ..Response::text(200, body)
    })
}

fn ids(redis: &mut Redis) -> io::Result<Vec<String>> {
    match redis.read(&["LRANGE", ORDERS, "0", "-1"])? {
        Reply::List(ids) => Ok(ids),
        Reply::Text(text) => Err(io::Error::other(format!(
            "a list was asked for, got `{text}`"
        ))),
        Reply::Number(n) => Err(io::Error::other(format!("a list was asked for, got {n}"))),
    }
}

fn delay(request: &Request, default: Duration) -> Result<Duration, Response> {
    match request.query("delay") {
        None => Ok(default),
        Some(text) => duration(text)
            .ok_or_else(|| Response::text(400, "delay: not a duration like 2s or 500ms\n")),
    }
}

fn or_503(result: io::Result<Response>) -> Response {
    result.unwrap_or_else(|e| Response::text(503, format!("the database does not answer: {e}\n")))
}

/// Unique among all instances too: two of them count the same numbers, but hardly in the same nanosecond.
fn unique_id() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default()
        .as_nanos();
    format!("{now:x}-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}
