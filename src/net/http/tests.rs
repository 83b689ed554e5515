//! A client against servers of a few lines.

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use super::*;

/// Serves one connection after the other; each is handed the bytes of a whole request.
fn server(serve: impl Fn(&mut TcpStream, &str) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut request = Vec::new();
            let mut buffer = [0; 4096];
            while !is_whole(&request) {
                match stream.read(&mut buffer) {
                    Ok(0) | Err(_) => break,
                    Ok(count) => request.extend_from_slice(&buffer[..count]),
                }
            }
            serve(&mut stream, &String::from_utf8_lossy(&request));
        }
    });
    format!("http://127.0.0.1:{port}")
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request).to_ascii_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    body.len() >= length.map_or(0, |length| length.parse().unwrap())
}

/// A client that gives a server so many seconds to answer.
fn client(seconds: f64, trace: Trace) -> Client {
    let limits = Limits {
        connect: Duration::from_secs(5),
        answer: Duration::from_secs_f64(seconds),
    };
    Client::new(limits, trace)
}

fn post(address: &str, body: &str) -> Request<Vec<u8>> {
    Request::post(address)
        .header(header::AUTHORIZATION, "Bearer t0ken")
        .body(body.as_bytes().to_vec())
        .unwrap()
}

#[test]
fn every_status_is_an_answer_and_redirects_are_not_followed() {
    let base = server(|stream, request| {
        let status = request.split(['/', ' ']).nth(2).unwrap();
        let more = "Location: http://192.0.2.1/elsewhere\r\nRetry-After: 7\r\n";
        write!(
            stream,
            "HTTP/1.1 {status} X\r\n{more}Content-Length: 2\r\nConnection: close\r\n\r\nhi"
        )
        .unwrap();
    });
    let client = client(5.0, Trace::off());
    for status in [200, 202, 302, 307, 401, 404, 429, 500, 503] {
        let answer = client.send(post(&format!("{base}/{status}"), "x")).unwrap();
        assert_eq!(answer.status().as_u16(), status);
        assert_eq!(answer.body(), b"hi");
        assert_eq!(answer.headers()["retry-after"], "7");
    }
}

#[test]
fn requests_say_who_asks_and_how_much_they_carry() {
    let base = server(|stream, request| {
        let length = request.len();
        write!(
            stream,
            "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{request}"
        )
        .unwrap();
    });
    let client = client(5.0, Trace::off());
    let told = |request| {
        let answer = client.send(request).unwrap();
        String::from_utf8(answer.into_body())
            .unwrap()
            .to_ascii_lowercase()
    };
    let with_body = told(post(&format!("{base}/a?b=c"), "body"));
    assert!(
        with_body.starts_with("post /a?b=c http/1.1\r\n"),
        "{with_body}"
    );
    assert!(with_body.contains(concat!(
        "user-agent: smartemail/",
        env!("CARGO_PKG_VERSION"),
        "\r\n"
    )));
    assert!(with_body.contains("content-length: 4\r\n") && with_body.ends_with("\r\n\r\nbody"));
    assert!(!with_body.contains("transfer-encoding"), "{with_body}");
    assert!(told(post(&base, "")).contains("content-length: 0\r\n"));
    let get = told(Request::get(&base).body(Vec::new()).unwrap());
    assert!(!get.contains("content-length"), "{get}");
}

#[test]
fn no_secret_is_shown() {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&lines);
    let trace = Trace::to(move |line| sink.lock().unwrap().push(line.to_owned()));
    let base = server(|stream, _| {
        write!(
            stream,
            "HTTP/1.1 200 OK\r\nX: s3cret\r\nContent-Length: 6\r\nConnection: close\r\n\r\ns3cret"
        )
        .unwrap();
    });
    let client = client(5.0, trace);
    client
        .send(post(
            &format!("{base}/token?sig=s3cret"),
            "client_secret=s3cret",
        ))
        .unwrap();
    drop(client.send(post("http://u:s3cret@127.0.0.1/?x=s3cret", "")));
    let shown = lines.lock().unwrap().join("\n");
    assert!(
        shown.contains("/token, 20 bytes\n< 200, 6 bytes, "),
        "{shown}"
    );
    assert!(
        !shown.contains("s3cret") && !shown.contains("t0ken"),
        "{shown}"
    );
}

#[test]
fn clear_text_stays_on_this_machine() {
    let client = client(5.0, Trace::off());
    let refused = |address: &str| client.send(post(address, "x")).unwrap_err();
    for address in [
        "http://example.com/",
        "http://192.0.2.1:80/",
        "http://localhost.example.com/",
        "http://[2001:db8::1]/",
    ] {
        assert!(
            matches!(refused(address), Error::ClearText { .. }),
            "{address}"
        );
    }
    for address in ["/path", "ftp://localhost/", "http://u:p@localhost/"] {
        assert!(
            matches!(refused(address), Error::BadAddress { .. }),
            "{address}"
        );
    }
    for address in [
        "http://localhost:1/",
        "http://LOCALHOST/",
        "http://127.8.9.1/",
        "http://[::1]:5/",
    ] {
        assert!(is_this_machine(&address.parse().unwrap()), "{address}");
    }
}

#[test]
fn what_never_left_has_not_arrived() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let client = client(5.0, Trace::off());
    let error = client
        .send(post(&format!("http://127.0.0.1:{port}/"), "x"))
        .unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error:?}");
    assert!(error.is_transient() && !error.may_have_arrived());
    let error = client
        .send(post("https://no.such.host.invalid/", "x"))
        .unwrap_err();
    assert!(
        matches!(
            error,
            Error::Unresolved { .. } | Error::Unreachable { .. } | Error::TimedOut { .. }
        ),
        "{error:?}"
    );
    assert!(!error.may_have_arrived());
}

#[test]
fn a_request_cut_short_has_not_arrived_and_a_whole_one_may_have() {
    let short = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = short.local_addr().unwrap().port();
    thread::spawn(move || {
        let (mut stream, _) = short.accept().unwrap();
        stream.read_exact(&mut [0; 100]).unwrap();
        // Dropped with bytes unread: a reset.
    });
    let client = client(5.0, Trace::off());
    let large = "x".repeat(64 * 1024 * 1024);
    let error = client
        .send(post(&format!("http://127.0.0.1:{port}/"), &large))
        .unwrap_err();
    assert!(
        matches!(error, Error::Broken { arrived: false, .. }),
        "{error:?}"
    );
    assert!(error.is_transient());

    let base = server(|_, _| {});
    let error = client.send(post(&base, "x")).unwrap_err();
    assert!(
        matches!(error, Error::Broken { arrived: true, .. }),
        "{error:?}"
    );
}

#[test]
fn a_connection_that_the_server_closed_is_not_used_again() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (tell, closed) = std::sync::mpsc::channel();
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut request = Vec::new();
            while !is_whole(&request) {
                let mut byte = [0];
                stream.read_exact(&mut byte).unwrap();
                request.extend(byte);
            }
            // It does not say that it will close.
            write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi").unwrap();
            drop(stream);
            tell.send(()).unwrap();
        }
    });
    let client = client(5.0, Trace::off());
    for _ in 0..3 {
        let answer = client.send(post(&format!("http://127.0.0.1:{port}/"), "x"));
        assert_eq!(answer.unwrap().body(), b"hi");
        closed.recv().unwrap();
    }
}

#[test]
fn silence_ends_and_the_request_may_have_arrived() {
    let base = server(|stream, _| std::mem::forget(stream.try_clone().unwrap()));
    let client = client(1.0, Trace::off());
    let began = Instant::now();
    let error = client.send(post(&base, "x")).unwrap_err();
    assert!(
        matches!(
            error,
            Error::TimedOut {
                step: Step::Answering,
                arrived: true,
                ..
            }
        ),
        "{error:?}"
    );
    assert!(began.elapsed() < Duration::from_secs(10));
}

#[test]
fn an_answer_without_end_is_cut() {
    let base = server(|stream, _| {
        write!(stream, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n").unwrap();
        while stream.write_all(&[b'x'; 65536]).is_ok() {}
    });
    let error = client(10.0, Trace::off())
        .send(post(&base, "x"))
        .unwrap_err();
    assert!(matches!(error, Error::TooLarge { .. }), "{error:?}");
    assert!(error.may_have_arrived() && !error.is_transient());
}
