import assert from 'node:assert/strict'
import { createReverseNames } from '../../../src/control/operator/reverse-names.ts'
import { createVirtualClock } from '../../lib/virtual-clock.ts'

const address = '192.0.2.20'

describe('names by reverse lookup', () => {
  const clock = createVirtualClock()
  const asked: string[] = []
  let answer: () => Promise<readonly string[]> = async () => []
  const names = createReverseNames({
    clock,
    reverse: async (wanted) => {
      asked.push(wanted)
      return await answer()
    },
  })
  const fail = async (): Promise<never> => Promise.reject(new Error('SERVFAIL'))

  it('are asked for once in five minutes', async () => {
    answer = async () => ['web1.example.com']
    assert.deepEqual(names.namesOf(address), [])
    assert.equal(await names.refresh([address, address]), true)
    assert.deepEqual(names.namesOf(address), ['web1.example.com'])
    await clock.advance(299_999)
    assert.equal(await names.refresh([address]), false)
    assert.equal(asked.length, 1)
    await clock.advance(1)
    answer = async () => ['web2.example.com']
    assert.equal(await names.refresh([address]), true)
    assert.deepEqual(names.namesOf(address), ['web2.example.com'])
  })

  it('stay when the name server fails, and are asked for again after a minute', async () => {
    answer = fail
    await clock.advance(300_000)
    assert.equal(await names.refresh([address]), false)
    assert.deepEqual(names.namesOf(address), ['web2.example.com'])
    const before = asked.length
    await clock.advance(59_999)
    await names.refresh([address])
    assert.equal(asked.length, before)
    await clock.advance(1)
    await names.refresh([address])
    assert.equal(asked.length, before + 1)
  })

  it('go when the name server says that there is none', async () => {
    answer = async () => []
    await clock.advance(60_000)
    assert.equal(await names.refresh([address]), true)
    assert.deepEqual(names.namesOf(address), [])
  })

  it('are eight at most, and forgotten with their server', async () => {
    answer = async () => Array.from({ length: 100 }, (_, n) => `web${n}.example.com`)
    await clock.advance(300_000)
    await names.refresh([address])
    assert.equal(names.namesOf(address).length, 8)
    await names.refresh([])
    assert.deepEqual(names.namesOf(address), [])
  })

  it('are asked for eight at a time, each under a time limit, and not at all after the end', async () => {
    const open: AbortSignal[] = []
    const silent = createReverseNames({
      clock,
      reverse: async (_address, signal) => {
        open.push(signal)
        return await new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason), { once: true })
        })
      },
    })
    const done = silent.refresh(Array.from({ length: 20 }, (_, n) => `192.0.2.${n}`))
    await clock.settle()
    assert.equal(open.length, 8)
    await clock.advance(5_000)
    assert.equal(open.length, 16)
    silent.stop()
    assert.equal(await done, false)
    assert.equal(open.length, 16)
    assert.ok(open.every((signal) => signal.aborted))
    assert.deepEqual(clock.openTimers(), [])
  })

  it('are those of the resolver of this machine, which rejects what is no address', async () => {
    const system = createReverseNames({ clock: createVirtualClock() })
    assert.equal(await system.refresh(['no address']), false)
    assert.deepEqual(system.namesOf('no address'), [])
  })
})
