//! Bytes of one answer after another, read from a source through a buffer.

use std::io::{self, Read};

use super::failure::FailureKind;

const BLOCK: usize = 8 * 1024;

pub(super) struct Incoming<R> {
    source: R,
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
    /// Whether a byte of the present answer has come.
    begun: bool,
}

impl<R: Read> Incoming<R> {
    pub fn new(source: R) -> Self {
        Incoming {
            source,
            buffer: vec![0; BLOCK].into(),
            start: 0,
            end: 0,
            begun: false,
        }
    }

    pub fn source(&self) -> &R {
        &self.source
    }

    pub fn source_mut(&mut self) -> &mut R {
        &mut self.source
    }

    /// Forgets that anything came: the next byte is the first of a new answer.
    pub fn expect_answer(&mut self) {
        self.begun = self.has_left();
    }

    pub fn begun(&self) -> bool {
        self.begun
    }

    /// Whether bytes are left that nobody asked for.
    pub fn has_left(&self) -> bool {
        self.start < self.end
    }

    /// Waits for more when nothing is left. `false` is the end of the connection.
    fn fill(&mut self) -> Result<bool, FailureKind> {
        while !self.has_left() {
            match self.source.read(&mut self.buffer) {
                Ok(0) => return Ok(false),
                Ok(count) => (self.start, self.end, self.begun) = (0, count, true),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(FailureKind::of_exchange(&error, self.begun)),
            }
        }
        Ok(true)
    }

    fn fill_or_fail(&mut self) -> Result<(), FailureKind> {
        match self.fill()? {
            true => Ok(()),
            false if self.begun => Err(FailureKind::Truncated),
            false => Err(FailureKind::Closed),
        }
    }

    /// One line without its end. Each byte is paid from `budget`; when that is used up, this is no head we know.
    pub fn line(&mut self, budget: &mut usize) -> Result<String, FailureKind> {
        let mut line = Vec::new();
        loop {
            self.fill_or_fail()?;
            let ready = &self.buffer[self.start..self.end];
            let newline = ready.iter().position(|&b| b == b'\n');
            let taken = newline.map_or(ready.len(), |at| at + 1);
            *budget = budget.checked_sub(taken).ok_or(FailureKind::NotHttp)?;
            line.extend_from_slice(&ready[..taken]);
            self.start += taken;
            if newline.is_some() {
                let text = String::from_utf8_lossy(&line);
                return Ok(text.trim_end_matches(['\r', '\n']).to_string());
            }
        }
    }

    /// Reads `length` bytes, and keeps what fits into `kept`.
    pub fn bytes(&mut self, mut length: u64, kept: &mut Kept) -> Result<(), FailureKind> {
        while length > 0 {
            self.fill_or_fail()?;
            let ready = &self.buffer[self.start..self.end];
            let taken = ready.len().min(usize::try_from(length).unwrap_or(usize::MAX));
            kept.add(&ready[..taken]);
            self.start += taken;
            length -= taken as u64;
        }
        Ok(())
    }

    /// Reads to the end of the connection.
    pub fn rest(&mut self, kept: &mut Kept) -> Result<(), FailureKind> {
        while self.fill()? {
            kept.add(&self.buffer[self.start..self.end]);
            self.start = self.end;
        }
        Ok(())
    }
}

/// The beginning of a body, up to a limit; 0 keeps nothing.
pub(super) struct Kept {
    pub bytes: Vec<u8>,
    limit: usize,
}

impl Kept {
    pub fn up_to(limit: usize) -> Self {
        Kept {
            bytes: Vec::new(),
            limit,
        }
    }

    fn add(&mut self, more: &[u8]) {
        let room = self.limit - self.bytes.len();
        self.bytes.extend_from_slice(&more[..more.len().min(room)]);
    }
}
