//! What is written comes back.

use messages::{Position, StreamVersion, Timestamp};

use super::sample::{claim, event, events, key, scope, stream, timer, timer_name};
use super::stand::{commit, stands};
use crate::cursor::Cursor;
use crate::key::KeyState;
use crate::store::{Head, Newest, Rows, Wanted};
use crate::unit::{Audience, Parameter, Statement};

fn one_of_everything(head: &mut Head) -> Rows {
    let audiences = [Audience::Private, Audience::Published, Audience::Private, Audience::Published];
    let events = (1..).zip(audiences).map(|(version, audience)| event(head, "asset/1", version, audience)).collect();
    let cursor = Cursor { store: head.store, position: head.position, hash: head.hash };
    Rows {
        events,
        keys_new: vec![
            key("k1", KeyState::Accepted, None, head),
            key("k2", KeyState::Done, Some(b""), head),
            key("k3 \u{1f600} '\"\\", KeyState::Refused, Some(&[0, 255, 39, 0]), head),
        ],
        claims_new: vec![(claim("BRSTNCLTN7J2"), stream("asset/1").stream)],
        timers_new: vec![timer("order/1/expiry", 5), timer("order/2/expiry", 3)],
        cursors: vec![("views".into(), cursor)],
        ..Rows::default()
    }
}

#[tokio::test]
async fn every_row_comes_back_byte_for_byte() {
    for stand in stands() {
        let backend = stand.opened().await;
        let mut head = backend.head().await.unwrap();
        let rows = one_of_everything(&mut head);
        commit(&backend, 1, &rows, &head).await;
        assert_eq!(backend.head().await.unwrap(), head);
        assert_eq!(backend.events_after(Position::START, 100).await.unwrap(), rows.events);
        let published = backend.published_after(Position::START, 100).await.unwrap();
        assert_eq!(published, [rows.events[1].clone(), rows.events[3].clone()]);
        let read = backend.stream_after(&stream("asset/1"), StreamVersion::EMPTY, 100).await.unwrap();
        assert_eq!(read, rows.events);
        for record in &rows.keys_new {
            assert_eq!(backend.key(&record.scope).await.unwrap().as_ref(), Some(record));
        }
        let earliest_first = [rows.timers_new[1].clone(), rows.timers_new[0].clone()];
        assert_eq!(backend.timers_due(Timestamp::from_micros(i64::MAX), 9).await.unwrap(), earliest_first);
        assert_eq!(backend.timers_due(earliest_first[0].due, 9).await.unwrap(), earliest_first[..1]);
        assert_eq!(backend.next_due().await.unwrap(), Some(earliest_first[0].due));
        assert_eq!(backend.cursor("views").await.unwrap(), Some(rows.cursors[0].1));
        stand.clear(backend).await;
    }
}

#[tokio::test]
async fn a_group_finds_what_is_there_and_nothing_else() {
    for stand in stands() {
        let backend = stand.opened().await;
        let mut head = backend.head().await.unwrap();
        let rows = one_of_everything(&mut head);
        commit(&backend, 1, &rows, &head).await;
        let wanted = Wanted {
            streams: [stream("asset/1"), stream("asset/2")].into(),
            keys: rows.keys_new.iter().map(|record| record.scope.clone()).chain([scope("k4")]).collect(),
            claims: [claim("BRSTNCLTN7J2"), claim("BRSTNCLTN7J3")].into(),
            timers: [timer_name("order/1/expiry"), timer_name("order/3/expiry")].into(),
            consumers: ["views".into(), "it's \"no\" consumer, [1]".into()].into(),
        };
        let mut group = backend.begin().await.unwrap();
        assert_eq!(*group.head(), head);
        let found = group.find(&wanted).await.unwrap();
        group.give_up().await;
        let last = rows.events.last().unwrap();
        let newest = Newest { version: StreamVersion::new(4), event: last.header.event };
        assert_eq!(found.newest, [(stream("asset/1"), newest)].into());
        assert_eq!(found.keys, rows.keys_new.iter().map(|key| (key.scope.clone(), key.clone())).collect());
        assert_eq!(found.claims, rows.claims_new.into_iter().collect());
        assert_eq!(found.timers, [(timer_name("order/1/expiry"), rows.timers_new[0].due)].into());
        assert_eq!(found.cursors, rows.cursors.into_iter().collect());
        stand.clear(backend).await;
    }
}

#[tokio::test]
async fn a_group_of_any_size_is_written_whole_and_read_by_page() {
    for stand in stands() {
        let backend = stand.opened().await;
        let mut written = Vec::new();
        // Sizes around those of the chunks: 1, 4, 8, 32.
        for (group_number, size) in (1..).zip([0, 1, 2, 3, 4, 5, 11, 12, 15, 31, 32, 33, 64, 77, 300]) {
            let version = written.len() as u64;
            let entries: Vec<_> = (1..=size).map(|number| ("hot", version + number)).collect();
            written.extend(events(&backend, group_number, &entries).await);
        }
        assert_eq!(backend.events_after(Position::START, 10_000).await.unwrap(), written);
        assert_eq!(backend.events_after(Position::new(100), 7).await.unwrap(), written[100..107]);
        let page = backend.stream_after(&stream("hot"), StreamVersion::new(200), 9).await.unwrap();
        assert_eq!(page, written[200..209]);
        // Nothing is beyond the end, also where a BIGINT ends.
        assert_eq!(backend.events_after(Position::new(u64::MAX), 7).await.unwrap(), []);
        assert_eq!(backend.stream_after(&stream("hot"), StreamVersion::new(1_000), 7).await.unwrap(), []);
        stand.clear(backend).await;
    }
}

#[tokio::test]
async fn bytes_stay_bytes_in_columns_of_the_type_that_sqlite_does_not_know() {
    for stand in stands() {
        let backend = stand.opened().await;
        // Were they text, a column with numeric affinity would make a number of these bytes.
        let parameters =
            vec![Parameter::Bytes(b"0012".to_vec()), Parameter::Integer(i64::MIN), Parameter::Text("1e3".to_owned())];
        let sql = "INSERT INTO lanes (sender, nonce, note) VALUES ($1, $2, $3)";
        let statement = Statement { sql, parameters, rows_expected: Some(1) };
        let head = backend.head().await.unwrap();
        commit(&backend, 1, &Rows { statements: vec![(0, statement)], ..Rows::default() }, &head).await;
        let rows = backend.query("SELECT sender, nonce, note FROM lanes ", &[]).await.unwrap();
        assert_eq!(rows[0][0].bytes(), Some(b"0012".as_slice()));
        assert_eq!((rows[0][1].integer(), rows[0][2].text()), (Some(i64::MIN), Some("1e3")));
        stand.clear(backend).await;
    }
}
