//! What goes wrong on purpose, and the record of what was asked.

use std::collections::BTreeMap;

/// What goes wrong at a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing is done, and it fails (a command: exit 1).
    Error,
    /// It is done, and fails all the same.
    ErrorAfter,
    /// Nothing is done; a command runs into its deadline.
    Hang,
    /// zdt is killed before the call does anything.
    Crash,
    /// zdt is killed after this many of the changes inside the call were made (`usize::MAX`: all of them).
    CrashAfter { events: usize },
    /// zdt is killed in the middle of an append: half of it is there.
    Torn,
    /// SIGINT arrives just before the call.
    Interrupt,
}

/// Which call, counted from 1 since the world began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Nth {
    /// Of all calls.
    Call(usize),
    /// Of those that change something: commands with effects, files written, appended to or removed.
    Mutating(usize),
}

/// The payload of the panic by which a crash ends the code above.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Crashed;

/// One call, as it was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    pub kind: Kind,
    /// The command line, path or URL.
    pub what: String,
    /// What was written or appended.
    pub content: Option<String>,
    pub mutates: bool,
    /// Virtual time since the world began.
    pub at: std::time::Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Run { mutates: bool },
    Ask,
    Read,
    Write,
    Append,
    Remove,
    Folder,
    Net,
}

impl Kind {
    fn mutates(self) -> bool {
        match self {
            Self::Run { mutates } => mutates,
            Self::Write | Self::Append | Self::Remove => true,
            Self::Ask | Self::Read | Self::Folder | Self::Net => false,
        }
    }
}

/// What happens to the call at hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hit {
    None,
    Error,
    ErrorAfter,
    Hang,
    Interrupt,
    Crash { events: usize, torn: bool },
}

#[derive(Debug, Clone, Default)]
pub(super) struct Faults {
    pub(super) planned: BTreeMap<Nth, Fault>,
    pub(super) calls: usize,
    pub(super) mutations: usize,
    /// zdt was killed: nothing has an effect until `revive`.
    pub(super) dead: bool,
    /// A crash makes every later call fail instead of panicking.
    pub(super) by_error: bool,
    pub(super) recording: bool,
    pub(super) log: Vec<Call>,
}

impl Faults {
    pub(super) fn die(&mut self) {
        self.dead = true;
    }

    /// Counts and records a call, and says what shall go wrong with it.
    pub(super) fn next(
        &mut self,
        kind: Kind,
        what: impl FnOnce() -> String,
        content: Option<&[u8]>,
        at: std::time::Duration,
    ) -> Hit {
        if self.dead {
            return Hit::Crash { events: 0, torn: false };
        }
        self.calls += 1;
        let mut fault = self.planned.remove(&Nth::Call(self.calls));
        if kind.mutates() {
            self.mutations += 1;
            fault = self.planned.remove(&Nth::Mutating(self.mutations)).or(fault);
        }
        if self.recording {
            self.log.push(Call {
                kind,
                what: what(),
                content: content.map(|content| String::from_utf8_lossy(content).into_owned()),
                mutates: kind.mutates(),
                at,
            });
        }
        match fault {
            None => Hit::None,
            Some(Fault::Error) => Hit::Error,
            Some(Fault::ErrorAfter) => Hit::ErrorAfter,
            Some(Fault::Hang) => Hit::Hang,
            Some(Fault::Interrupt) => Hit::Interrupt,
            Some(Fault::Crash) => Hit::Crash { events: 0, torn: false },
            Some(Fault::CrashAfter { events }) => Hit::Crash { events, torn: false },
            Some(Fault::Torn) => Hit::Crash { events: 0, torn: true },
        }
    }
}
