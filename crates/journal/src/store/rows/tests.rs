//! Facts about both stores, through the interface that the rest of the crate uses. What can only happen to one of them stands in
//! `only_sqlite` and `only_postgres`.
//!
//! The PostgreSQL half runs on a real server, each test in a database of its own.

mod changes;
mod collisions;
mod damage;
mod only_postgres;
mod only_sqlite;
mod opening;
mod round_trip;
mod sample;
mod stand;
mod transactions;
