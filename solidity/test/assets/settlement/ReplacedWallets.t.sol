// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {InvestorClass} from "../../../src/assets/identity/Identity.sol";
import {WalletSuccession} from "../../../src/assets/identity/WalletSuccession.sol";
import {LienTerms} from "../../../src/assets/settlement/LienTypes.sol";
import {Liens} from "../../../src/assets/settlement/Liens.sol";
import {Settlement} from "../../../src/assets/settlement/Settlement.sol";
import {SettlementLeg, SettlementTerms} from "../../../src/assets/settlement/SettlementTypes.sol";
import {TokenStandard} from "../../../src/assets/settlement/TokenStandard.sol";
import {AssetSuite} from "../token/AssetSuite.sol";
import {OpenMoney} from "./OpenTokens.sol";

/// @notice Money that names something as its registry which is none.
contract MisnamingMoney is OpenMoney {
    bytes private _answer;

    constructor(bytes memory answer) {
        _answer = answer;
    }

    function identityRegistry() external view {
        bytes memory answer = _answer;
        assembly {
            return(add(answer, 0x20), mload(answer))
        }
    }
}

/// @title ReplacedWalletsTest
/// @notice Regulated units that a contract keeps come back to an investor whose wallet was replaced meanwhile.
contract ReplacedWalletsTest is AssetSuite {
    uint64 private constant END = uint64(NOW + 60 days);
    uint256 private constant AMOUNT = 250;

    Liens private _liens;
    Settlement private _settlement;

    function setUp() public override {
        super.setUp();
        _liens = new Liens();
        _settlement = new Settlement();
        admit(address(_liens), 10);
        admit(address(_settlement), 11);
        vm.startPrank(alice);
        token.approve(address(_liens), type(uint256).max);
        token.approve(address(_settlement), type(uint256).max);
        vm.stopPrank();
    }

    function admit(address custodian, uint256 number) private {
        enter(custodian, number);
        uint16 expiry = today() + 3_650;
        vm.prank(agent);
        registry.updateInvestor(custodian, InvestorClass.Qualified, expiry, true);
    }

    function pledge(address asset) private returns (uint256) {
        vm.prank(alice);
        return _liens.pledge(
            LienTerms(TokenStandard.ERC20, asset, 0, AMOUNT, bob, notary, 0, END, keccak256("loan agreement"))
        );
    }

    function lose(address lost, address successor) private {
        vm.prank(agent);
        registry.replaceWallet(lost, successor);
    }

    function test_what_was_pledged_is_released_to_the_investor_s_wallet() public {
        uint256 lienId = pledge(address(token));
        lose(alice, carol);
        vm.prank(bob);
        _liens.release(lienId, 100);
        assertEq(token.balanceOf(carol), 100, "a part");
        assertEq(_liens.pledgedOf(alice, address(token), 0), AMOUNT - 100, "the lien stays where it was made");
        lose(carol, dave);
        vm.prank(bob);
        _liens.release(lienId, AMOUNT - 100);
        assertEq(token.balanceOf(dave), AMOUNT - 100, "the rest, after another loss");
    }

    function test_what_was_pledged_lapses_to_the_investor_s_wallet() public {
        uint256 lienId = pledge(address(token));
        lose(alice, carol);
        vm.warp(END);
        _liens.lapse(lienId);
        assertEq(token.balanceOf(carol), AMOUNT, "back");
        assertEq(token.balanceOf(address(_liens)), 0, "nothing stays");
    }

    function test_a_held_leg_goes_back_to_the_investor_s_wallet() public {
        SettlementTerms memory terms;
        terms.legs = new SettlementLeg[](1);
        terms.legs[0] = SettlementLeg(TokenStandard.ERC20, address(token), alice, bob, 0, AMOUNT);
        (terms.notary, terms.deadline, terms.expiry) = (notary, uint64(NOW), uint64(NOW + 1 days));
        vm.prank(alice);
        _settlement.confirm(terms);
        lose(alice, carol);
        vm.prank(notary);
        _settlement.release(terms);
        _settlement.giveBack(terms, 1);
        assertEq(token.balanceOf(carol), AMOUNT, "back");
        assertEq(token.balanceOf(address(_settlement)), 0, "nothing stays");
    }

    function test_a_wallet_replaced_too_often_waits() public {
        uint256 lienId = pledge(address(token));
        address current = alice;
        for (uint256 i = 0; i < 17; ++i) {
            address next = address(uint160(0xA11CE000 + i));
            lose(current, next);
            current = next;
        }
        bytes4 tooMany = WalletSuccession.InvestorSuccessionsTooMany.selector;
        bytes memory call = abi.encodeCall(_liens.release, (lienId, 1));
        assertRefused(bob, address(_liens), call, abi.encodeWithSelector(tooMany, alice, 16));
    }

    function test_a_token_that_names_no_registry_of_this_kind_gives_back_to_the_holder() public {
        lose(alice, carol);
        bytes[5] memory answers = [
            bytes(""),
            abi.encode(address(0)),
            abi.encode(address(rules)),
            abi.encode(uint256(uint160(address(registry))) | (1 << 160)),
            abi.encode(address(registry), uint256(0))
        ];
        for (uint256 i = 0; i < answers.length; ++i) {
            MisnamingMoney money = new MisnamingMoney(answers[i]);
            money.mint(alice, AMOUNT);
            vm.prank(alice);
            money.approve(address(_liens), AMOUNT);
            uint256 lienId = pledge(address(money));
            vm.prank(bob);
            _liens.release(lienId, AMOUNT);
            assertEq(money.balanceOf(alice), AMOUNT, "to whom pledged");
        }
    }
}
