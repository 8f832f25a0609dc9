//! TLS, users and accounts: who is not let in is told why, and who is in another account sees nothing.

use std::path::PathBuf;
use std::time::Duration;

use journal::bus::nats::{ClientCertificate, Login, Nats, NatsConfig, NatsConnectError, NatsTls};
use test_servers::Nats as Server;
use test_servers::nats::{Account, Security, Tls, User};

use super::deployment::{Reader, Source, entropy, name, nats_config};

fn user(name: &str, may_publish: &[&str]) -> User {
    let subjects = may_publish.iter().map(|subject| (*subject).to_owned()).collect();
    let may_publish = (!may_publish.is_empty()).then_some(subjects);
    User { name: name.to_owned(), password: format!("{name}-secret"), may_publish }
}

/// Two services of one deployment, each with a user that may publish its own events alone, and a stranger.
fn secured(tls: Tls) -> Server {
    let tokens = user("tokens", &["lastro.tokens.>", "$JS.API.>", "$JS.ACK.>"]);
    let custody = user("custody", &["lastro.custody.>", "$JS.API.>", "$JS.ACK.>"]);
    let account = |name: &str, users| Account { name: name.to_owned(), users };
    let accounts = vec![account("DEPLOYMENT", vec![tokens, custody]), account("OTHER", vec![user("stranger", &[])])];
    Server::start_with(&Security { tls, accounts }).unwrap()
}

fn password_file(server: &Server, text: &str) -> PathBuf {
    let path = server.folder().join(text.trim());
    std::fs::write(&path, text).unwrap();
    path
}

/// As the user, with the password that the server knows unless another is given.
fn config(server: &Server, user: &str, password: Option<&str>) -> NatsConfig {
    let password = password.map_or_else(|| format!("{user}-secret\n"), str::to_owned);
    let login = Login::Password { user: user.to_owned(), password_file: password_file(server, &password) };
    let tls = server.certificates().map(|files| NatsTls {
        authority: Some(files.authority()),
        client: Some(ClientCertificate { certificate: files.client(), key: files.client_key() }),
    });
    NatsConfig { login, tls, connect_wait_max: Duration::from_secs(10), ..nats_config(server) }
}

async fn connect(config: &NatsConfig) -> Result<Nats, NatsConnectError> {
    Nats::connect(config, &entropy()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn services_of_a_deployment_hear_each_other_and_an_account_beside_hears_nothing() {
    let server = secured(Tls::Mutual);
    let [tokens, custody, stranger] = ["tokens", "custody", "stranger"].map(|user| config(&server, user, None));
    let (tokens, custody) = (connect(&tokens).await.unwrap(), connect(&custody).await.unwrap());
    let stranger = connect(&stranger).await.unwrap();
    let source = Source::new().await;
    source.publish_by(&tokens, "tokens");
    let reader = Reader::new(&source, &custody, "tokens").await;
    let outside = Reader::new(&source, &stranger, "tokens").await;
    reader.wait_for_beginning().await;
    outside.wait_for_beginning().await;
    source.say(40).await;
    reader.wait_for_all(&source).await;
    outside.wait_for_all(&source).await;
    assert_eq!(reader.stop().await.events, 40);
    // It was given the feed, since this test has it; by the bus nothing came.
    assert_eq!(outside.stop().await.messages, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_cannot_publish_what_another_says() {
    let server = secured(Tls::Off);
    let custody = connect(&config(&server, "custody", None)).await.unwrap();
    let source = Source::new().await;
    source.say(1).await;
    let mut publisher = custody.publisher(name("tokens"));
    let events = source.published().await;
    let forbidden = tokio::time::timeout(Duration::from_secs(8), publisher.publish(&events)).await;
    assert!(forbidden.is_err(), "{forbidden:?}");
    let counts = publisher.counts();
    assert!(counts.confirmed == 0 && counts.failures > 0, "{counts:?}");
    let mut own = custody.publisher(name("custody"));
    own.publish(&events).await.unwrap();
    assert_eq!(own.counts().confirmed, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_let_in_is_told_why_and_no_secret_is_shown() {
    let server = secured(Tls::Off);
    let wrong = connect(&config(&server, "tokens", Some("not-it"))).await.unwrap_err();
    let address = server.url();
    assert_eq!(
        wrong.to_string(),
        format!("NATS at {address} refuses user `tokens`: unknown, or its password or certificate is wrong")
    );
    assert!(!format!("{wrong:?}").contains("not-it"));
    let nobody = NatsConfig { login: Login::None, ..config(&server, "tokens", None) };
    let nobody = connect(&nobody).await.unwrap_err().to_string();
    assert!(nobody.contains("refuses a client without user"), "{nobody}");
    let missing = Login::Password { user: "tokens".to_owned(), password_file: server.folder().join("nothing") };
    let missing = connect(&NatsConfig { login: missing, ..config(&server, "tokens", None) }).await.unwrap_err();
    assert!(missing.to_string().starts_with("cannot read the password file `"), "{missing}");
    let shown = format!("{:?}", connect(&config(&server, "tokens", None)).await.unwrap());
    assert!(!shown.contains("tokens-secret"), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_of_another_authority_are_refused_by_both_sides() {
    let (server, other) = (secured(Tls::Mutual), secured(Tls::Mutual));
    let files = other.certificates().unwrap();
    let right = config(&server, "tokens", None);
    let with =
        |authority, client| NatsConfig { tls: Some(NatsTls { authority: Some(authority), client }), ..right.clone() };
    let own = server.certificates().unwrap();
    let untrusted = connect(&with(files.authority(), None)).await.unwrap_err();
    assert!(matches!(untrusted, NatsConnectError::Tls { .. }), "{untrusted:?}");
    let foreign = ClientCertificate { certificate: files.client(), key: files.client_key() };
    for client in [None, Some(foreign)] {
        // The server's refusal is told from its silence only if it comes before the connection is cut.
        let patience = Duration::from_secs(1);
        let config = NatsConfig { connect_wait_max: patience, ..with(own.authority(), client) };
        let refused = connect(&config).await.unwrap_err();
        assert!(matches!(refused, NatsConnectError::Tls { .. } | NatsConnectError::NoAnswer { .. }), "{refused:?}");
    }
}
