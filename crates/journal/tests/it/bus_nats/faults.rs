//! Servers that are stopped and killed while events are on their way.

use std::sync::Arc;

use journal::bus::nats::Nats;
use test_servers::{Nats as Server, NatsCluster};

use super::deployment::{Reader, Source, config_of, connect, entropy, wait_until};

/// Says some events while the fault happens, and some more.
async fn under_load(source: &Source, fault: impl FnOnce() + Send + 'static) {
    let fault = tokio::task::spawn_blocking(fault);
    while !fault.is_finished() {
        source.say(5).await;
    }
    fault.await.unwrap();
    source.say(20).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_restarted_and_killed_under_load_loses_and_doubles_nothing() {
    let server = Arc::new(Server::start().unwrap());
    let (nats, source) = (connect(&server).await, Source::new().await);
    source.publish_by(&nats, "tokens");
    let reader = Reader::new(&source, &nats, "tokens").await;
    reader.wait_for_beginning().await;
    for end in [Server::restart, Server::kill_hard, Server::restart, Server::kill_hard] {
        let server = Arc::clone(&server);
        under_load(&source, move || {
            end(&server).unwrap();
            server.start_again().unwrap();
        })
        .await;
        reader.wait_for_bus(&source).await;
    }
    source.wait_for_outbox().await;
    reader.wait_for_all(&source).await;
    let counts = reader.stop().await;
    println!("{} events said, {counts:?}", source.published().await.len());
}

/// Waits until each server has what the others have: whoever kills the next one before that kills the majority.
async fn wait_until_whole(cluster: &NatsCluster) {
    let servers: Vec<async_nats::ServerAddr> = cluster.urls().iter().map(|url| url.parse().unwrap()).collect();
    let client = async_nats::connect(servers).await.unwrap();
    let jetstream = async_nats::jetstream::new(client);
    wait_until("all servers have the stream", || async {
        let Ok(mut stream) = jetstream.get_stream("LASTRO").await else { return false };
        let Ok(info) = stream.info().await else { return false };
        let others = info.cluster.as_ref().map(|cluster| cluster.replicas.as_slice()).unwrap_or_default();
        others.len() == 2 && others.iter().all(|server| server.current)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_with_one_of_three_killed_under_load_loses_and_doubles_nothing() {
    let cluster = Arc::new(NatsCluster::start(3).unwrap());
    let nats = Nats::connect(&config_of(cluster.urls(), 3), &entropy()).await.unwrap();
    let source = Source::new().await;
    source.publish_by(&nats, "tokens");
    let reader = Reader::new(&source, &nats, "tokens").await;
    reader.wait_for_beginning().await;
    source.say(100).await;
    // Each in turn, so that whoever leads the stream and whoever holds the connection are among them.
    for index in 0..3 {
        let killed = Arc::clone(&cluster);
        under_load(&source, move || killed.servers()[index].kill_hard().unwrap()).await;
        // With two of three the bus works; only then does the third come back.
        source.wait_for_outbox().await;
        reader.wait_for_bus(&source).await;
        reader.wait_for_all(&source).await;
        let started = Arc::clone(&cluster);
        under_load(&source, move || started.servers()[index].start_again().unwrap()).await;
        wait_until_whole(&cluster).await;
    }
    source.wait_for_outbox().await;
    reader.wait_for_all(&source).await;
    let counts = reader.stop().await;
    println!("{} events said, {counts:?}", source.published().await.len());
}
