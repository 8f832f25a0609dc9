//! Ledger integration: the one way in which the platform talks to a node.
