// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";

import {CBDCAccessControl} from "../../src/drex/CBDCAccessControl.sol";
import {NonZeroAddress} from "../../src/drex/NonZeroAddress.sol";
import {RealDigital} from "../../src/drex/RealDigital.sol";
import {Test} from "../base/Test.sol";

/// @title MoneyBehaviour
/// @notice What holds for every token of the family's money, run for each of them.
abstract contract MoneyBehaviour is Test {
    uint256 internal constant AMOUNT_MAX = type(uint120).max;

    address internal immutable admin = wallet("admin");
    address internal immutable authority = wallet("authority");
    address internal immutable alice = wallet("alice");
    address internal immutable bob = wallet("bob");
    address internal immutable stranger = wallet("stranger");

    RealDigital internal token;

    function deploy() internal virtual returns (RealDigital);

    function setUp() public {
        token = deploy();
        vm.startPrank(authority);
        token.enableAccount(alice);
        token.enableAccount(bob);
        token.enableAccount(authority);
        token.mint(alice, 1000);
        vm.stopPrank();
    }

    // Face and roles.

    function test_amounts_have_two_decimals() public view {
        assertEq(token.decimals(), 2, "decimals");
    }

    function test_role_names_are_the_published_hashes() public view {
        assertEq(token.PAUSER_ROLE(), 0x65d7a28e3265b37a6474929f336521b332c1681b933f6cb9f3376673440d862a, "PAUSER");
        assertEq(token.MINTER_ROLE(), 0x9f2df0fed2c77648de5860a4cc508cd0818c85b8b8a1ab4ceeef8d981c8956a6, "MINTER");
        assertEq(token.ACCESS_ROLE(), 0x7def632d64a7259044c921303d544f945a340c8d4334adc0e0bd830a54deb528, "ACCESS");
        assertEq(token.MOVER_ROLE(), 0xe5ed70e23144309ce456cb48bf5e6d0d8e160f094a6d65ecf1d5b03cf292d8e6, "MOVER");
        assertEq(token.BURNER_ROLE(), 0x3c11d16cbaffd01df69ce1c404f6340ee057498f5f00246190ea54220576a848, "BURNER");
        assertEq(token.FREEZER_ROLE(), 0x92de27771f92d6942691d73358b3a4673e4880de8356f8f2cf452be87e02d363, "FREEZER");
    }

    function test_authority_works_admin_administers_and_the_deployer_has_nothing() public view {
        bytes32[6] memory roles = operationalRoles();
        for (uint256 i = 0; i < roles.length; ++i) {
            assertTrue(token.hasRole(roles[i], authority), "authority has each operational role");
            assertFalse(token.hasRole(roles[i], admin), "admin has none");
            assertFalse(token.hasRole(roles[i], address(this)), "deployer has none");
            assertEq(token.getRoleAdmin(roles[i]), bytes32(0), "admin role");
        }
        assertTrue(token.hasRole(bytes32(0), admin), "admin administers");
        assertFalse(token.hasRole(bytes32(0), authority), "authority does not");
        assertFalse(token.hasRole(bytes32(0), address(this)), "nor the deployer");
    }

    function test_no_role_opens_the_door_of_another() public {
        bytes32[6] memory roles = operationalRoles();
        for (uint256 i = 0; i < roles.length; ++i) {
            address worker = address(uint160(0xbeef00 + i));
            vm.prank(admin);
            token.grantRole(roles[i], worker);
            (bytes32[11] memory needed, bytes[11] memory calls) = guardedCalls();
            for (uint256 j = 0; j < calls.length; ++j) {
                if (needed[j] == roles[i]) continue;
                assertRefused(worker, address(token), calls[j], missingRole(worker, needed[j]));
            }
        }
    }

    function operationalRoles() private view returns (bytes32[6] memory) {
        return [
            token.PAUSER_ROLE(),
            token.MINTER_ROLE(),
            token.ACCESS_ROLE(),
            token.MOVER_ROLE(),
            token.BURNER_ROLE(),
            token.FREEZER_ROLE()
        ];
    }

    function guardedCalls() private view returns (bytes32[11] memory needed, bytes[11] memory calls) {
        (needed[0], calls[0]) = (token.PAUSER_ROLE(), abi.encodeCall(token.pause, ()));
        (needed[1], calls[1]) = (token.PAUSER_ROLE(), abi.encodeCall(token.unpause, ()));
        (needed[2], calls[2]) = (token.MINTER_ROLE(), abi.encodeCall(token.mint, (alice, 1)));
        (needed[3], calls[3]) = (token.BURNER_ROLE(), abi.encodeCall(token.burn, (1)));
        (needed[4], calls[4]) = (token.BURNER_ROLE(), abi.encodeCall(token.burnFrom, (alice, 1)));
        (needed[5], calls[5]) = (token.MOVER_ROLE(), abi.encodeCall(token.move, (alice, bob, 1)));
        (needed[6], calls[6]) = (token.MOVER_ROLE(), abi.encodeCall(token.moveAndBurn, (alice, 1)));
        (needed[7], calls[7]) = (token.FREEZER_ROLE(), abi.encodeCall(token.increaseFrozenBalance, (alice, 1)));
        (needed[8], calls[8]) = (token.FREEZER_ROLE(), abi.encodeCall(token.decreaseFrozenBalance, (alice, 1)));
        (needed[9], calls[9]) = (token.ACCESS_ROLE(), abi.encodeCall(token.enableAccount, (alice)));
        (needed[10], calls[10]) = (token.ACCESS_ROLE(), abi.encodeCall(token.disableAccount, (alice)));
    }

    // The list of wallets.

    function test_enabling_and_disabling_show_in_both_views_and_are_said_each_time() public {
        for (uint256 i = 0; i < 2; ++i) {
            vm.expectEmit(address(token));
            emit CBDCAccessControl.EnabledAccount(stranger);
            vm.prank(authority);
            token.enableAccount(stranger);
            assertTrue(token.verifyAccount(stranger) && token.authorizedAccounts(stranger), "enabled");
        }
        for (uint256 i = 0; i < 2; ++i) {
            vm.expectEmit(address(token));
            emit CBDCAccessControl.DisabledAccount(stranger);
            vm.prank(authority);
            token.disableAccount(stranger);
            assertFalse(token.verifyAccount(stranger) || token.authorizedAccounts(stranger), "disabled");
        }
    }

    function test_the_zero_address_is_never_a_member() public {
        vm.startPrank(authority);
        expectError(abi.encodeWithSelector(NonZeroAddress.DrexZeroAddress.selector, "member"));
        token.enableAccount(address(0));
        expectError(abi.encodeWithSelector(NonZeroAddress.DrexZeroAddress.selector, "member"));
        token.disableAccount(address(0));
    }

    function test_both_ends_of_every_movement_must_be_enabled() public {
        expectNotEnabled(stranger);
        vm.prank(alice);
        token.transfer(stranger, 1);

        expectNotEnabled(stranger);
        vm.prank(authority);
        token.mint(stranger, 1);

        expectNotEnabled(stranger);
        vm.prank(authority);
        token.move(alice, stranger, 1);

        vm.prank(authority);
        token.disableAccount(alice);
        expectNotEnabled(alice);
        vm.prank(alice);
        token.transfer(bob, 1);
        expectNotEnabled(alice);
        vm.prank(authority);
        token.moveAndBurn(alice, 1);
        assertEq(token.balanceOf(alice), 1000, "what a disabled wallet holds stays");
    }

    // Movements.

    function test_transfer_moves_exactly_the_amount() public {
        vm.expectEmit(address(token));
        emit IERC20.Transfer(alice, bob, 300);
        vm.prank(alice);
        assertTrue(token.transfer(bob, 300), "answer");
        assertEq(token.balanceOf(alice), 700, "alice");
        assertEq(token.balanceOf(bob), 300, "bob");
        assertEq(token.totalSupply(), 1000, "supply");
    }

    function test_a_transfer_to_oneself_changes_nothing() public {
        vm.prank(alice);
        token.transfer(alice, 1000);
        assertEq(token.balanceOf(alice), 1000, "alice");
    }

    function test_nobody_pays_more_than_there_is() public {
        expectError(abi.encodeWithSelector(IERC20Errors.ERC20InsufficientBalance.selector, alice, 1000, 1001));
        vm.prank(alice);
        token.transfer(bob, 1001);
    }

    function test_transfer_from_uses_the_allowance_up() public {
        vm.prank(alice);
        token.approve(stranger, 500);
        vm.prank(stranger);
        token.transferFrom(alice, bob, 200);
        assertEq(token.allowance(alice, stranger), 300, "allowance");
        assertEq(token.balanceOf(bob), 200, "bob");

        expectError(abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, stranger, 300, 301));
        vm.prank(stranger);
        token.transferFrom(alice, bob, 301);
    }

    function test_an_unlimited_allowance_stays() public {
        vm.prank(alice);
        token.approve(stranger, type(uint256).max);
        vm.prank(stranger);
        token.transferFrom(alice, bob, 200);
        assertEq(token.allowance(alice, stranger), type(uint256).max, "allowance");
    }

    function test_allowances_go_up_and_down() public {
        vm.startPrank(alice);
        vm.expectEmit(address(token));
        emit IERC20.Approval(alice, bob, 70);
        assertTrue(token.increaseAllowance(bob, 70), "answer");
        vm.expectEmit(address(token));
        emit IERC20.Approval(alice, bob, 40);
        assertTrue(token.decreaseAllowance(bob, 30), "answer");
        expectError(abi.encodeWithSelector(RealDigital.RealDigitalAllowanceBelowZero.selector, bob, 40, 41));
        token.decreaseAllowance(bob, 41);
    }

    function test_an_allowance_does_not_overflow() public {
        vm.startPrank(alice);
        token.approve(bob, type(uint256).max);
        expectError(abi.encodeWithSignature("Panic(uint256)", 0x11));
        token.increaseAllowance(bob, 1);
    }

    function test_mint_raises_the_supply_and_burn_lowers_it() public {
        vm.startPrank(authority);
        vm.expectEmit(address(token));
        emit IERC20.Transfer(address(0), authority, 50);
        token.mint(authority, 50);
        assertEq(token.totalSupply(), 1050, "supply after mint");
        vm.expectEmit(address(token));
        emit IERC20.Transfer(authority, address(0), 20);
        token.burn(20);
        assertEq(token.totalSupply(), 1030, "supply after burn");
        assertEq(token.balanceOf(authority), 30, "balance");
    }

    function test_the_supply_stops_at_its_limit() public {
        vm.startPrank(authority);
        token.mint(bob, AMOUNT_MAX - 1000);
        assertEq(token.totalSupply(), token.AMOUNT_MAX(), "supply");
        expectError(abi.encodeWithSelector(RealDigital.RealDigitalAmountTooLarge.selector, AMOUNT_MAX, 1, AMOUNT_MAX));
        token.mint(bob, 1);
        vm.stopPrank();
        vm.prank(bob);
        token.transfer(alice, AMOUNT_MAX - 1000);
        assertEq(token.balanceOf(alice), AMOUNT_MAX, "one wallet can hold all");
    }

    function test_an_amount_of_more_than_a_word_of_balance_is_not_cut() public {
        expectError(
            abi.encodeWithSelector(RealDigital.RealDigitalAmountTooLarge.selector, 1000, uint256(1) << 120, AMOUNT_MAX)
        );
        vm.prank(authority);
        token.mint(bob, uint256(1) << 120);

        expectError(
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientBalance.selector, alice, 1000, uint256(1) << 120)
        );
        vm.prank(alice);
        token.transfer(bob, uint256(1) << 120);
    }

    function test_burn_from_needs_the_role_and_the_allowance() public {
        vm.prank(alice);
        token.approve(authority, 100);
        vm.prank(authority);
        token.burnFrom(alice, 60);
        assertEq(token.balanceOf(alice), 940, "balance");
        assertEq(token.allowance(alice, authority), 40, "allowance");

        expectError(abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, authority, 40, 41));
        vm.prank(authority);
        token.burnFrom(alice, 41);
    }

    function test_move_and_move_and_burn_need_no_allowance() public {
        vm.startPrank(authority);
        token.move(alice, bob, 100);
        token.moveAndBurn(alice, 50);
        assertEq(token.balanceOf(alice), 850, "alice");
        assertEq(token.balanceOf(bob), 100, "bob");
        assertEq(token.totalSupply(), 950, "supply");
    }

    function test_the_zero_address_neither_pays_nor_receives() public {
        expectError(abi.encodeWithSelector(IERC20Errors.ERC20InvalidReceiver.selector, address(0)));
        vm.prank(alice);
        token.transfer(address(0), 1);
        vm.startPrank(authority);
        expectError(abi.encodeWithSelector(IERC20Errors.ERC20InvalidSender.selector, address(0)));
        token.move(address(0), alice, 1);
        expectError(abi.encodeWithSelector(IERC20Errors.ERC20InvalidSender.selector, address(0)));
        token.moveAndBurn(address(0), 1);
        expectError(abi.encodeWithSelector(IERC20Errors.ERC20InvalidReceiver.selector, address(0)));
        token.mint(address(0), 1);
    }

    // Freeze.

    function test_what_is_frozen_remains_by_every_way_out() public {
        vm.prank(authority);
        token.increaseFrozenBalance(alice, 600);
        vm.prank(alice);
        token.approve(authority, 1000);
        bytes memory refusal =
            abi.encodeWithSelector(RealDigital.RealDigitalBalanceFrozen.selector, alice, 1000, 600, 401);

        expectError(refusal);
        vm.prank(alice);
        token.transfer(bob, 401);
        expectError(refusal);
        vm.prank(authority);
        token.transferFrom(alice, bob, 401);
        expectError(refusal);
        vm.prank(authority);
        token.burnFrom(alice, 401);
        expectError(refusal);
        vm.prank(authority);
        token.move(alice, bob, 401);
        expectError(refusal);
        vm.prank(authority);
        token.moveAndBurn(alice, 401);

        vm.prank(alice);
        token.transfer(bob, 400);
        assertEq(token.balanceOf(alice), 600, "the rest was free");
    }

    function test_freezing_more_than_there_is_stops_outflow_and_not_inflow() public {
        vm.startPrank(authority);
        token.increaseFrozenBalance(alice, 5000);
        token.mint(alice, 1);
        vm.stopPrank();
        expectError(abi.encodeWithSelector(RealDigital.RealDigitalBalanceFrozen.selector, alice, 1001, 5000, 0));
        vm.prank(alice);
        token.transfer(bob, 0);
    }

    function test_freezing_says_the_new_total() public {
        vm.startPrank(authority);
        vm.expectEmit(address(token));
        emit RealDigital.FrozenBalance(alice, 300);
        token.increaseFrozenBalance(alice, 300);
        vm.expectEmit(address(token));
        emit RealDigital.FrozenBalance(alice, 450);
        token.increaseFrozenBalance(alice, 150);
        vm.expectEmit(address(token));
        emit RealDigital.FrozenBalance(alice, 50);
        token.decreaseFrozenBalance(alice, 400);
        assertEq(token.frozenBalanceOf(alice), 50, "frozen");
        assertEq(token.balanceOf(alice), 1000, "balance");
    }

    function test_no_more_is_released_than_is_frozen() public {
        vm.startPrank(authority);
        token.increaseFrozenBalance(alice, 300);
        expectError(abi.encodeWithSelector(RealDigital.RealDigitalInsufficientFrozen.selector, alice, 300, 301));
        token.decreaseFrozenBalance(alice, 301);
    }

    function test_the_frozen_amount_stops_at_its_limit() public {
        vm.startPrank(authority);
        token.increaseFrozenBalance(alice, AMOUNT_MAX);
        expectError(abi.encodeWithSelector(RealDigital.RealDigitalAmountTooLarge.selector, AMOUNT_MAX, 1, AMOUNT_MAX));
        token.increaseFrozenBalance(alice, 1);
        expectError(
            abi.encodeWithSelector(
                RealDigital.RealDigitalAmountTooLarge.selector, AMOUNT_MAX, type(uint256).max, AMOUNT_MAX
            )
        );
        token.increaseFrozenBalance(alice, type(uint256).max);
    }

    function test_nobody_s_balance_cannot_be_frozen() public {
        vm.startPrank(authority);
        expectError(abi.encodeWithSelector(NonZeroAddress.DrexZeroAddress.selector, "from"));
        token.increaseFrozenBalance(address(0), 1);
        expectError(abi.encodeWithSelector(NonZeroAddress.DrexZeroAddress.selector, "from"));
        token.decreaseFrozenBalance(address(0), 1);
    }

    function test_disabling_keeps_balance_and_frozen_amount() public {
        vm.startPrank(authority);
        token.increaseFrozenBalance(alice, 300);
        token.disableAccount(alice);
        token.enableAccount(alice);
        assertEq(token.balanceOf(alice), 1000, "balance");
        assertEq(token.frozenBalanceOf(alice), 300, "frozen");
    }

    // Pause.

    function test_pause_stops_every_movement_and_nothing_else() public {
        vm.prank(alice);
        token.approve(authority, 100);
        vm.prank(authority);
        token.pause();
        assertTrue(token.paused(), "paused");
        bytes[6] memory movements = [
            abi.encodeCall(token.mint, (alice, 1)),
            abi.encodeCall(token.burn, (0)),
            abi.encodeCall(token.burnFrom, (alice, 1)),
            abi.encodeCall(token.move, (alice, bob, 1)),
            abi.encodeCall(token.moveAndBurn, (alice, 1)),
            abi.encodeCall(token.transferFrom, (alice, bob, 1))
        ];
        for (uint256 i = 0; i < movements.length; ++i) {
            assertRefused(
                authority, address(token), movements[i], abi.encodeWithSelector(Pausable.EnforcedPause.selector)
            );
        }
        vm.prank(alice);
        token.approve(bob, 5);
        vm.startPrank(authority);
        token.enableAccount(stranger);
        token.increaseFrozenBalance(alice, 1);
        expectError(abi.encodeWithSelector(Pausable.EnforcedPause.selector));
        token.pause();
        token.unpause();
        expectError(abi.encodeWithSelector(Pausable.ExpectedPause.selector));
        token.unpause();
        token.move(alice, bob, 1);
    }

    // Against a naive twin.

    function testFuzz_transfer_agrees_with_plain_arithmetic(uint256 balance, uint256 frozen, uint256 amount) public {
        balance = bound(balance, 0, AMOUNT_MAX - 1000);
        frozen = bound(frozen, 0, AMOUNT_MAX);
        amount = bound(amount, 0, AMOUNT_MAX);
        vm.startPrank(authority);
        token.mint(authority, balance);
        token.increaseFrozenBalance(authority, frozen);
        if (amount > balance) {
            expectError(
                abi.encodeWithSelector(IERC20Errors.ERC20InsufficientBalance.selector, authority, balance, amount)
            );
        } else if (balance - amount < frozen) {
            expectError(
                abi.encodeWithSelector(
                    RealDigital.RealDigitalBalanceFrozen.selector, authority, balance, frozen, amount
                )
            );
        }
        token.transfer(bob, amount);
        bool moved = amount <= balance && balance - amount >= frozen;
        assertEq(token.balanceOf(authority), moved ? balance - amount : balance, "payer");
        assertEq(token.balanceOf(bob), moved ? amount : 0, "receiver");
        assertEq(token.frozenBalanceOf(authority), frozen, "frozen amount is untouched");
        assertTrue(token.verifyAccount(authority) && token.verifyAccount(bob), "flags are untouched");
    }

    function expectNotEnabled(address account) private {
        expectError(abi.encodeWithSelector(CBDCAccessControl.CBDCAccountNotEnabled.selector, account));
    }
}
