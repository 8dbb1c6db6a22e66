//! A process of this machine, told apart from a later one with the same number.

use std::fs;

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Process {
    pid: u32,
    /// Clock ticks between the boot of the machine and the start of the process.
    since: u64,
}

impl Process {
    /// `None` when there is no such process.
    pub fn find(pid: u32) -> Option<Process> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        Some(Process {
            pid,
            since: alive_since(&stat)?,
        })
    }

    pub fn has_ended(&self) -> bool {
        Process::find(self.pid).as_ref() != Some(self)
    }
}

/// Reads state and start time, fields 3 and 22 of `/proc/PID/stat` (man proc_pid_stat). The name in field 2 may hold
/// anything, spaces and brackets too. A zombie has ended.
fn alive_since(stat: &str) -> Option<u64> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_whitespace();
    let state = fields.next()?;
    let since = fields.nth(18)?.parse().ok()?;
    (!matches!(state, "Z" | "X" | "x")).then_some(since)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_lives() {
        let me = Process::find(std::process::id()).expect("found");
        assert!(!me.has_ended());
        let before_me = Process {
            since: me.since - 1,
            ..me
        };
        assert!(before_me.has_ended(), "the same number, another process");
    }

    #[test]
    fn odd_names_and_zombies_are_understood() {
        let stat = |name: &str, state: &str| format!("7 ({name}) {state} 1 {} 4242 0 0", "0 ".repeat(17).trim());
        assert_eq!(alive_since(&stat("sh", "S")), Some(4242));
        assert_eq!(alive_since(&stat("a) Z (b", "R")), Some(4242));
        assert_eq!(alive_since(&stat("sh", "Z")), None);
        assert_eq!(alive_since("7 (sh"), None);
    }
}
