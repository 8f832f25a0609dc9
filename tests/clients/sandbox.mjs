// The Drex pilot as `lastro drex sandbox` runs it, for scripts that were written for the pilot: the published ABIs, the
// directory of addresses, and wallets whose transactions offer nothing for gas.
//
// Of the sandbox it knows the JSON that the command prints when it is up. The ABIs are not ours to ship: they come from the
// shared material, and without it the tests that need them are skipped.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

import { ethers } from 'ethers5'

import { BINARY, START_MS_MAX, collect, exitOf, expectBinary, stopAndRemove } from './ledger.mjs'

const ABI_FOLDER = process.env.LASTRO_SHARED && join(process.env.LASTRO_SHARED, 'data/drex-kit/abi')

/** Why tests that need the published ABIs cannot run, or false if they can. */
export const WITHOUT_ABIS =
  ABI_FOLDER && existsSync(ABI_FOLDER) ? false : 'needs the published ABIs: LASTRO_SHARED names no folder that has them'

/** The pilot's network and the institutions that a sandbox begins with. */
export async function startSandbox() {
  await expectBinary()
  const dataDir = await mkdtemp(join(tmpdir(), 'lastro-drex-'))
  const ports = ['--http', '127.0.0.1:0', '--ws', '127.0.0.1:0']
  const sandbox = spawn(BINARY, ['drex', 'sandbox', '--json', '--data-dir', dataDir, ...ports])
  const talk = collect(sandbox)
  try {
    const ended = exitOf(sandbox).then(([code, signal]) => {
      throw new Error(`\`lastro drex sandbox\` ended with ${code ?? signal}:\n${talk.join('\n')}`)
    })
    ended.catch(() => {}) // Once it is up, its end is awaited by `stop`.
    const late = once(AbortSignal.timeout(START_MS_MAX), 'abort').then(() => {
      throw new Error(`the sandbox was not up within ${START_MS_MAX} ms:\n${talk.join('\n')}`)
    })
    late.catch(() => {})
    const lines = createInterface({ input: sandbox.stdout })
    const [line] = await Promise.race([once(lines, 'line'), ended, late])
    return { network: JSON.parse(line), stop: () => stopAndRemove(sandbox, dataDir) }
  } catch (error) {
    sandbox.kill('SIGKILL')
    await rm(dataDir, { recursive: true, force: true })
    throw error
  }
}

/** A wallet on a network without a price of gas, as `gasPrice: 0` of a network's configuration makes it. */
export class FreeGasWallet extends ethers.Wallet {
  populateTransaction(transaction) {
    return super.populateTransaction({ gasPrice: 0, ...transaction })
  }

  connect(provider) {
    return new FreeGasWallet(this, provider)
  }
}

/** An ABI as the kit published it. */
export async function publishedAbi(name) {
  return JSON.parse(await readFile(join(ABI_FOLDER, `${name}.json`), 'utf8'))
}

/** The pilot as its scripts see it: contracts by the names of the directory, wallets by their holders. */
export async function joinPilot(network) {
  const provider = new ethers.providers.JsonRpcProvider(network.http)
  provider.pollingInterval = 100
  const wallet = ({ privateKey }) => new FreeGasWallet(privateKey, provider)
  const institutions = network.institutions.map((one) => ({
    ...one,
    bank: wallet(one.defaultWallet),
    reserve: wallet(one.reserveWallet),
    customers: one.clients.map(wallet),
  }))
  const directory = new ethers.Contract(network.addressDiscovery, await publishedAbi('AddressDiscovery'), provider)
  const find = (name) => directory.addressDiscovery(ethers.utils.id(name))
  const contract = async (name, abi = name) => new ethers.Contract(await find(name), await publishedAbi(abi), provider)
  const centralBank = wallet(network.centralBank)
  return { provider, institutions, centralBank, treasury: wallet(network.treasury), find, contract }
}
