//! The end of a program's output, and its lines as they come.

/// At most this much of each stream is kept.
pub(super) const KEPT: usize = 4 * 1024 * 1024;

/// A line longer than this is handed on in pieces.
const LONGEST_LINE: usize = 64 * 1024;

/// Keeps the last [`KEPT`] bytes of one stream and cuts it into lines on the way.
#[derive(Debug, Default)]
pub(super) struct Tail {
    bytes: Vec<u8>,
    /// The line that has not ended yet; only filled when somebody listens.
    line: Vec<u8>,
}

impl Tail {
    pub(super) fn push(&mut self, bytes: &[u8], on_line: Option<&(dyn Fn(&str) + Sync)>) {
        self.bytes.extend_from_slice(bytes);
        // Cut only when twice too long: moving the rest costs, so it happens once per `KEPT` bytes.
        if self.bytes.len() > 2 * KEPT {
            self.cut();
        }
        let Some(on_line) = on_line else { return };
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.line.extend_from_slice(piece);
            if piece.ends_with(b"\n") || self.line.len() > LONGEST_LINE {
                self.flush(on_line);
            }
        }
    }

    /// The stream has ended: hands on a last line without newline, gives what was kept.
    pub(super) fn finish(mut self, on_line: Option<&(dyn Fn(&str) + Sync)>) -> String {
        if let Some(on_line) = on_line
            && !self.line.is_empty()
        {
            self.flush(on_line);
        }
        self.cut();
        match String::from_utf8(self.bytes) {
            Ok(text) => text,
            Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
        }
    }

    fn cut(&mut self) {
        let excess = self.bytes.len().saturating_sub(KEPT);
        self.bytes.drain(..excess);
    }

    fn flush(&mut self, on_line: &(dyn Fn(&str) + Sync)) {
        let text = String::from_utf8_lossy(&self.line);
        on_line(text.trim_end_matches(['\n', '\r']));
        self.line.clear();
    }
}
