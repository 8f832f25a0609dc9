// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Certificates} from "../../../src/assets/certificates/Certificates.sol";
import {CertificateVoucher} from "../../../src/assets/certificates/CertificateTypes.sol";
import {Claim, SignedClaims} from "../../../src/assets/identity/SignedClaims.sol";
import {Settlement} from "../../../src/assets/settlement/Settlement.sol";
import {SettlementLeg, SettlementTerms} from "../../../src/assets/settlement/SettlementTypes.sol";
import {TokenStandard} from "../../../src/assets/settlement/TokenStandard.sol";
import {IRegulatedToken} from "../../../src/assets/token/IRegulatedToken.sol";
import {TokenErrors} from "../../../src/assets/token/TokenErrors.sol";
import {AssetSuite} from "../token/AssetSuite.sol";

interface EtchVm {
    function etch(address target, bytes calldata code) external;
    function store(address target, bytes32 slot, bytes32 value) external;
}

/// @title SignedDigestsTest
/// @notice What is signed, for contracts at a known place: another program that makes the same values, here
/// `bindings::assets::signing`, makes signatures that the contracts take.
contract SignedDigestsTest is AssetSuite {
    EtchVm private constant etchVm = EtchVm(address(vm));
    address private constant PLACE = 0x00000000000000000000000000000000000c0dE1;
    address private constant SIGNER = 0x0000000000000000000000000000000000001550;
    address private constant HOLDER = 0x000000000000000000000000000000000000a11c;
    /// The eleventh slot of the token's namespace.
    bytes32 private constant NAME_SLOT =
        bytes32(uint256(0xf55829cb4ae5b56c8e1eaa56f7ed21c2ccc3849e401b6a12abf34da5b7ba6100) + 10);
    uint64 private constant DEADLINE = 1_788_278_400;

    function setUp() public override {
        super.setUp();
        assetVm.chainId(381_660_001);
    }

    function test_claim() public {
        etchVm.etch(PLACE, address(registry).code);
        Claim memory claim = Claim(HOLDER, 1, filled(0xda), 1_788_274_800, 21_062, SIGNER);
        assertEq(
            SignedClaims(PLACE).claimDigest(claim),
            0x2fe2abf6f9755853b4184e7be99574ea95eaac17136b0052ff7d3e9a37bc59eb,
            "claim"
        );
    }

    function test_voucher() public {
        etchVm.etch(PLACE, address(new Certificates("Certificates", "CRT", "", true, 0, admin)).code);
        CertificateVoucher memory voucher = CertificateVoucher(SIGNER, HOLDER, filled(0xc1), filled(0xda), DEADLINE);
        assertEq(
            Certificates(PLACE).voucherDigest(voucher),
            0x24058a00ae2ccbdda6b5f7717c1715caaf187d1bde5caa9a7b81b540de280be6,
            "voucher"
        );
    }

    function test_confirmation() public {
        etchVm.etch(PLACE, address(new Settlement()).code);
        SettlementTerms memory terms;
        terms.legs = new SettlementLeg[](2);
        terms.legs[0] = SettlementLeg(TokenStandard.ERC1155, PLACE, HOLDER, SIGNER, 7, 25);
        terms.legs[1] = SettlementLeg(TokenStandard.ERC20, PLACE, SIGNER, HOLDER, 0, 100_000);
        (terms.notary, terms.deadline, terms.expiry) = (SIGNER, DEADLINE, 1_788_361_200);
        (terms.offLedgerHash, terms.salt) = (filled(0x0f), 3);
        assertEq(
            Settlement(PLACE).confirmationDigest(terms, HOLDER),
            0xa0bcdea3ab1fb7ec6062ad9d6b058cf93b68cd33fec82d92f311d5a8fc3dc0c3,
            "confirmation"
        );
    }

    function test_permit() public {
        // A permit that nobody signed is refused with what should be signed. The name, which belongs to that, is put
        // where the token has it.
        etchVm.etch(PLACE, address(token).code);
        etchVm.store(PLACE, NAME_SLOT, bytes32("Debenture Lastro 2030") | bytes32(uint256(2 * 21)));
        assertEq(IRegulatedToken(PLACE).name(), "Debenture Lastro 2030", "name");
        expectError(
            abi.encodeWithSelector(
                TokenErrors.TokenPermitInvalid.selector,
                HOLDER,
                0x2a0c6cb1f1199e6dcda7bead4e1e2a062a51e52fb8357d7e0d41daa1cfeecc37
            )
        );
        IRegulatedToken(PLACE).permit(HOLDER, SIGNER, 123, DEADLINE, 27, filled(1), filled(1));
    }

    /// @dev A word of 32 times the same byte.
    function filled(uint8 value) private pure returns (bytes32) {
        return bytes32(uint256(value) * (type(uint256).max / 255));
    }
}
