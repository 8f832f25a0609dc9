// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ReentrancyGuard} from "@openzeppelin/contracts/utils/ReentrancyGuard.sol";

import {Duties} from "../access/Duties.sol";
import {AgreedTerms} from "../actions/AgreedTerms.sol";
import {EntryBatch} from "../actions/EntryBatch.sol";
import {EscrowedMoney} from "../actions/EscrowedMoney.sol";
import {InvestorAccounts} from "../actions/InvestorAccounts.sol";
import {TokenDuties} from "../actions/TokenDuties.sol";
import {ITransferRules} from "../compliance/ITransferRules.sol";
import {Pages} from "../settlement/Pages.sol";
import {IRegulatedToken} from "../token/IRegulatedToken.sol";
import {OfferingErrors} from "./OfferingErrors.sol";
import {Offering, OfferingStatus, OfferingTerms, Order, OrderStatus} from "./OfferingTypes.sol";

/// @title Offerings
/// @notice Primary subscription of a token's units: orders against money in escrow, a minimum or all money back, and an
/// allotment by a rule that nobody can bend.
/// @dev The issuer proposes, and the treasury agrees. Orders are taken from investors whom registry and rules would admit
/// with the whole of the order, one order per investor, and may be withdrawn until the close. Then the issuer has each
/// order gone through once, in the order of the list: it is given its part if registry and rules admit the investor with
/// it at that moment, and nothing otherwise. What is refused goes to nobody else. If what is given reaches the minimum,
/// the units are issued, by whoever asks, order by order; the issuer has earned the price of what is issued, and the
/// rest is the investor's. Else all money goes back.
///
/// The rule: if more is ordered than offered, an order is given the difference of
/// `lots ordered up to and with it * cap / all lots ordered` and the same up to the one before it, each rounded down.
/// All parts together are the cap to the last lot, and none is a whole lot away from its exact share. A withdrawn order
/// leaves its place in the list to the last one, which can move an investor's rounding and nothing else.
///
/// A single order's rules are asked when it is gone through; what two orders break together (a cap of supply that is
/// less than the cap here) the token refuses at the issue. Who has not received by the end of issue gets the money
/// back. So nothing that investor, issuer or rules do keeps the money of others here.
///
/// This contract needs ISSUER_ROLE at the token. Where a wallet was replaced, the one that took its place receives.
contract Offerings is AgreedTerms, EntryBatch, ReentrancyGuard, OfferingErrors {
    using InvestorAccounts for IRegulatedToken;

    /// @notice Longest time in which orders are taken, in seconds: the longest of a public offering (CVM Resolution 160
    /// of 2022, article 48).
    uint256 public constant PERIOD_SECONDS_MAX = 180 days;

    /// @notice Shortest time to allot and issue after the close, in seconds.
    uint256 public constant ISSUE_SECONDS_MIN = 1 days;

    /// @notice Longest time to allot and issue after the close, in seconds: how long money can lie here undecided.
    uint256 public constant ISSUE_SECONDS_MAX = 30 days;

    /// @notice Most open orders of an offering.
    uint256 public constant ORDERS_MAX = 100_000;

    /// @notice Most orders that one call lists.
    uint256 public constant PAGE_MAX = 100;

    /// @notice How many offerings there were; ids count from 1.
    uint256 public offeringCount;

    /// @dev Id to offering.
    mapping(uint256 offeringId => Offering offering) private _offerings;

    /// @dev Offering to the investors with an open order, in the order of allotment.
    mapping(uint256 offeringId => address[] investors) private _investors;

    /// @dev Offering and investor to the order.
    mapping(uint256 offeringId => mapping(address investor => Order order)) private _orders;

    /// @dev Offering and number of an investor in the registry to the wallet that ordered.
    mapping(uint256 offeringId => mapping(uint32 investorNumber => address investor)) private _orderedBy;

    /// @notice An offering was announced.
    /// @param offeringId The offering.
    /// @param currency The token of the money.
    /// @param terms What is offered.
    event OfferingAnnounced(uint256 indexed offeringId, address indexed currency, OfferingTerms terms);

    /// @notice An offering was withdrawn, or not allotted in time: all money goes back.
    /// @param offeringId The offering.
    /// @param by Who said so.
    event OfferingCancelled(uint256 indexed offeringId, address indexed by);

    /// @notice An investor ordered, and paid.
    /// @param offeringId The offering.
    /// @param investor Who.
    /// @param lots How many lots.
    /// @param amount Money in escrow, in the currency's smallest unit.
    event OrderPlaced(uint256 indexed offeringId, address indexed investor, uint64 lots, uint256 amount);

    /// @notice An investor withdrew an order before the close, and was paid back.
    /// @param offeringId The offering.
    /// @param investor Whose order.
    /// @param to Who received: the investor, or the wallet that took its place.
    /// @param amount Money paid back, in the currency's smallest unit.
    event OrderWithdrawn(uint256 indexed offeringId, address indexed investor, address indexed to, uint256 amount);

    /// @notice An order was gone through.
    /// @param offeringId The offering.
    /// @param investor Whose.
    /// @param lots Lots ordered.
    /// @param lotsAllotted Lots given; 0 if the share is less than one, or if it was refused.
    /// @param reason Why it was refused, cut off after {REASON_BYTES_MAX} bytes; empty if it was not.
    event OrderAllotted(
        uint256 indexed offeringId, address indexed investor, uint64 lots, uint64 lotsAllotted, bytes reason
    );

    /// @notice All orders were gone through, or too little was ordered.
    /// @param offeringId The offering.
    /// @param status `Allotted` or `Failed`.
    /// @param lotsOrdered Lots ordered.
    /// @param lotsAllotted Lots given.
    event OfferingDecided(
        uint256 indexed offeringId, OfferingStatus indexed status, uint256 lotsOrdered, uint256 lotsAllotted
    );

    /// @notice Units were issued, and their price is the issuer's.
    /// @param offeringId The offering.
    /// @param investor Whose order.
    /// @param to Who received: the investor, or the wallet that took its place.
    /// @param units Units issued.
    /// @param amount Their price, in the currency's smallest unit.
    event OrderIssued(
        uint256 indexed offeringId, address indexed investor, address indexed to, uint256 units, uint256 amount
    );

    /// @notice Money went back.
    /// @param offeringId The offering.
    /// @param investor Whose order.
    /// @param to Who received: the investor, or the wallet that took its place.
    /// @param amount How much, in the currency's smallest unit.
    event OrderRefunded(uint256 indexed offeringId, address indexed investor, address indexed to, uint256 amount);

    /// @notice An entry of a batch was not done; it can be done later.
    /// @param offeringId The offering.
    /// @param investor Whose order.
    /// @param reason What the entry reverted with, cut off after {REASON_BYTES_MAX} bytes.
    event OrderEntrySkipped(uint256 indexed offeringId, address indexed investor, bytes reason);

    /// @notice The issuer received what was earned.
    /// @param offeringId The offering.
    /// @param to Who received.
    /// @param amount How much, in the currency's smallest unit.
    event ProceedsPaid(uint256 indexed offeringId, address indexed to, uint256 amount);

    /// @dev Reverts with `TokenDutiesNoToken`.
    /// @param token_ Whose units are offered.
    constructor(IRegulatedToken token_) TokenDuties(token_) {}

    /// @notice Proposes an offering.
    /// @dev Requires ISSUER_ROLE at the token. Emits {OfferingAnnounced}. Reverts with {OfferingMoneyInvalid},
    /// {OfferingPeriodInvalid}, {OfferingSizeInvalid}, {OfferingOrderLimitsInvalid}, `ReentrancyGuardReentrantCall`.
    /// @param terms What is offered.
    /// @return offeringId The offering.
    function announce(OfferingTerms calldata terms)
        external
        nonReentrant
        onlyDuty(Duties.ISSUER)
        returns (uint256 offeringId)
    {
        _checkTerms(terms);
        offeringId = ++offeringCount;
        Offering storage offering = _offerings[offeringId];
        offering.terms = terms;
        offering.status = OfferingStatus.Announced;
        _propose(offeringId);
        emit OfferingAnnounced(offeringId, terms.currency, terms);
    }

    /// @notice Agrees to an offering that the issuer proposed, before its close: orders are taken within its period.
    /// @dev Requires TREASURY_ROLE at the token, and another account than who proposed. Emits {TermsAgreed}. Reverts with
    /// {OfferingStatusInvalid}, {OfferingOutsidePeriod}, {TermsDiffer}, {TermsApprovedByProposer},
    /// `ReentrancyGuardReentrantCall`.
    /// @param offeringId The offering.
    /// @param termsHash keccak256 of the ABI encoding of its terms.
    function approve(uint256 offeringId, bytes32 termsHash) external nonReentrant onlyDuty(Duties.TREASURY) {
        Offering storage offering = _offeringIn(offeringId, OfferingStatus.Announced);
        OfferingTerms memory terms = offering.terms;
        _checkPeriod(offeringId, 0, terms.closesAt);
        offering.status = OfferingStatus.Open;
        _agree(offeringId, termsHash, keccak256(abi.encode(terms)));
    }

    /// @notice Withdraws an offering before its orders are gone through; all money goes back.
    /// @dev Requires ISSUER_ROLE at the token; from the end of issue on, nothing: an offering whose orders were not all
    /// gone through by then is over. Emits {OfferingCancelled}. Reverts with {OfferingStatusInvalid},
    /// {OfferingAllotmentBegun}, `ReentrancyGuardReentrantCall`.
    /// @param offeringId The offering.
    function cancel(uint256 offeringId) external nonReentrant {
        Offering storage offering = _offerings[offeringId];
        if (offering.status != OfferingStatus.Announced) _offeringIn(offeringId, OfferingStatus.Open);
        if (block.timestamp < offering.terms.issueBy) {
            _checkDuty(Duties.ISSUER, msg.sender);
            if (offering.ordersPassed != 0) revert OfferingAllotmentBegun(offeringId, offering.ordersPassed);
        }
        offering.status = OfferingStatus.Cancelled;
        emit OfferingCancelled(offeringId, msg.sender);
    }

    /// @notice Orders lots and pays for them, within the allowance that the caller gave to this contract. One order per
    /// investor: to change it, withdraw it first.
    /// @dev Requires that registry and rules admit the caller with the whole order now. Emits {OrderPlaced}, and what
    /// the currency emits. Reverts with {OfferingStatusInvalid}, {OfferingOutsidePeriod},
    /// {OfferingOrderStatusInvalid}, {OfferingOrderSizeInvalid}, {OfferingOrdersTooMany},
    /// {OfferingInvestorNotAdmitted}, {OfferingInvestorHasOrder}, `ComplianceRefused`, `ReentrancyGuardReentrantCall`,
    /// or as `TokenMovement.take` does.
    /// @param offeringId The offering.
    /// @param lots How many lots.
    function placeOrder(uint256 offeringId, uint64 lots) external nonReentrant {
        Offering storage offering = _offeringInPeriod(offeringId);
        OfferingTerms storage terms = offering.terms;
        address[] storage investors = _investors[offeringId];
        Order storage order = _orders[offeringId][msg.sender];
        if (order.status != OrderStatus.None) {
            revert OfferingOrderStatusInvalid(offeringId, msg.sender, order.status);
        }
        if (lots < terms.orderLotsMin || lots > terms.orderLotsMax) {
            revert OfferingOrderSizeInvalid(offeringId, lots, terms.orderLotsMin, terms.orderLotsMax);
        }
        if (investors.length == terms.ordersMax) revert OfferingOrdersTooMany(offeringId, terms.ordersMax);
        _checkAdmitted(msg.sender, uint256(lots) * terms.lotUnits);
        investors.push(msg.sender);
        (order.status, order.lots, order.place) = (OrderStatus.Placed, lots, uint32(investors.length));
        order.investorNumber = _enterInvestor(offeringId, msg.sender);
        offering.lotsOrdered += lots;
        uint256 amount = uint256(lots) * terms.lotPrice;
        offering.escrow += amount;
        emit OrderPlaced(offeringId, msg.sender, lots, amount);
        EscrowedMoney.collect(terms.currency, msg.sender, amount);
    }

    /// @notice Withdraws an order before the close, and pays back. The last order of the list gets its place.
    /// @dev Requires to be the investor, or the wallet that took its place. Emits {OrderWithdrawn}, and what the currency
    /// emits. Reverts with {OfferingStatusInvalid}, {OfferingOutsidePeriod}, {OfferingOrderStatusInvalid},
    /// {OfferingNotInvestor}, `ReentrancyGuardReentrantCall`, or as `EscrowedMoney.giveBack` does.
    /// @param offeringId The offering.
    /// @param investor Whose order.
    function withdrawOrder(uint256 offeringId, address investor) external nonReentrant {
        Offering storage offering = _offeringInPeriod(offeringId);
        Order memory order = _orders[offeringId][investor];
        if (order.status != OrderStatus.Placed) {
            revert OfferingOrderStatusInvalid(offeringId, investor, order.status);
        }
        address current = token.currentOf(investor);
        if (msg.sender != current) revert OfferingNotInvestor(investor, msg.sender, current);
        address[] storage investors = _investors[offeringId];
        address last = investors[investors.length - 1];
        investors[order.place - 1] = last;
        _orders[offeringId][last].place = order.place;
        investors.pop();
        delete _orders[offeringId][investor];
        delete _orderedBy[offeringId][order.investorNumber];
        offering.lotsOrdered -= order.lots;
        uint256 amount = uint256(order.lots) * offering.terms.lotPrice;
        offering.escrow -= amount;
        emit OrderWithdrawn(offeringId, investor, current, amount);
        EscrowedMoney.giveBack(offering.terms.currency, current, amount);
    }

    /// @notice Goes through the next orders after the close, and decides the offering after the last of them; at once if
    /// less than the minimum was ordered.
    /// @dev Requires ISSUER_ROLE at the token, lest somebody chooses the moment at which another investor is refused; what
    /// missed the minimum everybody may decide. Emits {OrderAllotted} for each, {OfferingDecided} at the end. Reverts with
    /// `BatchInvalid`, {OfferingStatusInvalid}, {OfferingOutsidePeriod}, `BatchGasInsufficient`,
    /// `ReentrancyGuardReentrantCall`.
    /// @param offeringId The offering.
    /// @param countMax How many orders at most, {BATCH_ENTRIES_MAX} of them.
    /// @return status `Open` while there are more orders.
    function allot(uint256 offeringId, uint256 countMax) external nonReentrant returns (OfferingStatus status) {
        _checkBatch(countMax);
        Offering storage offering = _offeringIn(offeringId, OfferingStatus.Open);
        _checkPeriod(offeringId, offering.terms.closesAt, offering.terms.issueBy);
        if (offering.lotsOrdered < offering.terms.lotsMin) return _decide(offeringId, offering);
        _checkDuty(Duties.ISSUER, msg.sender);
        address[] storage investors = _investors[offeringId];
        uint256 passed = offering.ordersPassed;
        uint256 left = investors.length - passed;
        uint256 end = passed + (left < countMax ? left : countMax);
        for (; passed < end; ++passed) {
            _allotOrder(offeringId, offering, investors[passed]);
        }
        offering.ordersPassed = uint32(passed);
        return passed == investors.length ? _decide(offeringId, offering) : OfferingStatus.Open;
    }

    /// @notice Issues the units that an order was given.
    /// @dev Open to everybody. Emits {OrderIssued}, and what the token emits. Reverts with {OfferingStatusInvalid},
    /// {OfferingOutsidePeriod}, {OfferingOrderStatusInvalid}, `ReentrancyGuardReentrantCall`, or as the token's `mint`
    /// does.
    /// @param offeringId The offering.
    /// @param investor Whose order.
    function issue(uint256 offeringId, address investor) external nonReentrant {
        _issue(offeringId, investor);
    }

    /// @notice {issue} per entry. One that fails is passed over, and can be done later.
    /// @dev Open to everybody. Emits {OrderEntrySkipped} for an entry that fails. Reverts with `BatchInvalid`,
    /// `BatchGasInsufficient`, `ReentrancyGuardReentrantCall`.
    /// @param offeringId The offering.
    /// @param investors Whose orders, at most {BATCH_ENTRIES_MAX}.
    /// @return count How many entries were done.
    function issueMany(uint256 offeringId, address[] calldata investors) external nonReentrant returns (uint256 count) {
        return _runMany(offeringId, investors, this.issueEntry.selector);
    }

    /// @notice Pays back what of an order's money is not the issuer's: the rest once it was issued, or all if nothing
    /// will be.
    /// @dev Open to everybody; the money goes to the investor. Emits {OrderRefunded}, and what the currency emits.
    /// Reverts with {OfferingOrderStatusInvalid}, `ReentrancyGuardReentrantCall`, or as `EscrowedMoney.giveBack` does.
    /// @param offeringId The offering.
    /// @param investor Whose order.
    function refund(uint256 offeringId, address investor) external nonReentrant {
        _refund(offeringId, investor);
    }

    /// @notice {refund} per entry. One that fails is passed over, and can be done later.
    /// @dev As {issueMany}.
    /// @param offeringId The offering.
    /// @param investors Whose orders, at most {BATCH_ENTRIES_MAX}.
    /// @return count How many entries were done.
    function refundMany(uint256 offeringId, address[] calldata investors)
        external
        nonReentrant
        returns (uint256 count)
    {
        return _runMany(offeringId, investors, this.refundEntry.selector);
    }

    /// @notice Pays the issuer what was earned so far.
    /// @dev Open to everybody; the money goes to the account of the terms. Emits {ProceedsPaid}, and what the currency
    /// emits. Reverts with {OfferingNoProceeds}, `ReentrancyGuardReentrantCall`, or as `EscrowedMoney.giveBack` does.
    /// @param offeringId The offering.
    function payProceeds(uint256 offeringId) external nonReentrant {
        Offering storage offering = _offerings[offeringId];
        uint256 amount = offering.proceeds;
        if (amount == 0) revert OfferingNoProceeds(offeringId);
        address account = offering.terms.proceedsAccount;
        offering.proceeds = 0;
        emit ProceedsPaid(offeringId, account, amount);
        EscrowedMoney.giveBack(offering.terms.currency, account, amount);
    }

    /// @notice {issue} as an entry of a batch.
    /// @dev Requires that this contract calls itself. Reverts with `BatchEntryOnly`, or as {issue} does.
    /// @param offeringId The offering.
    /// @param investor Whose order.
    function issueEntry(uint256 offeringId, address investor) external onlyEntry {
        _issue(offeringId, investor);
    }

    /// @notice {refund} as an entry of a batch.
    /// @dev Requires that this contract calls itself. Reverts with `BatchEntryOnly`, or as {refund} does.
    /// @param offeringId The offering.
    /// @param investor Whose order.
    function refundEntry(uint256 offeringId, address investor) external onlyEntry {
        _refund(offeringId, investor);
    }

    /// @notice Returns if registry and rules would admit the investor with so many more units, as an order is asked when
    /// it is gone through.
    /// @dev Reverts with {OfferingInvestorNotAdmitted}, `ComplianceRefused`, `InvestorSuccessionsTooMany`.
    /// @param investor Whose order.
    /// @param units Units.
    function requireAdmitted(address investor, uint256 units) external view {
        _checkAdmitted(token.currentOf(investor), units);
    }

    /// @notice An offering.
    /// @param offeringId The offering.
    /// @return The offering; all zero if there is none.
    function getOffering(uint256 offeringId) external view returns (Offering memory) {
        return _offerings[offeringId];
    }

    /// @notice An investor's order.
    /// @param offeringId The offering.
    /// @param investor Whose.
    /// @return The order; all zero if there is none.
    function getOrder(uint256 offeringId, address investor) external view returns (Order memory) {
        return _orders[offeringId][investor];
    }

    /// @notice How many orders an offering has that were not withdrawn.
    /// @param offeringId The offering.
    /// @return The number.
    function orderCount(uint256 offeringId) external view returns (uint256) {
        return _investors[offeringId].length;
    }

    /// @notice A page of the investors with an order, in the order of allotment.
    /// @param offeringId The offering.
    /// @param first Place of the first one, counted from 0.
    /// @param count How many at most; more than {PAGE_MAX} are not given.
    /// @return page Investors; none beyond the end.
    function investorsOf(uint256 offeringId, uint256 first, uint256 count)
        external
        view
        returns (address[] memory page)
    {
        address[] storage investors = _investors[offeringId];
        page = new address[](Pages.size(investors.length, first, count, PAGE_MAX));
        for (uint256 i = 0; i < page.length; ++i) {
            page[i] = investors[first + i];
        }
    }

    /// @notice What {refund} would pay back now.
    /// @param offeringId The offering.
    /// @param investor Whose order.
    /// @return In the currency's smallest unit; 0 if nothing.
    function refundableTo(uint256 offeringId, address investor) external view returns (uint256) {
        Offering storage offering = _offerings[offeringId];
        return _refundable(offering, _orders[offeringId][investor]);
    }

    /// @dev Keeps who ordered for an investor. Reverts with {OfferingInvestorHasOrder}.
    function _enterInvestor(uint256 offeringId, address investor) private returns (uint32 number) {
        number = token.investorNumber(investor);
        address orderedBy = _orderedBy[offeringId][number];
        if (orderedBy != address(0)) revert OfferingInvestorHasOrder(offeringId, investor, orderedBy);
        _orderedBy[offeringId][number] = investor;
    }

    /// @dev Runs each as an entry of its own.
    function _runMany(uint256 offeringId, address[] calldata investors, bytes4 entry) private returns (uint256 count) {
        _checkBatch(investors.length);
        for (uint256 i = 0; i < investors.length; ++i) {
            (bool done, bytes memory reason) = _runEntry(abi.encodeWithSelector(entry, offeringId, investors[i]));
            if (done) ++count;
            else emit OrderEntrySkipped(offeringId, investors[i], reason);
        }
    }

    /// @dev Gives an order its part, if the investor is admitted with it. Emits {OrderAllotted}.
    function _allotOrder(uint256 offeringId, Offering storage offering, address investor) private {
        Order storage order = _orders[offeringId][investor];
        uint104 before = offering.lotsPassed;
        offering.lotsPassed = before + order.lots;
        uint64 part = uint64(_share(offering, before + order.lots) - _share(offering, before));
        bool isAdmitted = true;
        bytes memory reason;
        if (part != 0) {
            uint256 units = uint256(part) * offering.terms.lotUnits;
            (isAdmitted, reason) = _runEntry(abi.encodeCall(this.requireAdmitted, (investor, units)));
        }
        if (!isAdmitted) part = 0;
        order.status = part == 0 ? OrderStatus.Refundable : OrderStatus.Allotted;
        order.lotsAllotted = part;
        offering.lotsAllotted += part;
        emit OrderAllotted(offeringId, investor, order.lots, part, reason);
    }

    /// @dev Decides. Emits {OfferingDecided}.
    function _decide(uint256 offeringId, Offering storage offering) private returns (OfferingStatus status) {
        bool isReached = offering.lotsAllotted >= offering.terms.lotsMin;
        status = isReached ? OfferingStatus.Allotted : OfferingStatus.Failed;
        offering.status = status;
        emit OfferingDecided(offeringId, status, offering.lotsOrdered, offering.lotsAllotted);
    }

    function _issue(uint256 offeringId, address investor) private {
        Offering storage offering = _offeringIn(offeringId, OfferingStatus.Allotted);
        if (block.timestamp >= offering.terms.issueBy) {
            revert OfferingOutsidePeriod(offeringId, offering.terms.closesAt, offering.terms.issueBy, block.timestamp);
        }
        Order storage order = _orders[offeringId][investor];
        if (order.status != OrderStatus.Allotted) {
            revert OfferingOrderStatusInvalid(offeringId, investor, order.status);
        }
        uint64 lots = order.lotsAllotted;
        (uint256 units, uint256 amount) =
            (uint256(lots) * offering.terms.lotUnits, uint256(lots) * offering.terms.lotPrice);
        order.status = lots == order.lots ? OrderStatus.Done : OrderStatus.Refundable;
        offering.lotsIssued += lots;
        offering.escrow -= amount;
        offering.proceeds += amount;
        address to = token.currentOf(investor);
        emit OrderIssued(offeringId, investor, to, units, amount);
        token.mint(to, units);
    }

    function _refund(uint256 offeringId, address investor) private {
        Offering storage offering = _offerings[offeringId];
        Order storage order = _orders[offeringId][investor];
        uint256 amount = _refundable(offering, order);
        if (amount == 0) revert OfferingOrderStatusInvalid(offeringId, investor, order.status);
        if (order.status == OrderStatus.Allotted) {
            offering.lotsAllotted -= order.lotsAllotted;
            order.lotsAllotted = 0;
        }
        order.status = OrderStatus.Done;
        offering.escrow -= amount;
        address to = token.currentOf(investor);
        emit OrderRefunded(offeringId, investor, to, amount);
        EscrowedMoney.giveBack(offering.terms.currency, to, amount);
    }

    function _checkTerms(OfferingTerms calldata terms) private view {
        address account = terms.proceedsAccount;
        bool isCurrencyFit = terms.currency.code.length != 0 && terms.currency != address(token);
        if (!isCurrencyFit || account == address(0) || account == address(this) || terms.lotPrice == 0) {
            revert OfferingMoneyInvalid(terms.currency, account, terms.lotPrice);
        }
        (uint256 opensAt, uint256 closesAt) = (terms.opensAt, terms.closesAt);
        bool isPeriodFit = opensAt >= block.timestamp && closesAt > opensAt && closesAt - opensAt <= PERIOD_SECONDS_MAX;
        uint256 issueBy = terms.issueBy;
        bool isIssueFit = issueBy >= closesAt + ISSUE_SECONDS_MIN && issueBy <= closesAt + ISSUE_SECONDS_MAX;
        if (!isPeriodFit || !isIssueFit) {
            revert OfferingPeriodInvalid(terms.opensAt, terms.closesAt, terms.issueBy, block.timestamp);
        }
        uint256 units = uint256(terms.lotsMax) * terms.lotUnits;
        if (units == 0 || units > type(uint104).max || terms.lotsMin > terms.lotsMax) {
            revert OfferingSizeInvalid(terms.lotUnits, terms.lotsMax, terms.lotsMin);
        }
        (uint64 least, uint64 most) = (terms.orderLotsMin, terms.orderLotsMax);
        bool isOrderFit = least != 0 && least <= most && most <= terms.lotsMax;
        if (!isOrderFit || terms.ordersMax == 0 || terms.ordersMax > ORDERS_MAX) {
            revert OfferingOrderLimitsInvalid(least, most, terms.ordersMax, ORDERS_MAX);
        }
    }

    /// @dev Reverts with {OfferingInvestorNotAdmitted}, `ComplianceRefused`, or as the token's rules do.
    function _checkAdmitted(address account, uint256 units) private view {
        if (!token.canReceive(account)) revert OfferingInvestorNotAdmitted(account);
        ITransferRules(address(token.compliance())).check(token.movementOf(address(0), account, units));
    }

    /// @dev The offering, if it stands there.
    function _offeringIn(uint256 offeringId, OfferingStatus status) private view returns (Offering storage offering) {
        offering = _offerings[offeringId];
        if (offering.status != status) revert OfferingStatusInvalid(offeringId, offering.status);
    }

    /// @dev The offering, if it takes orders now.
    function _offeringInPeriod(uint256 offeringId) private view returns (Offering storage offering) {
        offering = _offeringIn(offeringId, OfferingStatus.Open);
        _checkPeriod(offeringId, offering.terms.opensAt, offering.terms.closesAt);
    }

    function _checkPeriod(uint256 offeringId, uint48 from, uint48 until) private view {
        if (block.timestamp < from || block.timestamp >= until) {
            revert OfferingOutsidePeriod(offeringId, from, until, block.timestamp);
        }
    }

    /// @dev Lots for the first orders with `lots` lots together: all of them, or their part of the cap, rounded down. No
    /// overflow: orders are of at most 64 bits each, and fewer than 2^32.
    function _share(Offering storage offering, uint256 lots) private view returns (uint256) {
        (uint256 ordered, uint256 lotsMax) = (offering.lotsOrdered, offering.terms.lotsMax);
        return ordered <= lotsMax ? lots : lots * lotsMax / ordered;
    }

    /// @dev What of an order's money is to go back now.
    function _refundable(Offering storage offering, Order storage order) private view returns (uint256) {
        (OfferingStatus status, OrderStatus orderStatus) = (offering.status, order.status);
        if (orderStatus == OrderStatus.None || orderStatus == OrderStatus.Done) return 0;
        uint256 whole = uint256(order.lots) * offering.terms.lotPrice;
        if (status == OfferingStatus.Failed || status == OfferingStatus.Cancelled) return whole;
        if (status != OfferingStatus.Allotted) return 0;
        if (orderStatus == OrderStatus.Allotted) return block.timestamp < offering.terms.issueBy ? 0 : whole;
        return whole - uint256(order.lotsAllotted) * offering.terms.lotPrice;
    }
}
