// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {RealDigital} from "../../src/drex/RealDigital.sol";
import {RealTokenizado} from "../../src/drex/RealTokenizado.sol";
import {CallerPart} from "../../src/drex/TPFtTypes.sol";
import {DrexSuite} from "../base/DrexSuite.sol";

/// @title DrexBooks
/// @notice Orders for the whole family, drawn at random, and books of what they must have done: written from what was
/// ordered and answered, never from balances read back. The invariants compare the two.
contract DrexBooks is DrexSuite {
    uint256 private constant NUMBERS = 12;
    uint256 private constant NUMBER_FIRST = 1000;

    struct Order {
        bool isClient;
        bool isSaleGiven;
        bool isPurchaseGiven;
        bool isOver;
    }

    /// What each wallet should hold of each token, in cents, and of the bonds, in hundredths.
    mapping(address token => mapping(address owner => uint256)) public money;
    mapping(address owner => uint256) public bonds;
    mapping(address token => uint256) public issued;
    uint256 public bondsIssued;
    uint256 public settled;
    uint256 public refused;

    mapping(uint256 number => Order) private _orders;
    address[] private _owners;

    function setUp() public override {
        super.setUp();
        place(2, BANK_A, bankA, 20_000);
        place(3, BANK_B, bankB, 20_000);
        sellToCustomer(900, clientA, tokenA);
        sellToCustomer(901, clientB, tokenB);
        _owners = [treasury, bankA, bankB, reserveA, reserveB, clientA, clientB];
        for (uint256 i = 0; i < _owners.length; ++i) {
            for (uint256 j = 0; j < 3; ++j) {
                money[address(token(j))][_owners[i]] = token(j).balanceOf(_owners[i]);
            }
            bonds[_owners[i]] = tpft.balanceOf(_owners[i], 1);
        }
        for (uint256 j = 0; j < 3; ++j) {
            issued[address(token(j))] = token(j).totalSupply();
        }
        bondsIssued = tpft.totalSupply(1);
    }

    /// @dev Bonds for a customer to begin with, from bank A.
    function sellToCustomer(uint256 number, address customer, RealTokenizado paidFrom) private {
        vm.prank(bankA);
        op1052.trade(number, bankA, address(tokenA), customer, address(paidFrom), SENDER, ltn(), 5_000, 10e8);
        vm.prank(customer);
        op1052.trade(number, bankA, address(tokenA), customer, address(paidFrom), RECEIVER, ltn(), 5_000, 10e8);
    }

    function token(uint256 seed) public view returns (RealDigital) {
        return [real, RealDigital(tokenA), RealDigital(tokenB)][seed % 3];
    }

    function owners() external view returns (address[] memory) {
        return _owners;
    }

    function bondBalance(address owner) external view returns (uint256) {
        return tpft.balanceOf(owner, 1);
    }

    function bondSupply() external view returns (uint256) {
        return tpft.totalSupply(1);
    }

    // Orders.

    function pay(uint256 tokenSeed, uint256 fromSeed, uint256 toSeed, uint256 amount) external {
        (RealDigital paid, address from, address to) = (token(tokenSeed), owner_(fromSeed), owner_(toSeed));
        amount = bound(amount, 0, 12_000_000);
        vm.prank(from);
        try paid.transfer(to, amount) {
            money[address(paid)][from] -= amount;
            money[address(paid)][to] += amount;
        } catch {
            ++refused;
        }
    }

    function issueMoney(uint256 tokenSeed, uint256 toSeed, uint256 amount) external {
        (RealDigital minted, address to) = (token(tokenSeed), owner_(toSeed));
        amount = bound(amount, 0, 12_000_000);
        vm.prank(issuer(tokenSeed));
        try minted.mint(to, amount) {
            money[address(minted)][to] += amount;
            issued[address(minted)] += amount;
        } catch {
            ++refused;
        }
    }

    function withdrawMoney(uint256 tokenSeed, uint256 fromSeed, uint256 amount) external {
        (RealDigital burned, address from) = (token(tokenSeed), owner_(fromSeed));
        amount = bound(amount, 0, 1_000_000);
        vm.prank(issuer(tokenSeed));
        try burned.moveAndBurn(from, amount) {
            money[address(burned)][from] -= amount;
            issued[address(burned)] -= amount;
        } catch {
            ++refused;
        }
    }

    function setFrozen(uint256 tokenSeed, uint256 ownerSeed, uint256 amount) external {
        (RealDigital frozen, address owner) = (token(tokenSeed), owner_(ownerSeed));
        uint256 before = frozen.frozenBalanceOf(owner);
        vm.prank(issuer(tokenSeed));
        if (before > 0) frozen.decreaseFrozenBalance(owner, before);
        else frozen.increaseFrozenBalance(owner, bound(amount, 0, 12_000_000));
    }

    function setEnabled(uint256 tokenSeed, uint256 ownerSeed, bool isEnabled) external {
        vm.prank(issuer(tokenSeed));
        if (isEnabled) token(tokenSeed).enableAccount(owner_(ownerSeed));
        else token(tokenSeed).disableAccount(owner_(ownerSeed));
    }

    function setApproval(uint256 tokenSeed, uint256 ownerSeed, uint256 amount) external {
        address owner = owner_(ownerSeed);
        address spender = owner == reserveA || owner == reserveB ? address(swap) : address(dvp);
        vm.prank(owner);
        token(tokenSeed).approve(spender, bound(amount, 0, 50_000_000));
    }

    function issueBonds(uint256 number, uint256 amount) external {
        amount = bound(amount, 1, 10_000);
        vm.prank(authority);
        try op1001.mint(number, ltn(), amount) {
            bonds[treasury] += amount;
            bondsIssued += amount;
        } catch {
            ++refused;
        }
    }

    /// @dev One side of one of twelve trades between banks or customers; now and then with a price of its own.
    function command(uint256 numberSeed, bool isSale, bool isWrong) external {
        uint256 number = NUMBER_FIRST + numberSeed % NUMBERS;
        Order storage order = _orders[number];
        (address seller, address buyer) = parties(number);
        (uint256 amount, uint256 price) = (number % 7 * 131 + 1, number % 5 * 3e8 + 1e8);
        if (isWrong) ++price;
        vm.prank(isSale ? seller : buyer);
        (bool answered,) = address(op1052).call(encode(number, isSale ? SENDER : RECEIVER, amount, price));
        if (!answered) {
            ++refused;
            return;
        }
        require(!order.isOver && !(isSale ? order.isSaleGiven : order.isPurchaseGiven), "a side spoke twice");
        if (isSale) order.isSaleGiven = true;
        else order.isPurchaseGiven = true;
        if (!order.isSaleGiven || !order.isPurchaseGiven) return;
        order.isOver = true;
        ++settled;
        bonds[seller] -= amount;
        bonds[buyer] += amount;
        book(number, seller, buyer, amount * price / 1e8);
    }

    function cancel(uint256 numberSeed, bool isSale) external {
        uint256 number = NUMBER_FIRST + numberSeed % NUMBERS;
        Order storage order = _orders[number];
        (address seller, address buyer) = parties(number);
        vm.prank(isSale ? seller : buyer);
        try op1052.cancel(number, "") {
            require(!order.isOver && (isSale ? order.isSaleGiven : order.isPurchaseGiven), "cancelled another's");
            order.isOver = true;
        } catch {
            ++refused;
        }
    }

    // Trades: even numbers between the banks, odd ones between the customers of the two.

    function parties(uint256 number) private view returns (address seller, address buyer) {
        if (number % 2 == 0) return number % 4 == 0 ? (bankA, bankB) : (bankB, bankA);
        return number % 3 == 0 ? (bankA, clientB) : number % 3 == 1 ? (clientB, clientA) : (clientA, clientB);
    }

    function tokenOf(address owner) private view returns (address) {
        return owner == bankA || owner == clientA ? address(tokenA) : address(tokenB);
    }

    function encode(uint256 number, CallerPart part, uint256 amount, uint256 price)
        private
        view
        returns (bytes memory)
    {
        (address seller, address buyer) = parties(number);
        if (number % 2 == 0) {
            return abi.encodeWithSignature(
                "trade(uint256,address,address,uint8,(string,string,uint256),uint256,uint256)",
                number,
                seller,
                buyer,
                part,
                ltn(),
                amount,
                price
            );
        }
        return abi.encodeWithSignature(
            "trade(uint256,address,address,address,address,uint8,(string,string,uint256),uint256,uint256)",
            number,
            seller,
            tokenOf(seller),
            buyer,
            tokenOf(buyer),
            part,
            ltn(),
            amount,
            price
        );
    }

    /// @dev Books the money of a settled trade; between customers of two banks it goes by way of the reserves.
    function book(uint256 number, address seller, address buyer, uint256 value) private {
        if (number % 2 == 0) {
            money[address(real)][buyer] -= value;
            money[address(real)][seller] += value;
            return;
        }
        money[tokenOf(buyer)][buyer] -= value;
        issued[tokenOf(buyer)] -= value;
        money[tokenOf(seller)][seller] += value;
        issued[tokenOf(seller)] += value;
        bool isFromA = tokenOf(buyer) == address(tokenA);
        money[address(real)][isFromA ? reserveA : reserveB] -= value;
        money[address(real)][isFromA ? reserveB : reserveA] += value;
    }

    function owner_(uint256 seed) private view returns (address) {
        return _owners[seed % _owners.length];
    }

    function issuer(uint256 tokenSeed) private view returns (address) {
        return [authority, bankA, bankB][tokenSeed % 3];
    }
}
