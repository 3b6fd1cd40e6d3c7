import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { createSemaphore, type Release, type Semaphore } from '../../src/lib/semaphore.ts'

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** Waits under a name and notes when it got in. */
function enter(semaphore: Semaphore, name: string, seen: string[]): { release: () => void; cancel: AbortController } {
  const cancel = new AbortController()
  let release: Release = () => assert.fail(`${name} never got in`)
  semaphore.acquire(cancel.signal).then(
    (given) => {
      release = given
      seen.push(name)
    },
    (reason: unknown) => seen.push(`${name} left: ${String(reason)}`),
  )
  return { release: () => release(), cancel }
}

describe('the semaphore', () => {
  it('lets in as many as it has places, and the others in the order they came', async () => {
    const semaphore = createSemaphore(2)
    const seen: string[] = []
    const [a, b, c] = ['a', 'b', 'c', 'd'].map((name) => enter(semaphore, name, seen))
    await settle()
    assert.deepEqual([seen, semaphore.held, semaphore.waiting], [['a', 'b'], 2, 2])
    b?.release()
    await settle()
    assert.deepEqual([seen, semaphore.held, semaphore.waiting], [['a', 'b', 'c'], 2, 1])
    a?.release()
    c?.release()
    await settle()
    assert.deepEqual([seen, semaphore.held, semaphore.waiting], [['a', 'b', 'c', 'd'], 1, 0])
  })

  it('does not let a newcomer pass the one whose turn it is', async () => {
    const semaphore = createSemaphore(1)
    const seen: string[] = []
    const a = enter(semaphore, 'a', seen)
    enter(semaphore, 'b', seen)
    await settle()
    a.release()
    enter(semaphore, 'c', seen)
    await settle()
    assert.deepEqual([seen, semaphore.held, semaphore.waiting], [['a', 'b'], 1, 1])
  })

  it('lets one who waits leave with the reason, from the middle of the queue', async () => {
    const semaphore = createSemaphore(1)
    const seen: string[] = []
    const [a, b] = ['a', 'b', 'c'].map((name) => enter(semaphore, name, seen))
    await settle()
    b?.cancel.abort('stop')
    await settle()
    assert.deepEqual([seen, semaphore.held, semaphore.waiting], [['a', 'b left: stop'], 1, 1])
    a?.release()
    await settle()
    assert.deepEqual([seen, semaphore.held, semaphore.waiting], [['a', 'b left: stop', 'c'], 1, 0])
  })

  it('turns away one who was called off before asking', async () => {
    const semaphore = createSemaphore(1)
    await assert.rejects(semaphore.acquire(AbortSignal.abort(new Error('off'))), /off/)
    assert.equal(semaphore.held, 0)
  })

  it('counts a place that is given back twice once', async () => {
    const semaphore = createSemaphore(1)
    const release = await semaphore.acquire()
    release()
    release()
    assert.equal(semaphore.held, 0)
    await semaphore.acquire()
    assert.equal(semaphore.held, 1)
  })

  it('leaves no listener on the signal of one who got in', async () => {
    const semaphore = createSemaphore(1)
    const controller = new AbortController()
    const first = await semaphore.acquire(controller.signal)
    const second = semaphore.acquire(controller.signal)
    assert.equal(getEventListeners(controller.signal, 'abort').length, 1)
    first()
    await second
    assert.equal(getEventListeners(controller.signal, 'abort').length, 0)
  })

  it('refuses a number of places that would let nobody in', () => {
    for (const limit of [0, -1, 1.5, Number.NaN]) assert.throws(() => createSemaphore(limit), RangeError)
  })
})
