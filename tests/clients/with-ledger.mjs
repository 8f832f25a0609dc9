// Runs a command while a ledger listens, for clients that are not written in JavaScript:
//
//     node with-ledger.mjs COMMAND [ARGUMENT...]
//
// The command finds the addresses in LEDGER_HTTP and LEDGER_WS; its exit code is passed on.

import { spawn } from 'node:child_process'
import { once } from 'node:events'

import { startLedger } from './ledger.mjs'

const [command, ...commandArguments] = process.argv.slice(2)
if (!command) {
  console.error('usage: node with-ledger.mjs COMMAND [ARGUMENT...]')
  process.exit(2)
}

const ledger = await startLedger()
try {
  const environment = { ...process.env, LEDGER_HTTP: ledger.http, LEDGER_WS: ledger.ws }
  const child = spawn(command, commandArguments, { stdio: 'inherit', env: environment })
  const [code] = await once(child, 'exit')
  process.exitCode = code ?? 1
} finally {
  await ledger.stop()
}
