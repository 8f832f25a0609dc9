//! Snapshots spare reading a stream whole, and nothing else depends on them.

use std::convert::Infallible;
use std::num::NonZeroU64;

use journal::{Aggregate, Audience, Command, Decision, Streams};
use messages::{DecodeError, EventBody, EventType, Payload, PayloadError, StreamVersion};

use super::{cause, stream, tenant, wait_until, worlds};

#[derive(Debug)]
struct Counted;

impl EventBody for Counted {
    fn encode(&self) -> Result<(EventType, u32, Payload), PayloadError> {
        Ok((EventType::of("test.counted"), 1, Payload::of(&1)?))
    }

    fn decode(_: &EventType, _: u32, _: &Payload) -> Result<Self, DecodeError> {
        Ok(Self)
    }
}

/// How many events there are, and how many of them this state was folded from itself.
#[derive(Debug, Default)]
struct Count {
    events: u64,
    folded: u64,
}

/// `FORM` is the snapshots' form.
struct Counter<const FORM: u32>;

impl<const FORM: u32> Aggregate for Counter<FORM> {
    type State = Count;
    type Event = Counted;

    const SNAPSHOT_EVERY: Option<NonZeroU64> = NonZeroU64::new(10);
    const SNAPSHOT_FORM: u32 = FORM;

    fn apply(state: &mut Count, _: &Counted) {
        state.events += 1;
        state.folded += 1;
    }

    fn to_snapshot(state: &Count) -> Option<Payload> {
        Payload::of(&state.events).ok()
    }

    fn from_snapshot(payload: &Payload) -> Option<Count> {
        Some(Count { events: serde_json::from_slice(payload.as_bytes()).ok()?, folded: 0 })
    }
}

async fn read<const FORM: u32>(store: &journal::Store) -> (u64, u64, StreamVersion) {
    let streams = Streams::<Counter<FORM>>::new(store.clone());
    let look = |state: &Count, version| (state.events, state.folded, version);
    streams.read(&tenant(), &stream("counter"), look).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_stream_is_read_from_its_newest_snapshot_of_todays_form() {
    for world in worlds() {
        let store = world.open("mine").await;
        let streams = Streams::<Counter<2>>::new(store.clone());
        let command = Command { cause: cause(&store), stream: stream("counter"), key: None };
        for _ in 0..9 {
            let events =
                || vec![(Counted, Audience::Private), (Counted, Audience::Private), (Counted, Audience::Private)];
            let decided = streams.decide(&command, |_| Ok::<_, Infallible>(Decision::of(events()))).await;
            let _ = decided.unwrap();
        }
        let version = StreamVersion::new(27);
        wait_until("the snapshot is kept", async || read::<2>(&store).await == (27, 6, version)).await;
        // Of another form, or of a stream that has other events: the stream is read whole.
        assert_eq!(read::<1>(&store).await, (27, 27, version));
        assert_eq!(read::<3>(&store).await, (27, 27, version));
        let mut unit = journal::UnitOfWork::new();
        let _ = unit.statement(journal::Statement {
            sql: "UPDATE snapshots SET event_id = $1",
            parameters: vec![journal::Parameter::Bytes(vec![7; 16])],
            rows_expected: Some(1),
        });
        let _ = store.append(unit).await.unwrap();
        assert_eq!(read::<2>(&store).await, (27, 27, version));
    }
}
