//! The ABI of the contracts' committed artifacts: calls, events, results and reverts.
