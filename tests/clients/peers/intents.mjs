// What people write around a library to carry out many transactions of one sender: a counter of nonces or the library's own
// manager, so many at once, each sent and waited for, and tried again after an error. `lastro bench peers` starts it, hands over
// what is to be done as JSON on standard input, and holds each word on standard output against the ledger.

import { setTimeout as pause } from 'node:timers/promises'
import { text } from 'node:stream/consumers'

const say = (word) => process.stdout.write(`${JSON.stringify(word)}\n`)

/** The address that an intent pays 1 wei to, which nobody else does: its balance is how often the intent was carried out. */
const receiver = ({ firstReceiver }, intent) => `0x${(BigInt(firstReceiver) + BigInt(intent)).toString(16).padStart(40, '0')}`

/**
 * Carries out what standard input asks for. `open` makes a client of it: `firstNonce()`, `send(to, nonce)`, `isMined(sent)` and
 * `forget()`, which a failed attempt is followed by.
 */
export async function carryOut(open) {
  const task = JSON.parse(await text(process.stdin))
  const client = open(task)
  const { intents, atOnce, hasOwnCounter } = task
  let nextNonce = hasOwnCounter ? await again(task, () => client.firstNonce()) : undefined
  let nextIntent = 0

  async function carryOutNext() {
    while (nextIntent < intents) {
      const intent = nextIntent++
      const nonce = hasOwnCounter ? nextNonce++ : undefined
      try {
        // The same nonce each time: of transactions with the same nonce only one can be mined.
        await again(task, async () => {
          const sent = await client.send(receiver(task, intent), nonce)
          if (!(await client.isMined(sent))) throw new Error('reverted')
        }, client.forget)
        say({ intent, isDone: true })
      } catch (error) {
        say({ intent, isDone: false, why: String(error?.shortMessage ?? error?.message ?? error).slice(0, 200) })
      }
    }
  }

  // What a library asks beside the calls that are awaited here may fail too, and would end the process.
  process.on('unhandledRejection', () => {})
  const began = performance.now()
  await Promise.all(Array.from({ length: atOnce }, carryOutNext))
  say({ version: client.version, elapsedMs: Math.round(performance.now() - began) })
  process.exit(0) // What a library still asks in the background is nobody's business any more.
}

/** Does the work until it succeeds, so many times at most, with pauses in between. */
async function again({ attemptsMax, pauseMs }, work, forget = () => {}) {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      if (attempt === attemptsMax) throw error
      forget()
      await pause(pauseMs)
    }
  }
}
