// A small run of `lastro bench peers`, so that the scripts that stand beside a lane there cannot rot. What the scripts make of the
// faults is for the benchmark to say; that they work in clear weather, and that a lane does in any, is checked here.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import { BINARY, expectBinary } from './ledger.mjs'

const INTENTS = 50 // Several blocks of them, so that the ledger can be killed in between.
const AT_ONCE = 10
const SECONDS_MAX = 10 // A script that is stuck under faults is ended then; a lane needs 4 s, most of it one silence.
const LIMIT = { timeout: 180_000 }

test('a lane carries each intent out once under faults, and scripts are held against the ledger', LIMIT, async () => {
  await expectBinary()
  const clients = fileURLToPath(new URL('.', import.meta.url))
  const numbers = { intents: INTENTS, 'faulty-intents': INTENTS, 'at-once': AT_ONCE, 'seconds-max': SECONDS_MAX }
  const options = Object.entries(numbers).flatMap(([name, value]) => [`--${name}`, String(value)])
  const run = await promisify(execFile)(BINARY, ['bench', 'peers', '--json', '--clients', clients, ...options])
  const { clear, faulty } = JSON.parse(run.stdout)

  assert.deepEqual(clear.map(({ client }) => client.split(' ')[0]), ['lastro', 'ethers', 'viem'])
  assert.ok(clear.every(({ per_second: perSecond }) => perSecond > 0))
  assert.equal(faulty.length, 5)
  for (const one of faulty) {
    assert.equal(one.one_effect + one.no_effect + one.several_effects, INTENTS, one.client)
    assert.ok(one.faults > 0 && one.requests > one.faults, one.client)
  }
  const [lane] = faulty
  assert.deepEqual([lane.client, lane.one_effect, lane.is_perfect, lane.broken_off], ['lastro', INTENTS, true, null])
  assert.ok(lane.lost_from_pool > 0, 'the ledger was not killed')
})
