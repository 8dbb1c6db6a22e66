//! HTTP and TCP, against small servers on this machine.

use super::*;

/// A server that answers each connection with `answer` and gives back the requests it saw.
fn server(answer: &'static [u8], connections: usize) -> (SocketAddr, thread::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let handle = thread::spawn(move || {
        let mut requests = Vec::new();
        for _ in 0..connections {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = Vec::new();
            let mut buffer = [0; 4096];
            while !complete(&request) {
                match stream.read(&mut buffer).unwrap() {
                    0 => break,
                    n => request.extend_from_slice(&buffer[..n]),
                }
            }
            requests.push(String::from_utf8(request).unwrap());
            stream.write_all(answer).unwrap();
        }
        requests
    });
    (address, handle)
}

fn complete(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request).to_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head
        .split("content-length: ")
        .nth(1)
        .and_then(|rest| rest.lines().next());
    body.len() >= length.map_or(0, |length| length.parse().unwrap())
}

fn request(url: String) -> HttpRequest {
    HttpRequest {
        url,
        host: None,
        timeout: LONG,
    }
}

#[test]
fn http_answers_as_they_are_each_on_a_fresh_connection() {
    let world = Real::new();
    let answer = b"HTTP/1.1 502 Bad Gateway\r\nX-Served-By: A\r\nContent-Length: 2\r\n\r\nno";
    let (address, handle) = server(answer, 2);
    let mut get = request(format!("http://{address}/ping?x=1"));
    let plain = world.get(&get).unwrap();
    assert_eq!((plain.status, plain.body.as_str()), (502, "no"));
    assert!(plain.headers.contains(&("x-served-by".into(), "A".into())));
    get.host = Some("private.example".into());
    world.get(&get).unwrap();
    let requests = handle.join().unwrap();
    assert!(requests[0].starts_with("GET /ping?x=1 HTTP/1.1\r\n"), "{requests:?}");
    assert!(requests[0].contains(&format!("host: {address}\r\n")), "{requests:?}");
    assert_eq!(requests[1].matches("host: ").count(), 1);
    assert!(requests[1].contains("host: private.example\r\n"));
}

#[test]
fn redirects_are_answers() {
    let (address, _server) = server(
        b"HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
        1,
    );
    assert_eq!(
        Real::new().get(&request(format!("http://{address}/"))).unwrap().status,
        301
    );
}

#[test]
fn long_bodies_are_cut() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 4096]);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n");
        let _ = stream.write_all(&vec![b'x'; 1_000_000]);
    });
    assert_eq!(
        Real::new()
            .get(&request(format!("http://{address}/")))
            .unwrap()
            .body
            .len(),
        64 * 1024
    );
}

#[test]
fn network_errors_have_their_kinds() {
    let world = Real::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let url = format!("http://{address}/");
    assert!(!world.port_free(address));
    assert_eq!(world.connect("localhost", address.port(), LONG), Ok(()));

    // It accepts (the kernel does) and never answers.
    let short = Duration::from_millis(50);
    let silent = HttpRequest {
        url: url.clone(),
        host: None,
        timeout: short,
    };
    assert_eq!(world.get(&silent), Err(NetError::TimedOut(short)));

    drop(listener);
    // A child that another test starts at this very moment has it, too, until it becomes its program.
    wait_until(|| world.get(&request(url.clone())) == Err(NetError::Refused));
    assert_eq!(world.connect("127.0.0.1", address.port(), LONG), Err(NetError::Refused));
    assert_eq!(world.connect("localhost", address.port(), LONG), Err(NetError::Refused));
    assert!(world.port_free(address));

    let nowhere = "no-such-host.invalid";
    assert_eq!(
        world.get(&request(format!("http://{nowhere}/"))),
        Err(NetError::NoSuchHost(nowhere.into()))
    );
    assert_eq!(
        world.connect(nowhere, 80, LONG),
        Err(NetError::NoSuchHost(nowhere.into()))
    );
    assert!(matches!(
        world.get(&request("https://127.0.0.1/".into())),
        Err(NetError::Other(_))
    ));

    for half in [
        &b""[..],
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf",
    ] {
        let (address, _server) = server(half, 1);
        assert_eq!(
            world.get(&request(format!("http://{address}/"))),
            Err(NetError::Closed),
            "{half:?}"
        );
    }
}
