//! As much of a Redis client as the application needs: one connection, opened when first used and again when it broke.

use std::io::{self, BufRead, BufReader, Error, ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(2);

pub enum Reply {
    Text(String),
    Number(i64),
    List(Vec<String>),
}

pub struct Redis {
    address: String,
    connection: Option<BufReader<TcpStream>>,
}

impl Redis {
    pub fn new(address: &str) -> Self {
        Self {
            address: address.to_string(),
            connection: None,
        }
    }

    /// For commands that may run twice: a kept connection that broke meanwhile is replaced.
    pub fn read(&mut self, command: &[&str]) -> io::Result<Reply> {
        let kept = self.connection.is_some();
        match self.once(command) {
            Err(_) if kept => self.once(command),
            result => result,
        }
    }

    /// For commands that must not run twice: sent once, on a connection that is known to work.
    pub fn write(&mut self, command: &[&str]) -> io::Result<Reply> {
        self.read(&["PING"])?;
        self.once(command)
    }

    fn once(&mut self, command: &[&str]) -> io::Result<Reply> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => connect(&self.address)?,
        };
        let mut text = format!("*{}\r\n", command.len());
        for word in command {
            text += &format!("${}\r\n{word}\r\n", word.len());
        }
        connection.get_mut().write_all(text.as_bytes())?;
        let reply = reply(&mut connection)?;
        // Put back only after a whole answer: after half of one, the next would be read in the middle.
        self.connection = Some(connection);
        Ok(reply)
    }
}

fn connect(address: &str) -> io::Result<BufReader<TcpStream>> {
    let mut last = Error::new(ErrorKind::NotFound, "no address");
    for address in address.to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, LIMIT) {
            Ok(stream) => {
                stream.set_read_timeout(Some(LIMIT))?;
                stream.set_write_timeout(Some(LIMIT))?;
                stream.set_nodelay(true)?;
                return Ok(BufReader::new(stream));
            }
            Err(e) => last = e,
        }
    }
    Err(last)
}

fn reply(from: &mut BufReader<TcpStream>) -> io::Result<Reply> {
    let mut line = String::new();
    from.read_line(&mut line)?;
    let Some(line) = line.strip_suffix("\r\n") else {
        return Err(ErrorKind::UnexpectedEof.into());
    };
    let (kind, rest) = line.split_at_checked(1).ok_or(ErrorKind::InvalidData)?;
    match kind {
        "+" => Ok(Reply::Text(rest.to_string())),
        ":" => Ok(Reply::Number(number(rest)?)),
        "$" => {
            let mut bytes = vec![0; usize::try_from(number(rest)?).unwrap_or(0) + 2];
            from.read_exact(&mut bytes)?;
            bytes.truncate(bytes.len() - 2);
            Ok(Reply::Text(String::from_utf8_lossy(&bytes).into_owned()))
        }
        "*" => {
            let mut list = Vec::new();
            for _ in 0..number(rest)? {
                match reply(from)? {
                    Reply::Text(text) => list.push(text),
                    Reply::Number(n) => list.push(n.to_string()),
                    Reply::List(_) => return Err(ErrorKind::InvalidData.into()),
                }
            }
            Ok(Reply::List(list))
        }
        // `-LOADING …` while it starts, `-READONLY …`, and so on.
        "-" => Err(Error::other(rest.to_string())),
        _ => Err(ErrorKind::InvalidData.into()),
    }
}

fn number(text: &str) -> io::Result<i64> {
    text.parse().map_err(|_| ErrorKind::InvalidData.into())
}
