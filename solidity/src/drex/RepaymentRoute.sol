// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AddressDiscovery} from "./AddressDiscovery.sol";
import {KeyDictionary} from "./KeyDictionary.sol";
import {NonZeroAddress} from "./NonZeroAddress.sol";
import {RealDigital} from "./RealDigital.sol";
import {RealTokenizado} from "./RealTokenizado.sol";
import {SwapToRetail} from "./SwapToRetail.sol";

/// @notice What a payment of redeemed bonds asks for its way.
struct RepaymentPartners {
    /// The money of redemptions; its list says who is a participant.
    RealDigital realDigital;
    /// Says of which bank a wallet is a customer.
    KeyDictionary keyDictionary;
    /// Says which token is that bank's.
    AddressDiscovery addressDiscovery;
    /// Pays customers, and keeps the list of banks' tokens that are money here.
    SwapToRetail swapToRetail;
}

/// @title RepaymentRoute
/// @notice How the money of redeemed bonds finds their holder: a participant is paid in Real Digital, a bank's customer
/// in its bank's token.
/// @dev Whoever is enabled in Real Digital is a participant, whatever stands in KeyDictionary: any participant may
/// register a wallet there that has no key, and a key must not redirect the money of a wallet that can take it itself.
///
/// The directory proposes a bank's token and nothing more: a token counts if it is on the list of {swapToRetail} and
/// says itself that it is that bank's. The contract must be enabled in Real Digital: it holds money there, and
/// KeyDictionary answers nobody else.
abstract contract RepaymentRoute {
    using NonZeroAddress for address;

    /// @notice The money of redemptions.
    RealDigital public immutable realDigital;

    /// @notice Says of which bank a wallet is a customer.
    KeyDictionary public immutable keyDictionary;

    /// @notice Says which token is that bank's.
    AddressDiscovery public immutable addressDiscovery;

    /// @notice Pays customers.
    SwapToRetail public immutable swapToRetail;

    /// @dev Reverts with `DrexZeroAddress` if an address is zero.
    constructor(RepaymentPartners memory partners) {
        address(partners.realDigital).check("realDigital");
        address(partners.keyDictionary).check("keyDictionary");
        address(partners.addressDiscovery).check("addressDiscovery");
        address(partners.swapToRetail).check("swapToRetail");
        realDigital = partners.realDigital;
        keyDictionary = partners.keyDictionary;
        addressDiscovery = partners.addressDiscovery;
        swapToRetail = partners.swapToRetail;
    }

    /// @dev Pays a customer from Real Digital that this contract holds.
    function _payCustomer(RealTokenizado token, address customer, uint256 value) internal {
        realDigital.approve(address(swapToRetail), value);
        swapToRetail.executeSwapToRetail(token, customer, value);
    }

    /// @dev The token of the bank whose customer `holder` is by its key; zero if it has no key, or its bank no token
    /// that is money. Never reverts for what somebody else registered.
    function _bankTokenOf(address holder) internal view returns (RealTokenizado) {
        bytes32 key = keyDictionary.getKey(holder);
        if (key == 0) return RealTokenizado(address(0));
        uint256 cnpj8 = keyDictionary.getCustomerData(key).cnpj8;
        try addressDiscovery.realTokenizado(cnpj8) returns (address token) {
            bool isMoney = swapToRetail.isDigitalCurrencyApproved(token) && RealTokenizado(token).cnpj8() == cnpj8;
            return RealTokenizado(isMoney ? token : address(0));
        } catch {
            return RealTokenizado(address(0)); // what was registered is the root of no CNPJ
        }
    }
}
