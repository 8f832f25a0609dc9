// ethers 6 as a judge: deploy, mint, transfer, call, estimate, logs, errors and subscriptions on a real ledger.

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import { ContractFactory, JsonRpcProvider, NonceManager, Wallet, WebSocketProvider, id } from 'ethers'

import { BANK, CHAIN_ID, STRANGER, TREASURY, TREASURY_LABEL, readArtifact, startLedger } from './ledger.mjs'

const LIMIT = { timeout: 30_000 }

describe('ethers 6', () => {
  let ledger, provider, treasury, token

  before(async () => {
    ledger = await startLedger()
    provider = new JsonRpcProvider(ledger.http, undefined, { polling: true, pollingInterval: 100, cacheTimeout: -1 })
    treasury = new Wallet(id(TREASURY_LABEL), provider)
  }, LIMIT)

  after(async () => {
    provider?.destroy()
    await ledger?.stop()
  })

  test('the network and the funded account are those of the genesis', LIMIT, async () => {
    assert.equal((await provider.getNetwork()).chainId, BigInt(CHAIN_ID))
    assert.equal(treasury.address, TREASURY)
    assert.equal(await provider.getBalance(TREASURY), 1_000n * 10n ** 18n)
    assert.equal((await provider.getBlock('latest')).baseFeePerGas, 0n)
  })

  test('a contract is deployed and has the address that its creator and nonce give', LIMIT, async () => {
    const { abi, bytecode } = await readArtifact('RealDigital')
    token = await new ContractFactory(abi, bytecode, treasury).deploy('Real Digital', 'BRL', TREASURY, TREASURY)
    const receipt = await token.deploymentTransaction().wait()
    assert.equal(receipt.status, 1)
    assert.equal(receipt.contractAddress, await token.getAddress())
    assert.notEqual(await provider.getCode(token), '0x')
    assert.deepEqual([await token.symbol(), await token.decimals()], ['BRL', 2n])
  })

  test('transactions sent at once are mined in the order of their nonces', LIMIT, async () => {
    const pipeline = token.connect(new NonceManager(treasury))
    const sent = [
      await pipeline.enableAccount(TREASURY),
      await pipeline.enableAccount(BANK),
      await pipeline.mint(TREASURY, 1_000_00n, { gasLimit: 200_000 }),
      await pipeline.transfer(BANK, 250_00n, { gasLimit: 200_000 }),
    ]
    const receipts = await Promise.all(sent.map((transaction) => transaction.wait()))
    assert.deepEqual(receipts.map((receipt) => receipt.status), [1, 1, 1, 1])
    assert.deepEqual([await token.balanceOf(TREASURY), await token.balanceOf(BANK)], [750_00n, 250_00n])
    assert.equal(await token.totalSupply(), 1_000_00n)
  })

  test('an estimate is enough gas and not much more', LIMIT, async () => {
    const estimate = await token.transfer.estimateGas(BANK, 1n)
    const receipt = await (await token.transfer(BANK, 1n, { gasLimit: estimate })).wait()
    assert.equal(receipt.status, 1)
    assert.ok(estimate < receipt.gasUsed * 2n, `${estimate} estimated, ${receipt.gasUsed} used`)
  })

  test('a legacy transaction without a gas price is mined', LIMIT, async () => {
    const receipt = await (await token.transfer(BANK, 1n, { type: 0, gasPrice: 0 })).wait()
    assert.deepEqual([receipt.status, receipt.type, receipt.gasPrice], [1, 0, 0n])
  })

  test('past logs are found by event, by topic and by range', LIMIT, async () => {
    const transfers = await token.queryFilter(token.filters.Transfer(null, BANK), 0, 'latest')
    assert.deepEqual(transfers.map((log) => log.args.value), [250_00n, 1n, 1n])
    const [first] = transfers
    const block = await provider.getBlock(first.blockNumber)
    assert.equal(first.blockHash, block.hash)
    assert.equal((await token.queryFilter('Transfer', first.blockNumber + 1)).length, 2)
    assert.equal((await token.queryFilter(token.filters.Transfer(null, STRANGER), 0)).length, 0)
  })

  test('a block that is read by hash holds its transactions', LIMIT, async () => {
    const [log] = await token.queryFilter(token.filters.Transfer(null, BANK), 0)
    const block = await provider.getBlock(log.blockHash, true)
    const transaction = block.getPrefetchedTransaction(log.transactionHash)
    assert.deepEqual([transaction.from, transaction.to], [TREASURY, await token.getAddress()])
  })

  test('a refused call is decoded into the error of the contract', LIMIT, async () => {
    const isRefusal = (error) => {
      assert.equal(error.code, 'CALL_EXCEPTION')
      const refusal = token.interface.parseError(error.data)
      assert.deepEqual([refusal.name, ...refusal.args], ['CBDCAccountNotEnabled', STRANGER])
      return true
    }
    await assert.rejects(token.transfer.staticCall(STRANGER, 1n), isRefusal)
    await assert.rejects(token.transfer.estimateGas(STRANGER, 1n), isRefusal)
  })

  test('a refused transaction is mined with status 0 and moves nothing', LIMIT, async () => {
    const balance = await token.balanceOf(TREASURY)
    const sent = await token.transfer(STRANGER, 1n, { gasLimit: 200_000 })
    await assert.rejects(sent.wait(), (error) => error.code === 'CALL_EXCEPTION' && error.receipt.status === 0)
    assert.equal(await token.balanceOf(TREASURY), balance)
  })

  test('a used nonce is refused by name', LIMIT, async () => {
    const transfer = token.transfer(BANK, 1n, { nonce: 0, gasLimit: 200_000 })
    await assert.rejects(transfer, (error) => error.code === 'NONCE_EXPIRED')
  })

  test('heads and logs arrive over WebSocket', LIMIT, async () => {
    const socket = new WebSocketProvider(ledger.ws)
    try {
      const live = token.connect(socket)
      const head = new Promise((resolve, reject) => socket.on('block', resolve).catch(reject))
      const log = new Promise((resolve, reject) => live.on('Transfer', (...all) => resolve(all)).catch(reject))
      await socket.send('eth_chainId', []) // Answered in order: both subscriptions stand before the transfer is sent.
      const receipt = await (await token.transfer(BANK, 7n)).wait()
      const [from, to, value, event] = await log
      assert.deepEqual([from, to, value], [TREASURY, BANK, 7n])
      assert.equal(event.log.transactionHash, receipt.hash)
      assert.ok((await head) <= receipt.blockNumber)
    } finally {
      await socket.destroy()
    }
  })
})
