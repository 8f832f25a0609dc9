//! Pages and following, and what is said of a store that was replaced or rewound.

use journal::feed::{self, FeedError};
use journal::{Audience, Expected, Feed, UnitOfWork};
use messages::Position;

use super::{cause, event, publish, publish_many, stream, worlds};

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_gets_every_event_once_in_order_and_is_woken() {
    for world in worlds() {
        let store = world.open("log").await;
        let start = journal::Cursor::start(store.id());
        let follow = |feed: Feed| {
            let mut follower = feed.follow(start, 7);
            tokio::spawn(async move {
                let mut seen = Vec::new();
                while seen.len() < 250 {
                    let page = follower.next().await.unwrap();
                    assert!(!page.is_empty() && page.len() <= 7);
                    seen.extend(page.iter().map(|event| event.header.position.number()));
                }
                seen
            })
        };
        let (own, published) = (follow(Feed::Own(store.clone())), follow(Feed::Published(store.clone())));
        let _ = publish_many(&store, 250, 3).await;
        assert_eq!(own.await.unwrap(), (1..=250).collect::<Vec<_>>());
        assert_eq!(published.await.unwrap(), (1..=250).collect::<Vec<_>>());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_published_feed_shows_no_private_event_and_takes_a_cursor_on_one() {
    for world in worlds() {
        let store = world.open("log").await;
        let mut unit = UnitOfWork::new();
        let events = [Audience::Published, Audience::Private, Audience::Private, Audience::Published];
        let events = events.map(|audience| event(&store, "x", audience)).to_vec();
        let _ = unit.append(&cause(&store), stream("s"), Expected::Any, events);
        let _ = store.append(unit).await.unwrap();
        let feed = Feed::Published(store.clone());
        let all = store.events_after(Position::START, 10).await.unwrap();
        for (from, expected) in [(0, vec![4]), (1, vec![4]), (2, vec![4]), (3, vec![])] {
            let page = feed.page(feed::after(&all[from]), 10).await.unwrap();
            assert_eq!(page.iter().map(|event| event.header.position.number()).collect::<Vec<_>>(), expected);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_of_another_store_or_of_a_lost_event_stops_the_reader() {
    for world in worlds() {
        let (one, other) = (world.open("one").await, world.open("other").await);
        let _ = publish(&one, "a:1 a:2").await;
        let _ = publish(&other, "a:1").await;
        let head = one.head().await.unwrap();
        for feed in [Feed::Own(other.clone()), Feed::Published(other.clone())] {
            let error = feed.page(head, 1).await.unwrap_err();
            assert!(matches!(error, FeedError::Replaced { .. }), "{error}");
            assert!(error.to_string().contains("`lastro journal rebind`"), "{error}");
            // The same store as far as its identifier goes, restored from before the event that was read.
            let lost = journal::Cursor { store: other.id(), ..head };
            let error = feed.page(lost, 1).await.unwrap_err();
            assert!(matches!(error, FeedError::Rewound { found: None, .. }), "{error}");
            let forged = journal::Cursor { position: Position::new(1), ..lost };
            let error = feed.page(forged, 1).await.unwrap_err();
            assert!(matches!(error, FeedError::Rewound { found: Some(_), .. }), "{error}");
            assert!(error.to_string().contains("`lastro journal rebind`"), "{error}");
            let forged = journal::Cursor { position: Position::START, ..lost };
            assert!(matches!(feed.page(forged, 1).await, Err(FeedError::Rewound { .. })));
        }
    }
}
