// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {LienStatus, LienTerms} from "../../../src/assets/settlement/LienTypes.sol";
import {Liens} from "../../../src/assets/settlement/Liens.sol";
import {TokenStandard} from "../../../src/assets/settlement/TokenStandard.sol";
import {Test} from "../../base/Test.sol";
import {OpenMoney, OpenPaper} from "./OpenTokens.sol";

/// @title LienSuite
/// @notice A debtor and a creditor, a notary, a token of each standard, and pledges between them.
abstract contract LienSuite is Test {
    /// Time of the first block: 2026-09-01 12:00 in UTC.
    uint256 internal constant NOW = 1_788_264_000;
    uint64 internal constant DUE = uint64(NOW + 30 days);
    uint64 internal constant END = uint64(NOW + 60 days);
    uint256 internal constant FUNDS = 1_000_000;
    uint256 internal constant PAPER_ID = 7;
    uint256 internal constant AMOUNT = 250;

    address internal immutable debtor = wallet("debtor");
    address internal immutable creditor = wallet("creditor");
    address internal immutable notary = wallet("notary");
    address internal immutable stranger = wallet("stranger");

    Liens internal liens;
    OpenMoney internal money;
    OpenPaper internal paper;

    function setUp() public virtual {
        vm.warp(NOW);
        liens = new Liens();
        money = new OpenMoney();
        paper = new OpenPaper();
        fund(debtor);
    }

    function fund(address holder) internal {
        money.mint(holder, FUNDS);
        paper.mint(holder, PAPER_ID, FUNDS);
        vm.startPrank(holder);
        money.approve(address(liens), type(uint256).max);
        paper.setApprovalForAll(address(liens), true);
        vm.stopPrank();
    }

    /// @dev Papers that the creditor may take from the day they are due, until the end, or on the notary's word.
    function papers() internal view returns (LienTerms memory) {
        return LienTerms(
            TokenStandard.ERC1155,
            address(paper),
            PAPER_ID,
            AMOUNT,
            creditor,
            notary,
            DUE,
            END,
            keccak256("loan agreement")
        );
    }

    /// @dev The same with money.
    function cash() internal view returns (LienTerms memory terms) {
        terms = papers();
        (terms.standard, terms.token, terms.id) = (TokenStandard.ERC20, address(money), 0);
    }

    function pledge(LienTerms memory terms) internal returns (uint256) {
        vm.prank(debtor);
        return liens.pledge(terms);
    }

    function refused(address caller, bytes memory call, bytes memory revertData) internal {
        assertRefused(caller, address(liens), call, revertData);
    }

    function assertLien(uint256 lienId, LienStatus status, uint256 amount) internal view {
        assertEq(uint256(liens.getLien(lienId).status), uint256(status), "status");
        assertEq(liens.getLien(lienId).amount, amount, "amount");
    }
}
