//! One run a deployment at a time, by a lock of the operating system. It ends with the last of its holder's mutating
//! children; no command to break it exists because none is needed.

use std::io::ErrorKind;
use std::time::Duration;

use super::journal::seconds;
use super::when;
use crate::drivers::Failure;
use crate::site::state_dir;
use crate::world::{Lock, World};

/// Takes the deployment's lock, waiting as long as was asked for.
pub fn lock(world: &dyn World, dir: &std::path::Path, wait: Duration) -> Result<Lock, Failure> {
    let folder = state_dir(dir);
    let path = folder.join("lock");
    let start = world.now();
    loop {
        world
            .create_dir_all(&folder, 0o700)
            .map_err(|error| Failure::refused(format!("cannot create `{}`: {error}", folder.display())))?;
        let taken = match world.try_lock(&path) {
            // A run that was refused has just taken away what it had made.
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            taken => taken,
        };
        match taken.map_err(|error| Failure::refused(format!("cannot lock `{}`: {error}", path.display())))? {
            Some(lock) => {
                let holder = holder(world);
                let note = folder.join("holder");
                let _ = world.write(&note, holder.as_bytes(), 0o600);
                return Ok(lock);
            }
            None if world.now().saturating_sub(start) < wait => {
                if !world.pause(Duration::from_millis(100)) {
                    return Err(Failure::interrupted());
                }
            }
            None => {
                let by = held_by(world, &folder.join("holder"));
                return Err(Failure::refused(format!("another run is at work here: {by}")).help(
                    "wait for it (`--lock-wait 60s`); the lock ends with that run and its last compose command",
                ));
            }
        }
    }
}

/// Whoever has just taken the lock writes its name a moment later.
const NAMED: Duration = Duration::from_millis(500);

/// Who holds the lock. A name whose process has ended is either about to be replaced by the holder's, or a command that
/// it started still runs.
fn held_by(world: &dyn World, note: &std::path::Path) -> String {
    let start = world.now();
    loop {
        let by = String::from_utf8_lossy(&world.read(note).unwrap_or_default())
            .trim()
            .to_string();
        if pid(&by).is_some_and(|pid| world.title(pid).is_some()) {
            return by;
        }
        let late = world.now().saturating_sub(start) >= NAMED;
        if late || !world.pause(Duration::from_millis(20)) {
            return match by.is_empty() {
                true => "its name is not known".to_string(),
                false => format!("{by}; it has ended, but a command it started is still at work"),
            };
        }
    }
}

fn pid(holder: &str) -> Option<u32> {
    let (_, rest) = holder.split_once(", pid ")?;
    rest.split(',').next()?.parse().ok()
}

fn holder(world: &dyn World) -> String {
    let user = std::env::var("USER").unwrap_or_else(|_| format!("uid {}", rustix::process::getuid().as_raw()));
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    format!(
        "{user}@{host}, pid {}, since {}",
        std::process::id(),
        when(seconds(world))
    )
}
