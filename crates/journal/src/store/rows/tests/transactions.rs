//! Groups that are dropped, given up, or have a unit whose statement fails.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use messages::Position;

use super::sample::{event, events, key, scope};
use super::stand::{commit, mark, number, stands};
use crate::key::KeyState;
use crate::store::{Rows, StoreError, WriteError};
use crate::unit::{Audience, Parameter, Statement};

fn add_lane(sender: u8, rows_expected: Option<u64>) -> Statement {
    let parameters = vec![Parameter::Bytes(vec![sender]), Parameter::Integer(0)];
    Statement { sql: "INSERT INTO lanes (sender, nonce) VALUES ($1, $2)", parameters, rows_expected }
}

#[tokio::test]
async fn a_group_that_is_dropped_or_given_up_leaves_nothing_and_harms_no_later_one() {
    for stand in stands() {
        let backend = stand.opened().await;
        for is_dropped in [true, false, true] {
            let mut group = backend.begin().await.unwrap();
            let mut head = *group.head();
            let event = event(&mut head, "lost", 1, Audience::Private);
            let keys_new = vec![key("lost", KeyState::Done, None, &head)];
            group.write(&Rows { events: vec![event], keys_new, ..Rows::default() }, &head, mark(1)).await.unwrap();
            if is_dropped { drop(group) } else { group.give_up().await }
        }
        let written = events(&backend, 2, &[("kept", 1)]).await;
        assert_eq!(backend.events_after(Position::START, 9).await.unwrap(), written);
        assert_eq!(backend.key(&scope("lost")).await.unwrap(), None);
        assert!(!backend.is_committed(3).await.unwrap() && backend.is_committed(2).await.unwrap());
        stand.clear(backend).await;
    }
}

/// Polls the work so often and then drops it, wherever it is. Gives whether it ended before.
async fn polled(polls_max: usize, work: impl Future<Output = ()>) -> bool {
    let mut work = pin!(work);
    let mut polls = 0;
    std::future::poll_fn(|context| {
        polls += 1;
        match work.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(true),
            Poll::Pending if polls == polls_max => Poll::Ready(false),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

#[tokio::test]
async fn a_group_whose_future_is_dropped_at_any_poll_is_there_whole_or_not_at_all() {
    for stand in stands() {
        let backend = stand.opened().await;
        let mut cuts = 0;
        // How often a group is polled until it ends depends on threads and the network; few need so many.
        for polls_max in (1..=16).cycle().take(64) {
            let number = backend.head().await.unwrap().position.next().number();
            let is_done = polled(polls_max, async {
                let mut group = backend.begin().await.unwrap();
                let mut head = *group.head();
                let event = event(&mut head, "a", number, Audience::Private);
                let keys_new = vec![key(&format!("k{number}"), KeyState::Done, None, &head)];
                let rows = Rows { events: vec![event], keys_new, ..Rows::default() };
                group.write(&rows, &head, mark(number)).await.unwrap();
                group.commit().await.unwrap();
            })
            .await;
            cuts += usize::from(!is_done);
            // A commit under way is waited for: this begins a group.
            let is_there = backend.is_committed(number).await.unwrap();
            assert!(is_there || !is_done, "after {polls_max} polls");
            assert_eq!(backend.head().await.unwrap().position.number(), number - u64::from(!is_there));
            assert_eq!(backend.key(&scope(&format!("k{number}"))).await.unwrap().is_some(), is_there);
        }
        assert!(cuts > 3, "{cuts} groups alone were dropped before they ended");
        let head = backend.head().await.unwrap();
        let events = backend.events_after(Position::START, 1_000).await.unwrap();
        assert_eq!(events.last().map(|event| event.hash), (!events.is_empty()).then_some(head.hash));
        stand.clear(backend).await;
    }
}

#[tokio::test]
async fn a_statement_that_changes_another_number_of_rows_names_its_unit() {
    for stand in stands() {
        let backend = stand.opened().await;
        let mut group = backend.begin().await.unwrap();
        let head = *group.head();
        let nothing = Statement { sql: "UPDATE lanes SET nonce = 1", parameters: vec![], rows_expected: Some(1) };
        let rows = Rows { statements: vec![(3, add_lane(1, Some(1))), (7, nothing)], ..Rows::default() };
        // The first unit's row makes the second's statement right; without it, it is wrong.
        group.write(&rows, &head, mark(1)).await.unwrap();
        group.give_up().await;
        let mut group = backend.begin().await.unwrap();
        let rows = Rows { statements: rows.statements[1..].to_vec(), ..Rows::default() };
        match group.write(&rows, &head, mark(1)).await.unwrap_err() {
            WriteError::Rows { unit, sql, expected, changed } => {
                assert_eq!((unit, sql, expected, changed), (7, "UPDATE lanes SET nonce = 1", 1, 0));
            }
            other => panic!("{other:?}"),
        }
        group.give_up().await;
        stand.clear(backend).await;
    }
}

#[tokio::test]
async fn a_statement_that_the_database_refuses_names_its_unit_and_the_next_group_works() {
    for stand in stands() {
        let backend = stand.opened().await;
        let head = backend.head().await.unwrap();
        let wrong = Statement { sql: "UPDATE no_such_table SET a = 1", parameters: vec![], rows_expected: None };
        let twice = [(0, add_lane(1, None)), (4, add_lane(1, None))];
        for (statements, blamed) in [(twice.to_vec(), 4), (vec![(2, wrong)], 2)] {
            let mut group = backend.begin().await.unwrap();
            let rows = Rows { statements, ..Rows::default() };
            match group.write(&rows, &head, mark(1)).await.unwrap_err() {
                WriteError::Statement { unit, error } => {
                    assert_eq!(unit, blamed);
                    assert!(matches!(error, StoreError::Sql { .. }) && !error.is_transient(), "{error:?}");
                }
                other => panic!("{other:?}"),
            }
            group.give_up().await;
            assert_eq!(number(&backend, "SELECT COUNT(*) FROM lanes").await, 0);
        }
        commit(&backend, 1, &Rows { statements: vec![(0, add_lane(1, Some(1)))], ..Rows::default() }, &head).await;
        assert_eq!(number(&backend, "SELECT COUNT(*) FROM lanes").await, 1);
        stand.clear(backend).await;
    }
}

#[tokio::test]
async fn a_closed_store_says_so() {
    for stand in stands() {
        let backend = stand.opened().await;
        backend.close().await;
        assert!(matches!(backend.begin().await, Err(StoreError::Closed)));
        assert!(matches!(backend.head().await, Err(StoreError::Closed)));
        assert!(matches!(backend.expire_keys(super::stand::BEGINNING, 1).await, Err(StoreError::Closed)));
        backend.close().await;
        let again = stand.opened().await;
        stand.clear(again).await;
    }
}

#[tokio::test]
async fn a_second_group_of_a_process_waits_for_the_first() {
    for stand in stands() {
        let backend = stand.opened().await;
        let first = backend.begin().await.unwrap();
        let mut second = Box::pin(backend.begin());
        assert!(second.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        first.give_up().await;
        second.await.unwrap().give_up().await;
        stand.clear(backend).await;
    }
}
