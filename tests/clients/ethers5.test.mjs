// ethers 5 as a judge: what wallets and scripts of the last years still speak.

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import { ethers } from 'ethers5'

import { BANK, CHAIN_ID, STRANGER, TREASURY, TREASURY_LABEL, readArtifact, startLedger } from './ledger.mjs'

const LIMIT = { timeout: 30_000 }

describe('ethers 5', () => {
  let ledger, provider, treasury, token

  before(async () => {
    ledger = await startLedger()
    provider = new ethers.providers.JsonRpcProvider(ledger.http)
    provider.pollingInterval = 100
    treasury = new ethers.Wallet(ethers.utils.id(TREASURY_LABEL), provider)
  }, LIMIT)

  after(async () => {
    provider?.removeAllListeners()
    await ledger?.stop()
  })

  test('the network is recognised', LIMIT, async () => {
    assert.equal((await provider.getNetwork()).chainId, CHAIN_ID)
    assert.equal(treasury.address, TREASURY)
  })

  test('a contract is deployed, and tokens are minted and transferred', LIMIT, async () => {
    const { abi, bytecode } = await readArtifact('RealDigital')
    token = await new ethers.ContractFactory(abi, bytecode, treasury).deploy('Real Digital', 'BRL', TREASURY, TREASURY)
    const receipt = await token.deployTransaction.wait()
    assert.deepEqual([receipt.status, receipt.contractAddress], [1, token.address])
    for (const account of [TREASURY, BANK]) await (await token.enableAccount(account)).wait()
    await (await token.mint(TREASURY, 1_000_00)).wait()
    const transferred = await (await token.transfer(BANK, 250_00)).wait()
    assert.deepEqual(transferred.events.map((event) => event.event), ['Transfer'])
    assert.equal((await token.balanceOf(BANK)).toNumber(), 250_00)
  })

  test('an estimate is enough gas', LIMIT, async () => {
    const gasLimit = await token.estimateGas.transfer(BANK, 1)
    assert.equal((await (await token.transfer(BANK, 1, { gasLimit })).wait()).status, 1)
  })

  test('a legacy transaction without a gas price is mined', LIMIT, async () => {
    const receipt = await (await token.transfer(BANK, 1, { type: 0, gasPrice: 0 })).wait()
    assert.deepEqual([receipt.status, receipt.type], [1, 0])
  })

  test('past logs are found', LIMIT, async () => {
    const transfers = await token.queryFilter(token.filters.Transfer(null, BANK), 0, 'latest')
    assert.deepEqual(transfers.map((log) => log.args.value.toNumber()), [250_00, 1, 1])
  })

  test('a refused call is decoded into the error of the contract', LIMIT, async () => {
    await assert.rejects(token.callStatic.transfer(STRANGER, 1), (error) => {
      assert.equal(error.code, 'CALL_EXCEPTION')
      assert.deepEqual([error.errorName, ...error.errorArgs], ['CBDCAccountNotEnabled', STRANGER])
      return true
    })
  })

  test('a refused transaction is mined with status 0', LIMIT, async () => {
    const sent = await token.transfer(STRANGER, 1, { gasLimit: 200_000 })
    await assert.rejects(sent.wait(), (error) => error.code === 'CALL_EXCEPTION' && error.receipt.status === 0)
  })

  test('a used nonce is refused by name', LIMIT, async () => {
    const transfer = token.transfer(BANK, 1, { nonce: 0, gasLimit: 200_000 })
    await assert.rejects(transfer, (error) => error.code === 'NONCE_EXPIRED')
  })

  test('heads and logs arrive over WebSocket', LIMIT, async () => {
    const socket = new ethers.providers.WebSocketProvider(ledger.ws)
    try {
      await socket.ready
      const live = token.connect(socket)
      const head = new Promise((resolve) => socket.once('block', resolve))
      const log = new Promise((resolve) => live.once('Transfer', (...values) => resolve(values)))
      await socket.send('eth_blockNumber', []) // Answered in order: both subscriptions stand before the transfer is sent.
      const receipt = await (await token.transfer(BANK, 7)).wait()
      const [from, to, value, event] = await log
      assert.deepEqual([from, to, value.toNumber()], [TREASURY, BANK, 7])
      assert.equal(event.transactionHash, receipt.transactionHash)
      assert.ok((await head) <= receipt.blockNumber)
    } finally {
      await socket.destroy()
    }
  })
})
