//! HTTP/1.x answers: the head, and a body framed by length, by chunks or by the end of the connection.

use std::io::Read;

use super::failure::FailureKind;
use super::incoming::{Incoming, Kept};

/// The most bytes of a head, or of the trailers after a chunked body.
const MAX_HEAD: usize = 64 * 1024;

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub status: u16,
    /// Whether the server lets the connection be used again.
    pub keeps: bool,
    framing: Framing,
    /// The value of the header that was asked for.
    pub wanted: Option<String>,
}

#[derive(Debug, PartialEq, Eq)]
enum Framing {
    Length(u64),
    Chunked,
    UntilClose,
}

/// Reads the head of the final answer, past interim ones such as `103 Early Hints`.
pub(super) fn read_head<R: Read>(from: &mut Incoming<R>, wanted: Option<&str>) -> Result<Head, FailureKind> {
    let mut budget = MAX_HEAD;
    loop {
        let head = read_one_head(from, wanted, &mut budget)?;
        match head.status {
            101 => return Ok(head),
            100..=199 => {}
            _ => return Ok(head),
        }
    }
}

fn read_one_head<R: Read>(
    from: &mut Incoming<R>,
    wanted: Option<&str>,
    budget: &mut usize,
) -> Result<Head, FailureKind> {
    let (minor, status) = status_line(&from.line(budget)?).ok_or(FailureKind::NotHttp)?;
    let mut head = Head {
        status,
        keeps: minor > 0,
        framing: Framing::UntilClose,
        wanted: None,
    };
    loop {
        let line = from.line(budget)?;
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':').ok_or(FailureKind::NotHttp)?;
        head.note(name, value.trim(), wanted)?;
    }
    match head.status {
        101 => head.keeps = false,
        100..=199 | 204 | 304 => head.framing = Framing::Length(0),
        _ => {}
    }
    head.keeps &= head.framing != Framing::UntilClose;
    Ok(head)
}

/// `HTTP/1.1 200 OK` gives `(1, 200)`.
fn status_line(line: &str) -> Option<(u8, u16)> {
    let (version, rest) = line.strip_prefix("HTTP/1.")?.split_once(' ')?;
    let code = rest.split(' ').next()?;
    let status = code
        .parse()
        .ok()
        .filter(|s| code.len() == 3 && (100..=999).contains(s))?;
    Some((version.parse().ok()?, status))
}

impl Head {
    fn note(&mut self, name: &str, value: &str, wanted: Option<&str>) -> Result<(), FailureKind> {
        if name.eq_ignore_ascii_case("content-length") {
            let length = value.parse().map_err(|_| FailureKind::NotHttp)?;
            if self.framing != Framing::Chunked {
                self.framing = Framing::Length(length);
            }
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            if has_token(value, "chunked") {
                self.framing = Framing::Chunked;
            }
        } else if name.eq_ignore_ascii_case("connection") {
            self.keeps = (self.keeps || has_token(value, "keep-alive")) && !has_token(value, "close");
        }
        if wanted.is_some_and(|wanted| name.eq_ignore_ascii_case(wanted)) {
            self.wanted = Some(value.to_string());
        }
        Ok(())
    }
}

fn has_token(list: &str, token: &str) -> bool {
    list.split(',').any(|item| item.trim().eq_ignore_ascii_case(token))
}

/// Reads all of the body that belongs to `head`.
pub(super) fn read_body<R: Read>(from: &mut Incoming<R>, head: &Head, kept: &mut Kept) -> Result<(), FailureKind> {
    match head.framing {
        Framing::Length(length) => from.bytes(length, kept),
        Framing::Chunked => read_chunks(from, kept),
        Framing::UntilClose if head.status == 101 => Ok(()),
        Framing::UntilClose => from.rest(kept),
    }
}

fn read_chunks<R: Read>(from: &mut Incoming<R>, kept: &mut Kept) -> Result<(), FailureKind> {
    loop {
        let line = from.line(&mut MAX_HEAD.clone())?;
        let digits = line.split(';').next().unwrap_or_default().trim();
        if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(FailureKind::NotHttp);
        }
        match u64::from_str_radix(digits, 16).map_err(|_| FailureKind::NotHttp)? {
            0 => break,
            length => from.bytes(length, kept)?,
        }
        if !from.line(&mut MAX_HEAD.clone())?.is_empty() {
            return Err(FailureKind::NotHttp);
        }
    }
    let mut budget = MAX_HEAD;
    while !from.line(&mut budget)?.is_empty() {}
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives its bytes one by one, so that every place where an answer can be cut in two is tried.
    struct Drops<'a>(&'a [u8]);

    impl Read for Drops<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let Some((first, rest)) = self.0.split_first() else {
                return Ok(0);
            };
            (buffer[0], self.0) = (*first, rest);
            Ok(1)
        }
    }

    fn answer(text: &str) -> Result<(u16, bool, String), FailureKind> {
        let mut from = Incoming::new(Drops(text.as_bytes()));
        from.expect_answer();
        let head = read_head(&mut from, None)?;
        let mut kept = Kept::up_to(1000);
        read_body(&mut from, &head, &mut kept)?;
        Ok((head.status, head.keeps, String::from_utf8(kept.bytes).expect("text")))
    }

    #[test]
    fn reads_each_framing() {
        let cases = [
            ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", true, "hi"),
            (
                "HTTP/1.1 200\r\ncontent-length: 2\r\nConnection: Close\r\n\r\nhi",
                false,
                "hi",
            ),
            ("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi", false, "hi"),
            (
                "HTTP/1.0 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nhi",
                true,
                "hi",
            ),
            ("HTTP/1.1 200 OK\r\n\r\nhi there", false, "hi there"),
            (
                "HTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
                true,
                "",
            ),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nhi\r\n1\r\n!\r\n0\r\nT: x\r\n\r\n",
                true,
                "hi!",
            ),
        ];
        for (text, keeps, body) in cases {
            assert_eq!(answer(text), Ok((200, keeps, body.to_string())), "{text}");
        }
        assert_eq!(
            answer("HTTP/1.1 204 No Content\r\n\r\n"),
            Ok((204, true, String::new()))
        );
    }

    #[test]
    fn tells_a_cut_answer_from_none() {
        assert_eq!(answer(""), Err(FailureKind::Closed));
        let full = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n";
        for cut in 1..full.len() {
            assert_eq!(answer(&full[..cut]), Err(FailureKind::Truncated), "cut at {cut}");
        }
        let sized = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nhi";
        assert_eq!(answer(sized), Err(FailureKind::Truncated));
    }

    #[test]
    fn refuses_what_is_not_http() {
        let endless = format!("HTTP/1.1 200 OK\r\nX: {}", "x".repeat(MAX_HEAD));
        let cases = [
            "SSH-2.0-OpenSSH\r\n\r\n",
            "HTTP/2 200\r\n\r\n",
            "HTTP/1.1 20 OK\r\n\r\n",
            "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi!\r\n",
            endless.as_str(),
        ];
        for text in cases {
            assert_eq!(answer(text), Err(FailureKind::NotHttp), "{text}");
        }
    }
}
