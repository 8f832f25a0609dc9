// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title EntryBatch
/// @notice Runs the entries of a batch one by one, each all or nothing, so that one that fails does not stop the others.
/// @dev An entry is a call of the contract to itself with bounded gas, of whose answer a bounded part is read: whoever is
/// called on the way can spoil its own entry, neither by using up the gas nor by a long answer those that follow.
abstract contract EntryBatch {
    /// @notice Most entries of a batch.
    uint256 public constant BATCH_ENTRIES_MAX = 256;

    /// @notice Gas that an entry may use. A batch needs as much for its last entry too, though an entry rarely uses a
    /// tenth of it.
    uint256 public constant ENTRY_GAS_MAX = 1_000_000;

    /// @notice How many bytes of the reason of a failed entry are told.
    uint256 public constant REASON_BYTES_MAX = 256;

    /// @dev What an entry's caller needs beyond the entry: a call leaves a sixty-fourth, and the event comes after it.
    uint256 private constant ENTRY_GAS_RESERVE = 50_000;

    /// @notice The batch is empty or too long.
    /// @param count How many entries it has.
    /// @param max {BATCH_ENTRIES_MAX}.
    error BatchInvalid(uint256 count, uint256 max);

    /// @notice There is not enough gas for the next entry. None of the batch was done.
    /// @param gasLeft What there is.
    /// @param gasNeeded What an entry needs at most.
    error BatchGasInsufficient(uint256 gasLeft, uint256 gasNeeded);

    /// @notice Only the contract itself calls this, as an entry of a batch.
    /// @param caller Who called.
    error BatchEntryOnly(address caller);

    modifier onlyEntry() {
        _checkEntry();
        _;
    }

    /// @dev Reverts with {BatchInvalid}.
    function _checkBatch(uint256 count) internal pure {
        if (count == 0 || count > BATCH_ENTRIES_MAX) revert BatchInvalid(count, BATCH_ENTRIES_MAX);
    }

    /// @dev Runs one entry. Reverts with {BatchGasInsufficient}.
    /// @param data A call of a function of this contract that is for entries only.
    /// @return done Whether it succeeded.
    /// @return reason The first {REASON_BYTES_MAX} bytes of what it reverted with; empty if it succeeded.
    function _runEntry(bytes memory data) internal returns (bool done, bytes memory reason) {
        uint256 needed = ENTRY_GAS_MAX + ENTRY_GAS_MAX / 63 + ENTRY_GAS_RESERVE;
        if (gasleft() < needed) revert BatchGasInsufficient(gasleft(), needed);
        (uint256 gasMax, uint256 bytesMax) = (ENTRY_GAS_MAX, REASON_BYTES_MAX);
        assembly ("memory-safe") {
            done := call(gasMax, address(), 0, add(data, 0x20), mload(data), 0, 0)
            if iszero(done) {
                let length := returndatasize()
                if gt(length, bytesMax) { length := bytesMax }
                reason := mload(0x40)
                mstore(reason, length)
                returndatacopy(add(reason, 0x20), 0, length)
                mstore(0x40, and(add(add(reason, length), 0x3f), not(0x1f)))
            }
        }
    }

    function _checkEntry() private view {
        if (msg.sender != address(this)) revert BatchEntryOnly(msg.sender);
    }
}
