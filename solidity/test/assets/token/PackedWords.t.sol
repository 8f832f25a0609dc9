// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Identity, InvestorClass} from "../../../src/assets/identity/Identity.sol";
import {Account} from "../../../src/assets/token/Account.sol";
import {TokenHead} from "../../../src/assets/token/TokenHead.sol";
import {AssetSuite} from "./AssetSuite.sol";

/// @title PackedWordsTest
/// @notice Where the fields of packed words are. Proxies keep such words across upgrades, and the compiler's layout does not
/// show what is inside: a field that moves here makes nonsense of every balance in issue.
contract PackedWordsTest is AssetSuite {
    /// Slots of the token's namespace: its head, and the mapping of accounts.
    uint256 private constant NAMESPACE = 0xf55829cb4ae5b56c8e1eaa56f7ed21c2ccc3849e401b6a12abf34da5b7ba6100;
    uint256 private constant ACCOUNTS = NAMESPACE + 3;
    uint256 private constant CHECKPOINTS = NAMESPACE + 4;

    function test_account(uint104 units, uint104 bound, uint256 epochs, bool isFrozen) public pure {
        (uint256 epoch, uint256 count, uint256 first) =
            (epochs & 0x3fff, (epochs >> 14) & 0x3fff, (epochs >> 28) & 0x3fff);
        Account account = Account.wrap(0).plus(units).withEncumbered(bound).withEpoch(epoch).withCheckpoints(count);
        account = account.withFirstEpoch(first).withFrozen(isFrozen);
        uint256 word = uint256(units) | (uint256(bound) << 104) | (epoch << 208) | (count << 222) | (first << 236);
        assertEq(Account.unwrap(account), isFrozen ? word | (1 << 250) : word, "word");
        assertEq(account.balance(), units, "balance");
        assertEq(account.encumbered(), bound, "encumbered");
        assertEq(account.epoch(), epoch, "epoch");
        assertEq(account.checkpoints(), count, "checkpoints");
        assertEq(account.firstEpoch(), first, "first epoch");
        assertTrue(account.isFrozen() == isFrozen && !account.isRetired(), "frozen");
        assertEq(Account.unwrap(account.withRetired()), Account.unwrap(account) | (1 << 251), "retired");
        assertTrue(account.withRetired().isRetired(), "for good");
    }

    function test_head(address rules_, uint48 next, uint32 holders, uint8 topics, bool isPaused) public pure {
        TokenHead head = TokenHead.wrap(0).withRules(rules_).withNextRecordDate(next).withHolders(holders);
        head = head.withRequiredTopics(topics).withPaused(isPaused);
        uint256 word = uint160(rules_) | (uint256(next) << 160) | (uint256(holders) << 208) | (uint256(topics) << 240);
        assertEq(TokenHead.unwrap(head), isPaused ? word | (1 << 248) : word, "word");
        assertEq(head.rules(), rules_, "rules");
        assertEq(head.nextRecordDate(), next, "next record date");
        assertEq(head.holders(), holders, "holders");
        assertEq(head.requiredTopics(), topics, "topics");
        assertTrue(head.isPaused() == isPaused, "paused");
    }

    function test_identity(uint16 country, uint8 class, uint32 number, uint16 day, uint256 place, uint16 end)
        public
        pure
    {
        (uint256 topic, uint8 issuer) = (place % 7, uint8(place >> 8));
        Identity identity = Identity.wrap(0).withCountry(country).withClass(InvestorClass(class % 4)).withFlag(1);
        identity = identity.withNumber(number).withExpiryDay(day).withClaim(topic, issuer, end);
        uint256 word = uint256(country) | (uint256(class % 4) << 16) | (1 << 24) | (uint256(number) << 32)
            | (uint256(day) << 64) | (uint256(end) << (88 + 24 * topic)) | (uint256(issuer) << (104 + 24 * topic));
        assertEq(Identity.unwrap(identity), word, "word");
        (uint8 readIssuer, uint16 readEnd) = identity.claim(topic);
        assertEq(readIssuer, issuer, "issuer");
        assertEq(readEnd, end, "end of the claim");
    }

    function test_a_checkpoint_is_half_a_slot_with_its_epoch_above_its_units() public {
        vm.prank(treasurer);
        token.scheduleRecordDate(uint48(NOW + 10));
        vm.warp(NOW + 11);
        transfer(alice, bob, 1);
        bytes32 slot = keccak256(abi.encode(alice, CHECKPOINTS));
        uint256 stored = uint256(assetVm.load(address(token), slot));
        assertEq(stored, (1 << 104) | ALICE_UNITS, "first half: one date over, the units of that date");
    }

    function test_words_stand_where_the_namespace_has_them() public view {
        uint256 head = uint256(assetVm.load(address(token), bytes32(NAMESPACE)));
        assertEq(address(uint160(head)), address(rules), "rules");
        assertEq(uint32(head >> 208), 2, "holders");
        bytes32 slot = keccak256(abi.encode(alice, ACCOUNTS));
        assertEq(uint104(uint256(assetVm.load(address(token), slot))), ALICE_UNITS, "balance");
    }
}
