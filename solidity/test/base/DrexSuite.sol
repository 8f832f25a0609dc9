// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AddressDiscovery} from "../../src/drex/AddressDiscovery.sol";
import {KeyDictionary} from "../../src/drex/KeyDictionary.sol";
import {RealDigital} from "../../src/drex/RealDigital.sol";
import {RealDigitalDefaultAccount} from "../../src/drex/RealDigitalDefaultAccount.sol";
import {RealDigitalEnableAccount} from "../../src/drex/RealDigitalEnableAccount.sol";
import {RealTokenizado} from "../../src/drex/RealTokenizado.sol";
import {SwapOneStepFrom} from "../../src/drex/SwapOneStepFrom.sol";
import {TPFt} from "../../src/drex/TPFt.sol";
import {TPFtDvP} from "../../src/drex/TPFtDvP.sol";
import {TPFtOperation1001} from "../../src/drex/TPFtOperation1001.sol";
import {TPFtOperation1002} from "../../src/drex/TPFtOperation1002.sol";
import {TPFtOperation1052} from "../../src/drex/TPFtOperation1052.sol";
import {TPFtOperationId} from "../../src/drex/TPFtOperationId.sol";
import {CallerPart, TPFtData} from "../../src/drex/TPFtTypes.sol";
import {Test} from "./Test.sol";

/// @title DrexSuite
/// @notice The family deployed, wired and funded as `docs/drex-family.md` lists it: two banks with a customer each, the
/// Treasury, and the central bank in two persons.
abstract contract DrexSuite is Test {
    uint256 internal constant BACEN = 38_166;
    uint256 internal constant STN = 394_460;
    uint256 internal constant BANK_A = 11_111_111;
    uint256 internal constant BANK_B = 191;

    /// Time of the first block: 2026-09-01 12:00 in UTC.
    uint256 internal constant NOW = 1_788_264_000;
    uint256 internal constant MATURITY = 1_861_920_000; // 2029-01-01

    CallerPart internal constant SENDER = CallerPart.TPFtSender;
    CallerPart internal constant RECEIVER = CallerPart.TPFtReceiver;

    address internal immutable admin = wallet("admin");
    address internal immutable authority = wallet("authority");
    address internal immutable bacen = wallet("bacen");
    address internal immutable treasury = wallet("treasury");
    address internal immutable bankA = wallet("bankA");
    address internal immutable bankB = wallet("bankB");
    address internal immutable reserveA = wallet("reserveA");
    address internal immutable reserveB = wallet("reserveB");
    address internal immutable clientA = wallet("clientA");
    address internal immutable clientB = wallet("clientB");
    address internal immutable stranger = wallet("stranger");

    RealDigital internal real;
    RealTokenizado internal tokenA;
    RealTokenizado internal tokenB;
    AddressDiscovery internal discovery;
    RealDigitalDefaultAccount internal defaults;
    RealDigitalEnableAccount internal enabling;
    KeyDictionary internal keys;
    SwapOneStepFrom internal swap;
    TPFt internal tpft;
    TPFtDvP internal dvp;
    TPFtOperationId internal ids;
    TPFtOperation1001 internal op1001;
    TPFtOperation1002 internal op1002;
    TPFtOperation1052 internal op1052;

    function setUp() public virtual {
        vm.warp(NOW);
        deployMoney();
        deployBonds();
        grantRoles();
        admitParticipants();
        fund();
    }

    /// @dev A series as the operations take it.
    function ltn() internal pure returns (TPFtData memory) {
        return TPFtData("LTN", "100000", MATURITY);
    }

    function deployMoney() private {
        real = new RealDigital("Real Digital", "BRL", authority, admin);
        tokenA =
            new RealTokenizado("RealTokenizado@11111111", "DREX@11111111", bankA, admin, "Bank A", BANK_A, reserveA);
        tokenB =
            new RealTokenizado("RealTokenizado@00000191", "DREX@00000191", bankB, admin, "Bank B", BANK_B, reserveB);
        discovery = new AddressDiscovery(authority, admin);
        defaults = new RealDigitalDefaultAccount(real, authority, admin);
        enabling = new RealDigitalEnableAccount(real);
        keys = new KeyDictionary(real);
        swap = new SwapOneStepFrom(admin, authority, real);
    }

    function deployBonds() private {
        tpft = new TPFt(defaults, authority, admin);
        ids = new TPFtOperationId(admin);
        dvp = new TPFtDvP(real, tpft, swap, admin);
        op1001 = new TPFtOperation1001(tpft, ids, defaults, authority, admin);
        op1002 = new TPFtOperation1002(dvp, tpft, ids, defaults, authority, admin);
        op1052 = new TPFtOperation1052(dvp, tpft, ids, defaults, bacen, admin);
    }

    function grantRoles() private {
        vm.startPrank(admin);
        real.grantRole(real.ACCESS_ROLE(), address(defaults));
        real.grantRole(real.ACCESS_ROLE(), address(enabling));
        for (uint256 i = 0; i < 2; ++i) {
            RealTokenizado token = i == 0 ? tokenA : tokenB;
            token.grantRole(token.BURNER_ROLE(), address(swap));
            token.grantRole(token.MOVER_ROLE(), address(swap));
            token.grantRole(token.MINTER_ROLE(), address(swap));
        }
        tpft.grantRole(tpft.MINTER_ROLE(), address(op1001));
        tpft.grantRole(tpft.OPERATOR_ROLE(), address(dvp));
        ids.grantRole(ids.OPERATOR_ROLE(), address(op1001));
        ids.grantRole(ids.OPERATOR_ROLE(), address(op1002));
        ids.grantRole(ids.OPERATOR_ROLE(), address(op1052));
        dvp.grantRole(dvp.OPERATOR_ROLE(), address(op1002));
        dvp.grantRole(dvp.OPERATOR_ROLE(), address(op1052));
        vm.stopPrank();
    }

    function admitParticipants() private {
        vm.startPrank(authority);
        defaults.addDefaultAccount(BACEN, bacen);
        defaults.addDefaultAccount(STN, treasury);
        defaults.addDefaultAccount(BANK_A, bankA);
        defaults.addDefaultAccount(BANK_B, bankB);
        real.enableAccount(reserveA);
        real.enableAccount(reserveB);
        swap.setDigitalCurrencyApproval(address(tokenA), true);
        swap.setDigitalCurrencyApproval(address(tokenB), true);
        vm.stopPrank();

        vm.startPrank(admin);
        tpft.enableAddress(bacen);
        tpft.enableAddress(treasury);
        tpft.enableAddress(bankA);
        tpft.enableAddress(bankB);
        vm.stopPrank();

        admitCustomer(tokenA, bankA, BANK_A, clientA);
        admitCustomer(tokenB, bankB, BANK_B, clientB);
    }

    /// @dev A bank admits itself and a customer to its token, and the customer to bonds.
    function admitCustomer(RealTokenizado token, address bank, uint256 cnpj8, address client) private {
        vm.startPrank(bank);
        token.enableAccount(bank);
        token.enableAccount(client);
        tpft.enableAddress(cnpj8, client);
        vm.stopPrank();
    }

    /// @dev R$ 100.000,00 to each bank and to each reserve, R$ 50.000,00 to each customer, 1,000 bonds to the Treasury,
    /// and every approval that a settlement needs.
    function fund() private {
        vm.startPrank(authority);
        real.mint(bankA, 10_000_000);
        real.mint(bankB, 10_000_000);
        real.mint(reserveA, 10_000_000);
        real.mint(reserveB, 10_000_000);
        op1001.createTPFt(ltn());
        op1001.mint(1, ltn(), 100_000);
        vm.stopPrank();
        vm.prank(bankA);
        tokenA.mint(clientA, 5_000_000);
        vm.prank(bankB);
        tokenB.mint(clientB, 5_000_000);

        approveReal(bankA, address(dvp));
        approveReal(bankB, address(dvp));
        approveReal(reserveA, address(swap));
        approveReal(reserveB, address(swap));
        vm.prank(clientA);
        tokenA.approve(address(dvp), 5_000_000);
        vm.prank(clientB);
        tokenB.approve(address(dvp), 5_000_000);
        approveBonds(treasury);
        approveBonds(bankA);
        approveBonds(bankB);
        approveBonds(clientA);
        approveBonds(clientB);
    }

    function approveReal(address owner, address spender) private {
        vm.prank(owner);
        real.approve(spender, 10_000_000);
    }

    function approveBonds(address owner) private {
        vm.prank(owner);
        tpft.setApprovalForAll(address(dvp), true);
    }

    /// @dev A list of default wallets with nobody on it.
    function newDefaults() internal returns (RealDigitalDefaultAccount) {
        return new RealDigitalDefaultAccount(real, authority, admin);
    }

    /// @dev Bonds from the Treasury to a bank by operation 1002, at R$ 10,00 each; half of the series fits what a bank
    /// has.
    function place(uint256 operationId, uint256 cnpj8, address bank, uint256 tpftAmount) internal {
        vm.prank(authority);
        op1002.auctionPlacement(operationId, STN, cnpj8, SENDER, ltn(), tpftAmount, 10e8);
        vm.prank(bank);
        op1002.auctionPlacement(operationId, STN, cnpj8, RECEIVER, ltn(), tpftAmount, 10e8);
    }
}
