// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuard} from "@openzeppelin/contracts/utils/ReentrancyGuard.sol";

import {SettlementLeg, SettlementStatus, SettlementTerms} from "../../../src/assets/settlement/SettlementTypes.sol";
import {TokenMovement} from "../../../src/assets/settlement/TokenMovement.sol";
import {TokenStandard} from "../../../src/assets/settlement/TokenStandard.sol";
import {CallingMoney, FeeMoney, IdleDeed, IdleMoney, RefusingMoney, ShortPaper, SilentMoney} from "./HostileTokens.sol";
import {OpenMoney} from "./OpenTokens.sol";
import {SettlementSuite} from "./SettlementSuite.sol";
import {ContractWallet} from "./Wallets.sol";

contract SettlementHostileTest is SettlementSuite {
    /// @dev Papers against another money, of which the buyer has enough.
    function saleFor(address token) private returns (SettlementTerms memory terms) {
        OpenMoney(token).mint(buyer, FUNDS);
        vm.prank(buyer);
        (bool answered,) = token.call(abi.encodeCall(money.approve, (address(settlement), FUNDS)));
        assertTrue(answered || token.code.length > 0, "approved, or needs no approval");
        terms = sale();
        terms.legs[1].token = token;
    }

    function assertUnsettled(SettlementTerms memory terms, bytes memory revertData) private {
        confirm(seller, terms);
        assertRefused(buyer, address(settlement), abi.encodeCall(settlement.confirm, (terms)), revertData);
        assertOrder(terms, SettlementStatus.Open, 1, 0);
        assertEq(paper.balanceOf(seller, PAPER_ID), 1000, "papers stay");
    }

    function differs(address token, uint256 id, address to, uint256 received, uint256 promised)
        private
        pure
        returns (bytes memory)
    {
        return abi.encodeWithSelector(
            TokenMovement.TokenMovementReceiptDiffers.selector, token, id, to, received, promised
        );
    }

    function test_money_that_keeps_a_fee_does_not_settle() public {
        address token = address(new FeeMoney());
        SettlementTerms memory terms = saleFor(token);
        assertUnsettled(terms, differs(token, 0, seller, PRICE - PRICE / 100, PRICE));
        (terms.notary, terms.expiry) = (notary, EXPIRY);
        assertUnsettled(terms, differs(token, 0, address(settlement), PRICE - PRICE / 100, PRICE));
    }

    function test_money_that_says_no_does_not_settle() public {
        address token = address(new RefusingMoney());
        assertUnsettled(saleFor(token), abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, token));
    }

    function test_money_that_says_yes_and_stays_does_not_settle() public {
        address token = address(new IdleMoney());
        assertUnsettled(saleFor(token), differs(token, 0, seller, 0, PRICE));
    }

    function test_money_that_says_nothing_settles() public {
        SettlementTerms memory terms = saleFor(address(new SilentMoney()));
        confirmSale(terms);
        assertOrder(terms, SettlementStatus.Executed, 3, 0);
        (terms.notary, terms.expiry) = (notary, EXPIRY);
        confirmSale(terms);
        vm.prank(notary);
        settlement.execute(terms);
        assertEq(SilentMoney(terms.legs[1].token).balanceOf(seller), 2 * PRICE, "paid twice");
    }

    function test_an_address_without_code_is_no_token() public {
        SettlementTerms memory terms = sale();
        terms.legs[1].token = stranger;
        assertUnsettled(terms, abi.encodeWithSelector(TokenMovement.TokenMovementNoContract.selector, stranger));
    }

    function test_paper_that_moves_less_does_not_settle() public {
        ShortPaper short = new ShortPaper();
        short.mint(seller, PAPER_ID, 1000);
        vm.prank(seller);
        short.setApprovalForAll(address(settlement), true);
        SettlementTerms memory terms = sale();
        terms.legs[0].token = address(short);
        assertUnsettled(terms, differs(address(short), PAPER_ID, buyer, PAPERS - 1, PAPERS));
    }

    function test_a_deed_that_stays_does_not_settle() public {
        IdleDeed idle = new IdleDeed();
        idle.mint(seller, DEED_ID);
        SettlementTerms memory terms = order(deedLeg(seller, buyer), moneyLeg(buyer, seller, PRICE));
        terms.legs[0].token = address(idle);
        assertUnsettled(terms, differs(address(idle), DEED_ID, buyer, 0, 1));
    }

    function test_money_that_calls_back_changes_nothing() public {
        CallingMoney calling = new CallingMoney();
        SettlementTerms memory terms = saleFor(address(calling));
        SettlementTerms memory other = heldSale();
        confirmSale(other);
        bytes[6] memory calls = [
            abi.encodeCall(settlement.confirm, (terms)),
            abi.encodeCall(settlement.confirmBySignature, (terms, list(sign(BUYER_KEY, terms)))),
            abi.encodeCall(settlement.cancel, (terms)),
            abi.encodeCall(settlement.execute, (other)),
            abi.encodeCall(settlement.release, (other)),
            abi.encodeCall(settlement.giveBack, (other, 3))
        ];
        for (uint256 i = 0; i < 6; ++i) {
            calling.plan(address(settlement), calls[i]);
            terms.salt = i;
            confirmSale(terms);
            assertFalse(calling.wasAnswered(), "refused from within");
            assertEq(bytes4(calling.answer()), ReentrancyGuard.ReentrancyGuardReentrantCall.selector, "by the guard");
        }
        assertEq(calling.balanceOf(seller), 6 * PRICE, "paid once for each");
        assertOrder(other, SettlementStatus.Held, 3, 3);
    }

    function walletOf(address owner) private returns (ContractWallet account) {
        account = new ContractWallet(owner);
        money.mint(address(account), FUNDS);
        account.run(address(money), abi.encodeCall(money.approve, (address(settlement), FUNDS)));
    }

    /// @dev Papers and a deed from the seller, against money of a wallet that is a contract.
    function saleTo(ContractWallet account) private view returns (SettlementTerms memory) {
        SettlementLeg[] memory legs = new SettlementLeg[](3);
        legs[0] = paperLeg(seller, address(account), PAPERS);
        legs[1] = deedLeg(seller, address(account));
        legs[2] = moneyLeg(address(account), seller, PRICE);
        return order(legs);
    }

    function test_a_receiver_that_calls_back_changes_nothing() public {
        ContractWallet account = walletOf(buyer);
        SettlementTerms memory terms = saleTo(account);
        confirm(seller, terms);
        account.plan(address(settlement), abi.encodeCall(settlement.confirm, (terms)));
        account.run(address(settlement), abi.encodeCall(settlement.confirm, (terms)));
        assertFalse(account.wasAnswered(), "refused from within");
        assertEq(bytes4(account.answer()), ReentrancyGuard.ReentrancyGuardReentrantCall.selector, "by the guard");
        assertEq(money.balanceOf(seller), FUNDS + PRICE, "paid once");
        assertEq(paper.balanceOf(address(account), PAPER_ID), PAPERS, "delivered once");
    }

    function test_a_receiver_that_passes_on_within_the_movement_is_refused() public {
        ContractWallet account = walletOf(buyer);
        SettlementTerms memory terms = saleTo(account);
        account.plan(
            address(paper), abi.encodeCall(paper.safeTransferFrom, (address(account), stranger, PAPER_ID, PAPERS, ""))
        );
        confirm(seller, terms);
        assertRefused(
            stranger,
            address(account),
            abi.encodeCall(account.run, (address(settlement), abi.encodeCall(settlement.confirm, (terms)))),
            differs(address(paper), PAPER_ID, address(account), 0, PAPERS)
        );
    }

    function test_a_receiver_that_refuses_holds_up_nothing_but_itself() public {
        ContractWallet account = walletOf(buyer);
        SettlementTerms memory terms =
            order(paperLeg(seller, address(account), PAPERS), moneyLeg(address(account), seller, PRICE));
        (terms.notary, terms.expiry) = (notary, EXPIRY);
        confirm(seller, terms);
        account.run(address(settlement), abi.encodeCall(settlement.confirm, (terms)));
        account.refuse(true);
        bytes memory notNow = abi.encodeWithSignature("Error(string)", "not now");
        assertRefused(notary, address(settlement), abi.encodeCall(settlement.execute, (terms)), notNow);
        assertOrder(terms, SettlementStatus.Held, 3, 3);
        vm.prank(notary);
        settlement.release(terms);
        settlement.giveBack(terms, 3);
        assertEq(paper.balanceOf(seller, PAPER_ID), 1000, "back with the seller");
        assertEq(money.balanceOf(address(account)), FUNDS, "back with the buyer");
    }

    function test_a_giver_that_refuses_its_own_does_not_hold_up_the_other() public {
        ContractWallet account = new ContractWallet(seller);
        paper.mint(address(account), PAPER_ID, PAPERS);
        account.run(address(paper), abi.encodeCall(paper.setApprovalForAll, (address(settlement), true)));
        SettlementTerms memory terms =
            order(paperLeg(address(account), buyer, PAPERS), moneyLeg(buyer, address(account), PRICE));
        (terms.notary, terms.expiry) = (notary, EXPIRY);
        confirm(buyer, terms);
        account.run(address(settlement), abi.encodeCall(settlement.confirm, (terms)));
        account.refuse(true);
        vm.prank(notary);
        settlement.release(terms);
        assertRefused(
            buyer,
            address(settlement),
            abi.encodeCall(settlement.giveBack, (terms, 3)),
            abi.encodeWithSignature("Error(string)", "not now")
        );
        settlement.giveBack(terms, 2);
        assertEq(money.balanceOf(buyer), FUNDS, "back with the buyer");
        account.refuse(false);
        settlement.giveBack(terms, 1);
        assertEq(paper.balanceOf(address(account), PAPER_ID), PAPERS, "back with the seller");
    }

    function test_a_deed_goes_back_to_a_wallet_that_is_not_asked() public {
        ContractWallet account = new ContractWallet(seller);
        vm.prank(seller);
        deed.transferFrom(seller, address(account), DEED_ID);
        account.run(address(deed), abi.encodeCall(deed.approve, (address(settlement), DEED_ID)));
        SettlementTerms memory terms = order(deedLeg(address(account), buyer), moneyLeg(buyer, address(account), 1));
        (terms.notary, terms.expiry) = (notary, EXPIRY);
        confirm(buyer, terms);
        account.run(address(settlement), abi.encodeCall(settlement.confirm, (terms)));
        account.refuse(true);
        vm.warp(EXPIRY + 1);
        settlement.giveBack(terms, 3);
        assertEq(deed.ownerOf(DEED_ID), address(account), "back");
    }

    function test_money_that_begins_to_keep_a_fee_goes_back_with_it_and_does_not_execute() public {
        FeeMoney token = new FeeMoney();
        token.setCharging(false);
        SettlementTerms memory terms = saleFor(address(token));
        (terms.notary, terms.expiry) = (notary, EXPIRY);
        confirmSale(terms);
        token.setCharging(true);
        assertRefused(
            notary,
            address(settlement),
            abi.encodeCall(settlement.execute, (terms)),
            differs(address(token), 0, seller, PRICE - PRICE / 100, PRICE)
        );
        vm.warp(EXPIRY + 1);
        settlement.giveBack(terms, 3);
        assertEq(token.balanceOf(buyer), FUNDS - PRICE / 100, "less the fee");
        assertEq(paper.balanceOf(seller, PAPER_ID), 1000, "the other whole");
    }

    function test_a_deed_under_the_name_of_money_is_not_kept() public {
        SettlementTerms memory terms = order(deedLeg(seller, buyer), moneyLeg(buyer, seller, PRICE));
        (terms.legs[0].standard, terms.legs[0].id, terms.legs[0].amount) = (TokenStandard.ERC20, 0, DEED_ID);
        (terms.notary, terms.expiry) = (notary, EXPIRY);
        confirm(seller, terms);
        assertRefused(
            buyer,
            address(settlement),
            abi.encodeCall(settlement.confirm, (terms)),
            abi.encodeWithSelector(TokenMovement.TokenMovementNotFungible.selector, address(deed))
        );
        assertEq(deed.ownerOf(DEED_ID), seller, "the deed stays");
    }

    function test_an_approval_is_used_for_no_order_that_its_giver_did_not_confirm() public {
        SettlementLeg[] memory legs = new SettlementLeg[](2);
        legs[0] = moneyLeg(third, stranger, 1);
        legs[1] = moneyLeg(buyer, stranger, FUNDS);
        SettlementTerms memory terms = order(legs);
        confirm(third, terms);
        assertOrder(terms, SettlementStatus.Open, 1, 0);
        assertEq(money.balanceOf(buyer), FUNDS, "nothing taken");
    }

    function test_an_issuer_that_seizes_from_the_contract_leaves_the_loss_with_who_comes_last() public {
        SettlementTerms memory first = heldSale();
        SettlementTerms memory second = heldSale();
        second.salt = 1;
        confirmSale(first);
        confirmSale(second);
        money.seize(address(settlement), 1);
        vm.warp(EXPIRY + 1);
        settlement.giveBack(first, 3);
        settlement.giveBack(second, 1);
        vm.prank(third);
        money.transfer(address(settlement), 1);
        settlement.giveBack(second, 2);
        assertSold(false);
    }
}
