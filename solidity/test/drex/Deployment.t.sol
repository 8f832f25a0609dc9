// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessControl} from "@openzeppelin/contracts/access/AccessControl.sol";

import {NonZeroAddress} from "../../src/drex/NonZeroAddress.sol";
import {RealDigital} from "../../src/drex/RealDigital.sol";
import {RealDigitalDefaultAccount} from "../../src/drex/RealDigitalDefaultAccount.sol";
import {SwapOneStepFrom} from "../../src/drex/SwapOneStepFrom.sol";
import {TPFt} from "../../src/drex/TPFt.sol";
import {TPFtDvP} from "../../src/drex/TPFtDvP.sol";
import {TPFtOperation1001} from "../../src/drex/TPFtOperation1001.sol";
import {TPFtOperation1052} from "../../src/drex/TPFtOperation1052.sol";
import {TPFtOperationId} from "../../src/drex/TPFtOperationId.sol";
import {DrexSuite} from "../base/DrexSuite.sol";

contract DeploymentTest is DrexSuite {
    function test_the_deployer_keeps_no_role_anywhere() public view {
        address[12] memory deployed = [
            address(real),
            address(tokenA),
            address(tokenB),
            address(discovery),
            address(defaults),
            address(swap),
            address(tpft),
            address(dvp),
            address(ids),
            address(op1001),
            address(op1002),
            address(op1052)
        ];
        for (uint256 i = 0; i < deployed.length; ++i) {
            AccessControl target = AccessControl(deployed[i]);
            assertTrue(target.hasRole(0, admin), "the admin administers");
            assertFalse(target.hasRole(0, address(this)), "the deployer does not");
            assertFalse(target.hasRole(0, authority), "nor the authority");
        }
    }

    function test_constructors_call_nothing_so_partners_may_be_deployed_later() public {
        RealDigital money = RealDigital(wallet("money to come"));
        TPFt bonds = TPFt(wallet("bonds to come"));
        TPFtOperationId numbers = TPFtOperationId(wallet("numbers to come"));
        RealDigitalDefaultAccount accounts = new RealDigitalDefaultAccount(money, authority, admin);
        SwapOneStepFrom swap_ = new SwapOneStepFrom(admin, authority, money);
        TPFtDvP settlement = new TPFtDvP(money, bonds, swap_, admin);
        TPFtOperation1052 trades = new TPFtOperation1052(settlement, bonds, numbers, accounts, authority, admin);
        assertEq(address(trades.getTPFtDvP()), address(settlement), "TPFtDvP");
        assertEq(address(trades.getTPFt()), address(bonds), "TPFt");
        assertEq(address(trades.getTPFtOperationId()), address(numbers), "TPFtOperationId");
        assertEq(address(trades.getRealDigitalDefaultAccount()), address(accounts), "RealDigitalDefaultAccount");
        assertEq(address(settlement.realDigital()), address(money), "RealDigital");
    }

    function test_an_operation_names_all_its_partners() public {
        expectZero("tpft");
        new TPFtOperation1001(TPFt(address(0)), ids, defaults, authority, admin);
        expectZero("operationIds");
        new TPFtOperation1001(tpft, TPFtOperationId(address(0)), defaults, authority, admin);
        expectZero("defaultAccounts");
        new TPFtOperation1001(tpft, ids, RealDigitalDefaultAccount(address(0)), authority, admin);
        expectZero("authority");
        new TPFtOperation1001(tpft, ids, defaults, address(0), admin);
        expectZero("admin");
        new TPFtOperation1001(tpft, ids, defaults, authority, address(0));
        expectZero("dvp");
        new TPFtOperation1052(TPFtDvP(address(0)), tpft, ids, defaults, authority, admin);
    }

    function expectZero(string memory parameter) private {
        expectError(abi.encodeWithSelector(NonZeroAddress.DrexZeroAddress.selector, parameter));
    }

    function test_an_admin_can_hand_over_and_keep_nothing() public {
        vm.startPrank(admin);
        real.grantRole(0, stranger);
        real.renounceRole(0, admin);
        vm.stopPrank();
        assertRefused(
            admin,
            address(real),
            abi.encodeCall(real.grantRole, (keccak256("MINTER_ROLE"), admin)),
            missingRole(admin, 0)
        );
        vm.prank(stranger);
        real.grantRole(keccak256("MINTER_ROLE"), stranger);
    }
}
