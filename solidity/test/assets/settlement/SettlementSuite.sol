// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Settlement} from "../../../src/assets/settlement/Settlement.sol";
import {
    SettlementLeg,
    SettlementSignature,
    SettlementStatus,
    SettlementTerms
} from "../../../src/assets/settlement/SettlementTypes.sol";
import {TokenStandard} from "../../../src/assets/settlement/TokenStandard.sol";
import {Test} from "../../base/Test.sol";
import {OpenDeed, OpenMoney, OpenPaper} from "./OpenTokens.sol";
import {SigningVm} from "./SigningVm.sol";

/// @title SettlementSuite
/// @notice Three parties with keys, a notary, a token of each standard, and orders between them.
abstract contract SettlementSuite is Test {
    SigningVm internal constant signing = SigningVm(address(uint160(uint256(keccak256("hevm cheat code")))));

    /// Time of the first block: 2026-09-01 12:00 in UTC.
    uint256 internal constant NOW = 1_788_264_000;
    uint64 internal constant DEADLINE = uint64(NOW + 1 hours);
    uint64 internal constant EXPIRY = uint64(NOW + 1 days);

    uint256 internal constant SELLER_KEY = 0xA11CE;
    uint256 internal constant BUYER_KEY = 0xB0B;
    uint256 internal constant THIRD_KEY = 0xCA201;

    uint256 internal constant PRICE = 1_000_00;
    uint256 internal constant PAPERS = 25;
    uint256 internal constant PAPER_ID = 7;
    uint256 internal constant DEED_ID = 1;
    uint256 internal constant FUNDS = 1_000_000_00;

    address internal immutable seller = vm.addr(SELLER_KEY);
    address internal immutable buyer = vm.addr(BUYER_KEY);
    address internal immutable third = vm.addr(THIRD_KEY);
    address internal immutable notary = wallet("notary");
    address internal immutable stranger = wallet("stranger");

    Settlement internal settlement;
    OpenMoney internal money;
    OpenMoney internal currency;
    OpenPaper internal paper;
    OpenDeed internal deed;

    function setUp() public virtual {
        vm.warp(NOW);
        settlement = new Settlement();
        money = new OpenMoney();
        currency = new OpenMoney();
        paper = new OpenPaper();
        deed = new OpenDeed();
        deed.mint(seller, DEED_ID);
        fund(seller);
        fund(buyer);
        fund(third);
    }

    /// @dev Money, currency and papers for an account, and its approvals to the settlement.
    function fund(address account) internal {
        money.mint(account, FUNDS);
        currency.mint(account, FUNDS);
        paper.mint(account, PAPER_ID, 1000);
        vm.startPrank(account);
        money.approve(address(settlement), type(uint256).max);
        currency.approve(address(settlement), type(uint256).max);
        paper.setApprovalForAll(address(settlement), true);
        deed.setApprovalForAll(address(settlement), true);
        vm.stopPrank();
    }

    function moneyLeg(address from, address to, uint256 amount) internal view returns (SettlementLeg memory) {
        return SettlementLeg(TokenStandard.ERC20, address(money), from, to, 0, amount);
    }

    function currencyLeg(address from, address to, uint256 amount) internal view returns (SettlementLeg memory) {
        return SettlementLeg(TokenStandard.ERC20, address(currency), from, to, 0, amount);
    }

    function paperLeg(address from, address to, uint256 amount) internal view returns (SettlementLeg memory) {
        return SettlementLeg(TokenStandard.ERC1155, address(paper), from, to, PAPER_ID, amount);
    }

    function deedLeg(address from, address to) internal view returns (SettlementLeg memory) {
        return SettlementLeg(TokenStandard.ERC721, address(deed), from, to, DEED_ID, 1);
    }

    function order(SettlementLeg[] memory legs) internal pure returns (SettlementTerms memory) {
        return SettlementTerms(legs, address(0), DEADLINE, 0, 0, 0);
    }

    function order(SettlementLeg memory first, SettlementLeg memory second)
        internal
        pure
        returns (SettlementTerms memory)
    {
        SettlementLeg[] memory legs = new SettlementLeg[](2);
        (legs[0], legs[1]) = (first, second);
        return order(legs);
    }

    /// @dev Papers against money, at once.
    function sale() internal view returns (SettlementTerms memory) {
        return order(paperLeg(seller, buyer, PAPERS), moneyLeg(buyer, seller, PRICE));
    }

    /// @dev The same for a notary to decide.
    function heldSale() internal view returns (SettlementTerms memory terms) {
        terms = sale();
        (terms.notary, terms.expiry, terms.offLedgerHash) = (notary, EXPIRY, keccak256("payment elsewhere"));
    }

    function confirm(address party, SettlementTerms memory terms) internal returns (SettlementStatus status) {
        vm.prank(party);
        (, status) = settlement.confirm(terms);
    }

    function confirmSale(SettlementTerms memory terms) internal {
        confirm(seller, terms);
        confirm(buyer, terms);
    }

    function sign(uint256 key, SettlementTerms memory terms) internal view returns (SettlementSignature memory) {
        return sign(key, vm.addr(key), terms);
    }

    /// @dev A key's signature for an account that may be another's.
    function sign(uint256 key, address party, SettlementTerms memory terms)
        internal
        view
        returns (SettlementSignature memory)
    {
        return SettlementSignature(party, signDigest(key, settlement.confirmationDigest(terms, party)));
    }

    function signDigest(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = signing.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    function list(SettlementSignature memory first) internal pure returns (SettlementSignature[] memory signatures) {
        signatures = new SettlementSignature[](1);
        signatures[0] = first;
    }

    function list(SettlementSignature memory first, SettlementSignature memory second)
        internal
        pure
        returns (SettlementSignature[] memory signatures)
    {
        signatures = new SettlementSignature[](2);
        (signatures[0], signatures[1]) = (first, second);
    }

    function assertOrder(SettlementTerms memory terms, SettlementStatus status, uint16 confirmed, uint16 held)
        internal
        view
    {
        (SettlementStatus isStatus, uint16 isConfirmed, uint16 isHeld) =
            settlement.getOrder(settlement.orderIdOf(terms));
        assertEq(uint256(isStatus), uint256(status), "status");
        assertEq(isConfirmed, confirmed, "confirmed legs");
        assertEq(isHeld, held, "held legs");
    }

    /// @dev What seller and buyer have more or less than at first, in a sale.
    function assertSold(bool isSold) internal view {
        (uint256 papers, uint256 price) = isSold ? (PAPERS, PRICE) : (0, 0);
        assertEq(paper.balanceOf(seller, PAPER_ID), 1000 - papers, "papers of the seller");
        assertEq(paper.balanceOf(buyer, PAPER_ID), 1000 + papers, "papers of the buyer");
        assertEq(money.balanceOf(seller), FUNDS + price, "money of the seller");
        assertEq(money.balanceOf(buyer), FUNDS - price, "money of the buyer");
    }
}
