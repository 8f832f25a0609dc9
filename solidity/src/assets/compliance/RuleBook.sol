// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice What a rule is about. The words of each are described in the library of the same name in `rules/`.
enum RuleKind {
    Country,
    InvestorClass,
    BalanceMax,
    HolderCount,
    SupplyCap,
    HoldingPeriod,
    TransferWindow,
    Approval,
    OfferingCap,
    External
}

/// @notice A rule as it is configured.
struct Rule {
    RuleKind kind;
    /// As many as the kind has.
    uint256[] words;
}

/// @dev Where the words of a rule begin in memory.
type RuleWords is uint256;

using RuleBook for RuleWords global;

/// @title RuleBook
/// @notice A set of rules as the code of a contract: written once, immutable, and read as a whole at the price of one
/// account instead of one slot per word.
/// @dev A byte of 0 (nobody can call the contract), a byte of flags, then for each rule a byte of its kind, a byte with
/// the number of its words, and the words.
library RuleBook {
    /// @dev What puts the rest of the creation code in place as the code: PUSH2 length, DUP1, PUSH1 10, RETURNDATASIZE (0),
    /// CODECOPY, RETURNDATASIZE, RETURN.
    bytes1 private constant PUSH_LENGTH = 0x61;
    bytes7 private constant RETURN_REST = 0x80600a3d393df3;

    /// @dev A rule keeps books of transfers.
    uint256 internal constant RECORDS_TRANSFERS = 1;

    /// @dev A rule keeps books of issues.
    uint256 internal constant RECORDS_ISSUES = 2;

    /// @notice The network did not take the set of rules.
    /// @param length Bytes of it.
    error RuleBookNotWritten(uint256 length);

    /// @dev Writes the rules and returns where they are. Whether they make sense is the caller's business.
    function write(Rule[] memory rules) internal returns (address book) {
        bytes memory code = "";
        uint256 flags;
        for (uint256 i = 0; i < rules.length; ++i) {
            uint256[] memory words = rules[i].words;
            code = abi.encodePacked(code, uint8(rules[i].kind), uint8(words.length), words);
            flags |= _flagsOf(rules[i].kind);
        }
        code = abi.encodePacked(hex"00", uint8(flags), code);
        bytes memory creation = abi.encodePacked(PUSH_LENGTH, uint16(code.length), RETURN_REST, code);
        assembly ("memory-safe") {
            book := create(0, add(creation, 0x20), mload(creation))
        }
        if (book == address(0)) revert RuleBookNotWritten(code.length);
    }

    /// @dev Reads a book into memory; the cursor stands before its first rule.
    function open(address book) internal view returns (uint256 flags, uint256 cursor, uint256 end) {
        assembly ("memory-safe") {
            let size := extcodesize(book)
            let start := mload(0x40)
            extcodecopy(book, start, 0, size)
            end := add(start, size)
            mstore(0x40, and(add(end, 0x1f), not(0x1f)))
            flags := and(shr(240, mload(start)), 0xff)
            cursor := add(start, 2)
        }
    }

    /// @dev The rule at the cursor, and the cursor after it. No overflow: all are places within what {open} read.
    function next(uint256 cursor)
        internal
        pure
        returns (RuleKind kind, RuleWords words, uint256 count, uint256 after_)
    {
        assembly ("memory-safe") {
            let head := mload(cursor)
            kind := byte(0, head)
            count := byte(1, head)
            words := add(cursor, 2)
            after_ := add(words, shl(5, count))
        }
    }

    /// @dev A word of a rule.
    function word(RuleWords self, uint256 index) internal pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := mload(add(self, mul(index, 0x20)))
        }
    }

    /// @dev All rules of a book, as they were given.
    function read(address book) internal view returns (Rule[] memory rules) {
        (, uint256 first, uint256 end) = open(book);
        uint256 length;
        for (uint256 cursor = first; cursor < end; ++length) {
            (,,, cursor) = next(cursor);
        }
        rules = new Rule[](length);
        uint256 at_ = first;
        for (uint256 i = 0; i < length; ++i) {
            RuleWords words;
            uint256 count;
            (rules[i].kind, words, count, at_) = next(at_);
            rules[i].words = new uint256[](count);
            for (uint256 j = 0; j < count; ++j) {
                rules[i].words[j] = words.word(j);
            }
        }
    }

    /// @dev Whether such a rule keeps books of issues.
    function keepsIssues(RuleKind kind) internal pure returns (bool) {
        return kind == RuleKind.HoldingPeriod || kind == RuleKind.OfferingCap;
    }

    /// @dev Which movements the token must tell such a rule of, once they happened.
    function _flagsOf(RuleKind kind) private pure returns (uint256) {
        if (kind == RuleKind.Approval) return RECORDS_TRANSFERS;
        return keepsIssues(kind) ? RECORDS_ISSUES : 0;
    }
}
