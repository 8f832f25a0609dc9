// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";

import {Duties} from "../access/Duties.sol";
import {UpgradeSwitch} from "../access/UpgradeSwitch.sol";
import {Identity, IdentityFields, InvestorClass} from "./Identity.sol";
import {IIdentityRegistry} from "./IIdentityRegistry.sol";
import {IIdentityScreen} from "./IIdentityScreen.sol";
import {RegistryData, StoredClaim} from "./RegistryStorage.sol";
import {SignedClaims} from "./SignedClaims.sol";

/// @title IdentityRegistry
/// @notice Investors, their countries, classes and claims, for any number of tokens.
/// @dev One word per wallet holds all that a transfer asks for. An investor, named by an identity address, has one wallet
/// at a time: limits per wallet are then limits per investor, and nobody doubles them with a second wallet. The identity
/// may be an ONCHAINID contract or any address that the registrar assigns; the registry calls no code of it. Neither
/// names nor numbers of persons belong here.
///
/// ERC-3643 has registry, storage, topics and issuers as four contracts; here they are one, shared by tokens, and the
/// functions that would set the parts refuse.
contract IdentityRegistry is UpgradeSwitch, SignedClaims, IIdentityRegistry, IIdentityScreen {
    /// @notice Largest country code of ISO 3166-1 numeric.
    uint16 public constant COUNTRY_MAX = 999;

    /// @notice Largest number of entries in a batch.
    uint256 public constant BATCH_ENTRIES_MAX = 256;

    /// @notice Class or end of registration of an investor changed, or whether it is infrastructure.
    /// @param investorAddress Whose wallet.
    /// @param class The class.
    /// @param expiryDay First day on which the registration no longer holds, in days of UTC since 1970-01-01.
    /// @param isInfrastructure Whether quantities per investor do not bind it.
    event InvestorUpdated(
        address indexed investorAddress, InvestorClass class, uint16 expiryDay, bool isInfrastructure
    );

    /// @notice An investor has another wallet. Units stay where they are until each token's agent recovers them.
    /// @param lostWallet The old wallet, which can never be registered again.
    /// @param newWallet The new wallet.
    /// @param identity Whose they are.
    event WalletReplaced(address indexed lostWallet, address indexed newWallet, address indexed identity);

    /// @notice A wallet or an identity is zero.
    error IdentityZeroAddress();

    /// @notice The wallet is not registered.
    /// @param wallet Which.
    error IdentityNotRegistered(address wallet);

    /// @notice The wallet is registered, or was replaced by another and is retired.
    /// @param wallet Which.
    error IdentityWalletTaken(address wallet);

    /// @notice The identity is or was somebody's: it has a wallet, or a number of its own, or another took its place.
    /// @param identity Which.
    /// @param wallet Its wallet, zero if it has none now.
    error IdentityTaken(address identity, address wallet);

    /// @notice No such country.
    /// @param country What was given.
    /// @param max {COUNTRY_MAX}; 0 is no country either.
    error IdentityCountryInvalid(uint16 country, uint16 max);

    /// @notice Lists differ in length or are too long.
    /// @param length Length of the first.
    /// @param max {BATCH_ENTRIES_MAX}.
    error IdentityBatchInvalid(uint256 length, uint256 max);

    /// @notice The registry is one contract: none of its parts can be set.
    error IdentityRegistryIsWhole();

    /// @dev Plain with an admin; an implementation for proxies without one.
    /// @param admin Receives the admin's role; zero: see `UpgradeSwitch`.
    constructor(address admin) {
        if (admin == address(0)) _disableInitializers();
        else initialize(admin);
    }

    /// @notice Registers an investor's wallet, without class and for good. {registerInvestor} says more.
    /// @dev As {registerInvestor}.
    /// @param userAddress The wallet.
    /// @param identity_ The investor.
    /// @param country By ISO 3166-1 numeric.
    function registerIdentity(address userAddress, address identity_, uint16 country) external onlyRole(Duties.AGENT) {
        _register(userAddress, identity_, country, InvestorClass.None, type(uint16).max);
    }

    /// @notice {registerIdentity} per entry; all or none.
    /// @dev Reverts also with {IdentityBatchInvalid}.
    /// @param userAddresses The wallets, at most {BATCH_ENTRIES_MAX}.
    /// @param identities The investors.
    /// @param countries By ISO 3166-1 numeric.
    function batchRegisterIdentity(
        address[] calldata userAddresses,
        address[] calldata identities,
        uint16[] calldata countries
    ) external onlyRole(Duties.AGENT) {
        uint256 length = userAddresses.length;
        if (length > BATCH_ENTRIES_MAX || length != identities.length || length != countries.length) {
            revert IdentityBatchInvalid(length, BATCH_ENTRIES_MAX);
        }
        for (uint256 i = 0; i < length; ++i) {
            _register(userAddresses[i], identities[i], countries[i], InvestorClass.None, type(uint16).max);
        }
    }

    /// @notice Registers an investor's wallet. Claims that the identity has count at once.
    /// @dev Requires AGENT_ROLE. Emits `IdentityRegistered` and {InvestorUpdated}. Reverts with {IdentityZeroAddress},
    /// {IdentityWalletTaken}, {IdentityTaken}, {IdentityCountryInvalid}.
    /// @param wallet The wallet; it has never been replaced by another.
    /// @param identity_ The investor; it has no wallet, and no other identity took its place.
    /// @param country By ISO 3166-1 numeric, such as 76 for Brazil.
    /// @param class Class by CVM Resolution 30.
    /// @param expiryDay First day on which the registration no longer holds, in days of UTC since 1970-01-01.
    function registerInvestor(address wallet, address identity_, uint16 country, InvestorClass class, uint16 expiryDay)
        external
        onlyRole(Duties.AGENT)
    {
        _register(wallet, identity_, country, class, expiryDay);
        emit InvestorUpdated(wallet, class, expiryDay, false);
    }

    /// @notice Removes a wallet: it can receive nothing more. What it holds it can still send, as far as the rules on its
    /// investor let it.
    /// @dev Requires AGENT_ROLE. Emits `IdentityRemoved`. Reverts with {IdentityNotRegistered}.
    /// @param userAddress The wallet.
    function deleteIdentity(address userAddress) external onlyRole(Duties.AGENT) {
        address identity_ = _identityOf(userAddress);
        _unlink(userAddress, identity_, 0);
        emit IdentityRemoved(userAddress, identity_);
    }

    /// @notice Changes the country of an investor.
    /// @dev Requires AGENT_ROLE. Emits `CountryUpdated`. Reverts with {IdentityNotRegistered}, {IdentityCountryInvalid}.
    /// @param userAddress The wallet.
    /// @param country By ISO 3166-1 numeric.
    function updateCountry(address userAddress, uint16 country) external onlyRole(Duties.AGENT) {
        _checkCountry(country);
        _registry().records[userAddress] = _recordOf(userAddress).withCountry(country);
        emit CountryUpdated(userAddress, country);
    }

    /// @notice Changes class, end of registration, and whether this is infrastructure.
    /// @dev Requires AGENT_ROLE. Emits {InvestorUpdated}. Reverts with {IdentityNotRegistered}.
    /// @param wallet The wallet.
    /// @param class Class by CVM Resolution 30.
    /// @param expiryDay First day on which the registration no longer holds, in days of UTC since 1970-01-01.
    /// @param isInfrastructure True for a part of the market that is no investor: quantities per investor do not bind it.
    function updateInvestor(address wallet, InvestorClass class, uint16 expiryDay, bool isInfrastructure)
        external
        onlyRole(Duties.AGENT)
    {
        uint8 flags = IdentityFields.REGISTERED | (isInfrastructure ? IdentityFields.INFRASTRUCTURE : 0);
        Identity record = _recordOf(wallet);
        _registry().records[wallet] = record.withClass(class).withExpiryDay(expiryDay).withFlags(flags);
        emit InvestorUpdated(wallet, class, expiryDay, isInfrastructure);
    }

    /// @notice Gives the investor of a wallet another identity address. The investor's number stays; claims do not: they
    /// are about the old address.
    /// @dev Requires AGENT_ROLE. Emits `IdentityUpdated`. Reverts with {IdentityNotRegistered}, {IdentityZeroAddress},
    /// {IdentityTaken} if the address ever was somebody's.
    /// @param userAddress The wallet.
    /// @param identity_ The new identity.
    function updateIdentity(address userAddress, address identity_) external onlyRole(Duties.AGENT) {
        address old = _identityOf(userAddress);
        RegistryData storage data = _registry();
        if (identity_ == address(0)) revert IdentityZeroAddress();
        if (data.numbers[identity_] != 0) revert IdentityTaken(identity_, data.wallets[identity_]);
        uint32 number = data.numbers[old];
        data.numbers[identity_] = number;
        data.identityOf[number] = identity_;
        delete data.wallets[old];
        data.wallets[identity_] = userAddress;
        data.identities[userAddress] = identity_;
        data.records[userAddress] = _withClaims(data.records[userAddress], identity_);
        emit IdentityUpdated(old, identity_);
    }

    /// @notice Gives an investor another wallet, for good: the old one can never be registered again, and regulated tokens
    /// let it send nothing.
    /// @dev Requires AGENT_ROLE. Emits {WalletReplaced}, `IdentityRemoved`, `IdentityRegistered`. Reverts with
    /// {IdentityNotRegistered}, {IdentityZeroAddress}, {IdentityWalletTaken}. Each token's `recoveryAddress` moves units
    /// along this path alone.
    /// @param lostWallet The wallet that was lost or is given up.
    /// @param newWallet The wallet that takes its place.
    function replaceWallet(address lostWallet, address newWallet) external onlyRole(Duties.AGENT) {
        address identity_ = _identityOf(lostWallet);
        _checkNewWallet(newWallet);
        Identity record = _registry().records[lostWallet];
        _unlink(lostWallet, identity_, IdentityFields.RETIRED);
        _registry().successors[lostWallet] = newWallet;
        _link(newWallet, identity_, record);
        emit WalletReplaced(lostWallet, newWallet, identity_);
        emit IdentityRemoved(lostWallet, identity_);
        emit IdentityRegistered(newWallet, identity_);
    }

    /// @notice Refuses: identities are kept here.
    function setIdentityRegistryStorage(address) external pure {
        revert IdentityRegistryIsWhole();
    }

    /// @notice Refuses: topics are kept here.
    function setClaimTopicsRegistry(address) external pure {
        revert IdentityRegistryIsWhole();
    }

    /// @notice Refuses: trusted issuers are kept here.
    function setTrustedIssuersRegistry(address) external pure {
        revert IdentityRegistryIsWhole();
    }

    /// @inheritdoc IIdentityScreen
    function screen(address from, address to, uint8 topics)
        external
        view
        returns (Identity fromIdentity, Identity toIdentity)
    {
        topics |= _requiredTopics();
        return (_screened(from, topics), _screened(to, topics));
    }

    /// @inheritdoc IIdentityScreen
    function screenOne(address account, uint8 topics) external view returns (Identity) {
        return _screened(account, topics | _requiredTopics());
    }

    /// @inheritdoc IIdentityScreen
    function successorOf(address wallet) external view returns (address) {
        return _registry().successors[wallet];
    }

    /// @inheritdoc IIdentityRegistry
    function isVerified(address userAddress) external view returns (bool) {
        return _screened(userAddress, _requiredTopics()).isVerified();
    }

    /// @inheritdoc IIdentityRegistry
    function contains(address userAddress) external view returns (bool) {
        return _registry().records[userAddress].isRegistered();
    }

    /// @inheritdoc IIdentityRegistry
    function identity(address userAddress) external view returns (address) {
        return _registry().identities[userAddress];
    }

    /// @inheritdoc IIdentityRegistry
    function investorCountry(address userAddress) external view returns (uint16) {
        return _registry().records[userAddress].country();
    }

    /// @notice The wallet of an investor.
    /// @param identity_ The investor.
    /// @return Zero if there is none now.
    function walletOf(address identity_) external view returns (address) {
        return _registry().wallets[identity_];
    }

    /// @notice This contract: there is no separate storage.
    /// @return This contract's address.
    function identityStorage() external view returns (address) {
        return address(this);
    }

    /// @notice This contract: it knows the trusted issuers itself.
    /// @return This contract's address.
    function issuersRegistry() external view returns (address) {
        return address(this);
    }

    /// @notice This contract: it knows the topics itself.
    /// @return This contract's address.
    function topicsRegistry() external view returns (address) {
        return address(this);
    }

    /// @inheritdoc IERC165
    function supportsInterface(bytes4 interfaceId) external pure returns (bool) {
        return interfaceId == type(IERC165).interfaceId || interfaceId == type(IIdentityScreen).interfaceId
            || interfaceId == type(IIdentityRegistry).interfaceId;
    }

    /// @notice Sets a proxy's registry up, once.
    /// @dev Reverts with `InvalidInitialization` later, or `RolesZeroAccount`.
    /// @param admin Receives the admin's role.
    function initialize(address admin) public initializer {
        _setAdmin(admin);
    }

    function _domainName() internal pure override returns (string memory) {
        return "Lastro Identity Registry";
    }

    /// @dev The record, with VERIFIED set if the registration and a claim of a trusted issuer on each topic hold today.
    function _screened(address wallet, uint8 topics) private view returns (Identity record) {
        record = _registry().records[wallet];
        uint256 today = _today();
        if (!record.isRegistered() || record.expiryDay() <= today) return record;
        for (uint256 i = 0; topics != 0; ++i) {
            if (topics & 1 != 0) {
                (uint8 place, uint16 endDay) = record.claim(i);
                if (place == 0 || endDay <= today || !_isTrustedOn(place, i)) return record;
            }
            topics >>= 1;
        }
        return record.withFlag(IdentityFields.VERIFIED);
    }

    function _register(address wallet, address identity_, uint16 country, InvestorClass class, uint16 expiryDay)
        private
    {
        RegistryData storage data = _registry();
        _checkNewWallet(wallet);
        _checkCountry(country);
        if (identity_ == address(0)) revert IdentityZeroAddress();
        if (data.wallets[identity_] != address(0)) revert IdentityTaken(identity_, data.wallets[identity_]);
        uint32 number = data.numbers[identity_];
        if (number == 0) {
            number = ++data.lastNumber;
            data.numbers[identity_] = number;
            data.identityOf[number] = identity_;
        } else if (data.identityOf[number] != identity_) {
            revert IdentityTaken(identity_, address(0));
        }
        Identity record = Identity.wrap(0).withCountry(country).withClass(class).withNumber(number);
        record = record.withExpiryDay(expiryDay).withFlags(IdentityFields.REGISTERED);
        _link(wallet, identity_, _withClaims(record, identity_));
        emit IdentityRegistered(wallet, identity_);
    }

    function _link(address wallet, address identity_, Identity record) private {
        _registry().records[wallet] = record;
        _registry().identities[wallet] = identity_;
        _registry().wallets[identity_] = wallet;
    }

    /// @dev Takes a wallet from its investor. Its record keeps the investor's number: units that it holds still are bound
    /// by rules on the investor.
    function _unlink(address wallet, address identity_, uint8 flags) private {
        uint32 number = _registry().records[wallet].number();
        _registry().records[wallet] = Identity.wrap(0).withNumber(number).withFlags(flags);
        delete _registry().identities[wallet];
        delete _registry().wallets[identity_];
    }

    /// @dev The record with the claims that the registry has of this identity, and no others.
    function _withClaims(Identity record, address identity_) private view returns (Identity) {
        uint256 count = _registry().topics.length;
        for (uint256 i = 0; i < count; ++i) {
            StoredClaim storage stored = _registry().claims[identity_][i];
            record = record.withClaim(i, stored.issuerIndex, stored.endDay);
        }
        return record;
    }

    function _recordOf(address wallet) private view returns (Identity record) {
        record = _registry().records[wallet];
        if (!record.isRegistered()) revert IdentityNotRegistered(wallet);
    }

    function _identityOf(address wallet) private view returns (address identity_) {
        identity_ = _registry().identities[wallet];
        if (identity_ == address(0)) revert IdentityNotRegistered(wallet);
    }

    function _checkNewWallet(address wallet) private view {
        if (wallet == address(0)) revert IdentityZeroAddress();
        if (_registry().records[wallet].isRegistered() || _registry().successors[wallet] != address(0)) {
            revert IdentityWalletTaken(wallet);
        }
    }

    function _checkCountry(uint16 country) private pure {
        if (country == 0 || country > COUNTRY_MAX) revert IdentityCountryInvalid(country, COUNTRY_MAX);
    }
}
