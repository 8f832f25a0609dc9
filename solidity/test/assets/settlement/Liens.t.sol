// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC1155Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {ReentrancyGuard} from "@openzeppelin/contracts/utils/ReentrancyGuard.sol";

import {Lien, LienStatus, LienTerms} from "../../../src/assets/settlement/LienTypes.sol";
import {Liens} from "../../../src/assets/settlement/Liens.sol";
import {TokenMovement} from "../../../src/assets/settlement/TokenMovement.sol";
import {TokenStandard} from "../../../src/assets/settlement/TokenStandard.sol";
import {CallingMoney, FeeMoney, IdleMoney} from "./HostileTokens.sol";
import {LienSuite} from "./LienSuite.sol";
import {OpenDeed} from "./OpenTokens.sol";
import {ContractWallet} from "./Wallets.sol";

contract LiensTest is LienSuite {
    // Pledge and release.

    function test_a_pledge_takes_the_tokens_and_registers_the_amount() public {
        LienTerms memory terms = papers();
        vm.expectEmit(address(liens));
        emit Liens.LienPledged(1, debtor, creditor, terms);
        assertEq(pledge(terms), 1, "first id");
        assertEq(paper.balanceOf(address(liens), PAPER_ID), AMOUNT, "kept");
        assertEq(paper.balanceOf(debtor, PAPER_ID), FUNDS - AMOUNT, "left");
        assertEq(liens.pledgedOf(debtor, address(paper), PAPER_ID), AMOUNT, "registered");
        assertEq(liens.totalLiens(), 1, "count");

        Lien memory lien = liens.getLien(1);
        assertEq(lien.holder, debtor, "holder");
        assertEq(lien.beneficiary, creditor, "beneficiary");
        assertEq(lien.notary, notary, "notary");
        assertEq(lien.token, address(paper), "token");
        assertEq(lien.id, PAPER_ID, "id");
        assertEq(lien.enforceableFrom, DUE, "day");
        assertEq(lien.lapsesAt, END, "end");
        assertEq(lien.documentHash, terms.documentHash, "document");
        assertEq(lien.place, 1, "place");
        assertEq(uint256(lien.standard), uint256(TokenStandard.ERC1155), "standard");
        assertLien(1, LienStatus.Pledged, AMOUNT);
    }

    function test_money_is_pledged_alike() public {
        pledge(cash());
        assertEq(money.balanceOf(address(liens)), AMOUNT, "kept");
        vm.prank(creditor);
        liens.release(1, AMOUNT);
        assertEq(money.balanceOf(debtor), FUNDS, "back");
    }

    function test_the_beneficiary_releases_in_parts() public {
        pledge(papers());
        vm.expectEmit(address(liens));
        emit Liens.LienReleased(1, 100, 150);
        vm.prank(creditor);
        liens.release(1, 100);
        assertLien(1, LienStatus.Pledged, 150);
        assertEq(liens.pledgedOf(debtor, address(paper), PAPER_ID), 150, "registered");
        vm.prank(creditor);
        liens.release(1, 150);
        assertLien(1, LienStatus.Closed, 0);
        assertEq(paper.balanceOf(debtor, PAPER_ID), FUNDS, "all back");
        assertEq(liens.openLienCount(debtor), 0, "none open");
        refused(
            creditor,
            abi.encodeCall(liens.release, (1, 1)),
            abi.encodeWithSelector(Liens.LienStatusInvalid.selector, 1, LienStatus.Closed)
        );
    }

    function test_only_the_beneficiary_releases_and_no_more_than_is_pledged() public {
        pledge(papers());
        refused(
            debtor,
            abi.encodeCall(liens.release, (1, 1)),
            abi.encodeWithSelector(Liens.LienCallerInvalid.selector, 1, debtor, creditor)
        );
        for (uint256 i = 0; i < 2; ++i) {
            uint256 amount = i == 0 ? 0 : AMOUNT + 1;
            refused(
                creditor,
                abi.encodeCall(liens.release, (1, amount)),
                abi.encodeWithSelector(Liens.LienAmountInvalid.selector, 1, amount, AMOUNT)
            );
        }
        refused(
            creditor,
            abi.encodeCall(liens.release, (2, 1)),
            abi.encodeWithSelector(Liens.LienStatusInvalid.selector, 2, LienStatus.None)
        );
    }

    function test_nobody_pledges_what_is_not_his() public {
        vm.prank(stranger);
        paper.setApprovalForAll(address(liens), true);
        refused(
            stranger,
            abi.encodeCall(liens.pledge, (papers())),
            abi.encodeWithSelector(IERC1155Errors.ERC1155InsufficientBalance.selector, stranger, 0, AMOUNT, PAPER_ID)
        );
    }

    // Terms.

    function test_liens_are_over_amounts() public {
        LienTerms memory terms = papers();
        terms.standard = TokenStandard.ERC721;
        assertTermsRefused(
            terms, abi.encodeWithSelector(Liens.LienTokenInvalid.selector, TokenStandard.ERC721, PAPER_ID)
        );
        terms.standard = TokenStandard.ERC20;
        assertTermsRefused(
            terms, abi.encodeWithSelector(Liens.LienTokenInvalid.selector, TokenStandard.ERC20, PAPER_ID)
        );
        terms = papers();
        terms.amount = 0;
        assertTermsRefused(terms, abi.encodeWithSelector(Liens.LienAmountInvalid.selector, 0, 0, 0));
    }

    function test_beneficiary_and_notary_are_others() public {
        assertPartiesRefused(address(0), notary);
        assertPartiesRefused(debtor, notary);
        assertPartiesRefused(address(liens), notary);
        assertPartiesRefused(creditor, creditor);
        assertPartiesRefused(creditor, debtor);
    }

    function assertPartiesRefused(address beneficiary, address notary_) private {
        LienTerms memory terms = papers();
        (terms.beneficiary, terms.notary) = (beneficiary, notary_);
        assertTermsRefused(terms, abi.encodeWithSelector(Liens.LienPartiesInvalid.selector, beneficiary, notary_));
    }

    function test_a_lien_has_a_condition_and_ends_after_it() public {
        assertConditionRefused(address(0), 0, END);
        assertConditionRefused(notary, DUE, DUE);
        assertConditionRefused(notary, DUE, DUE - 1);
        assertConditionRefused(notary, 0, uint64(NOW));
    }

    function assertConditionRefused(address notary_, uint64 enforceableFrom, uint64 lapsesAt) private {
        LienTerms memory terms = papers();
        (terms.notary, terms.enforceableFrom, terms.lapsesAt) = (notary_, enforceableFrom, lapsesAt);
        assertTermsRefused(
            terms, abi.encodeWithSelector(Liens.LienConditionInvalid.selector, notary_, enforceableFrom, lapsesAt, NOW)
        );
    }

    function assertTermsRefused(LienTerms memory terms, bytes memory revertData) private {
        refused(debtor, abi.encodeCall(liens.pledge, (terms)), revertData);
    }

    // Enforcement.

    function test_the_beneficiary_takes_from_the_day_on_and_not_before() public {
        pledge(papers());
        vm.warp(DUE - 1);
        assertFalse(liens.isEnforceable(1), "not due");
        refused(
            creditor,
            abi.encodeCall(liens.enforce, (1, creditor, 1)),
            abi.encodeWithSelector(Liens.LienNotEnforceable.selector, 1, DUE, DUE - 1)
        );
        vm.warp(DUE);
        assertTrue(liens.isEnforceable(1), "due");
        vm.expectEmit(address(liens));
        emit Liens.LienEnforced(1, stranger, 100, 150);
        vm.prank(creditor);
        liens.enforce(1, stranger, 100);
        assertEq(paper.balanceOf(stranger, PAPER_ID), 100, "taken");
        assertLien(1, LienStatus.Pledged, 150);
        vm.prank(creditor);
        liens.enforce(1, creditor, 150);
        assertLien(1, LienStatus.Closed, 0);
        assertFalse(liens.isEnforceable(1), "nothing left");
    }

    function test_the_beneficiary_takes_on_the_notary_s_word() public {
        LienTerms memory terms = papers();
        terms.enforceableFrom = 0;
        pledge(terms);
        vm.warp(END - 2);
        refused(
            creditor,
            abi.encodeCall(liens.enforce, (1, creditor, 1)),
            abi.encodeWithSelector(Liens.LienNotEnforceable.selector, 1, 0, END - 2)
        );
        vm.expectEmit(address(liens));
        emit Liens.LienDefaultDeclared(1, notary, keccak256("protest"));
        vm.prank(notary);
        liens.declareDefault(1, keccak256("protest"));
        assertLien(1, LienStatus.Defaulted, AMOUNT);
        assertTrue(liens.isEnforceable(1), "enforceable");
        refused(
            notary,
            abi.encodeCall(liens.declareDefault, (1, 0)),
            abi.encodeWithSelector(Liens.LienStatusInvalid.selector, 1, LienStatus.Defaulted)
        );
        vm.prank(creditor);
        liens.enforce(1, creditor, AMOUNT);
        assertEq(paper.balanceOf(creditor, PAPER_ID), AMOUNT, "taken");
    }

    function test_a_default_may_be_forgiven() public {
        pledge(papers());
        vm.prank(notary);
        liens.declareDefault(1, 0);
        vm.prank(creditor);
        liens.release(1, AMOUNT);
        assertEq(paper.balanceOf(debtor, PAPER_ID), FUNDS, "back");
    }

    function test_only_the_notary_declares_and_only_the_beneficiary_takes() public {
        pledge(papers());
        refused(
            creditor,
            abi.encodeCall(liens.declareDefault, (1, 0)),
            abi.encodeWithSelector(Liens.LienCallerInvalid.selector, 1, creditor, notary)
        );
        vm.warp(DUE);
        refused(
            notary,
            abi.encodeCall(liens.enforce, (1, notary, 1)),
            abi.encodeWithSelector(Liens.LienCallerInvalid.selector, 1, notary, creditor)
        );
        refused(
            notary,
            abi.encodeCall(liens.declareDefault, (9, 0)),
            abi.encodeWithSelector(Liens.LienStatusInvalid.selector, 9, LienStatus.None)
        );
        refused(
            creditor,
            abi.encodeCall(liens.enforce, (9, creditor, 1)),
            abi.encodeWithSelector(Liens.LienStatusInvalid.selector, 9, LienStatus.None)
        );
    }

    function test_no_more_is_taken_than_is_pledged_nor_to_nowhere() public {
        pledge(papers());
        vm.warp(DUE);
        refused(
            creditor,
            abi.encodeCall(liens.enforce, (1, creditor, AMOUNT + 1)),
            abi.encodeWithSelector(Liens.LienAmountInvalid.selector, 1, AMOUNT + 1, AMOUNT)
        );
        address[2] memory nowhere = [address(0), address(liens)];
        for (uint256 i = 0; i < 2; ++i) {
            refused(
                creditor,
                abi.encodeCall(liens.enforce, (1, nowhere[i], 1)),
                abi.encodeWithSelector(Liens.LienReceiverInvalid.selector, 1, nowhere[i])
            );
        }
    }

    // End.

    function test_a_pledge_that_is_over_goes_back_to_the_holder() public {
        pledge(papers());
        vm.prank(notary);
        liens.declareDefault(1, 0);
        vm.warp(END - 1);
        refused(
            debtor,
            abi.encodeCall(liens.lapse, (1)),
            abi.encodeWithSelector(Liens.LienNotOver.selector, 1, END, END - 1)
        );
        vm.warp(END);
        assertFalse(liens.isEnforceable(1), "over");
        refused(
            creditor,
            abi.encodeCall(liens.enforce, (1, creditor, 1)),
            abi.encodeWithSelector(Liens.LienOver.selector, 1, END)
        );
        vm.expectEmit(address(liens));
        emit Liens.LienLapsed(1, AMOUNT);
        vm.prank(stranger);
        liens.lapse(1);
        assertEq(paper.balanceOf(debtor, PAPER_ID), FUNDS, "back");
        refused(
            stranger,
            abi.encodeCall(liens.lapse, (1)),
            abi.encodeWithSelector(Liens.LienStatusInvalid.selector, 1, LienStatus.Closed)
        );
    }

    function test_no_default_is_declared_after_the_end() public {
        pledge(papers());
        vm.warp(END);
        refused(
            notary,
            abi.encodeCall(liens.declareDefault, (1, 0)),
            abi.encodeWithSelector(Liens.LienOver.selector, 1, END)
        );
    }

    function test_a_pledge_without_end_is_never_over() public {
        LienTerms memory terms = papers();
        terms.lapsesAt = 0;
        pledge(terms);
        vm.warp(NOW + 100 * 365 days);
        refused(
            debtor,
            abi.encodeCall(liens.lapse, (1)),
            abi.encodeWithSelector(Liens.LienNotOver.selector, 1, 0, NOW + 100 * 365 days)
        );
    }

    // Lists.

    function test_open_liens_are_listed_by_pages() public {
        LienTerms memory terms = papers();
        terms.amount = 1;
        for (uint256 i = 0; i < 120; ++i) {
            pledge(terms);
        }
        assertEq(liens.openLiensOf(debtor, 0, 500).length, 100, "a page at most");
        assertEq(liens.openLiensOf(debtor, 100, 500).length, 20, "the rest");
        assertEq(liens.openLiensOf(debtor, 119, 1)[0], 120, "the last");
        assertEq(liens.openLiensOf(debtor, 120, 1).length, 0, "beyond the end");
        assertEq(liens.openLiensOf(debtor, type(uint256).max, 1).length, 0, "far beyond");
        assertEq(liens.openLiensOf(creditor, 0, 1).length, 0, "of others");

        vm.startPrank(creditor);
        liens.release(5, 1);
        liens.release(120, 1);
        liens.release(119, 1);
        vm.stopPrank();
        assertEq(liens.openLienCount(debtor), 117, "three fewer");
        assertEq(liens.openLiensOf(debtor, 4, 1)[0], 118, "the last one took the place of the one before it");
        for (uint256 place = 0; place < 117; ++place) {
            uint256 lienId = liens.openLiensOf(debtor, place, 1)[0];
            assertEq(liens.getLien(lienId).place, place + 1, "each knows its place");
        }
    }

    function test_a_holder_has_a_thousand_open_liens_at_most() public {
        LienTerms memory terms = papers();
        terms.amount = 1;
        for (uint256 i = 0; i < 1000; ++i) {
            pledge(terms);
        }
        assertTermsRefused(terms, abi.encodeWithSelector(Liens.LienTooMany.selector, debtor, 1000));
        vm.prank(creditor);
        liens.release(1, 1);
        assertEq(pledge(terms), 1001, "room again");
    }

    // Hostile tokens and receivers.

    function test_money_that_moves_less_is_no_pledge() public {
        FeeMoney fee = new FeeMoney();
        IdleMoney idle = new IdleMoney();
        fee.mint(debtor, FUNDS);
        idle.mint(debtor, FUNDS);
        LienTerms memory terms = cash();
        vm.prank(debtor);
        fee.approve(address(liens), FUNDS);
        terms.token = address(fee);
        assertTermsRefused(terms, differs(address(fee), AMOUNT - 2));
        terms.token = address(idle);
        assertTermsRefused(terms, differs(address(idle), 0));
        OpenDeed deed = new OpenDeed();
        terms.token = address(deed);
        assertTermsRefused(
            terms, abi.encodeWithSelector(TokenMovement.TokenMovementNotFungible.selector, address(deed))
        );
    }

    function differs(address token, uint256 received) private view returns (bytes memory) {
        return abi.encodeWithSelector(
            TokenMovement.TokenMovementReceiptDiffers.selector, token, 0, address(liens), received, AMOUNT
        );
    }

    function test_money_that_calls_back_changes_nothing() public {
        CallingMoney calling = new CallingMoney();
        calling.mint(debtor, FUNDS);
        vm.prank(debtor);
        calling.approve(address(liens), FUNDS);
        LienTerms memory terms = cash();
        terms.token = address(calling);
        terms.beneficiary = address(calling);
        bytes[5] memory calls = [
            abi.encodeCall(liens.pledge, (terms)),
            abi.encodeCall(liens.release, (1, 1)),
            abi.encodeCall(liens.enforce, (1, creditor, 1)),
            abi.encodeCall(liens.declareDefault, (1, 0)),
            abi.encodeCall(liens.lapse, (1))
        ];
        for (uint256 i = 0; i < 5; ++i) {
            calling.plan(address(liens), calls[i]);
            pledge(terms);
            assertFalse(calling.wasAnswered(), "refused from within");
            assertEq(bytes4(calling.answer()), ReentrancyGuard.ReentrancyGuardReentrantCall.selector, "by the guard");
        }
        assertEq(calling.balanceOf(address(liens)), 5 * AMOUNT, "kept");
    }

    function test_a_holder_that_takes_nothing_back_loses_nothing() public {
        ContractWallet account = new ContractWallet(debtor);
        paper.mint(address(account), PAPER_ID, AMOUNT);
        account.run(address(paper), abi.encodeCall(paper.setApprovalForAll, (address(liens), true)));
        account.run(address(liens), abi.encodeCall(liens.pledge, (papers())));
        account.refuse(true);
        refused(
            creditor, abi.encodeCall(liens.release, (1, AMOUNT)), abi.encodeWithSignature("Error(string)", "not now")
        );
        assertLien(1, LienStatus.Pledged, AMOUNT);
        account.refuse(false);
        vm.prank(creditor);
        liens.release(1, AMOUNT);
        assertEq(paper.balanceOf(address(account), PAPER_ID), AMOUNT, "back");
    }

    function test_dust_sent_to_the_contract_changes_no_lien() public {
        vm.prank(debtor);
        money.transfer(address(liens), 1);
        pledge(cash());
        vm.prank(creditor);
        liens.release(1, AMOUNT);
        assertEq(money.balanceOf(address(liens)), 1, "dust stays");
        assertEq(liens.pledgedOf(debtor, address(money), 0), 0, "nothing registered");
    }
}
