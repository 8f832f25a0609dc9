//! A rebinding that is recorded: who and why stand in the log, in the unit that moves the cursor.

use journal::consumer::{REASON_BYTES_MAX, REBOUND_STREAM, RebindTo, Rebinding};
use journal::{Cursor, Feed};
use messages::StreamVersion;

use super::{fill, grounds};
use crate::decide::counter::{cause, new_command, stream, tenant};

#[tokio::test(flavor = "multi_thread")]
async fn a_rebinding_is_kept_with_who_and_why_and_is_done_once() {
    for ground in grounds() {
        let store = ground.open("mine").await;
        fill(&store).await;
        let before = store.cursor("c").await.unwrap().unwrap();
        let feed = Feed::Own(store.clone());
        let plan = Rebinding::plan("c", &feed, &store, RebindTo::Start).await.unwrap();
        assert_eq!((plan.handled_again_max, plan.never_handled_max), (1, 0));
        let by = cause(new_command(&store));
        for reason in [" ".to_owned(), "x".repeat(REASON_BYTES_MAX + 1)] {
            let error = plan.apply_recorded(&store, &by, &reason).await.unwrap_err().to_string();
            assert_eq!(error, format!("a reason of {} bytes is not of 1 to 1000", reason.len()));
        }
        assert_eq!(store.cursor("c").await.unwrap(), Some(before), "what is refused moves nothing");
        let position = plan.apply_recorded(&store, &by, "the old log was restored").await.unwrap();
        assert_eq!(store.cursor("c").await.unwrap(), Some(Cursor::start(store.id())));
        let recorded = store.stream_after(&tenant(), &stream(REBOUND_STREAM), StreamVersion::EMPTY, 10).await.unwrap();
        let [event] = recorded.as_slice() else { panic!("{recorded:?}") };
        assert_eq!((event.header.position, event.metadata.actor.subject()), (position, "ana"));
        let said: serde_json::Value = serde_json::from_slice(event.payload.as_bytes()).unwrap();
        assert_eq!(said["reason"], "the old log was restored");
        assert_eq!((&said["from"]["position"], &said["to"]["position"]), (&1.into(), &0.into()));
        let stale = plan.apply_recorded(&store, &by, "again").await;
        assert!(stale.is_err(), "the consumer has moved since the plan was made");
        let head = store.head().await.unwrap().position;
        assert_eq!(head, position, "and nothing was recorded");
        store.close().await;
    }
}
