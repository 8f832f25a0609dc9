//! The tables beside the log.

use journal::store::{Migration, StateRows};

use super::{pause, requests, retirement};

/// The tables beside the log of a [`crate::Chain`]: for whoever opens, backs up or imports its store.
pub const STATE_ROWS: StateRows = StateRows { name: "chain state rows", migrations: MIGRATIONS };

/// What a lane is, and each attempt at an intent. What a number does never changes.
const MIGRATIONS: &[Migration] = &[Migration {
    version: 1,
    sql: "
    -- What the store belongs to: one row.
    CREATE TABLE chain_ledger (id BIGINT NOT NULL PRIMARY KEY, chain_id TEXT NOT NULL, genesis TEXT NOT NULL);
    -- `next_nonce` is the next to be given; `fence` counts how often the lane was taken. Where several processes share the
    -- store, `holder` has the lane until `leased_until_us`, by the database's clock.
    CREATE TABLE chain_lanes (
        sender BYTEA NOT NULL PRIMARY KEY, next_nonce BIGINT NOT NULL, fence BIGINT NOT NULL,
        holder BYTEA NOT NULL, leased_until_us BIGINT NOT NULL);
    -- The last block whose ends are stored: one row. It begins at the head of the day the store was made, which is before all
    -- that was ever sent from it.
    CREATE TABLE chain_cursor (id BIGINT NOT NULL PRIMARY KEY, number BIGINT NOT NULL, hash BYTEA NOT NULL);
    -- An attempt at an intent: the signed bytes, and how it ended. A key has a further attempt only after a refusal.
    -- `state` is sent, cancelling, mined or refused; `filler_*` is the empty transaction that is to use the nonce instead.
    -- `is_sent_again` says that more than the attempt's first delivery sends its bytes: its nonce is then never given back.
    -- `execution` is succeeded, reverted (with `revert_data`) or reverted_unexplained. `has_logs` is 0 if the logs are too
    -- long to be kept, and are read from the ledger.
    CREATE TABLE chain_intents (
        key TEXT NOT NULL, attempt BIGINT NOT NULL, fingerprint BYTEA NOT NULL, subject TEXT NOT NULL,
        sender BYTEA NOT NULL, nonce BIGINT NOT NULL, hash BYTEA NOT NULL, raw BYTEA NOT NULL, created_address BYTEA NOT NULL,
        state TEXT NOT NULL, is_sent_again BIGINT NOT NULL, reason TEXT NOT NULL,
        filler_hash BYTEA, filler_raw BYTEA,
        block_number BIGINT, block_hash BYTEA, transaction_index BIGINT, gas_used BIGINT,
        execution TEXT, revert_data BYTEA, has_logs BIGINT, logs TEXT,
        PRIMARY KEY (key, attempt));
    -- A nonce belongs to one intent, unless that was refused.
    CREATE UNIQUE INDEX chain_intents_nonce ON chain_intents (sender, nonce) WHERE state <> 'refused';
    CREATE INDEX chain_intents_open ON chain_intents (sender, nonce) WHERE state IN ('sent', 'cancelling')",
}, Migration {
    version: 2,
    sql: "
    -- The policy that a key is used under: its number and the hash of its text.
    CREATE TABLE chain_policies (sender BYTEA NOT NULL PRIMARY KEY, version BIGINT NOT NULL, hash BYTEA NOT NULL);
    -- What a key has spent under its policy: the latest time at which something was signed, and the amounts of that day as JSON,
    -- [contract, selector, amount] each. It is written with the signed bytes.
    CREATE TABLE chain_spent (sender BYTEA NOT NULL PRIMARY KEY, latest_s BIGINT NOT NULL, amounts TEXT NOT NULL);
    -- What was signed by approvals, until none of them can count any more.
    CREATE TABLE chain_spent_commands (
        sender BYTEA NOT NULL, command BYTEA NOT NULL, until_s BIGINT NOT NULL, PRIMARY KEY (sender, command));
    CREATE INDEX chain_spent_until ON chain_spent_commands (sender, until_s)",
}, pause::TABLES, retirement::TABLES, requests::TABLES, Migration {
    version: 6,
    sql: "
    -- Hashes of the same at lower prices, 32 bytes each, if `hash` and `raw` are not the first; and which of them was mined.
    ALTER TABLE chain_intents ADD COLUMN earlier_hashes BYTEA;
    ALTER TABLE chain_intents ADD COLUMN mined_hash BYTEA",
}];
