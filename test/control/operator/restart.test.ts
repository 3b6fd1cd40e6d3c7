import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { createMemoryTable, type MemoryTable } from '../../../src/backend/memory.ts'
import { createOperator } from '../../../src/control/operator/operator.ts'
import { createStateFile } from '../../../src/control/operator/state-file.ts'
import { temporaryFolder } from '../../log/temporary.ts'
import { configOf, virtual } from '../stage.ts'
import { createScene, type Scene } from './scene.ts'

const one = '192.0.2.20'
const two = '192.0.2.21'
const minute = 60_000
const start = 1_000_000

describe('orders over a restart', () => {
  const scenes: Scene[] = []
  // Before the folder is removed: a file may still be on its way into it.
  afterEach(async () => {
    for (const scene of scenes.splice(0)) await scene.operator.stop?.()
  })
  const folder = temporaryFolder()
  const path = (): string => folder.path('ldirectord.json')
  const keep = (scene: Scene): Scene => {
    scenes.push(scene)
    return scene
  }
  const begin = (table: MemoryTable): Scene =>
    keep(
      createScene((ports) => createOperator({ ...ports, store: createStateFile({ ...ports, path: path() }) }), table),
    )
  const config = (scene: Scene, quiescent = false) =>
    configOf([virtual({ quiescent, reals: [scene.real(one), scene.real(two)] })])

  /** A process with both servers up, and its death: nothing of it runs on, and its table stays. */
  const former = async (act: (scene: Scene) => Promise<unknown>, table = createMemoryTable()): Promise<MemoryTable> => {
    const scene = begin(table)
    await scene.start(config(scene))
    await scene.advance(1)
    await act(scene)
    await scene.director.stop({ keepTable: true })
    await scene.operator.stop?.()
    return table
  }
  const entries = async (scene: Scene): Promise<string[]> =>
    (await scene.saved()).filter((line) => line.startsWith('-a')).map((line) => line.replace(/.* -r /, ''))

  it('hold from the first pass on: not for a moment does a drained server get traffic', async () => {
    const table = await former((scene) => scene.operator.drain(scene.keys(one), { by: 'alice', reason: 'disk' }))
    // Somebody put it back while no daemon ran; adopted, it would serve until its first check.
    const was = table.services().get('tcp:192.0.2.1:80' as never)
    assert.ok(was !== undefined)
    table.seed({
      ...was,
      destinations: new Map(
        [...was.destinations].map(([key, entry]) => [key, { ...entry, weight: 1, activeConnections: 1 }]),
      ),
    })
    const scene = begin(table)
    await scene.start(config(scene))
    assert.deepEqual(await entries(scene), [`${one}:80 -m -w 0`, `${two}:80 -m -w 1`])
    assert.deepEqual(
      scene.operator.intents().map(({ state, by, reason, since }) => ({ state, by, reason, since })),
      [{ state: 'draining', by: 'alice', reason: 'disk', since: start + 1 }],
    )
    scene.connections('tcp:192.0.2.1:80', `${one}:80`, { active: 0, inactive: 0 })
    await scene.advance(20_000)
    assert.deepEqual(await entries(scene), [`${two}:80 -m -w 1`])
    const last = begin(table)
    await last.start(config(last))
    assert.deepEqual(
      last.operator.intents().map(({ state }) => state),
      ['drained'],
    )
    assert.deepEqual(await entries(last), [`${two}:80 -m -w 1`])
  })

  it('say that they are saved, and are so before the order is answered', async () => {
    await former(async (scene) => {
      const { saved } = await scene.operator.disable(scene.keys(one), { by: 'alice' })
      assert.equal(saved, true)
      assert.equal(JSON.parse(readFileSync(path(), 'utf8')).orders.length, 1)
    })
  })

  it('last only for what was left of their time', async () => {
    const table = await former((scene) => scene.operator.disable(scene.keys(one), { by: 'alice', forMs: 10 * minute }))
    const scene = begin(table)
    scene.clock.jumpWallClock(4 * minute)
    await scene.start(config(scene))
    await scene.advance(6 * minute)
    assert.deepEqual(await entries(scene), [`${two}:80 -m -w 1`])
    await scene.advance(1)
    assert.deepEqual(await entries(scene), [`${one}:80 -m -w 1`, `${two}:80 -m -w 1`])
  })

  it('are over at the start when their time ran out meanwhile', async () => {
    const table = await former((scene) => scene.operator.disable(scene.keys(one), { by: 'alice', forMs: 10 * minute }))
    const scene = begin(table)
    scene.clock.jumpWallClock(11 * minute)
    await scene.start(config(scene))
    assert.deepEqual(scene.operator.intents(), [])
    assert.deepEqual(scene.told()[0], `Enabled real server: ${one}:80 (192.0.2.1:80) time is up`)
    await scene.advance(10_000)
    assert.deepEqual(await entries(scene), [`${one}:80 -m -w 1`, `${two}:80 -m -w 1`])
  })

  it('last no longer than they were given when the clock was set back between', async () => {
    const table = await former((scene) => scene.operator.disable(scene.keys(one), { by: 'alice', forMs: 10 * minute }))
    const scene = begin(table)
    scene.clock.jumpWallClock(-500_000)
    await scene.start(config(scene))
    await scene.advance(10 * minute - 1)
    assert.deepEqual(scene.operator.intents().length, 1)
    await scene.advance(1)
    assert.deepEqual(scene.operator.intents(), [])
  })

  it('outlive a broken file only aside, and the daemon starts', async () => {
    const table = await former((scene) => scene.operator.disable(scene.keys(one), { by: 'alice' }))
    writeFileSync(path(), readFileSync(path(), 'utf8').slice(0, 60))
    const scene = begin(table)
    await scene.start(config(scene))
    assert.deepEqual(scene.operator.intents(), [])
    assert.match(scene.told()[0] ?? '', /^The state file .* cannot be used: it is no JSON/)
  })

  it('do not hold up a start when the disk does not answer, and count when it does', async () => {
    const table = await former((scene) => scene.operator.disable(scene.keys(one), { by: 'alice' }))
    let answer = (): void => undefined
    const slow = new Promise<void>((resolve) => {
      answer = resolve
    })
    const scene = keep(
      createScene((ports) => {
        const file = createStateFile({ ...ports, path: path() })
        return createOperator({ ...ports, store: { ...file, load: async () => await slow.then(file.load) } })
      }, table),
    )
    const started = scene.start(config(scene))
    await scene.advance(2_000)
    await started
    await scene.advance(10_000)
    assert.deepEqual(await entries(scene), [`${one}:80 -m -w 1`, `${two}:80 -m -w 1`])
    answer()
    // The disk is a real one: until mocha's time is over.
    while (scene.operator.intents().length === 0) await scene.clock.settle()
    await scene.advance(1_000)
    assert.deepEqual(await entries(scene), [`${two}:80 -m -w 1`])
  })
})
