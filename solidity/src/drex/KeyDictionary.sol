// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {NonZeroAddress} from "./NonZeroAddress.sol";
import {ParticipantGuard} from "./ParticipantGuard.sol";
import {RealDigital} from "./RealDigital.sol";

/// @title KeyDictionary
/// @notice Payment keys to customers' wallets, as the instant-payment directory has them: a key is a `keccak256` made
/// outside the ledger, owned by the participant that registered it.
/// @dev DANGER: what is stored here is readable by everybody with a copy of the ledger, for ever, whatever the views
/// refuse. Customer data must be fictitious, as the pilot's rules said; a real tax number must never be sent.
///
/// Every function, the views too, is for participants: an `eth_call` needs a `from` that is enabled in Real Digital,
/// and a contract that asks must be enabled itself. Others get the kit's text `RealDigitalDefaultAccount: Not
/// authorized Account`.
contract KeyDictionary is ParticipantGuard {
    using NonZeroAddress for address;

    /// @notice What stands under a key.
    struct CustomerData {
        /// Tax number, fictitious.
        uint256 taxId;
        /// Root of the bank's CNPJ.
        uint256 cnpj8;
        /// Number of the bank.
        uint256 bankNumber;
        /// Number of the account.
        uint256 account;
        /// Number of the branch.
        uint256 branch;
        /// The customer's wallet.
        address wallet;
        /// Whether the key is taken.
        bool registered;
        /// The participant that owns the key; in a proposal, the one that asks for it.
        address owner;
    }

    /// @dev Key to its data.
    mapping(bytes32 key => CustomerData data) private _customers;

    /// @dev Wallet to the key that was registered for it last.
    mapping(address wallet => bytes32 key) private _keyOf;

    /// @dev Proposal and key to the data proposed; `registered` says that the proposal waits.
    mapping(uint256 proposalId => mapping(bytes32 key => CustomerData data)) private _proposals;

    /// @dev Id of the next proposal.
    uint256 private _proposalIdNext;

    /// @notice A participant asks for a key.
    /// @param owner Who owns it now and may authorise.
    /// @param proposalId Number of the proposal, from 0.
    /// @param key The key.
    event KeyRequested(address owner, uint256 proposalId, bytes32 key);

    /// @notice A key was registered, changed, or handed over.
    /// @param key The key.
    /// @param owner Who owns it from now on.
    /// @param wallet The wallet that it stands for from now on.
    event KeyUpdated(bytes32 indexed key, address indexed owner, address indexed wallet);

    /// @notice The key is taken.
    /// @param key The key.
    /// @param owner Who owns it.
    error KeyDictionaryKeyTaken(bytes32 key, address owner);

    /// @notice Nobody registered the key.
    /// @param key The key.
    error KeyDictionaryKeyUnknown(bytes32 key);

    /// @notice The caller does not own the key.
    /// @param key The key.
    /// @param caller Who called.
    /// @param owner Who owns it.
    error KeyDictionaryNotOwner(bytes32 key, address caller, address owner);

    /// @notice The wallet stands under a key of another participant, who alone may change that.
    /// @param wallet The wallet.
    /// @param key The key that it stands under.
    /// @param owner Who owns that key.
    error KeyDictionaryWalletTaken(address wallet, bytes32 key, address owner);

    /// @notice A key can only be asked for by the same person: the tax number differs from the registered one.
    /// @param key The key.
    error KeyDictionaryTaxIdDiffers(bytes32 key);

    /// @notice No proposal of that number waits for the key: it never existed, or was authorised before.
    /// @param proposalId Number of the proposal.
    /// @param key The key.
    error KeyDictionaryProposalUnknown(uint256 proposalId, bytes32 key);

    /// @dev Reverts with `DrexZeroAddress` if `token` is zero.
    /// @param token Real Digital.
    constructor(RealDigital token) ParticipantGuard(token) {}

    /// @notice Registers a key; the caller owns it. DANGER: `_cnpj8` is the last argument here and the third elsewhere.
    /// @dev Requires a participant. Emits {KeyUpdated}. Reverts with {KeyDictionaryKeyTaken},
    /// {KeyDictionaryWalletTaken} or `DrexZeroAddress`.
    /// @param key The key.
    /// @param _taxId Tax number, fictitious.
    /// @param _bankNumber Number of the bank.
    /// @param _account Number of the account.
    /// @param _branch Number of the branch.
    /// @param _wallet The customer's wallet.
    /// @param _cnpj8 Root of the bank's CNPJ.
    function addAccount(
        bytes32 key,
        uint256 _taxId,
        uint256 _bankNumber,
        uint256 _account,
        uint256 _branch,
        address _wallet,
        uint256 _cnpj8
    ) external onlyParticipant {
        CustomerData storage current = _customers[key];
        if (current.registered) revert KeyDictionaryKeyTaken(key, current.owner);
        _store(key, CustomerData(_taxId, _cnpj8, _bankNumber, _account, _branch, _wallet, true, msg.sender));
    }

    /// @notice Replaces what stands under a key of the caller's own.
    /// @dev Requires a participant that owns the key. Emits {KeyUpdated}. Reverts with {KeyDictionaryKeyUnknown},
    /// {KeyDictionaryNotOwner}, {KeyDictionaryWalletTaken} or `DrexZeroAddress`.
    /// @param key The key.
    /// @param _taxId Tax number, fictitious.
    /// @param _cnpj8 Root of the bank's CNPJ.
    /// @param _bankNumber Number of the bank.
    /// @param _account Number of the account.
    /// @param _branch Number of the branch.
    /// @param _wallet The customer's wallet; the old one no longer stands under the key.
    function updateData(
        bytes32 key,
        uint256 _taxId,
        uint256 _cnpj8,
        uint256 _bankNumber,
        uint256 _account,
        uint256 _branch,
        address _wallet
    ) external onlyParticipant {
        _requireOwner(key);
        _store(key, CustomerData(_taxId, _cnpj8, _bankNumber, _account, _branch, _wallet, true, msg.sender));
    }

    /// @notice Asks the owner of a key to hand it over, with the data that would then stand under it.
    /// @dev Requires a participant. Emits {KeyRequested}. Reverts with {KeyDictionaryKeyUnknown},
    /// {KeyDictionaryTaxIdDiffers} or `DrexZeroAddress`.
    /// @param key The key.
    /// @param _taxId Tax number; must equal the registered one.
    /// @param _cnpj8 Root of the caller's CNPJ.
    /// @param _bankNumber Number of the bank.
    /// @param _account Number of the account.
    /// @param _branch Number of the branch.
    /// @param _wallet The customer's wallet at the caller's bank.
    function requestKey(
        bytes32 key,
        uint256 _taxId,
        uint256 _cnpj8,
        uint256 _bankNumber,
        uint256 _account,
        uint256 _branch,
        address _wallet
    ) external onlyParticipant {
        CustomerData storage current = _customers[key];
        if (!current.registered) revert KeyDictionaryKeyUnknown(key);
        if (current.taxId != _taxId) revert KeyDictionaryTaxIdDiffers(key);
        _wallet.check("_wallet");
        uint256 proposalId = _proposalIdNext++;
        _proposals[proposalId][key] =
            CustomerData(_taxId, _cnpj8, _bankNumber, _account, _branch, _wallet, true, msg.sender);
        emit KeyRequested(current.owner, proposalId, key);
    }

    /// @notice Hands a key of the caller's own to the participant that asked for it. A proposal is used once.
    /// @dev Requires a participant that owns the key. Emits {KeyUpdated}. Reverts with {KeyDictionaryKeyUnknown},
    /// {KeyDictionaryNotOwner}, {KeyDictionaryProposalUnknown} or {KeyDictionaryWalletTaken}.
    /// @param proposalId Number of the proposal, from {KeyRequested}.
    /// @param key The key.
    function authorizeKey(uint256 proposalId, bytes32 key) external onlyParticipant {
        _requireOwner(key);
        CustomerData memory proposed = _proposals[proposalId][key];
        if (!proposed.registered) revert KeyDictionaryProposalUnknown(proposalId, key);
        delete _proposals[proposalId][key];
        _store(key, proposed);
    }

    /// @notice The wallet that a key stands for.
    /// @dev Requires a participant.
    /// @param key The key.
    /// @return The wallet; zero if the key is unknown.
    function getWallet(bytes32 key) external view onlyParticipant returns (address) {
        return _customers[key].wallet;
    }

    /// @notice The key that was registered last for a wallet. A wallet with a key is a customer's.
    /// @dev Requires a participant.
    /// @param wallet The wallet.
    /// @return The key; zero if there is none.
    function getKey(address wallet) external view onlyParticipant returns (bytes32) {
        return _keyOf[wallet];
    }

    /// @notice All that stands under a key.
    /// @dev Requires a participant.
    /// @param key The key.
    /// @return The data; zeros if the key is unknown.
    function getCustomerData(bytes32 key) external view onlyParticipant returns (CustomerData memory) {
        return _customers[key];
    }

    /// @dev Reverts unless `key` is registered and the caller owns it.
    function _requireOwner(bytes32 key) private view {
        CustomerData storage current = _customers[key];
        if (!current.registered) revert KeyDictionaryKeyUnknown(key);
        if (current.owner != msg.sender) revert KeyDictionaryNotOwner(key, msg.sender, current.owner);
    }

    /// @dev Writes the data under the key, and the key under its wallet, taking it from the wallet that had it. The
    /// wallet must be free, under this key, or under another key of the same owner: nobody else's customer can be taken
    /// over.
    function _store(bytes32 key, CustomerData memory data) private {
        data.wallet.check("_wallet");
        bytes32 other = _keyOf[data.wallet];
        if (other != 0 && other != key && _customers[other].owner != data.owner) {
            revert KeyDictionaryWalletTaken(data.wallet, other, _customers[other].owner);
        }
        address previous = _customers[key].wallet;
        if (_keyOf[previous] == key) delete _keyOf[previous];
        _customers[key] = data;
        _keyOf[data.wallet] = key;
        emit KeyUpdated(key, data.owner, data.wallet);
    }
}
