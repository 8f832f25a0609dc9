// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {IERC1155} from "@openzeppelin/contracts/token/ERC1155/IERC1155.sol";
import {IERC1155Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";

import {NonZeroAddress} from "../../src/drex/NonZeroAddress.sol";
import {RealDigitalDefaultAccount} from "../../src/drex/RealDigitalDefaultAccount.sol";
import {TPFt} from "../../src/drex/TPFt.sol";
import {TPFtData} from "../../src/drex/TPFtTypes.sol";
import {DrexSuite} from "../base/DrexSuite.sol";

/// @dev The token alone, with a wallet in each role, so that no operation stands between a test and a function.
contract TPFtTest is DrexSuite {
    uint256 private constant AMOUNT_MAX = type(uint120).max;
    uint256 private constant ID = 1;
    uint256 private constant ISSUED = 100_000;

    address private immutable minter = wallet("minter");
    address private immutable placer = wallet("placer");
    address private immutable redeemer = wallet("redeemer");
    address private immutable operator = wallet("operator");

    function setUp() public override {
        super.setUp();
        vm.startPrank(admin);
        tpft.grantRole(keccak256("MINTER_ROLE"), minter);
        tpft.grantRole(keccak256("DIRECT_PLACEMENT_ROLE"), placer);
        tpft.grantRole(keccak256("REPAYMENT_ROLE"), redeemer);
        tpft.grantRole(keccak256("OPERATOR_ROLE"), operator);
        vm.stopPrank();
        vm.prank(treasury);
        tpft.setApprovalForAll(operator, true);
    }

    function ntnb() private pure returns (TPFtData memory) {
        return TPFtData("NTN-B", "760199", MATURITY);
    }

    function unknownSeries() private pure returns (bytes memory) {
        return abi.encodeWithSelector(TPFt.TPFtSeriesUnknown.selector, "NTN-B", "760199", MATURITY);
    }

    // Face.

    function test_face_and_role_names_are_the_published_ones() public view {
        assertEq(tpft.name(), "TPFt", "name");
        assertEq(tpft.decimals(), 2, "decimals");
        assertEq(tpft.MINTER_ROLE(), 0x9f2df0fed2c77648de5860a4cc508cd0818c85b8b8a1ab4ceeef8d981c8956a6, "MINTER");
        assertEq(tpft.FREEZER_ROLE(), 0x92de27771f92d6942691d73358b3a4673e4880de8356f8f2cf452be87e02d363, "FREEZER");
        assertEq(
            tpft.DIRECT_PLACEMENT_ROLE(), 0x95879078ac5f9ef2655935a8a313c87a55cd3739fa85c7b76890b7dbcd26b36b, "DIRECT"
        );
        assertEq(tpft.REPAYMENT_ROLE(), 0x3edfd411211092bcad19c577d3d0ac1739a0a2e9d9e8eb1f5d78db5fab9fbc3b, "REPAYMENT");
        assertEq(tpft.OPERATOR_ROLE(), 0x97667070c54ef182b0f5858b034beac1b6f3089aa2d3188bb1e8929f4fa9b929, "OPERATOR");
        assertTrue(tpft.supportsInterface(type(IERC1155).interfaceId), "ERC-1155");
        assertTrue(tpft.supportsInterface(type(IAccessControl).interfaceId), "AccessControl");
        assertFalse(tpft.supportsInterface(0xffffffff), "nothing");
    }

    // Series.

    function test_series_are_numbered_from_one() public {
        assertEq(tpft.getTPFtId(ltn()), 1, "first");
        assertEq(tpft.getTPFtId(ntnb()), 0, "unknown is zero");
        vm.expectEmit(address(tpft));
        emit TPFt.TPFtCreated(2, "NTN-B", "760199", MATURITY);
        vm.prank(minter);
        tpft.createTPFt(ntnb());
        assertEq(tpft.getTPFtId(ntnb()), 2, "second");
        assertEq(tpft.seriesCount(), 2, "count");
        assertEq(keccak256(abi.encode(tpft.getTPFtData(2))), keccak256(abi.encode(ntnb())), "data");
    }

    function test_letters_and_seconds_tell_series_apart() public view {
        assertEq(tpft.getTPFtId(TPFtData("ltn", "100000", MATURITY)), 0, "letters");
        assertEq(tpft.getTPFtId(TPFtData("LTN", "100000", MATURITY + 1)), 0, "seconds");
        assertEq(tpft.getTPFtId(TPFtData("LTN1", "00000", MATURITY)), 0, "where one string ends");
    }

    function test_a_series_is_created_once() public {
        expectError(abi.encodeWithSelector(TPFt.TPFtSeriesExists.selector, ID));
        vm.prank(minter);
        tpft.createTPFt(ltn());
    }

    function test_only_operation_1001_creates_and_issues() public {
        bytes memory refusal = abi.encodeWithSelector(TPFt.OnlyMinterContract.selector);
        assertRefused(admin, address(tpft), abi.encodeCall(tpft.createTPFt, (ntnb())), refusal);
        assertRefused(
            admin,
            address(tpft),
            abi.encodeWithSignature("mint(address,(string,string,uint256),uint256)", treasury, ltn(), 1),
            refusal
        );
        assertRefused(
            admin, address(tpft), abi.encodeWithSignature("mint(address,uint256,uint256)", treasury, ID, 1), refusal
        );
    }

    function test_bonds_are_issued_by_data_and_by_id() public {
        vm.startPrank(minter);
        vm.expectEmit(address(tpft));
        emit IERC1155.TransferSingle(minter, address(0), treasury, ID, 10);
        tpft.mint(treasury, ltn(), 10);
        tpft.mint(treasury, ID, 5);
        assertEq(tpft.balanceOf(treasury, ID), ISSUED + 15, "balance");
        assertEq(tpft.totalSupply(ID), ISSUED + 15, "supply");
    }

    function test_bonds_of_no_series_are_not_issued() public {
        vm.startPrank(minter);
        expectError(unknownSeries());
        tpft.mint(treasury, ntnb(), 1);
        expectError(abi.encodeWithSelector(TPFt.TPFtIdUnknown.selector, 0, 1));
        tpft.mint(treasury, 0, 1);
        expectError(abi.encodeWithSelector(TPFt.TPFtIdUnknown.selector, 2, 1));
        tpft.mint(treasury, 2, 1);
        expectError(abi.encodeWithSelector(TPFt.TPFtIdUnknown.selector, 2, 1));
        tpft.getTPFtData(2);
    }

    function test_the_supply_of_a_series_stops_at_its_limit() public {
        vm.startPrank(minter);
        tpft.mint(treasury, ID, AMOUNT_MAX - ISSUED);
        assertEq(tpft.balanceOf(treasury, ID), AMOUNT_MAX, "balance");
        expectError(abi.encodeWithSelector(TPFt.TPFtAmountTooLarge.selector, AMOUNT_MAX, 1, AMOUNT_MAX));
        tpft.mint(treasury, ID, 1);
    }

    // Transfers.

    function test_an_operator_moves_what_it_was_approved_for() public {
        vm.expectEmit(address(tpft));
        emit IERC1155.TransferSingle(operator, treasury, bankA, ID, 30);
        vm.prank(operator);
        tpft.safeTransferFrom(treasury, bankA, ltn(), 30);
        vm.prank(operator);
        tpft.safeTransferFrom(treasury, bankA, ID, 12, "");
        assertEq(tpft.balanceOf(bankA, ID), 42, "receiver");
        assertEq(tpft.balanceOf(treasury, ID), ISSUED - 42, "payer");
        assertEq(tpft.totalSupply(ID), ISSUED, "supply");
    }

    function test_a_batch_moves_several_series() public {
        vm.startPrank(minter);
        tpft.createTPFt(ntnb());
        tpft.mint(treasury, 2, 50);
        vm.stopPrank();
        (uint256[] memory ids_, uint256[] memory amounts) = (new uint256[](2), new uint256[](2));
        (ids_[0], ids_[1], amounts[0], amounts[1]) = (1, 2, 7, 8);
        vm.expectEmit(address(tpft));
        emit IERC1155.TransferBatch(operator, treasury, bankA, ids_, amounts);
        vm.prank(operator);
        tpft.safeBatchTransferFrom(treasury, bankA, ids_, amounts, "");
        address[] memory owners = new address[](2);
        (owners[0], owners[1]) = (bankA, bankA);
        uint256[] memory balances = tpft.balanceOfBatch(owners, ids_);
        assertEq(balances[0], 7, "first");
        assertEq(balances[1], 8, "second");
    }

    function test_a_batch_of_uneven_lists_is_refused() public {
        expectError(abi.encodeWithSelector(IERC1155Errors.ERC1155InvalidArrayLength.selector, 2, 1));
        vm.prank(operator);
        tpft.safeBatchTransferFrom(treasury, bankA, new uint256[](2), new uint256[](1), "");
    }

    function test_holders_do_not_transfer_among_themselves() public {
        bytes memory refusal = missingRole(treasury, tpft.OPERATOR_ROLE());
        assertRefused(
            treasury,
            address(tpft),
            abi.encodeWithSignature(
                "safeTransferFrom(address,address,(string,string,uint256),uint256)", treasury, bankA, ltn(), 1
            ),
            refusal
        );
        assertRefused(
            treasury,
            address(tpft),
            abi.encodeWithSignature(
                "safeTransferFrom(address,address,uint256,uint256,bytes)", treasury, bankA, ID, 1, ""
            ),
            refusal
        );
        assertRefused(
            treasury,
            address(tpft),
            abi.encodeCall(
                tpft.safeBatchTransferFrom, (treasury, bankA, new uint256[](0), new uint256[](0), bytes(""))
            ),
            refusal
        );
    }

    function test_an_operator_needs_the_holder_s_approval_too() public {
        vm.prank(treasury);
        tpft.setApprovalForAll(operator, false);
        expectError(abi.encodeWithSelector(IERC1155Errors.ERC1155MissingApprovalForAll.selector, operator, treasury));
        vm.prank(operator);
        tpft.safeTransferFrom(treasury, bankA, ltn(), 1);
    }

    function test_an_operator_moves_what_it_holds_itself() public {
        vm.startPrank(operator);
        tpft.safeTransferFrom(treasury, operator, ltn(), 10);
        tpft.safeTransferFrom(operator, bankA, ltn(), 10);
        assertEq(tpft.balanceOf(bankA, ID), 10, "an escrow pays out");
    }

    function test_nobody_delivers_more_than_there_is() public {
        expectError(
            abi.encodeWithSelector(IERC1155Errors.ERC1155InsufficientBalance.selector, treasury, ISSUED, ISSUED + 1, ID)
        );
        vm.prank(operator);
        tpft.safeTransferFrom(treasury, bankA, ltn(), ISSUED + 1);
    }

    function test_bonds_of_no_series_do_not_move() public {
        expectError(unknownSeries());
        vm.prank(operator);
        tpft.safeTransferFrom(treasury, bankA, ntnb(), 1);
    }

    function test_a_contract_that_does_not_accept_gets_no_bonds() public {
        expectError(abi.encodeWithSelector(IERC1155Errors.ERC1155InvalidReceiver.selector, address(real)));
        vm.prank(operator);
        tpft.safeTransferFrom(treasury, address(real), ltn(), 1);
    }

    function test_direct_placement_needs_its_role_and_no_approval() public {
        vm.prank(placer);
        tpft.directPlacement(treasury, bankA, ltn(), 500);
        assertEq(tpft.balanceOf(bankA, ID), 500, "receiver");

        expectError(unknownSeries());
        vm.prank(placer);
        tpft.directPlacement(treasury, bankA, ntnb(), 500);

        expectError(abi.encodeWithSelector(TPFt.OnlyDirectPlacementContract.selector));
        vm.prank(operator);
        tpft.directPlacement(treasury, bankA, ltn(), 500);
    }

    function test_redemption_burns_by_data_and_by_id() public {
        vm.startPrank(redeemer);
        vm.expectEmit(address(tpft));
        emit IERC1155.TransferSingle(redeemer, treasury, address(0), ID, 10);
        tpft.burn(treasury, ltn(), 10);
        tpft.burn(treasury, ID, 5);
        assertEq(tpft.balanceOf(treasury, ID), ISSUED - 15, "balance");
        assertEq(tpft.totalSupply(ID), ISSUED - 15, "supply");

        expectError(unknownSeries());
        tpft.burn(treasury, ntnb(), 1);
        expectError(abi.encodeWithSelector(TPFt.TPFtIdUnknown.selector, 9, 1));
        tpft.burn(treasury, 9, 1);
    }

    // Freeze, payment, stop.

    function test_what_is_frozen_remains_by_every_way_out() public {
        vm.expectEmit(address(tpft));
        emit TPFt.TPFtFrozenBalance(treasury, ID, 99_990);
        vm.prank(authority);
        tpft.increaseFrozenBalance(treasury, ltn(), 99_990);
        assertEq(tpft.frozenBalanceOf(treasury, ID), 99_990, "frozen");

        bytes memory refusal = abi.encodeWithSelector(TPFt.TPFtBalanceFrozen.selector, treasury, ID, ISSUED, 99_990, 11);
        expectError(refusal);
        vm.prank(operator);
        tpft.safeTransferFrom(treasury, bankA, ltn(), 11);
        expectError(refusal);
        vm.prank(placer);
        tpft.directPlacement(treasury, bankA, ltn(), 11);
        expectError(refusal);
        vm.prank(redeemer);
        tpft.burn(treasury, ltn(), 11);

        vm.prank(operator);
        tpft.safeTransferFrom(treasury, bankA, ltn(), 10);
        vm.prank(authority);
        tpft.decreaseFrozenBalance(treasury, ltn(), 99_990);
        vm.prank(operator);
        tpft.safeTransferFrom(treasury, bankA, ltn(), 11);
    }

    function test_a_freeze_keeps_its_limits() public {
        vm.startPrank(authority);
        tpft.increaseFrozenBalance(treasury, ltn(), 5);
        expectError(abi.encodeWithSelector(TPFt.TPFtInsufficientFrozen.selector, treasury, ID, 5, 6));
        tpft.decreaseFrozenBalance(treasury, ltn(), 6);
        expectError(abi.encodeWithSelector(TPFt.TPFtAmountTooLarge.selector, 5, AMOUNT_MAX - 4, AMOUNT_MAX));
        tpft.increaseFrozenBalance(treasury, ltn(), AMOUNT_MAX - 4);
        expectError(unknownSeries());
        tpft.increaseFrozenBalance(treasury, ntnb(), 1);
        expectError(unknownSeries());
        tpft.decreaseFrozenBalance(treasury, ntnb(), 1);
        expectError(abi.encodeWithSelector(NonZeroAddress.DrexZeroAddress.selector, "from"));
        tpft.increaseFrozenBalance(address(0), ltn(), 1);
        expectError(abi.encodeWithSelector(NonZeroAddress.DrexZeroAddress.selector, "from"));
        tpft.decreaseFrozenBalance(address(0), ltn(), 1);
    }

    function test_the_payment_mark_is_kept_beside_balance_and_freeze() public {
        vm.prank(authority);
        tpft.increaseFrozenBalance(treasury, ltn(), 7);
        for (uint256 i = 0; i < 2; ++i) {
            bool status = i == 0;
            vm.expectEmit(address(tpft));
            emit TPFt.TPFtPaymentStatusChanged(treasury, ID, status);
            vm.prank(redeemer);
            tpft.setPaymentStatus(treasury, ID, status);
            assertTrue(tpft.getPaymentStatus(treasury, ID) == status, "mark");
            assertEq(tpft.balanceOf(treasury, ID), ISSUED, "balance");
            assertEq(tpft.frozenBalanceOf(treasury, ID), 7, "frozen");
        }
        expectError(abi.encodeWithSelector(TPFt.TPFtIdUnknown.selector, 2, 1));
        vm.prank(redeemer);
        tpft.setPaymentStatus(treasury, 2, true);
    }

    function test_a_stopped_series_only_burns() public {
        vm.expectEmit(address(tpft));
        emit TPFt.TPFtSeriesPausedChanged(ID, true);
        vm.prank(redeemer);
        tpft.setTpftIdToPaused(ID, true);
        assertTrue(tpft.isTpftIdPaused(ID), "stopped");

        bytes memory refusal = abi.encodeWithSelector(TPFt.TPFtSeriesPaused.selector, ID);
        expectError(refusal);
        vm.prank(operator);
        tpft.safeTransferFrom(treasury, bankA, ltn(), 1);
        expectError(refusal);
        vm.prank(placer);
        tpft.directPlacement(treasury, bankA, ltn(), 1);
        expectError(refusal);
        vm.prank(minter);
        tpft.mint(treasury, ltn(), 1);
        vm.prank(redeemer);
        tpft.burn(treasury, ltn(), 1);

        vm.prank(redeemer);
        tpft.setTpftIdToPaused(ID, false);
        vm.prank(operator);
        tpft.safeTransferFrom(treasury, bankA, ltn(), 1);

        expectError(abi.encodeWithSelector(TPFt.TPFtIdUnknown.selector, 2, 1));
        vm.prank(redeemer);
        tpft.setTpftIdToPaused(2, true);
    }

    function test_pause_stops_every_movement_and_creation() public {
        vm.prank(admin);
        tpft.pause();
        bytes memory refusal = abi.encodeWithSelector(Pausable.EnforcedPause.selector);
        expectError(refusal);
        vm.prank(minter);
        tpft.createTPFt(ntnb());
        expectError(refusal);
        vm.prank(minter);
        tpft.mint(treasury, ltn(), 1);
        expectError(refusal);
        vm.prank(operator);
        tpft.safeTransferFrom(treasury, bankA, ltn(), 1);
        expectError(refusal);
        vm.prank(placer);
        tpft.directPlacement(treasury, bankA, ltn(), 1);
        expectError(refusal);
        vm.prank(redeemer);
        tpft.burn(treasury, ltn(), 1);

        vm.startPrank(admin);
        expectError(refusal);
        tpft.pause();
        tpft.unpause();
        expectError(abi.encodeWithSelector(Pausable.ExpectedPause.selector));
        tpft.unpause();
        vm.stopPrank();
        vm.prank(operator);
        tpft.safeTransferFrom(treasury, bankA, ltn(), 1);
    }

    // The list of enabled addresses.

    function test_the_admin_enables_and_disables() public {
        vm.startPrank(admin);
        vm.expectEmit(address(tpft));
        emit TPFt.TPFtAccountStatusChanged(admin, 0, stranger, false, true);
        tpft.enableAddress(stranger);
        assertTrue(tpft.isEnabledAddress(stranger), "enabled");
        vm.expectEmit(address(tpft));
        emit TPFt.TPFtAccountStatusChanged(admin, 0, stranger, false, false);
        tpft.disableAddress(stranger);
        assertFalse(tpft.isEnabledAddress(stranger), "disabled");

        expectError(abi.encodeWithSelector(NonZeroAddress.DrexZeroAddress.selector, "wallet"));
        tpft.enableAddress(address(0));
    }

    function test_an_institution_enables_by_its_default_wallet() public {
        vm.expectEmit(address(tpft));
        emit TPFt.TPFtAccountStatusChanged(bankA, BANK_A, stranger, true, true);
        vm.prank(bankA);
        tpft.enableAddress(BANK_A, stranger);
        assertTrue(tpft.isEnabledAddress(stranger), "enabled");

        expectError(abi.encodeWithSelector(NonZeroAddress.DrexZeroAddress.selector, "wallet"));
        vm.prank(bankA);
        tpft.enableAddress(BANK_A, address(0));
    }

    function test_another_institution_s_word_counts_nothing() public {
        expectError(abi.encodeWithSelector(TPFt.TPFtNotDefaultWallet.selector, BANK_A, bankB, bankA));
        vm.prank(bankB);
        tpft.enableAddress(BANK_A, stranger);
        expectError(abi.encodeWithSelector(TPFt.TPFtNotDefaultWallet.selector, 7, stranger, address(0)));
        vm.prank(stranger);
        tpft.enableAddress(7, stranger);
    }

    function test_who_is_not_enabled_in_bonds_and_money_enables_nobody() public {
        vm.prank(authority);
        real.disableAccount(bankA);
        expectError(abi.encodeWithSelector(TPFt.TPFtCallerNotEnabled.selector, bankA));
        vm.prank(bankA);
        tpft.enableAddress(BANK_A, stranger);

        vm.prank(admin);
        tpft.disableAddress(bankB);
        expectError(abi.encodeWithSelector(TPFt.TPFtCallerNotEnabled.selector, bankB));
        vm.prank(bankB);
        tpft.enableAddress(BANK_B, stranger);
    }

    // Roles.

    function test_each_role_guards_its_functions() public {
        address target = address(tpft);
        assertRefused(minter, target, abi.encodeCall(tpft.pause, ()), missingRole(minter, 0));
        assertRefused(minter, target, abi.encodeCall(tpft.unpause, ()), missingRole(minter, 0));
        assertRefused(
            minter, target, abi.encodeWithSignature("enableAddress(address)", stranger), missingRole(minter, 0)
        );
        assertRefused(minter, target, abi.encodeCall(tpft.disableAddress, (bankA)), missingRole(minter, 0));

        bytes memory refusal = missingRole(minter, tpft.FREEZER_ROLE());
        assertRefused(minter, target, abi.encodeCall(tpft.increaseFrozenBalance, (bankA, ltn(), 1)), refusal);
        assertRefused(minter, target, abi.encodeCall(tpft.decreaseFrozenBalance, (bankA, ltn(), 1)), refusal);

        refusal = missingRole(minter, tpft.REPAYMENT_ROLE());
        assertRefused(minter, target, abi.encodeCall(tpft.setPaymentStatus, (bankA, ID, true)), refusal);
        assertRefused(minter, target, abi.encodeCall(tpft.setTpftIdToPaused, (ID, true)), refusal);
        assertRefused(
            minter, target, abi.encodeWithSignature("burn(address,uint256,uint256)", treasury, ID, 1), refusal
        );
        assertRefused(
            minter,
            target,
            abi.encodeWithSignature("burn(address,(string,string,uint256),uint256)", treasury, ltn(), 1),
            refusal
        );
    }

    function test_the_authority_freezes_and_the_deployer_does_nothing() public {
        TPFt ours = new TPFt(defaults, authority, admin);
        assertTrue(ours.hasRole(ours.FREEZER_ROLE(), authority) && ours.hasRole(0, admin), "named in the constructor");
        assertFalse(ours.hasRole(0, address(this)) || ours.hasRole(0, authority), "nobody else administers");
        expectError(abi.encodeWithSelector(NonZeroAddress.DrexZeroAddress.selector, "defaultAccounts"));
        new TPFt(RealDigitalDefaultAccount(address(0)), authority, admin);
        expectError(abi.encodeWithSelector(NonZeroAddress.DrexZeroAddress.selector, "authority"));
        new TPFt(defaults, address(0), admin);
        expectError(abi.encodeWithSelector(NonZeroAddress.DrexZeroAddress.selector, "admin"));
        new TPFt(defaults, authority, address(0));
    }

    // Against a naive twin.

    function testFuzz_transfer_agrees_with_plain_arithmetic(uint256 frozen, uint256 amount) public {
        frozen = bound(frozen, 0, 2 * ISSUED);
        amount = bound(amount, 0, 2 * ISSUED);
        vm.prank(authority);
        tpft.increaseFrozenBalance(treasury, ltn(), frozen);
        if (amount > ISSUED) {
            expectError(
                abi.encodeWithSelector(IERC1155Errors.ERC1155InsufficientBalance.selector, treasury, ISSUED, amount, ID)
            );
        } else if (ISSUED - amount < frozen) {
            expectError(abi.encodeWithSelector(TPFt.TPFtBalanceFrozen.selector, treasury, ID, ISSUED, frozen, amount));
        }
        vm.prank(operator);
        tpft.safeTransferFrom(treasury, bankA, ltn(), amount);
        uint256 moved = amount <= ISSUED && ISSUED - amount >= frozen ? amount : 0;
        assertEq(tpft.balanceOf(treasury, ID), ISSUED - moved, "payer");
        assertEq(tpft.balanceOf(bankA, ID), moved, "receiver");
        assertEq(tpft.frozenBalanceOf(treasury, ID), frozen, "frozen amount is untouched");
    }
}
