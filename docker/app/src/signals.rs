//! SIGTERM. The application is process 1 of its container, which has no default handler: without one of its own it
//! would ignore the signal and cost its user ten seconds a stop.
//! The C functions are declared here because they are all there is to need from libc.

use std::ffi::{c_int, c_short, c_ulong};
use std::net::TcpListener;
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const SIGTERM: c_int = 15;
const POLLIN: c_short = 1;

#[repr(C)]
struct PollFd {
    fd: c_int,
    events: c_short,
    revents: c_short,
}

unsafe extern "C" {
    fn signal(signum: c_int, handler: extern "C" fn(c_int)) -> usize;
    fn poll(fds: *mut PollFd, count: c_ulong, timeout_ms: c_int) -> c_int;
    fn _exit(status: c_int) -> !;
}

static STOPPING: AtomicBool = AtomicBool::new(false);
static LISTENING: AtomicBool = AtomicBool::new(false);

extern "C" fn exit_at_once(_: c_int) {
    // SAFETY: `_exit` may be called from a signal handler.
    unsafe { _exit(0) }
}

extern "C" fn stop_soon(signum: c_int) {
    STOPPING.store(true, Ordering::SeqCst);
    // Before it listens there is nothing to finish.
    if !LISTENING.load(Ordering::SeqCst) {
        exit_at_once(signum);
    }
}

pub fn on_sigterm(graceful: bool) {
    // SAFETY: both handlers only touch atomics and call `_exit`.
    unsafe { signal(SIGTERM, if graceful { stop_soon } else { exit_at_once }) };
}

pub fn stopping() -> bool {
    STOPPING.load(Ordering::SeqCst)
}

/// Returns when somebody connects, at a signal, or after `limit`. A signal that comes just before the wait begins
/// would go unseen until the limit, so that should be short.
pub fn wait_readable(listener: &TcpListener, limit: Duration) {
    LISTENING.store(true, Ordering::SeqCst);
    let mut fd = PollFd {
        fd: listener.as_raw_fd(),
        events: POLLIN,
        revents: 0,
    };
    // SAFETY: `fd` is one valid entry, and the listener outlives the call.
    unsafe { poll(&mut fd, 1, limit.as_millis() as c_int) };
}
