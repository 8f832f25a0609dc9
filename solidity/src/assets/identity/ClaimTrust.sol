// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Duties} from "../access/Duties.sol";
import {DutyRoles} from "../access/DutyRoles.sol";
import {IClaimTopicsRegistry} from "./IClaimTopicsRegistry.sol";
import {IdentityFields} from "./Identity.sol";
import {ITrustedIssuersRegistry} from "./ITrustedIssuersRegistry.sol";
import {RegistryStorage} from "./RegistryStorage.sol";

/// @title ClaimTrust
/// @notice Which topics there are, which of them are required, and who is trusted on which.
/// @dev A topic has an index and an issuer a place. Neither is ever given to another, so that no old claim can come to
/// life under a new name; an issuer that returns after removal gets a new place, and its old claims stay dead. Both are
/// therefore bounded for the registry's whole life: {TOPICS_MAX} and {ISSUERS_MAX}.
abstract contract ClaimTrust is DutyRoles, RegistryStorage, IClaimTopicsRegistry, ITrustedIssuersRegistry {
    /// @notice Largest number of topics that the registry ever knows.
    uint256 public constant TOPICS_MAX = IdentityFields.CLAIMS_MAX;

    /// @notice Largest number of appointments of issuers in the registry's life.
    uint256 public constant ISSUERS_MAX = 255;

    /// @notice A topic got its index.
    /// @param topic The topic.
    /// @param index Its bit in a set of topics.
    event ClaimTopicDefined(uint256 indexed topic, uint256 index);

    /// @notice No further topic or issuer fits.
    /// @param count How many there are.
    /// @param max The limit.
    error ClaimTrustFull(uint256 count, uint256 max);

    /// @notice Nobody defined this topic.
    /// @param topic Which.
    error ClaimTopicUnknown(uint256 topic);

    /// @notice The topic is as it is to be made: required, or not required.
    /// @param topic Which.
    error ClaimTopicUnchanged(uint256 topic);

    /// @notice The issuer is not trusted, or not on this topic.
    /// @param issuer Which.
    error ClaimIssuerNotTrusted(address issuer);

    /// @notice The issuer is trusted already.
    /// @param issuer Which.
    error ClaimIssuerTrusted(address issuer);

    /// @notice An issuer is zero, or trusted on nothing.
    /// @param issuer Which.
    error ClaimIssuerInvalid(address issuer);

    /// @notice Makes a topic known without requiring it of everybody: tokens may require it.
    /// @dev Requires COMPLIANCE_ROLE. Emits {ClaimTopicDefined} if it is new. Reverts with {ClaimTrustFull}.
    /// @param topic The topic.
    /// @return index Its bit in a set of topics.
    function defineClaimTopic(uint256 topic) external onlyRole(Duties.COMPLIANCE) returns (uint256 index) {
        return _define(topic);
    }

    /// @notice Requires a claim on a topic of everybody. Whoever has none is not verified from this moment.
    /// @dev Requires COMPLIANCE_ROLE. Emits `ClaimTopicAdded`, and {ClaimTopicDefined} if it is new. Reverts with
    /// {ClaimTopicUnchanged}, {ClaimTrustFull}.
    /// @param claimTopic The topic.
    function addClaimTopic(uint256 claimTopic) external onlyRole(Duties.COMPLIANCE) {
        uint8 bit = uint8(1 << _define(claimTopic));
        if (_requiredTopics() & bit != 0) revert ClaimTopicUnchanged(claimTopic);
        _registry().topicsOf[0] |= bit;
        emit ClaimTopicAdded(claimTopic);
    }

    /// @notice Requires a topic no more. It stays known, and so do its claims.
    /// @dev Requires COMPLIANCE_ROLE. Emits `ClaimTopicRemoved`. Reverts with {ClaimTopicUnknown},
    /// {ClaimTopicUnchanged}.
    /// @param claimTopic The topic.
    function removeClaimTopic(uint256 claimTopic) external onlyRole(Duties.COMPLIANCE) {
        uint8 bit = uint8(1 << topicIndexOf(claimTopic));
        if (_requiredTopics() & bit == 0) revert ClaimTopicUnchanged(claimTopic);
        _registry().topicsOf[0] &= ~bit;
        emit ClaimTopicRemoved(claimTopic);
    }

    /// @notice Trusts an issuer, a key or a contract (ERC-1271), on topics.
    /// @dev Requires COMPLIANCE_ROLE. Emits `TrustedIssuerAdded`. Reverts with {ClaimIssuerTrusted},
    /// {ClaimIssuerInvalid}, {ClaimTopicUnknown}, {ClaimTrustFull}.
    /// @param trustedIssuer Who.
    /// @param claimTopics Known topics, at least one.
    function addTrustedIssuer(address trustedIssuer, uint256[] calldata claimTopics)
        external
        onlyRole(Duties.COMPLIANCE)
    {
        if (trustedIssuer == address(0)) revert ClaimIssuerInvalid(trustedIssuer);
        if (isTrustedIssuer(trustedIssuer)) revert ClaimIssuerTrusted(trustedIssuer);
        uint256 count = _registry().issuers.length;
        if (count == ISSUERS_MAX) revert ClaimTrustFull(count, ISSUERS_MAX);
        _registry().issuers.push(trustedIssuer);
        _registry().placeOf[trustedIssuer] = uint8(count + 1);
        _registry().topicsOf[count + 1] = _topicSet(trustedIssuer, claimTopics);
        emit TrustedIssuerAdded(trustedIssuer, claimTopics);
    }

    /// @notice Ends the trust in an issuer. Its claims count no more, from this moment and for good.
    /// @dev Requires COMPLIANCE_ROLE. Emits `TrustedIssuerRemoved`. Reverts with {ClaimIssuerNotTrusted}.
    /// @param trustedIssuer Who.
    function removeTrustedIssuer(address trustedIssuer) external onlyRole(Duties.COMPLIANCE) {
        _registry().topicsOf[_placeOfTrusted(trustedIssuer)] = 0;
        delete _registry().placeOf[trustedIssuer];
        emit TrustedIssuerRemoved(trustedIssuer);
    }

    /// @notice Changes the topics that an issuer is trusted on, in place of those before. Claims on a topic that is taken
    /// away count no more, and count again if it is given back.
    /// @dev Requires COMPLIANCE_ROLE. Emits `ClaimTopicsUpdated`. Reverts with {ClaimIssuerNotTrusted},
    /// {ClaimIssuerInvalid}, {ClaimTopicUnknown}.
    /// @param trustedIssuer Who.
    /// @param claimTopics Known topics, at least one.
    function updateIssuerClaimTopics(address trustedIssuer, uint256[] calldata claimTopics)
        external
        onlyRole(Duties.COMPLIANCE)
    {
        _registry().topicsOf[_placeOfTrusted(trustedIssuer)] = _topicSet(trustedIssuer, claimTopics);
        emit ClaimTopicsUpdated(trustedIssuer, claimTopics);
    }

    /// @inheritdoc IClaimTopicsRegistry
    function getClaimTopics() external view returns (uint256[] memory) {
        return _topicList(_requiredTopics());
    }

    /// @notice All topics that the registry knows, by index.
    /// @return At most {TOPICS_MAX}.
    function knownClaimTopics() external view returns (uint256[] memory) {
        return _registry().topics;
    }

    /// @inheritdoc ITrustedIssuersRegistry
    function getTrustedIssuers() external view returns (address[] memory) {
        return _trustedOn(type(uint8).max);
    }

    /// @inheritdoc ITrustedIssuersRegistry
    function getTrustedIssuersForClaimTopic(uint256 claimTopic) external view returns (address[] memory) {
        return _trustedOn(uint8(1 << topicIndexOf(claimTopic)));
    }

    /// @inheritdoc ITrustedIssuersRegistry
    function getTrustedIssuerClaimTopics(address trustedIssuer) external view returns (uint256[] memory) {
        return _topicList(_registry().topicsOf[_placeOfTrusted(trustedIssuer)]);
    }

    /// @inheritdoc ITrustedIssuersRegistry
    function hasClaimTopic(address issuer, uint256 claimTopic) external view returns (bool) {
        uint8 place = _registry().placeOf[issuer];
        return place != 0 && _isTrustedOn(place, topicIndexOf(claimTopic));
    }

    /// @inheritdoc ITrustedIssuersRegistry
    function isTrustedIssuer(address issuer) public view returns (bool) {
        return _registry().placeOf[issuer] != 0;
    }

    /// @notice The bit of a topic in a set of topics.
    /// @dev Reverts with {ClaimTopicUnknown}.
    /// @param topic A known topic.
    /// @return index From 0.
    function topicIndexOf(uint256 topic) public view returns (uint256 index) {
        bool found;
        (index, found) = _findTopic(topic);
        if (!found) revert ClaimTopicUnknown(topic);
    }

    /// @dev Topics that are required of everybody, as a set.
    function _requiredTopics() internal view returns (uint8) {
        return _registry().topicsOf[0];
    }

    /// @dev Whether whoever has this place is trusted on this topic now.
    function _isTrustedOn(uint8 place, uint256 topicIndex) internal view returns (bool) {
        return (_registry().topicsOf[place] >> topicIndex) & 1 != 0;
    }

    /// @dev Place of an issuer that is trusted on anything.
    function _placeOfTrusted(address issuer) internal view returns (uint8 place) {
        place = _registry().placeOf[issuer];
        if (place == 0) revert ClaimIssuerNotTrusted(issuer);
    }

    function _define(uint256 topic) private returns (uint256 index) {
        bool found;
        (index, found) = _findTopic(topic);
        if (found) return index;
        if (index == TOPICS_MAX) revert ClaimTrustFull(index, TOPICS_MAX);
        _registry().topics.push(topic);
        emit ClaimTopicDefined(topic, index);
    }

    /// @dev The index of a topic, or the number of topics if it is not among them.
    function _findTopic(uint256 topic) private view returns (uint256 index, bool found) {
        uint256[] storage topics = _registry().topics;
        uint256 count = topics.length;
        for (; index < count; ++index) {
            if (topics[index] == topic) return (index, true);
        }
    }

    function _topicSet(address issuer, uint256[] calldata claimTopics) private view returns (uint8 set) {
        for (uint256 i = 0; i < claimTopics.length; ++i) {
            set |= uint8(1 << topicIndexOf(claimTopics[i]));
        }
        if (set == 0) revert ClaimIssuerInvalid(issuer);
    }

    function _topicList(uint8 set) private view returns (uint256[] memory list) {
        list = new uint256[](_registry().topics.length);
        uint256 count;
        for (uint256 i = 0; i < list.length; ++i) {
            if ((set >> i) & 1 != 0) list[count++] = _registry().topics[i];
        }
        assembly ("memory-safe") {
            mstore(list, count)
        }
    }

    function _trustedOn(uint8 set) private view returns (address[] memory list) {
        address[] storage issuers = _registry().issuers;
        list = new address[](issuers.length);
        uint256 count;
        for (uint256 i = 0; i < list.length; ++i) {
            if (_registry().topicsOf[i + 1] & set != 0) list[count++] = issuers[i];
        }
        assembly ("memory-safe") {
            mstore(list, count)
        }
    }
}
