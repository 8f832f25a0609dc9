//! The bus over real NATS servers, between real stores: whatever happens on the way, each published event has exactly one effect
//! at its reader, and effects come in the order of the log.

#![expect(clippy::unwrap_used, reason = "what cannot be unwrapped here has failed the test")]

mod deployment;
mod disorder;
mod faults;
mod security;

use std::time::Duration;

use journal::bus::nats::{Nats, NatsConnectError, NatsStream};
use test_servers::Nats as Server;

use self::deployment::{Reader, Source, connect, entropy, nats_config};

#[tokio::test(flavor = "multi_thread")]
async fn events_come_by_the_bus_in_the_order_of_the_log() {
    let server = Server::start().unwrap();
    println!("{}", server.version());
    let (nats, source) = (connect(&server).await, Source::new().await);
    source.publish_by(&nats, "tokens");
    let reader = Reader::new(&source, &nats, "tokens").await;
    reader.wait_for_beginning().await;
    for _ in 0..20 {
        source.say(10).await;
        source.whisper(3).await;
    }
    reader.wait_for_all(&source).await;
    let counts = reader.stop().await;
    assert_eq!((counts.events, counts.gaps, counts.poison, counts.beginnings), (200, 0, 0, 1), "{counts:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_goes_on_where_it_was_and_a_new_one_has_the_past_too() {
    let server = Server::start().unwrap();
    let (nats, source) = (connect(&server).await, Source::new().await);
    source.publish_by(&nats, "tokens");
    source.say(50).await;
    let first = Reader::new(&source, &nats, "tokens").await;
    first.wait_for_all(&source).await;
    let (store, name) = (first.store.clone(), first.name.clone());
    let _ = first.stop().await;
    source.say(50).await;
    let again = Reader::with_store(store, &source, &nats, "tokens", &name);
    let other = Reader::new(&source, &nats, "tokens").await;
    source.say(50).await;
    again.wait_for_all(&source).await;
    other.wait_for_all(&source).await;
    let (_, _) = (again.stop().await, other.stop().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_publishers_and_two_processes_of_one_reader_have_one_effect_each() {
    let server = Server::start().unwrap();
    let (nats, source) = (connect(&server).await, Source::new().await);
    source.publish_by(&nats, "tokens");
    source.publish_by(&connect(&server).await, "tokens");
    let one = Reader::new(&source, &nats, "tokens").await;
    let two = Reader::with_store(one.store.clone(), &source, &connect(&server).await, "tokens", &one.name);
    for _ in 0..40 {
        source.say(25).await;
    }
    one.wait_for_all(&source).await;
    let (_, _) = (one.stop().await, two.stop().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_bus_has_lost_is_read_from_the_feed() {
    let server = Server::start().unwrap();
    let (nats, source) = (connect(&server).await, Source::new().await);
    let reader = Reader::new(&source, &nats, "tokens").await;
    reader.wait_for_beginning().await;
    // Nobody publishes: as if the bus had lost all of it.
    source.say(300).await;
    reader.wait_for_all(&source).await;
    let counts = reader.stop().await;
    assert_eq!((counts.messages, counts.events), (0, 0), "{counts:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_stream_is_made_once_and_changed_to_what_is_configured() {
    let server = Server::start().unwrap();
    let config = nats_config(&server);
    let mut changed = config.clone();
    changed.stream.age_max = Duration::from_hours(1);
    for (config, age) in [(&config, 72), (&config, 72), (&changed, 1), (&config, 72)] {
        let _nats = Nats::connect(config, &entropy()).await.unwrap();
        let context = async_nats::jetstream::new(async_nats::connect(server.url()).await.unwrap());
        let stream = context.get_stream("LASTRO").await.unwrap();
        assert_eq!(stream.cached_info().config.max_age, Duration::from_hours(age));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_reached_or_made_is_said_with_its_reason() {
    let server = Server::start().unwrap();
    let mut config = nats_config(&server);
    config.stream = NatsStream::usual(3);
    config.connect_wait_max = Duration::from_secs(2);
    let error = Nats::connect(&config, &entropy()).await.unwrap_err();
    assert!(matches!(error, NatsConnectError::Stream { .. }), "{error:?}");
    server.stop().unwrap();
    config.connect_wait_max = Duration::from_millis(300);
    let error = Nats::connect(&config, &entropy()).await.unwrap_err();
    assert!(matches!(error, NatsConnectError::NoAnswer { .. }), "{error:?}");
}
