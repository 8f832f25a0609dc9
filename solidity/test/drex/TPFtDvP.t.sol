// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {NonZeroAddress} from "../../src/drex/NonZeroAddress.sol";
import {RealDigital} from "../../src/drex/RealDigital.sol";
import {SwapOneStepFrom} from "../../src/drex/SwapOneStepFrom.sol";
import {TPFt} from "../../src/drex/TPFt.sol";
import {TPFtDvP} from "../../src/drex/TPFtDvP.sol";
import {DvPSide, DvPStatus, DvPTerms} from "../../src/drex/TPFtDvPTypes.sol";
import {TPFtOperationId} from "../../src/drex/TPFtOperationId.sol";
import {DrexSuite} from "../base/DrexSuite.sol";

/// @dev What the operations lean on, called as they call it: a wallet has the operators' role here.
contract TPFtDvPTest is DrexSuite {
    address private immutable operation = wallet("operation");

    function setUp() public override {
        super.setUp();
        vm.startPrank(admin);
        dvp.grantRole(keccak256("OPERATOR_ROLE"), operation);
        ids.grantRole(keccak256("OPERATOR_ROLE"), operation);
        vm.stopPrank();
    }

    function terms() private view returns (DvPTerms memory) {
        return DvPTerms(bankB, address(0), treasury, address(0), ltn(), 100, 10e8, 1000, "");
    }

    function clientTerms() private view returns (DvPTerms memory given) {
        given = terms();
        (given.buyerToken, given.sellerToken) = (address(tokenB), address(tokenA));
    }

    function test_records_are_numbered_from_one_and_each_step_is_said() public {
        vm.startPrank(operation);
        vm.expectEmit(address(dvp));
        emit TPFtDvP.DvPStatusChanged(1, operation, DvPStatus.BuyGiven);
        assertEq(dvp.dvpParticipant(0, DvPSide.Buy, terms()), 1, "first");
        vm.expectEmit(address(dvp));
        emit TPFtDvP.DvPStatusChanged(2, operation, DvPStatus.SellGiven);
        assertEq(dvp.dvpClients(0, DvPSide.Sell, clientTerms()), 2, "second");
        assertEq(dvp.getTotalDvPs(), 2, "count");
        vm.expectEmit(address(dvp));
        emit TPFtDvP.DvPStatusChanged(1, operation, DvPStatus.Executed);
        assertEq(dvp.dvpParticipant(1, DvPSide.Sell, terms()), 1, "settled");
        vm.expectEmit(address(dvp));
        emit TPFtDvP.DvPStatusChanged(2, operation, DvPStatus.Cancelled);
        dvp.cancelDvP(2);
    }

    function test_only_operations_confirm_and_cancel() public {
        bytes memory refusal = missingRole(bankB, dvp.OPERATOR_ROLE());
        assertRefused(bankB, address(dvp), abi.encodeCall(dvp.dvpParticipant, (0, DvPSide.Buy, terms())), refusal);
        assertRefused(bankB, address(dvp), abi.encodeCall(dvp.dvpClients, (0, DvPSide.Buy, clientTerms())), refusal);
        assertRefused(bankB, address(dvp), abi.encodeCall(dvp.cancelDvP, (1)), refusal);
    }

    function test_an_operation_does_not_complete_another_s_record() public {
        vm.prank(operation);
        dvp.dvpParticipant(0, DvPSide.Buy, terms());
        vm.prank(admin);
        dvp.grantRole(keccak256("OPERATOR_ROLE"), stranger);
        expectError(
            abi.encodeWithSelector(
                TPFtDvP.DvPIncompatible.selector, 1, dvp.digestOf(operation, terms()), dvp.digestOf(stranger, terms())
            )
        );
        vm.prank(stranger);
        dvp.dvpParticipant(1, DvPSide.Sell, terms());
    }

    function test_tokens_fit_the_kind_of_operation() public {
        vm.startPrank(operation);
        DvPTerms memory given = terms();
        given.buyerToken = address(tokenB);
        expectError(abi.encodeWithSelector(TPFtDvP.DvPTokensInvalid.selector, tokenB, address(0)));
        dvp.dvpParticipant(0, DvPSide.Buy, given);
        expectError(abi.encodeWithSelector(TPFtDvP.DvPTokensInvalid.selector, tokenB, address(0)));
        dvp.dvpClients(0, DvPSide.Buy, given);
        (given.buyerToken, given.sellerToken) = (address(0), address(tokenA));
        expectError(abi.encodeWithSelector(TPFtDvP.DvPTokensInvalid.selector, address(0), tokenA));
        dvp.dvpParticipant(0, DvPSide.Buy, given);
        expectError(abi.encodeWithSelector(TPFtDvP.DvPTokensInvalid.selector, address(0), tokenA));
        dvp.dvpClients(0, DvPSide.Buy, given);
    }

    function test_what_is_not_there_is_neither_completed_nor_cancelled() public {
        vm.startPrank(operation);
        expectError(abi.encodeWithSelector(TPFtDvP.DvPUnknown.selector, 1));
        dvp.dvpParticipant(1, DvPSide.Buy, terms());
        expectError(abi.encodeWithSelector(TPFtDvP.DvPUnknown.selector, 1));
        dvp.cancelDvP(1);
        (DvPStatus status, bytes31 digest) = dvp.getDvPOperation(1);
        assertTrue(status == DvPStatus.None, "status");
        assertEq(digest, bytes32(0), "digest");
    }

    function testFuzz_no_other_terms_have_the_digest(uint256 field, uint256 other) public view {
        DvPTerms memory given = terms();
        bytes31 digest = dvp.digestOf(operation, given);
        field = field % 9;
        if (field == 0) given.buyer = address(uint160(other));
        if (field == 1) given.buyerToken = address(uint160(other));
        if (field == 2) given.seller = address(uint160(other));
        if (field == 3) given.sellerToken = address(uint160(other));
        if (field == 4) given.tpftData.maturityDate = other;
        if (field == 5) given.tpftAmount = other;
        if (field == 6) given.unitPrice = other;
        if (field == 7) given.financialValue = other;
        if (field == 8) given.extraData = abi.encode(other);
        bool isSame = keccak256(abi.encode(given)) == keccak256(abi.encode(terms()));
        assertTrue(isSame == (digest == dvp.digestOf(operation, given)), "digest");
    }

    function test_the_deployer_has_no_role_and_partners_are_given() public {
        TPFtDvP ours = new TPFtDvP(real, tpft, swap, admin);
        assertTrue(ours.hasRole(0, admin), "admin");
        assertFalse(ours.hasRole(0, address(this)), "deployer");
        expectError(abi.encodeWithSelector(NonZeroAddress.DrexZeroAddress.selector, "realDigital"));
        new TPFtDvP(RealDigital(address(0)), tpft, swap, admin);
        expectError(abi.encodeWithSelector(NonZeroAddress.DrexZeroAddress.selector, "tpft"));
        new TPFtDvP(real, TPFt(address(0)), swap, admin);
        expectError(abi.encodeWithSelector(NonZeroAddress.DrexZeroAddress.selector, "swapOneStepFrom"));
        new TPFtDvP(real, tpft, SwapOneStepFrom(address(0)), admin);
        expectError(abi.encodeWithSelector(NonZeroAddress.DrexZeroAddress.selector, "admin"));
        new TPFtDvP(real, tpft, swap, address(0));
    }

    // The registry of numbers.

    function test_a_number_is_taken_once_and_names_its_operation() public {
        assertEq(ids.operationOf(9), address(0), "free");
        vm.prank(operation);
        assertTrue(ids.validOperationId(9), "answer");
        assertEq(ids.operationOf(9), operation, "taken");
        expectError(abi.encodeWithSelector(TPFtOperationId.TPFtOperationIdUsed.selector, 9, operation));
        vm.prank(operation);
        ids.validOperationId(9);
    }

    function test_nobody_else_burns_numbers() public {
        expectMissingRole(stranger, ids.OPERATOR_ROLE());
        vm.prank(stranger);
        ids.validOperationId(9);
        expectError(abi.encodeWithSelector(NonZeroAddress.DrexZeroAddress.selector, "admin"));
        new TPFtOperationId(address(0));
    }
}
