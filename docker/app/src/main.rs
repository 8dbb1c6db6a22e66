//! The application that zdt's demo and tests upgrade: a small HTTP/1.1 server that keeps its orders in Redis.
//! It is written to be hard on whoever upgrades it: it can boot slowly, answer slowly, fall ill, or hang, and on
//! SIGTERM it drops what is in flight, unless it is told to be graceful.
//!
//! | request | answer |
//! |---|---|
//! | `GET /` | `NAME@VERSION`, without asking the database |
//! | `GET /ping` | `pong from NAME@VERSION`; 503 when the database does not answer |
//! | `POST /orders[?delay=2s]` | waits, then stores one row: the first word of the body, or an id of its own making; 201 |
//! | `GET /orders` | `{"rows":N,"distinct":M}` |
//! | `GET /orders/ids` | one id a line |
//! | `DELETE /orders` | forgets them all |
//! | `GET /slow?delay=2s` | answers after the delay |
//! | `GET /old-ping` | 301 to `/ping` |
//!
//! | variable | meaning | default |
//! |---|---|---|
//! | `APP_NAME`, `APP_VERSION` | who answers | `sample-app`, `0.0.0` |
//! | `APP_PORT` | where it listens | `3000` |
//! | `APP_DB` | the Redis server, `host:port` | `db:6379` |
//! | `APP_BOOT_DELAY` | does not listen until then | `0s` |
//! | `APP_SLOW` | every request but `/ping` takes that long | `0s` |
//! | `APP_ORDER_DELAY` | the delay of an order that names none | `0s` |
//! | `APP_GRACEFUL=1` | on SIGTERM stops to accept and finishes what is in flight | exits at once |
//! | `APP_DIES=1` | says why and exits with 3 at start | |
//! | `APP_NEVER_HEALTHY=1` | `/ping` is 503 for ever | |
//! | `APP_SICK_AFTER` | that long after it listens, `/ping` turns to 500 | |
//! | `APP_HANGS=1` | `/ping` never answers | |
//!
//! Durations are written `2s`, `500ms`, `1m`, or plain seconds.

mod http;
mod redis;
mod routes;
mod settings;
mod signals;

use std::io::ErrorKind;
use std::net::{TcpListener, TcpStream};
use std::process::exit;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use routes::App;
use settings::Settings;

static CONNECTIONS: AtomicUsize = AtomicUsize::new(0);

fn main() {
    let settings = Settings::from_env().unwrap_or_else(|why| {
        eprintln!("sample-app: {why}");
        exit(2)
    });
    let who = settings.who();
    signals::on_sigterm(settings.graceful);
    if settings.dies {
        eprintln!("{who}: cannot start: the orders table has an unknown schema (APP_DIES)");
        exit(3);
    }
    thread::sleep(settings.boot_delay);

    let listener = TcpListener::bind(("0.0.0.0", settings.port)).unwrap_or_else(|e| {
        eprintln!("{who}: cannot listen on port {}: {e}", settings.port);
        exit(2)
    });
    eprintln!(
        "{who}: listening on port {}, database {}",
        settings.port, settings.db
    );
    let app: &'static App = Box::leak(Box::new(App {
        settings,
        since: Instant::now(),
    }));

    accept_until_stopped(&listener, app);
    drop(listener);
    while CONNECTIONS.load(Ordering::SeqCst) > 0 {
        thread::sleep(Duration::from_millis(5));
    }
}

/// Returns only after a SIGTERM, and only in a graceful application: any other is gone by then.
fn accept_until_stopped(listener: &TcpListener, app: &'static App) {
    // Non-blocking, so that what waits in the backlog when the signal comes is still taken, and nothing is waited for.
    listener
        .set_nonblocking(true)
        .expect("a listener can be made non-blocking");
    loop {
        let stopping = signals::stopping();
        match listener.accept() {
            Ok((stream, _)) => serve(stream, app),
            Err(e) if e.kind() == ErrorKind::WouldBlock => {
                if stopping {
                    return;
                }
                signals::wait_readable(listener, Duration::from_millis(100));
            }
            // The client is gone already, or file descriptors are short: neither is a reason to end.
            Err(_) => thread::sleep(Duration::from_millis(1)),
        }
    }
}

fn serve(stream: TcpStream, app: &'static App) {
    CONNECTIONS.fetch_add(1, Ordering::SeqCst);
    let started = thread::Builder::new()
        .stack_size(256 * 1024)
        .spawn(move || {
            // Held by the thread, so that the count goes down even if a handler panics.
            let _counted = Counted;
            // An error here is a client that left: there is nobody to tell.
            let _ = http::converse(stream, app);
        });
    if started.is_err() {
        CONNECTIONS.fetch_sub(1, Ordering::SeqCst);
    }
}

struct Counted;

impl Drop for Counted {
    fn drop(&mut self) {
        CONNECTIONS.fetch_sub(1, Ordering::SeqCst);
    }
}
