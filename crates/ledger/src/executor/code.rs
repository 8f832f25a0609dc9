//! Contract code, analysed once for its jump destinations.

use alloy_primitives::{B256, Bytes};
use revm::bytecode::Bytecode;

/// Runtime code, ready to run. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Code(Bytecode);

impl Code {
    /// Analyses runtime code.
    pub(crate) fn new(bytes: Bytes) -> Self {
        // `new_raw_checked` refuses only a malformed EIP-7702 designator; such bytes run as ordinary code.
        Self(Bytecode::new_raw_checked(bytes.clone()).unwrap_or_else(|_| Bytecode::new_legacy(bytes)))
    }

    pub(super) fn from_evm(code: Bytecode) -> Self {
        Self(code)
    }

    pub(super) fn to_evm(&self) -> Bytecode {
        self.0.clone()
    }

    /// Keccak-256 of the code.
    pub(crate) fn hash(&self) -> B256 {
        self.0.hash_slow()
    }

    /// The code as it stands on the ledger.
    pub(crate) fn bytes(&self) -> Bytes {
        self.0.original_bytes()
    }
}
