// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DateTimeOracle} from "../../src/drex/DateTimeOracle.sol";
import {TPFtOperation1054} from "../../src/drex/TPFtOperation1054.sol";
import {TPFtOperation1056} from "../../src/drex/TPFtOperation1056.sol";
import {TPFtRepoStorage} from "../../src/drex/TPFtRepoStorage.sol";
import {CallerPart} from "../../src/drex/TPFtTypes.sol";
import {DrexSuite} from "./DrexSuite.sol";

/// @title RepoSuite
/// @notice The family with repos; bank A has bonds and sells them for a while to bank B, or to a customer of B.
abstract contract RepoSuite is DrexSuite {
    uint256 internal constant OP = 1054;
    uint256 internal constant BACK = 1056;
    uint256 internal constant AMOUNT = 150;
    uint256 internal constant PRICE = 10e8;
    uint256 internal constant VALUE = 1500;
    uint256 internal constant RETURN_PRICE = 11e8;
    uint256 internal constant RETURN_VALUE = 1650;
    uint256 internal constant BONDS = 10_000;

    /// Midnight of the first block's day, and of the next.
    uint256 internal constant TODAY = NOW - NOW % 1 days;
    uint256 internal constant TOMORROW = TODAY + 1 days;

    DateTimeOracle internal oracle;
    TPFtRepoStorage internal repos;
    TPFtOperation1054 internal op1054;
    TPFtOperation1056 internal op1056;

    function setUp() public virtual override {
        super.setUp();
        oracle = new DateTimeOracle(authority, admin);
        repos = new TPFtRepoStorage(admin);
        op1054 = new TPFtOperation1054(dvp, tpft, ids, defaults, oracle, repos, admin);
        op1056 = new TPFtOperation1056(dvp, tpft, ids, defaults, oracle, repos, admin);
        vm.startPrank(admin);
        repos.grantRole(repos.FORWARD_ROLE(), address(op1054));
        repos.grantRole(repos.RETURN_ROLE(), address(op1056));
        dvp.grantRole(dvp.OPERATOR_ROLE(), address(op1054));
        dvp.grantRole(dvp.OPERATOR_ROLE(), address(op1056));
        ids.grantRole(ids.OPERATOR_ROLE(), address(op1054));
        ids.grantRole(ids.OPERATOR_ROLE(), address(op1056));
        vm.stopPrank();
        place(2, BANK_A, bankA, BONDS);
        vm.prank(treasury);
        real.transfer(bankA, 100_000); // what bank A paid for its bonds
        vm.prank(bankA);
        real.approve(address(dvp), 10_000_000);
    }

    function bank(CallerPart part) internal view returns (address) {
        return part == SENDER ? bankA : bankB;
    }

    function forward(CallerPart part) internal {
        vm.prank(bank(part));
        op1054.tradeRepo(OP, bankA, bankB, part, ltn(), AMOUNT, PRICE, RETURN_PRICE, TOMORROW);
    }

    function settleForward() internal {
        forward(SENDER);
        forward(RECEIVER);
    }

    /// @dev One side of the return; in it bank B delivers.
    function back(address caller, uint256 returnOperationId) internal {
        vm.prank(caller);
        op1056.tradeReverseRepo(OP, returnOperationId);
    }

    /// @dev What the repo moved so far, as seen from bank A.
    function assertMoved(uint256 bonds, uint256 paid, uint256 paidBack) internal view {
        assertEq(tpft.balanceOf(bankA, 1), BONDS - bonds, "A's bonds");
        assertEq(tpft.balanceOf(bankB, 1), bonds, "B's bonds");
        assertEq(real.balanceOf(bankA), 10_000_000 + paid - paidBack, "A's money");
        assertEq(real.balanceOf(bankB), 10_000_000 - paid + paidBack, "B's money");
    }
}
