// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Settlement} from "../../../src/assets/settlement/Settlement.sol";
import {
    SettlementLeg,
    SettlementSignature,
    SettlementStatus,
    SettlementTerms
} from "../../../src/assets/settlement/SettlementTypes.sol";
import {SettlementSuite} from "./SettlementSuite.sol";
import {ContractWallet} from "./Wallets.sol";

contract SettlementSignaturesTest is SettlementSuite {
    uint256 private constant FIRST_GIVER_KEY = 0x61E4;

    function bring(SettlementTerms memory terms, SettlementSignature[] memory signatures) private {
        vm.prank(stranger);
        settlement.confirmBySignature(terms, signatures);
    }

    function assertBringingRefused(
        SettlementTerms memory terms,
        SettlementSignature[] memory signatures,
        bytes memory revertData
    ) private {
        assertRefused(
            stranger,
            address(settlement),
            abi.encodeCall(settlement.confirmBySignature, (terms, signatures)),
            revertData
        );
    }

    function invalid(SettlementTerms memory terms, address party, uint256 epoch) private view returns (bytes memory) {
        return abi.encodeWithSelector(
            Settlement.SettlementSignatureInvalid.selector, settlement.orderIdOf(terms), party, epoch
        );
    }

    function test_a_stranger_settles_with_all_signatures_at_once() public {
        SettlementTerms memory terms = sale();
        bring(terms, list(sign(SELLER_KEY, terms), sign(BUYER_KEY, terms)));
        assertSold(true);
        assertOrder(terms, SettlementStatus.Executed, 3, 0);
    }

    function test_calls_and_signatures_mix() public {
        SettlementTerms memory terms = heldSale();
        bring(terms, list(sign(BUYER_KEY, terms)));
        assertOrder(terms, SettlementStatus.Open, 2, 0);
        confirm(seller, terms);
        assertOrder(terms, SettlementStatus.Held, 3, 3);
    }

    function test_a_signature_counts_once() public {
        SettlementTerms memory terms = sale();
        bytes memory twice =
            abi.encodeWithSelector(Settlement.SettlementAlreadyConfirmed.selector, settlement.orderIdOf(terms), buyer);
        SettlementSignature memory signature = sign(BUYER_KEY, terms);
        assertBringingRefused(terms, list(signature, signature), twice);
        bring(terms, list(signature));
        assertBringingRefused(terms, list(signature), twice);
        confirm(seller, terms);
        assertBringingRefused(
            terms,
            list(signature),
            abi.encodeWithSelector(
                Settlement.SettlementNotOpen.selector, settlement.orderIdOf(terms), SettlementStatus.Executed
            )
        );
    }

    function test_a_signature_for_other_terms_is_none() public {
        SettlementTerms memory terms = sale();
        SettlementSignature memory signature = sign(BUYER_KEY, terms);
        terms.legs[1].amount += 1;
        assertBringingRefused(terms, list(signature), invalid(terms, buyer, 0));
    }

    function test_a_signature_for_another_contract_is_none() public {
        SettlementTerms memory terms = sale();
        Settlement other = new Settlement();
        assertTrue(other.orderIdOf(terms) != settlement.orderIdOf(terms), "another order there");
        bytes memory signature = signDigest(BUYER_KEY, other.confirmationDigest(terms, buyer));
        assertBringingRefused(terms, list(SettlementSignature(buyer, signature)), invalid(terms, buyer, 0));
    }

    function test_a_signature_for_another_chain_is_none() public {
        SettlementTerms memory terms = sale();
        SettlementSignature memory signature = sign(BUYER_KEY, terms);
        bytes32 orderId = settlement.orderIdOf(terms);
        uint256 chainId = block.chainid;
        signing.chainId(chainId + 1);
        assertTrue(settlement.orderIdOf(terms) != orderId, "another order there");
        assertBringingRefused(terms, list(signature), invalid(terms, buyer, 0));
        signing.chainId(chainId);
        bring(terms, list(signature));
    }

    function test_another_key_s_signature_is_none() public {
        SettlementTerms memory terms = sale();
        assertBringingRefused(terms, list(sign(THIRD_KEY, buyer, terms)), invalid(terms, buyer, 0));
        assertBringingRefused(terms, list(SettlementSignature(buyer, "")), invalid(terms, buyer, 0));
        assertBringingRefused(terms, list(SettlementSignature(address(0), "")), invalid(terms, address(0), 0));
    }

    function test_the_mirror_of_a_signature_is_none() public {
        SettlementTerms memory terms = sale();
        (uint8 v, bytes32 r, bytes32 s) = signing.sign(BUYER_KEY, settlement.confirmationDigest(terms, buyer));
        uint256 order_ = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;
        bytes memory mirror = abi.encodePacked(r, bytes32(order_ - uint256(s)), v == 27 ? uint8(28) : uint8(27));
        assertBringingRefused(terms, list(SettlementSignature(buyer, mirror)), invalid(terms, buyer, 0));
    }

    function test_who_gives_nothing_signs_for_nothing() public {
        SettlementTerms memory terms = sale();
        assertBringingRefused(
            terms,
            list(sign(THIRD_KEY, terms)),
            abi.encodeWithSelector(Settlement.SettlementNotParty.selector, settlement.orderIdOf(terms), third)
        );
    }

    function test_revoked_signatures_are_worth_nothing() public {
        SettlementTerms memory terms = sale();
        SettlementSignature memory old = sign(BUYER_KEY, terms);
        vm.expectEmit(address(settlement));
        emit Settlement.SettlementSignaturesRevoked(buyer, 1);
        vm.prank(buyer);
        settlement.revokeSignatures();
        assertEq(settlement.signatureEpoch(buyer), 1, "epoch");
        assertEq(settlement.signatureEpoch(seller), 0, "of others");
        assertBringingRefused(terms, list(old), invalid(terms, buyer, 1));
        bring(terms, list(sign(BUYER_KEY, terms), sign(SELLER_KEY, terms)));
        assertSold(true);
    }

    function test_a_signature_dies_with_its_order() public {
        SettlementTerms memory terms = sale();
        SettlementSignature memory signature = sign(BUYER_KEY, terms);
        vm.prank(buyer);
        settlement.cancel(terms);
        assertBringingRefused(
            terms,
            list(signature),
            abi.encodeWithSelector(
                Settlement.SettlementNotOpen.selector, settlement.orderIdOf(terms), SettlementStatus.Cancelled
            )
        );
    }

    function test_as_many_as_an_order_has_givers_sign_at_once() public {
        SettlementLeg[] memory legs = new SettlementLeg[](16);
        for (uint256 i = 0; i < legs.length; ++i) {
            address giver = vm.addr(FIRST_GIVER_KEY + i);
            fund(giver);
            legs[i] = moneyLeg(giver, third, 1);
        }
        SettlementTerms memory terms = order(legs);
        SettlementSignature[] memory signatures = new SettlementSignature[](16);
        for (uint256 i = 0; i < signatures.length; ++i) {
            signatures[i] = sign(FIRST_GIVER_KEY + i, terms);
        }
        bring(terms, signatures);
        assertOrder(terms, SettlementStatus.Executed, 0xffff, 0);
        assertEq(money.balanceOf(third), FUNDS + 16, "one of each");
    }

    function test_signatures_are_counted() public {
        SettlementTerms memory terms = sale();
        for (uint256 count = 0; count <= 17; count += 17) {
            assertBringingRefused(
                terms,
                new SettlementSignature[](count),
                abi.encodeWithSelector(Settlement.SettlementSignatureCountInvalid.selector, count, 16)
            );
        }
    }

    function test_a_wallet_that_is_a_contract_signs_by_its_owner() public {
        ContractWallet walletOfBuyer = new ContractWallet(buyer);
        ContractWallet secondWallet = new ContractWallet(buyer);
        fundWallet(walletOfBuyer);
        fundWallet(secondWallet);
        SettlementTerms memory terms =
            order(paperLeg(seller, address(walletOfBuyer), 1), moneyLeg(address(walletOfBuyer), seller, 5));
        SettlementSignature memory signature = sign(BUYER_KEY, address(walletOfBuyer), terms);

        SettlementTerms memory forSecond =
            order(moneyLeg(address(secondWallet), seller, 5), moneyLeg(address(walletOfBuyer), seller, 5));
        bytes memory reused = sign(BUYER_KEY, address(walletOfBuyer), forSecond).signature;
        assertBringingRefused(
            forSecond,
            list(SettlementSignature(address(secondWallet), reused)),
            invalid(forSecond, address(secondWallet), 0)
        );
        bring(terms, list(signature, sign(SELLER_KEY, terms)));
        assertEq(paper.balanceOf(address(walletOfBuyer), PAPER_ID), 1, "delivered");
    }

    function fundWallet(ContractWallet account) private {
        money.mint(address(account), 5);
        account.run(address(money), abi.encodeCall(money.approve, (address(settlement), 5)));
    }

    function test_digests_are_those_of_EIP_712() public view {
        SettlementTerms memory terms = sale();
        bytes32[] memory legs = new bytes32[](2);
        for (uint256 i = 0; i < 2; ++i) {
            legs[i] = keccak256(
                abi.encode(
                    keccak256(
                        "SettlementLeg(uint8 standard,address token,address from,address to,uint256 id,uint256 amount)"
                    ),
                    terms.legs[i].standard,
                    terms.legs[i].token,
                    terms.legs[i].from,
                    terms.legs[i].to,
                    terms.legs[i].id,
                    terms.legs[i].amount
                )
            );
        }
        bytes32 termsHash = keccak256(
            abi.encode(
                keccak256(
                    "SettlementTerms(SettlementLeg[] legs,address notary,uint64 deadline,uint64 expiry,"
                    "bytes32 offLedgerHash,uint256 salt)"
                    "SettlementLeg(uint8 standard,address token,address from,address to,uint256 id,uint256 amount)"
                ),
                keccak256(abi.encodePacked(legs)),
                terms.notary,
                terms.deadline,
                terms.expiry,
                terms.offLedgerHash,
                terms.salt
            )
        );
        bytes32 confirmation = keccak256(
            abi.encode(
                keccak256(
                    "Confirmation(SettlementTerms terms,address party,uint256 epoch)"
                    "SettlementLeg(uint8 standard,address token,address from,address to,uint256 id,uint256 amount)"
                    "SettlementTerms(SettlementLeg[] legs,address notary,uint64 deadline,uint64 expiry,"
                    "bytes32 offLedgerHash,uint256 salt)"
                ),
                termsHash,
                buyer,
                uint256(0)
            )
        );
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("LastroSettlement"),
                keccak256("1"),
                block.chainid,
                address(settlement)
            )
        );
        assertEq(settlement.orderIdOf(terms), keccak256(bytes.concat("\x19\x01", domain, termsHash)), "order");
        assertEq(
            settlement.confirmationDigest(terms, buyer),
            keccak256(bytes.concat("\x19\x01", domain, confirmation)),
            "confirmation"
        );
    }
}
