"""web3.py as a judge: deploy, mint, transfer, logs, errors and subscriptions on a real ledger.

Run by `node with-ledger.mjs .venv/bin/python -B -m unittest --verbose web3_test`, which names the ledger's addresses.
"""

import asyncio
import json
import os
import pathlib
import unittest

from eth_account import Account
from web3 import AsyncWeb3, HTTPProvider, Web3, WebSocketProvider
from web3.exceptions import ContractCustomError, Web3RPCError
from web3.middleware import ExtraDataToPOAMiddleware, SignAndSendRawMiddlewareBuilder

HERE = pathlib.Path(__file__).parent
ARTIFACT = json.loads((HERE / "../../solidity/artifacts/RealDigital.json").read_text())

# The account that the genesis funds; its key is the hash of a published text.
TREASURY = Account.from_key(Web3.keccak(text="lastro client tests: treasury"))
# Accounts without a key: one that is enabled in the token, and one that never is.
BANK = "0x1000000000000000000000000000000000000001"
STRANGER = "0x2000000000000000000000000000000000000002"

WAIT_SECONDS_MAX = 30


def connect() -> Web3:
    """A client that signs for the treasury. Headers of QBFT carry more extra data than Ethereum's 32 bytes."""
    client = Web3(HTTPProvider(os.environ["LEDGER_HTTP"]))
    client.middleware_onion.inject(ExtraDataToPOAMiddleware, layer=0)
    client.middleware_onion.inject(SignAndSendRawMiddlewareBuilder.build(TREASURY), layer=0)
    client.eth.default_account = TREASURY.address
    return client


class Web3Test(unittest.TestCase):
    """Every test finds a token with 1,000.00 minted to the treasury, of which the bank has 250.00 at first."""

    @classmethod
    def setUpClass(cls):
        cls.client = connect()
        factory = cls.client.eth.contract(abi=ARTIFACT["abi"], bytecode=ARTIFACT["bytecode"]["object"])
        deployed = factory.constructor("Real Digital", "BRL", TREASURY.address, TREASURY.address).transact()
        receipt = cls.wait(deployed)
        cls.token = cls.client.eth.contract(address=receipt.contractAddress, abi=ARTIFACT["abi"])
        for account in (TREASURY.address, BANK):
            cls.wait(cls.token.functions.enableAccount(account).transact())
        cls.wait(cls.token.functions.mint(TREASURY.address, 1_000_00).transact())
        cls.first = cls.wait(cls.token.functions.transfer(BANK, 250_00).transact())

    @classmethod
    def wait(cls, transaction_hash):
        return cls.client.eth.wait_for_transaction_receipt(transaction_hash, timeout=WAIT_SECONDS_MAX, poll_latency=0.1)

    def test_the_network_is_the_one_of_the_genesis(self):
        self.assertEqual(self.client.eth.chain_id, 1337)
        self.assertTrue(self.client.is_connected())
        self.assertEqual(self.client.eth.get_block("latest").baseFeePerGas, 0)

    def test_tokens_were_minted_and_transferred(self):
        balances = [self.token.functions.balanceOf(account).call() for account in (TREASURY.address, BANK)]
        self.assertEqual(sum(balances), self.token.functions.totalSupply().call())
        self.assertGreaterEqual(balances[1], 250_00)
        self.assertEqual(self.first.status, 1)

    def test_an_estimate_is_enough_gas(self):
        transfer = self.token.functions.transfer(BANK, 1)
        receipt = self.wait(transfer.transact({"gas": transfer.estimate_gas()}))
        self.assertEqual(receipt.status, 1)

    def test_a_legacy_transaction_without_a_gas_price_is_mined(self):
        receipt = self.wait(self.token.functions.transfer(BANK, 1).transact({"gasPrice": 0}))
        self.assertEqual((receipt.status, receipt.type, receipt.effectiveGasPrice), (1, 0, 0))

    def test_past_logs_are_found(self):
        number = self.first.blockNumber
        logs = self.token.events.Transfer().get_logs(
            from_block=number, to_block=number, argument_filters={"to": BANK}
        )
        self.assertEqual([log.args.value for log in logs], [250_00])

    def test_a_refused_call_carries_the_error_of_the_contract(self):
        with self.assertRaises(ContractCustomError) as refusal:
            self.token.functions.transfer(STRANGER, 1).call()
        data = Web3.to_bytes(hexstr=refusal.exception.data)
        self.assertEqual(data[:4], Web3.keccak(text="CBDCAccountNotEnabled(address)")[:4])
        self.assertEqual(self.client.codec.decode(["address"], data[4:]), (STRANGER,))

    def test_a_refused_transaction_is_mined_with_status_0(self):
        receipt = self.wait(self.token.functions.transfer(STRANGER, 1).transact({"gas": 200_000}))
        self.assertEqual((receipt.status, len(receipt.logs)), (0, 0))

    def test_a_used_nonce_is_refused_by_name(self):
        with self.assertRaises(Web3RPCError) as refusal:
            self.token.functions.transfer(BANK, 1).transact({"nonce": 0, "gas": 200_000})
        self.assertIn("nonce too low", str(refusal.exception).lower())

    def test_heads_and_logs_arrive_over_websocket(self):
        head, log, sent = asyncio.run(asyncio.wait_for(self.subscribe(), WAIT_SECONDS_MAX))
        receipt = self.wait(sent)
        self.assertLessEqual(head["number"], receipt.blockNumber)
        self.assertEqual(log["transactionHash"], receipt.transactionHash)

    async def subscribe(self):
        """Subscribes to heads and to the token's logs, sends a transfer, and answers one of each and its hash."""
        async with AsyncWeb3(WebSocketProvider(os.environ["LEDGER_WS"])) as live:
            live.middleware_onion.inject(ExtraDataToPOAMiddleware, layer=0)
            heads = await live.eth.subscribe("newHeads")
            logs = await live.eth.subscribe("logs", {"address": self.token.address})
            sent = await asyncio.to_thread(self.token.functions.transfer(BANK, 7).transact)
            found = {}
            async for message in live.socket.process_subscriptions():
                found.setdefault(message["subscription"], message["result"])
                if heads in found and logs in found:
                    return found[heads], found[logs], sent


if __name__ == "__main__":
    unittest.main()
