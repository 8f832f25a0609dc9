// viem as a judge: deploy, mint, transfer, simulate, logs, errors and subscriptions on a real ledger.

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import {
  ContractFunctionRevertedError,
  NonceTooLowError,
  createPublicClient,
  createWalletClient,
  defineChain,
  http,
  keccak256,
  stringToBytes,
  webSocket,
} from 'viem'
import { privateKeyToAccount } from 'viem/accounts'

import { BANK, CHAIN_ID, STRANGER, TREASURY, TREASURY_LABEL, readArtifact, startLedger } from './ledger.mjs'

const LIMIT = { timeout: 30_000 }

describe('viem', () => {
  let ledger, reader, wallet, token

  before(async () => {
    ledger = await startLedger()
    const chain = defineChain({
      id: CHAIN_ID,
      name: 'Lastro',
      nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
      rpcUrls: { default: { http: [ledger.http], webSocket: [ledger.ws] } },
    })
    const account = privateKeyToAccount(keccak256(stringToBytes(TREASURY_LABEL)))
    // Batches are on, so that the ledger is asked several things in one request.
    reader = createPublicClient({ chain, transport: http(undefined, { batch: true }), pollingInterval: 100, cacheTime: 0 })
    wallet = createWalletClient({ chain, account, transport: http() })
  }, LIMIT)

  after(() => ledger?.stop())

  /** Sends a call of the token and answers its receipt. */
  async function write(functionName, args, overrides = {}) {
    const hash = await wallet.writeContract({ ...token, functionName, args, ...overrides })
    return reader.waitForTransactionReceipt({ hash })
  }

  const read = (functionName, args = []) => reader.readContract({ ...token, functionName, args })

  test('the network and the funded account are those of the genesis', LIMIT, async () => {
    assert.equal(await reader.getChainId(), CHAIN_ID)
    assert.equal(wallet.account.address, TREASURY)
    assert.equal(await reader.getBalance({ address: TREASURY }), 1_000n * 10n ** 18n)
  })

  test('a contract is deployed', LIMIT, async () => {
    const { abi, bytecode } = await readArtifact('RealDigital')
    const hash = await wallet.deployContract({ abi, bytecode, args: ['Real Digital', 'BRL', TREASURY, TREASURY] })
    const receipt = await reader.waitForTransactionReceipt({ hash })
    assert.equal(receipt.status, 'success')
    token = { address: receipt.contractAddress, abi }
    assert.deepEqual(await Promise.all([read('symbol'), read('decimals')]), ['BRL', 2])
  })

  test('tokens are minted and transferred', LIMIT, async () => {
    for (const account of [TREASURY, BANK]) await write('enableAccount', [account])
    await write('mint', [TREASURY, 1_000_00n])
    const receipt = await write('transfer', [BANK, 250_00n])
    assert.deepEqual([receipt.status, receipt.logs.length], ['success', 1])
    assert.deepEqual(await Promise.all([read('balanceOf', [TREASURY]), read('balanceOf', [BANK])]), [750_00n, 250_00n])
  })

  test('an estimate is enough gas', LIMIT, async () => {
    const call = { ...token, functionName: 'transfer', args: [BANK, 1n], account: wallet.account }
    const gas = await reader.estimateContractGas(call)
    assert.equal((await write('transfer', [BANK, 1n], { gas })).status, 'success')
  })

  test('a legacy transaction without a gas price is mined', LIMIT, async () => {
    const receipt = await write('transfer', [BANK, 1n], { type: 'legacy', gasPrice: 0n })
    assert.deepEqual([receipt.status, receipt.type, receipt.effectiveGasPrice], ['success', 'legacy', 0n])
  })

  test('past logs are found', LIMIT, async () => {
    const query = { ...token, eventName: 'Transfer', args: { to: BANK }, fromBlock: 0n, strict: true }
    const logs = await reader.getContractEvents(query)
    assert.deepEqual(logs.map((log) => log.args.value), [250_00n, 1n, 1n])
  })

  test('a filter answers what came since it was asked last', LIMIT, async () => {
    const filter = await reader.createContractEventFilter({ ...token, eventName: 'Transfer' })
    await write('transfer', [BANK, 3n])
    assert.deepEqual((await reader.getFilterChanges({ filter })).map((log) => log.args.value), [3n])
    assert.deepEqual(await reader.getFilterChanges({ filter }), [])
    assert.equal(await reader.uninstallFilter({ filter }), true)
  })

  test('a refused call is decoded into the error of the contract', LIMIT, async () => {
    const call = { ...token, functionName: 'transfer', args: [STRANGER, 1n], account: wallet.account }
    await assert.rejects(reader.simulateContract(call), (error) => {
      const refusal = error.walk((cause) => cause instanceof ContractFunctionRevertedError)
      assert.deepEqual([refusal.data.errorName, ...refusal.data.args], ['CBDCAccountNotEnabled', STRANGER])
      return true
    })
  })

  test('a refused transaction is mined as reverted', LIMIT, async () => {
    assert.equal((await write('transfer', [STRANGER, 1n], { gas: 200_000n })).status, 'reverted')
  })

  test('a used nonce is refused by name', LIMIT, async () => {
    await assert.rejects(write('transfer', [BANK, 1n], { nonce: 0, gas: 200_000n }), (error) => {
      return error.walk((cause) => cause instanceof NonceTooLowError) !== null
    })
  })

  test('heads and logs arrive over WebSocket', LIMIT, async () => {
    const live = createPublicClient({ chain: reader.chain, transport: webSocket(ledger.ws, { reconnect: false }) })
    const undo = []
    const watch = (start) => new Promise((resolve, onError) => undo.push(start(resolve, onError)))
    const head = watch((onBlock, onError) => live.watchBlocks({ onBlock, onError }))
    const log = watch((onLogs, onError) => live.watchContractEvent({ ...token, eventName: 'Transfer', onLogs, onError }))
    try {
      await live.getChainId() // Answered in order: both subscriptions stand before the transfer is sent.
      const receipt = await write('transfer', [BANK, 7n])
      const [{ args, transactionHash }] = await log
      assert.deepEqual([args.from, args.to, args.value, transactionHash], [TREASURY, BANK, 7n, receipt.transactionHash])
      assert.ok((await head).number <= receipt.blockNumber)
    } finally {
      for (const stop of undo) stop()
      const socket = await live.transport.getRpcClient()
      socket.close()
    }
  })
})
