// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Duties} from "../../../src/assets/access/Duties.sol";
import {CashActionKind, CashActionStatus, CashActionTerms} from "../../../src/assets/actions/CashActionTypes.sol";
import {CashActions} from "../../../src/assets/actions/CashActions.sol";
import {InvestorClass} from "../../../src/assets/identity/Identity.sol";
import {OpenMoney} from "../settlement/OpenTokens.sol";
import {AssetSuite} from "../token/AssetSuite.sol";

/// @title ActionSuite
/// @notice A token with holders, money that the treasurer has, and payments to the holders. Of the units some are held
/// and some frozen; a depository keeps units for others.
abstract contract ActionSuite is AssetSuite {
    uint48 internal constant RECORD_DATE = uint48(NOW + 1 days);
    uint48 internal constant PAYABLE_FROM = uint48(NOW + 3 days);
    uint48 internal constant CLAIMS_END = uint48(NOW + 3 days + 365 days);
    uint256 internal constant FUNDS = 1e30;
    uint256 internal constant CAROL_UNITS = 7;
    uint256 internal constant DEPOT_UNITS = 30_001;
    uint256 internal constant SUPPLY = ALICE_UNITS + BOB_UNITS + CAROL_UNITS + DEPOT_UNITS;

    address internal immutable depository = wallet("depository");
    address internal immutable issuerAccount = wallet("account of the issuer");

    CashActions internal actions;
    OpenMoney internal money;

    function setUp() public virtual override {
        super.setUp();
        actions = new CashActions(token);
        money = new OpenMoney();
        enter(carol, 3);
        enter(dave, 4);
        enter(depository, 5);
        setInfrastructure(depository, true);
        vm.startPrank(issuer);
        token.mint(carol, CAROL_UNITS);
        token.mint(depository, DEPOT_UNITS);
        vm.stopPrank();
        giveRole(Duties.ISSUER, address(actions));
        provide(money);
        scheduleRecordDate(RECORD_DATE);
    }

    /// @dev Money of the treasurer, and its approval.
    function provide(OpenMoney currency) internal {
        currency.mint(treasurer, FUNDS);
        vm.prank(treasurer);
        currency.approve(address(actions), type(uint256).max);
    }

    function setInfrastructure(address account, bool isInfrastructure) internal {
        uint16 expiry = today() + 3_650;
        vm.prank(agent);
        registry.updateInvestor(account, InvestorClass.Qualified, expiry, isInfrastructure);
    }

    function giveRole(bytes32 role, address account) internal {
        vm.prank(admin);
        token.grantRole(role, account);
    }

    function scheduleRecordDate(uint48 date) internal {
        vm.prank(treasurer);
        token.scheduleRecordDate(date);
    }

    /// @dev 1.37 per 100 units.
    function coupon() internal view returns (CashActionTerms memory terms) {
        terms.currency = address(money);
        (terms.recordDate, terms.payableFrom, terms.claimsEnd) = (RECORD_DATE, PAYABLE_FROM, CLAIMS_END);
        terms.issuerAccount = issuerAccount;
        terms.kind = CashActionKind.Coupon;
        (terms.moneyPerLot, terms.lotUnits) = (137, 100);
        terms.documentHash = keccak256("notice");
    }

    /// @dev All units against 1,037.50 per 1,000.
    function redemption() internal view returns (CashActionTerms memory terms) {
        terms = coupon();
        terms.kind = CashActionKind.Redemption;
        (terms.moneyPerLot, terms.lotUnits, terms.burnPerLot) = (103_750, 1_000, 1_000);
    }

    function propose(CashActionTerms memory terms) internal returns (uint256) {
        vm.prank(treasurer);
        return actions.announce(terms);
    }

    /// @dev Proposed by the treasurer, agreed to by the issuer.
    function announce(CashActionTerms memory terms) internal returns (uint256 actionId) {
        actionId = propose(terms);
        vm.prank(issuer);
        actions.approve(actionId, keccak256(abi.encode(terms)));
    }

    /// @dev An agent names the owner of units that the depository keeps, and the treasurer pays for them.
    function settleThrough(uint256 actionId, address owner, uint256 units) internal {
        vm.prank(agent);
        actions.nameOwner(actionId, depository, owner, units);
        vm.prank(treasurer);
        actions.settleThrough(actionId, depository, owner, units);
    }

    /// @dev Announces and agrees, lets the record date pass, pays in, and lets the day of payment come.
    function bringToPayment(CashActionTerms memory terms) internal returns (uint256 actionId) {
        actionId = announce(terms);
        vm.warp(RECORD_DATE + 1);
        fund(actionId);
        vm.warp(PAYABLE_FROM);
    }

    function fund(uint256 actionId) internal {
        vm.prank(treasurer);
        actions.fund(actionId);
    }

    function close(uint256 actionId) internal {
        vm.prank(treasurer);
        actions.close(actionId);
    }

    function replaceWallet(address lost, address successor) internal {
        vm.prank(agent);
        registry.replaceWallet(lost, successor);
    }

    function assertStatus(uint256 actionId, CashActionStatus status) internal view {
        assertEq(uint256(actions.getAction(actionId).status), uint256(status), "status of the action");
    }

    function list(address first) internal pure returns (address[] memory accounts) {
        accounts = new address[](1);
        accounts[0] = first;
    }

    function list(address first, address second) internal pure returns (address[] memory accounts) {
        accounts = new address[](2);
        (accounts[0], accounts[1]) = (first, second);
    }

    function list(address first, address second, address third) internal pure returns (address[] memory accounts) {
        accounts = new address[](3);
        (accounts[0], accounts[1], accounts[2]) = (first, second, third);
    }

    function statusError(uint256 actionId, CashActionStatus status) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(CashActions.CashActionStatusInvalid.selector, actionId, status);
    }
}
