//! Which processes a container has, from the kernel: the cgroup of its first process, which engines name after the
//! container. A few file reads, where the engine starts a `ps`.

use std::fs;
use std::path::{Path, PathBuf};

/// Where cgroups are mounted (systemd's file hierarchy).
const MOUNT: &str = "/sys/fs/cgroup";

/// The pids of `container`, whose first process is `first`; `None` where this machine cannot tell them all for sure.
pub(super) fn members(container: &str, first: u32) -> Option<Vec<u32>> {
    let known = fs::read_to_string(format!("/proc/{first}/cgroup")).ok()?;
    known.lines().find_map(|line| {
        let folder = folder(line, container)?;
        // What runs in a cgroup further down is not listed up here.
        if has_folders(&folder)? {
            return None;
        }
        let list = fs::read_to_string(folder.join("cgroup.procs")).ok()?;
        let pids: Vec<u32> = list.lines().filter_map(|pid| pid.parse().ok()).collect();
        pids.contains(&first).then_some(pids)
    })
}

/// The folder of a line `number:controllers:path`, if it is this container's own (`…/ID`, `…/docker-ID.scope`).
fn folder(line: &str, container: &str) -> Option<PathBuf> {
    let (_, rest) = line.split_once(':')?;
    let (controllers, path) = rest.split_once(':')?;
    let own = Path::new(path).file_name()?.to_str()?;
    if container.is_empty() || !own.contains(container) {
        return None;
    }
    let below = path.trim_start_matches('/');
    let mounted = match controllers {
        // The unified hierarchy; beside the older one it has a folder of its own.
        "" => ["", "unified"].map(|name| Path::new(MOUNT).join(name).join(below)),
        named => [named, named.trim_start_matches("name=")].map(|name| Path::new(MOUNT).join(name).join(below)),
    };
    mounted.into_iter().find(|folder| folder.join("cgroup.procs").exists())
}

fn has_folders(folder: &Path) -> Option<bool> {
    let mut entries = fs::read_dir(folder).ok()?.flatten();
    Some(entries.any(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cgroup_of_something_else_tells_nothing() {
        for line in [
            "0::/system.slice/ssh.service",
            "8:pids:/docker/",
            "nonsense",
            "0::/docker/ab12",
        ] {
            assert_eq!(folder(line, "cd34"), None, "{line}");
        }
        assert_eq!(folder("0::/docker/ab12", ""), None);
        assert_eq!(members("not-a-container", std::process::id()), None);
    }
}
