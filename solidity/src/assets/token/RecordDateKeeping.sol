// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Account} from "./Account.sol";
import {TokenHead} from "./TokenHead.sol";
import {Checkpoint, TokenData, TokenStorage} from "./TokenStorage.sol";

/// @title RecordDateKeeping
/// @notice What every movement does for record dates: notice that one has passed, and keep the balance from before.
/// @dev Record dates are numbered from 1 by time; the epoch of a moment is how many of them are over. Each account's word
/// has the epoch of its last change. If that is behind, the balance was the same at all dates between, and one
/// checkpoint keeps it for all of them before it changes. What a movement pays where no date has passed is one
/// comparison with the next date, which stands in a word that it reads anyway.
abstract contract RecordDateKeeping is TokenStorage {
    /// @dev The epoch of this moment, and the head with the next date: to be stored by the caller if it is another.
    function _epochNow(TokenHead head) internal returns (uint256 epoch, TokenHead newHead) {
        TokenData storage data = _token();
        epoch = data.epoch;
        uint48 next = head.nextRecordDate();
        if (next == 0 || block.timestamp <= next) return (epoch, head);
        uint48[] storage dates = data.recordDates;
        uint256 length = dates.length;
        for (next = 0; epoch < length; ++epoch) {
            next = dates[epoch];
            if (block.timestamp <= next) break;
            next = 0;
        }
        data.epoch = uint16(epoch);
        return (epoch, head.withNextRecordDate(next));
    }

    /// @dev The word brought to an epoch, before its balance changes. The old balance is kept if it may be asked for.
    function _keep(Account account, address owner, uint256 epoch) internal returns (Account) {
        if (account.epoch() == epoch) return account;
        uint256 count = account.checkpoints();
        if (count != 0 || account.balance() != 0) {
            _token().checkpoints[owner][count] = Checkpoint.wrap(uint128((epoch << 104) | account.balance()));
            account = account.withCheckpoints(count + 1);
        } else {
            account = account.withFirstEpoch(epoch);
        }
        return account.withEpoch(epoch);
    }
}
