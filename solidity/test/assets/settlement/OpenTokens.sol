// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC1155} from "@openzeppelin/contracts/token/ERC1155/ERC1155.sol";
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC721} from "@openzeppelin/contracts/token/ERC721/ERC721.sol";

/// @dev A plain ERC-20 that everybody may mint.
contract OpenMoney is ERC20("Money", "MNY") {
    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    /// @dev What an issuer with the power to seize does.
    function seize(address from, uint256 amount) external {
        _burn(from, amount);
    }
}

/// @dev A plain ERC-1155 that everybody may mint.
contract OpenPaper is ERC1155("") {
    function mint(address to, uint256 id, uint256 amount) external {
        _mint(to, id, amount, "");
    }

    function mintBatch(address to, uint256[] calldata ids, uint256[] calldata amounts) external {
        _mintBatch(to, ids, amounts, "");
    }
}

/// @dev A plain ERC-721 that everybody may mint.
contract OpenDeed is ERC721("Deed", "DEED") {
    function mint(address to, uint256 id) external {
        _mint(to, id);
    }
}
