// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {NonZeroAddress} from "../../src/drex/NonZeroAddress.sol";
import {TPFtRepoStorage} from "../../src/drex/TPFtRepoStorage.sol";
import {Repo, RepoMode, RepoNaming, RepoStatus} from "../../src/drex/TPFtRepoTypes.sol";
import {Test} from "../base/Test.sol";

/// @dev What 1054 and 1056 lean on, called as they call it: wallets have their roles here.
contract TPFtRepoStorageTest is Test {
    address private immutable admin = wallet("admin");
    address private immutable opening = wallet("opening");
    address private immutable closing = wallet("closing");
    TPFtRepoStorage private immutable repos = new TPFtRepoStorage(admin);

    function setUp() public {
        vm.startPrank(admin);
        repos.grantRole(repos.FORWARD_ROLE(), opening);
        repos.grantRole(repos.RETURN_ROLE(), closing);
        vm.stopPrank();
    }

    function repo() private pure returns (Repo memory) {
        return Repo({
            sender: address(0xa),
            returnDate: type(uint64).max,
            mode: RepoMode.OpenReturnPrice,
            naming: RepoNaming.Client,
            status: RepoStatus.Defaulted,
            receiver: address(0xb),
            tpftId: type(uint96).max,
            tpftAmount: type(uint120).max,
            unitPrice: type(uint64).max - 1,
            returnUnitPrice: type(uint64).max - 2,
            senderToken: address(0xc),
            cnpj8Sender: type(uint64).max - 3,
            receiverToken: address(0xd),
            cnpj8Receiver: type(uint64).max - 4
        });
    }

    function open(uint256 operationId) private {
        vm.prank(opening);
        repos.open(operationId, repo());
    }

    function test_what_is_written_is_read_and_is_open() public {
        vm.expectEmit(address(repos));
        emit TPFtRepoStorage.RepoStatusChanged(7, RepoStatus.Open);
        open(7);
        Repo memory expected = repo();
        expected.status = RepoStatus.Open;
        assertEq(keccak256(abi.encode(repos.getRepo(7))), keccak256(abi.encode(expected)), "repo");
        assertEq(keccak256(abi.encode(repos.getOpenRepo(7))), keccak256(abi.encode(expected)), "open repo");
    }

    function test_a_number_is_written_once() public {
        open(7);
        expectError(abi.encodeWithSelector(TPFtRepoStorage.RepoExists.selector, 7));
        open(7);
    }

    function test_open_to_returned_and_open_to_defaulted_are_final() public {
        open(7);
        open(8);
        vm.expectEmit(address(repos));
        emit TPFtRepoStorage.RepoStatusChanged(7, RepoStatus.Returned);
        vm.prank(closing);
        repos.setReturned(7);
        vm.expectEmit(address(repos));
        emit TPFtRepoStorage.RepoStatusChanged(8, RepoStatus.Defaulted);
        vm.prank(opening);
        repos.setDefaulted(8);
        assertClosed(7, RepoStatus.Returned);
        assertClosed(8, RepoStatus.Defaulted);
        assertClosed(9, RepoStatus.None);
    }

    function assertClosed(uint256 operationId, RepoStatus status) private {
        bytes memory refusal = abi.encodeWithSelector(TPFtRepoStorage.RepoNotOpen.selector, operationId, status);
        assertRefused(closing, address(repos), abi.encodeCall(repos.setReturned, (operationId)), refusal);
        assertRefused(opening, address(repos), abi.encodeCall(repos.setDefaulted, (operationId)), refusal);
        assertRefused(opening, address(repos), abi.encodeCall(repos.getOpenRepo, (operationId)), refusal);
    }

    function test_neither_leg_does_the_other_s_work() public {
        open(7);
        (bytes32 forwardRole, bytes32 returnRole) = (repos.FORWARD_ROLE(), repos.RETURN_ROLE());
        assertRefused(
            closing, address(repos), abi.encodeCall(repos.open, (8, repo())), missingRole(closing, forwardRole)
        );
        assertRefused(
            closing, address(repos), abi.encodeCall(repos.setDefaulted, (7)), missingRole(closing, forwardRole)
        );
        assertRefused(opening, address(repos), abi.encodeCall(repos.setReturned, (7)), missingRole(opening, returnRole));
    }

    function test_somebody_administers() public {
        expectError(abi.encodeWithSelector(NonZeroAddress.DrexZeroAddress.selector, "admin"));
        new TPFtRepoStorage(address(0));
    }
}
