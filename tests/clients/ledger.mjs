// A real ledger for the tests of a client: fresh data directory, free loopback ports, stopped and removed at the end.
//
// It knows the command line of `lastro ledger` and the two lines that `run` prints when it listens; of what the ledger
// answers it knows nothing: that is for the clients to judge.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { access, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const here = (path) => fileURLToPath(new URL(path, import.meta.url))

export const BINARY = process.env.LASTRO_BINARY ?? here('../../target/debug/lastro')
const GENESIS = here('genesis.json')

// Longer than any start or stop takes on a busy machine; a test fails then instead of hanging.
export const START_MS_MAX = 30_000
const STOP_MS_MAX = 15_000

export const CHAIN_ID = 1337

// The account that the genesis funds. Its key is the Keccak-256 hash of this published text: never use it elsewhere.
export const TREASURY_LABEL = 'lastro client tests: treasury'
export const TREASURY = '0x8639e499b36fCae1fDAc5Cd820e83dbCa50b5892'

// Accounts without a key: one that the tests enable in the token, and one that they never do.
export const BANK = '0x1000000000000000000000000000000000000001'
export const STRANGER = '0x2000000000000000000000000000000000000002'

/** The committed artifact of a contract: its ABI, and its creation code as a hex string. */
export async function readArtifact(name) {
  const { abi, bytecode } = JSON.parse(await readFile(here(`../../solidity/artifacts/${name}.json`), 'utf8'))
  return { abi, bytecode: bytecode.object }
}

/** Starts a ledger of one sealer and answers its addresses once it listens. */
export async function startLedger({ blockPeriod = '200ms' } = {}) {
  await expectBinary()
  const dataDir = await mkdtemp(join(tmpdir(), 'lastro-clients-'))
  try {
    await initialise(dataDir)
    return await listen(dataDir, blockPeriod)
  } catch (error) {
    await rm(dataDir, { recursive: true, force: true })
    throw error
  }
}

/** Fails with words if the binary was not built. */
export async function expectBinary() {
  await access(BINARY).catch(() => {
    throw new Error(`there is no \`${BINARY}\`; build it with \`cargo build --workspace --bin lastro\``)
  })
}

async function initialise(dataDir) {
  const process = spawn(BINARY, ['ledger', 'init', '--genesis', GENESIS, '--data-dir', dataDir, '--adopt'])
  const talk = collect(process)
  const [code] = await exitOf(process)
  if (code !== 0) throw new Error(`\`lastro ledger init\` ended with ${code}:\n${talk.join('\n')}`)
}

async function listen(dataDir, blockPeriod) {
  const ports = ['--http', '127.0.0.1:0', '--ws', '127.0.0.1:0']
  const process = spawn(BINARY, ['ledger', 'run', '--data-dir', dataDir, ...ports, '--block-period', blockPeriod])
  const talk = collect(process)
  const ended = exitOf(process).then(([code, signal]) => {
    throw new Error(`\`lastro ledger run\` ended with ${code ?? signal}:\n${talk.join('\n')}`)
  })
  ended.catch(() => {}) // Once it listens, its end is awaited by `stop`.
  const late = AbortSignal.timeout(START_MS_MAX)
  const tooLate = once(late, 'abort').then(() => {
    throw new Error(`the ledger did not listen within ${START_MS_MAX} ms:\n${talk.join('\n')}`)
  })
  tooLate.catch(() => {})
  try {
    const { http, ws } = await Promise.race([addresses(process), ended, tooLate])
    return { http, ws, stop: () => stopAndRemove(process, dataDir) }
  } catch (error) {
    process.kill('SIGKILL')
    throw error
  }
}

/** Reads standard output until both `listening http URL` and `listening ws URL` were printed. */
async function addresses(process) {
  const found = {}
  for await (const line of createInterface({ input: process.stdout })) {
    const [, kind, address] = /^listening (http|ws) (\S+)$/.exec(line.trim()) ?? []
    if (kind) found[kind] = address
    if (found.http && found.ws) break
  }
  process.stdout.resume() // What is printed later must not block the ledger.
  if (!found.http || !found.ws) throw new Error('the ledger closed its output before it listened')
  return found
}

/** Asks a process to end, waits until it has, and removes its data directory. */
export async function stopAndRemove(process, dataDir) {
  const exit = exitOf(process)
  process.kill('SIGTERM')
  const timer = setTimeout(() => process.kill('SIGKILL'), STOP_MS_MAX)
  const [code, signal] = await exit
  clearTimeout(timer)
  await rm(dataDir, { recursive: true, force: true })
  if (code !== 0) throw new Error(`the ledger was asked to stop and ended with ${code ?? signal}`)
}

/** `[code, signal]` of a process, also if it has ended already. */
export async function exitOf(process) {
  if (process.exitCode !== null || process.signalCode !== null) return [process.exitCode, process.signalCode]
  return once(process, 'exit')
}

/** Keeps what a process says on standard error, for the text of a failure. */
export function collect(process) {
  const lines = []
  createInterface({ input: process.stderr }).on('line', (line) => lines.push(line))
  return lines
}
