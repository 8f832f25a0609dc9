//! A bus that repeats, mixes up, loses, and carries what is not the store's.

use async_nats::jetstream;
use async_nats::jetstream::message::PublishMessage;
use journal::{Cursor, Entropy};
use messages::frame::{self, Frame};
use messages::{Hash, RecordedEvent, StoreId};
use test_servers::Nats as Server;

use super::deployment::{Reader, Source, connect};

/// Puts bytes on the bus as they are.
struct Injector {
    context: jetstream::Context,
    subject: String,
}

impl Injector {
    async fn new(server: &Server, store_name: &str) -> Self {
        let context = jetstream::new(async_nats::connect(server.url()).await.unwrap());
        Self { context, subject: format!("lastro.{store_name}.test.happened") }
    }

    async fn inject(&self, bytes: Vec<u8>) {
        let message = PublishMessage::build().payload(bytes.into());
        let _ = self.context.send_publish(self.subject.clone(), message).await.unwrap().await.unwrap();
    }
}

/// A number below `bound`.
fn draw(entropy: &Entropy, bound: usize) -> usize {
    let mut bytes = [0; 8];
    entropy.fill(&mut bytes);
    usize::try_from(u64::from_be_bytes(bytes) % bound as u64).unwrap()
}

/// The events with some missing, some twice, and most not in their place.
fn disordered(events: &[RecordedEvent], entropy: &Entropy) -> Vec<RecordedEvent> {
    let copies = |event: &RecordedEvent| {
        let count = [0, 1, 1, 1, 2, 3][draw(entropy, 6)];
        std::iter::repeat_n(event.clone(), count)
    };
    let mut disordered: Vec<RecordedEvent> = events.iter().flat_map(copies).collect();
    for index in 0..disordered.len() {
        let near = (index + draw(entropy, 20)).min(disordered.len() - 1);
        disordered.swap(index, near);
    }
    disordered
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_order_events_come_in_each_has_one_effect() {
    let server = Server::start().unwrap();
    let nats = connect(&server).await;
    for seed in 0..6 {
        let entropy = Entropy::seeded(seed);
        let (source, store_name) = (Source::new().await, format!("tokens-{seed}"));
        let reader = Reader::new(&source, &nats, &store_name).await;
        reader.wait_for_beginning().await;
        let injector = Injector::new(&server, &store_name).await;
        let mut said = 0;
        for _ in 0..15 {
            source.say(1 + draw(&entropy, 15) as u64).await;
            source.whisper(draw(&entropy, 3) as u64).await;
            let published = source.published().await;
            for event in disordered(&published[said..], &entropy) {
                injector.inject(frame::encode_whole(&event)).await;
            }
            said = published.len();
        }
        reader.wait_for_all(&source).await;
        let counts = reader.stop().await;
        println!("seed {seed}: {said} events, {counts:?}");
        assert!(counts.gaps > 0 && counts.duplicates > 0, "the disorder of seed {seed} was not noticed: {counts:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_event_of_the_store_is_dropped_and_blocks_nothing() {
    let server = Server::start().unwrap();
    let (nats, source) = (connect(&server).await, Source::new().await);
    let reader = Reader::new(&source, &nats, "tokens").await;
    reader.wait_for_beginning().await;
    let injector = Injector::new(&server, "tokens").await;
    source.say(3).await;
    source.whisper(1).await;
    let events = source.store.events_after(Cursor::start(source.store.id()).position, 10).await.unwrap();
    let mut of_other_store = events[0].clone();
    of_other_store.header.store = StoreId::from_bytes([7; 16]);
    let mut forged = events[0].clone();
    forged.hash = Hash::new([7; 32]);
    for bytes in [
        b"no frame".to_vec(),
        Vec::new(),
        Frame::Sealed(frame::seal(&events[0])).encode(),
        frame::encode_whole(&events[3]),
        frame::encode_whole(&of_other_store),
        frame::encode_whole(&forged),
    ] {
        injector.inject(bytes).await;
    }
    for event in &events[..3] {
        injector.inject(frame::encode_whole(event)).await;
    }
    source.say(1).await;
    reader.wait_for_all(&source).await;
    source.publish_by(&nats, "tokens");
    source.say(1).await;
    source.wait_for_outbox().await;
    reader.wait_for_all(&source).await;
    let counts = reader.stop().await;
    // Two have the places of events of the store: they count as duplicates if these were read from the feed before.
    assert!((4..=6).contains(&counts.poison), "{counts:?}");
}

/// How many messages the stream has.
async fn messages(server: &Server) -> u64 {
    let context = jetstream::new(async_nats::connect(server.url()).await.unwrap());
    context.get_stream("LASTRO").await.unwrap().cached_info().state.messages
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_store_said_before_it_was_restored_has_no_effect() {
    let server = Server::start().unwrap();
    let (nats, source) = (connect(&server).await, Source::new().await);
    source.say(3).await;
    let (source, backup) = source.back_up().await;
    // Places 4 and 5, of which the backup knows nothing. A reader is on the bus, which keeps them for it.
    let reader = Reader::new(&source, &nats, "tokens").await;
    reader.wait_for_all(&source).await;
    let name = reader.name.clone();
    let _ = reader.stop().await;
    source.whisper(1).await;
    source.say(1).await;
    source.publish_by(&nats, "tokens");
    source.wait_for_outbox().await;
    drop(source);
    assert_eq!(messages(&server).await, 4);

    let restored = Source::restored(backup).await;
    restored.publish_by(&nats, "tokens");
    // The backup's own three were published anew: the server knows them, and they are not in the stream again.
    restored.wait_for_outbox().await;
    let before = Reader::named(&restored, &nats, "tokens", &name).await;
    before.wait_for_beginning().await;
    // Another event at place 5, within the time in which the server looks for duplicates.
    restored.whisper(1).await;
    restored.say(1).await;
    restored.wait_for_outbox().await;
    before.wait_for_all(&restored).await;
    assert_eq!(messages(&server).await, 1);
    let counts = before.stop().await;
    assert_eq!(counts.poison, 0, "{counts:?}");
}
