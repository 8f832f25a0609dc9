//! What nodes answer: one table of JSON-RPC errors by (code, message), with what each means and what to do next.
//!
//! Besu and geth use the same code for unrelated errors (`-32005` is six different things on Besu, `-32000` dozens), and the
//! same situation has other words on each. So an answer is classified by code *and* message, never by one of them alone:
//!
//! ```
//! use node_errors::{Meaning, NextStep, classify};
//!
//! let row = classify(-32001, "Nonce too low").expect("it is in the table");
//! assert_eq!(row.meaning, Meaning::NonceTooLow);
//! assert_eq!(row.meaning.next_step(), NextStep::LookUpByHash);
//! assert!(classify(-32001, "Resource not found").is_some_and(|row| row.meaning == Meaning::ResourceNotFound));
//! assert!(classify(-32000, "the moon is full").is_none());
//! ```
//!
//! The same table is read from both ends. `chain` asks [`classify`] what an answer means and [`Meaning::next_step`] what to do;
//! the embedded ledger asks [`besu`] for the words with which Besu would answer:
//!
//! ```
//! use node_errors::{Meaning, besu};
//!
//! let answer = besu(Meaning::UpfrontCostExceedsBalance);
//! assert_eq!((answer.code, answer.message), (-32004, "Upfront gas cost exceeds account balance"));
//! ```
//!
//! # Main types
//!
//! * [`Row`]: one answer of one family of nodes, with its versions and its source; [`TABLE`] is all of them.
//! * [`Meaning`]: what the answer says; closed, so that each one has a [`NextStep`].
//! * [`Answer`]: code and message to send.
//!
//! # What it must not know
//!
//! It is pure: no input or output, no state, no dependency, nothing of JSON or of transactions. Counting and logging the answers
//! that are in no row is the caller's business. Methods that the platform never calls (`admin_`, `engine_`, `priv_`), or
//! only the doctor, which reads their answers itself (`perm_`), have no rows.
//!
//! # Invariants
//!
//! (code, message) is unique in the table; every meaning has a next step; what [`besu`] gives classifies to the meaning that was
//! asked for wherever Besu has words for it. The tests walk the whole table from both ends.

mod meaning;
mod table;

pub use meaning::{Meaning, NextStep};
pub use table::{Answer, Family, Row, TABLE, Versions, besu, classify};
