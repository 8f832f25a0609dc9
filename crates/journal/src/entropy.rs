//! Randomness: the system's, or drawn from a seed so that a run can be repeated.

use std::cell::RefCell;
use std::sync::Arc;

use messages::{CommandId, EventId, StoreId, Timestamp};
use parking_lot::Mutex;
use uuid::Builder;

/// Where random bytes come from.
#[derive(Debug, Clone)]
pub enum Entropy {
    /// The operating system.
    System,
    /// A seed, for tests and simulations alone: whoever knows it knows all salts.
    Seeded(Arc<Mutex<u64>>),
}

/// How many of the system's bytes a thread draws at once: identifiers and salts want some twenty at a time, and asking the system
/// takes longer than they do.
const DRAWN_BYTES: usize = 512;

thread_local! {
    static DRAWN: RefCell<Drawn> = const { RefCell::new(Drawn { bytes: [0; DRAWN_BYTES], left: 0 }) };
}

/// The system's bytes that nobody has had yet: the first `left` of them.
struct Drawn {
    bytes: [u8; DRAWN_BYTES],
    left: usize,
}

impl Drawn {
    fn fill(&mut self, wanted: &mut [u8]) {
        if wanted.len() > DRAWN_BYTES {
            return from_system(wanted);
        }
        if wanted.len() > self.left {
            from_system(&mut self.bytes);
            self.left = DRAWN_BYTES;
        }
        let given = &mut self.bytes[self.left - wanted.len()..self.left];
        wanted.copy_from_slice(given);
        // A salt is nowhere but where it is wanted.
        given.fill(0);
        self.left -= wanted.len();
    }
}

fn from_system(bytes: &mut [u8]) {
    if let Err(error) = getrandom::fill(bytes) {
        panic!("the operating system gave no random bytes: {error}");
    }
}

impl Entropy {
    /// The sequence of this seed.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self::Seeded(Arc::new(Mutex::new(seed)))
    }

    /// Fills `bytes`.
    ///
    /// # Panics
    ///
    /// If the operating system has no randomness to give: nothing that is written without it would keep its promises.
    pub fn fill(&self, bytes: &mut [u8]) {
        match self {
            Self::System => DRAWN.with_borrow_mut(|drawn| drawn.fill(bytes)),
            Self::Seeded(state) => {
                let mut state = state.lock();
                for chunk in bytes.chunks_mut(8) {
                    let word = split_mix(&mut state).to_le_bytes();
                    chunk.copy_from_slice(&word[..chunk.len()]);
                }
            }
        }
    }

    /// A new command's identifier.
    #[must_use]
    pub fn command_id(&self, now: Timestamp) -> CommandId {
        CommandId::new(self.uuid_v7(now))
    }

    /// A new event's identifier.
    #[must_use]
    pub fn event_id(&self, now: Timestamp) -> EventId {
        EventId::new(self.uuid_v7(now))
    }

    pub(crate) fn store_id(&self, now: Timestamp) -> StoreId {
        StoreId::new(self.uuid_v7(now))
    }

    fn uuid_v7(&self, now: Timestamp) -> uuid::Uuid {
        let mut random = [0; 10];
        self.fill(&mut random);
        // The builder keeps 48 bits of milliseconds, enough until the year 10889; before 1970 it counts from 0.
        let millis = u64::try_from(now.micros() / 1_000).unwrap_or(0);
        Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
    }
}

/// SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, OOPSLA 2014).
fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut word = *state;
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}
