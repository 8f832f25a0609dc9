//! Blocks by the clock, and at each of them a look for gaps.
//!
//! A gap is a nonce that the ledger wants next and the node's pool does not have, though this process has it, or a later one, stored
//! without an end. Its age is the number of blocks since then, and begins anew when what repairs it cannot: when a transaction of the
//! sender meets a fault on its way or is lost with the pool, and where the lane is not held yet or is paused. A process that died
//! has no age. Here an operator resumes a paused lane at the next block.

use std::time::Duration;

use alloy_primitives::Address;

use super::node::Node;
use crate::Chain;

/// A gap may be there at so many blocks in a row.
const AGE_MAX: u32 = 10;

/// What the last block showed of a sender.
struct Look {
    sender: Address,
    next: u64,
    mishaps: u64,
    age: u32,
}

/// Makes blocks until a gap is too old, and says which.
pub(super) async fn make_blocks(node: &Node, chain: &Chain, period: Duration) -> String {
    let senders = chain.core.custody.keys().map(|key| key.address);
    let mut looks: Vec<Look> = senders.map(|sender| Look { sender, next: 0, mishaps: 0, age: 0 }).collect();
    loop {
        tokio::time::sleep(period).await;
        node.make_block();
        for look in &mut looks {
            look.again(node, chain).await;
            if look.age > AGE_MAX {
                let Look { sender, next, age, .. } = look;
                return format!("nonce {next} of {sender} is missing since {age} blocks, and later ones are stored");
            }
        }
    }
}

impl Look {
    async fn again(&mut self, node: &Node, chain: &Chain) {
        let lane = chain.core.held(self.sender).await;
        let is_paused = lane.is_none_or(|lane| {
            let is_paused = lane.paused().is_some();
            lane.resume();
            is_paused
        });
        let (next, is_in_pool, mishaps) = node.next_of(self.sender);
        let is_as_before = !is_paused && (next, mishaps) == (self.next, self.mishaps);
        (self.next, self.mishaps) = (next, mishaps);
        let is_gap = !is_in_pool
            && chain.core.store.open_between(self.sender, next, u64::MAX).await.map_or(true, |open| !open.is_empty());
        self.age = if is_as_before && is_gap { self.age + 1 } else { 0 };
    }
}
