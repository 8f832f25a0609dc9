#!/bin/sh
# Everything that the contracts can be asked, in one go: formatting, tests, the errors that they
# expect, gas, artifacts, texts of errors, storage of upgradeable contracts, published ABIs.
# Installs the pinned toolchain from npm when it is missing or not what the lock file says. Ends with 0 if all holds.
set -eu
cd "$(dirname "$0")"

# npm writes `.package-lock.json` last, so its age is that of a complete installation.
if [ ! -e node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
    echo "solidity: installing forge, solc-js and OpenZeppelin Contracts with npm ci"
    npm ci --ignore-scripts --no-audit --no-fund
fi

step() {
    echo "solidity: $1"
    shift
    "$@"
}

step "formatting" node tools/forge.mjs fmt --check src test
step "tests" node tools/forge.mjs test
step "errors that tests expect" node tools/check-reverts.mjs
step "gas" node tools/check-gas.mjs --check
step "page of gas" node tools/gas-page.mjs --check
step "artifacts" node tools/build-artifacts.mjs --check
step "texts of errors" node tools/errors-page.mjs --check
step "storage of upgradeable contracts" node tools/check-layout.mjs --check
step "published ABIs" node tools/check-abi.mjs
