// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IComplianceModule} from "../../../src/assets/compliance/IComplianceModule.sol";
import {ITransferRules, Movement, Refusal} from "../../../src/assets/compliance/ITransferRules.sol";
import {ReasonCodes} from "../../../src/assets/compliance/ReasonCodes.sol";
import {Rule, RuleKind} from "../../../src/assets/compliance/RuleBook.sol";
import {RuleChecks} from "../../../src/assets/compliance/RuleChecks.sol";
import {AssetSuite} from "../token/AssetSuite.sol";

/// @notice A module that permits up to its configuration, for this one sender.
contract UpToModule is IComplianceModule {
    function check(Movement calldata movement, bytes32 configuration)
        external
        pure
        returns (uint16 reason, uint256 argument)
    {
        if (movement.amount <= uint256(configuration)) return (0, 0);
        // The smallest and the largest code that a module may use.
        return (movement.amount % 2 == 0 ? 1_000 : type(uint16).max, uint256(configuration));
    }
}

/// @notice A module that does whatever could hurt its caller.
contract HostileModule {
    uint256 public mode;

    function set(uint256 mode_) external {
        mode = mode_;
    }

    fallback() external {
        uint256 how = mode;
        if (how == 0) revert("no");
        if (how == 1) while (true) {}
        if (how == 2) mode = 9;
        assembly {
            switch how
            case 3 { return(0, 200000) }
            case 4 { return(0, 32) }
            case 5 {
                mstore(0, 999)
                return(0, 64)
            }
            case 6 {
                mstore(0, 65536)
                return(0, 64)
            }
            case 7 { invalid() }
            default { return(0, 0) }
        }
    }
}

/// @title ExternalRuleTest
/// @notice A module of somebody else's making: asked as the rules of the house are, and kept from doing harm.
contract ExternalRuleTest is AssetSuite {
    function test_a_module_judges_by_its_configuration() public {
        UpToModule module = new UpToModule();
        setRules(one(external_(address(module), 500)));
        transfer(alice, bob, 500);
        expectError(abi.encodeWithSelector(ITransferRules.ComplianceRefused.selector, module, type(uint16).max, 500));
        vm.prank(alice);
        token.transfer(bob, 501);
        Refusal[] memory reasons = token.transferRefusals(alice, bob, 502);
        assertEq(reasons.length, 1, "one reason");
        assertEq(reasons[0].module, address(module), "whose");
        assertEq(reasons[0].reason, 1_000, "which");
    }

    function test_whatever_a_hostile_module_does_is_a_refusal() public {
        HostileModule module = new HostileModule();
        setRules(one(external_(address(module), 0)));
        for (uint256 mode = 0; mode < 9; ++mode) {
            module.set(mode);
            assertRefused(
                alice,
                address(token),
                abi.encodeCall(token.transfer, (bob, 1)),
                abi.encodeWithSelector(
                    ITransferRules.ComplianceRefused.selector, module, ReasonCodes.MODULE_FAILED, address(module)
                )
            );
            assertFalse(token.canTransfer(alice, bob, 1), "and an answer");
            assertEq(module.mode(), mode, "nothing was changed");
        }
    }

    function test_a_version_has_three_modules_at_most() public {
        UpToModule module = new UpToModule();
        Rule[] memory list = new Rule[](4);
        for (uint256 i = 0; i < 4; ++i) {
            list[i] = external_(address(module), i);
        }
        assertRefused(
            officer,
            address(rules),
            abi.encodeCall(rules.scheduleRules, (list, uint48(NOW))),
            abi.encodeWithSelector(RuleChecks.RuleTooMany.selector, 4, 3)
        );
        list[3] = rule(RuleKind.BalanceMax, 1e9);
        setRules(list);
        assertEq(rules.rulesInForce().length, 4, "three and one of the house");
    }

    function external_(address module, uint256 configuration) private pure returns (Rule memory made) {
        made = Rule(RuleKind.External, new uint256[](2));
        (made.words[0], made.words[1]) = (uint160(module), configuration);
    }
}
