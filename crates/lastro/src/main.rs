//! Lastro.
fn main() {}
