//! The end of keys, by the store's clock.

use std::time::Duration;

use journal::expiry::{Expiry, start_expiry};
use journal::{KeyChange, KeyScope, KeyState, KeyUse, UnitOfWork};
use messages::Fingerprint;

use super::{cause, tenant, wait_until, worlds};

#[tokio::test(flavor = "multi_thread")]
async fn keys_end_some_time_after_their_effect_is_final_and_never_before() {
    for world in worlds() {
        let store = world.open("mine").await;
        let scope = |key: &str| KeyScope::new(tenant(), "console", key).unwrap();
        for (key, state) in [("acting", KeyState::Accepted), ("done", KeyState::Done)] {
            let cause = cause(&store);
            let mut unit = UnitOfWork::new();
            let event = super::event(&store, key, journal::Audience::Private);
            let _ = unit.append(&cause, super::stream(key), journal::Expected::Any, vec![event]).use_key(KeyUse {
                scope: scope(key),
                fingerprint: Fingerprint::of("op", "/path", &serde_json::Value::Null),
                command: cause.command,
                state,
                location: "/x".into(),
                answer: None,
            });
            let _ = store.append(unit).await.unwrap();
        }
        let hour = Duration::from_secs(3_600);
        let task = start_expiry(&store, Expiry { kept: 24 * hour, interval: hour });
        let is_free = async |key| store.key(&scope(key)).await.unwrap().is_none();
        world.clock.advance(23 * hour);
        assert!(!is_free("done").await && !is_free("acting").await);
        // It looks once an hour, from its last look on: which may end only after the clock was moved.
        wait_until("the key of the final effect is gone", async || {
            world.clock.advance(hour);
            is_free("done").await
        })
        .await;
        assert!(!is_free("acting").await);
        let mut unit = UnitOfWork::new();
        let _ = unit.change_key(scope("acting"), KeyChange::Finish(None));
        let finished = store.clock().now();
        let _ = store.append(unit).await.unwrap();
        wait_until("the other key is gone too", async || {
            world.clock.advance(hour);
            is_free("acting").await
        })
        .await;
        assert!(store.clock().now() >= finished.after(24 * hour));
        task.stop().await.unwrap();
    }
}
