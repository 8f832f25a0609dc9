//! NATS, spoken to in its own words: every line of its protocol is text.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;

use test_servers::nats::{Account, Security, Tls, User};
use test_servers::{Nats, NatsCluster};

use crate::{LIMIT, processes_with};

/// The server's greeting, and its answer to a login.
fn talk(server: &Nats, login: &str) -> (String, String) {
    let mut stream = TcpStream::connect(("127.0.0.1", server.port())).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    let greeting = lines.next().unwrap().unwrap();
    write!(stream, "CONNECT {{{login}}}\r\nPING\r\n").unwrap();
    let is_answer = |line: &String| line == "PONG" || line.starts_with("-ERR");
    let answer = lines.map(Result::unwrap).find(is_answer).unwrap();
    (greeting, answer)
}

#[test]
fn a_server_has_jetstream_and_keeps_its_address_over_every_end() {
    let server = Nats::start().unwrap();
    println!("{}", server.version());
    for end in [Nats::restart, Nats::kill_hard, Nats::stop] {
        let (greeting, answer) = talk(&server, r#""verbose":false"#);
        assert!(greeting.starts_with("INFO ") && greeting.contains(r#""jetstream":true"#), "{greeting}");
        assert_eq!(answer, "PONG");
        end(&server).unwrap();
        server.start_again().unwrap();
    }
}

#[test]
fn a_dropped_server_is_gone_with_its_folder() {
    let server = Nats::start().unwrap();
    let folder = server.folder().to_owned();
    assert!(!processes_with(folder.to_str().unwrap()).is_empty());
    drop(server);
    assert_eq!(processes_with(folder.to_str().unwrap()), Vec::<String>::new());
    assert!(!folder.exists());
}

#[test]
fn the_users_of_the_accounts_alone_come_in() {
    let user = User { name: "tokens".to_owned(), password: "right".to_owned(), may_publish: None };
    let accounts = vec![Account { name: "LASTRO".to_owned(), users: vec![user] }];
    let server = Nats::start_with(&Security { tls: Tls::Off, accounts }).unwrap();
    assert_eq!(talk(&server, r#""user":"tokens","pass":"right""#).1, "PONG");
    assert_eq!(talk(&server, r#""user":"tokens","pass":"wrong""#).1, "-ERR 'Authorization Violation'");
    assert_eq!(talk(&server, "").1, "-ERR 'Authorization Violation'");
}

#[test]
fn a_server_with_tls_says_so_and_has_its_certificates() {
    let server = Nats::start_with(&Security { tls: Tls::Mutual, accounts: Vec::new() }).unwrap();
    let stream = TcpStream::connect(("127.0.0.1", server.port())).unwrap();
    let greeting = BufReader::new(stream).lines().next().unwrap().unwrap();
    assert!(greeting.contains(r#""tls_required":true"#) && greeting.contains(r#""tls_verify":true"#), "{greeting}");
    assert!(server.url().starts_with("tls://"));
    assert!(server.certificates().is_some_and(|files| files.client_key().exists() && files.authority().exists()));
}

#[test]
fn a_cluster_goes_on_with_one_of_three_killed_and_takes_it_back() {
    let cluster = NatsCluster::start(3).unwrap();
    let [one, two, three] = cluster.servers() else { panic!("{} servers", cluster.servers().len()) };
    one.kill_hard().unwrap();
    assert_eq!(talk(two, "").1, "PONG");
    one.start_again().unwrap();
    for server in [one, two, three] {
        assert_eq!(talk(server, "").1, "PONG");
    }
}
