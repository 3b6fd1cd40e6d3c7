import assert from 'node:assert/strict'
import type { Virtual } from '../../../src/config/model.ts'
import { bad, configOf, type VirtualParts, vip, virtual } from '../stage.ts'
import { createScene, type Scene } from './scene.ts'

const one = '192.0.2.20'
const two = '192.0.2.21'
const tcp = 'tcp:192.0.2.1:80'
const minute = 60_000
const start = 1_000_000

/** Two real servers that are up. */
async function twoUp(parts: VirtualParts = {}): Promise<Scene> {
  const scene = createScene()
  await scene.start(configOf([pair(scene, parts)]))
  await scene.advance(1)
  scene.told()
  return scene
}

function pair(scene: Scene, parts: VirtualParts = {}): Virtual {
  return virtual({ reals: [scene.real(one), scene.real(two)], checkIntervalMs: 10_000, ...parts })
}

const entries = async (scene: Scene): Promise<string[]> =>
  (await scene.saved()).filter((line) => line.startsWith('-a')).map((line) => line.replace(/.* -r /, ''))

const states = (scene: Scene): string[] => scene.operator.intents().map(({ real, state }) => `${real} ${state}`)

const intent = (scene: Scene, parts: object): object => ({
  key: scene.keys(`${one}:80`)[0],
  virtual: tcp,
  real: `${one}:80`,
  reason: '',
  by: 'alice',
  since: start + 1,
  until: undefined,
  connections: undefined,
  ...parts,
})

describe('draining a real server', () => {
  it('takes its weight at once, waits for its connections, and takes its entry out when none is left', async () => {
    const scene = await twoUp()
    scene.connections(tcp, `${one}:80`, { active: 2, inactive: 1 })
    const ordered = await scene.operator.drain(scene.keys(one), { by: 'alice', reason: 'new kernel' })
    assert.deepEqual(await entries(scene), [`${one}:80 -m -w 0`, `${two}:80 -m -w 1`])
    assert.deepEqual(ordered, {
      intents: [
        intent(scene, {
          action: 'drain',
          state: 'draining',
          reason: 'new kernel',
          connections: { active: 2, inactive: 1 },
        }),
      ],
      saved: false,
    })
    await scene.advance(10 * minute)
    assert.deepEqual(await entries(scene), [`${one}:80 -m -w 0`, `${two}:80 -m -w 1`])
    scene.connections(tcp, `${one}:80`, { active: 0, inactive: 0 })
    await scene.advance(5_000)
    assert.deepEqual(await entries(scene), [`${two}:80 -m -w 1`])
    assert.deepEqual(scene.operator.intents(), [
      intent(scene, { action: 'drain', state: 'drained', reason: 'new kernel' }),
    ])
    assert.deepEqual(scene.told(), [
      `Draining real server: ${one}:80 (192.0.2.1:80) by alice: new kernel`,
      `Quiescent real server: ${one}:80 (192.0.2.1:80) (Weight set to 0)`,
      `Drained real server: ${one}:80 (192.0.2.1:80) no connection is left`,
      `Deleted real server: ${one}:80 (192.0.2.1:80)`,
    ])
  })

  it('keeps it out until it is enabled, and then asks its checks', async () => {
    const scene = await twoUp()
    await scene.operator.drain(scene.keys(one), { by: 'alice' })
    await scene.advance(60 * minute)
    assert.deepEqual(await entries(scene), [`${two}:80 -m -w 1`])
    scene.told()
    assert.deepEqual(await scene.operator.enable(scene.keys(one), { by: 'bob' }), { intents: [], saved: false })
    assert.deepEqual(await entries(scene), [`${one}:80 -m -w 1`, `${two}:80 -m -w 1`])
    assert.deepEqual(scene.operator.intents(), [])
    assert.deepEqual(scene.told(), [
      `Enabled real server: ${one}:80 (192.0.2.1:80) by bob`,
      `Added real server: ${one}:80 (192.0.2.1:80) (Weight set to 1)`,
    ])
  })

  it('goes on with the checks meanwhile, so an enabled server that is dead gets nothing', async () => {
    const scene = await twoUp()
    await scene.operator.drain(scene.keys(one), { by: 'alice' })
    await scene.advance(10_000)
    scene.answers.set(one, bad)
    await scene.advance(10_000)
    assert.equal(scene.director.health.get(scene.keys(one)[0] as never)?.state, 'down')
    await scene.operator.enable(scene.keys(one))
    assert.deepEqual(await entries(scene), [`${two}:80 -m -w 1`])
  })

  it('gives up waiting when its time is over', async () => {
    const scene = await twoUp()
    scene.connections(tcp, `${one}:80`, { active: 3, inactive: 0 })
    await scene.operator.drain(scene.keys(one), { by: 'alice', maxMs: 15 * minute })
    assert.equal(scene.operator.intents()[0]?.until, start + 1 + 15 * minute)
    await scene.advance(15 * minute - 1)
    assert.deepEqual(states(scene), [`${one}:80 draining`])
    await scene.advance(1)
    assert.deepEqual(states(scene), [`${one}:80 drained`])
    assert.equal(scene.operator.intents()[0]?.until, undefined)
    assert.deepEqual(await entries(scene), [`${two}:80 -m -w 1`])
    assert.ok(
      scene.told().includes(`Drained real server: ${one}:80 (192.0.2.1:80) time is up, active connections left: 3`),
    )
  })

  it('waits half a minute for connections that are being closed, counted from the last active one', async () => {
    const scene = await twoUp()
    scene.connections(tcp, `${one}:80`, { active: 1, inactive: 4 })
    await scene.operator.drain(scene.keys(one), { by: 'alice' })
    await scene.advance(5_000)
    scene.connections(tcp, `${one}:80`, { active: 0, inactive: 4 })
    await scene.advance(25_000)
    scene.connections(tcp, `${one}:80`, { active: 1, inactive: 4 })
    await scene.advance(5_000)
    scene.connections(tcp, `${one}:80`, { active: 0, inactive: 4 })
    await scene.advance(30_000)
    assert.deepEqual(states(scene), [`${one}:80 draining`])
    await scene.advance(5_000)
    assert.deepEqual(states(scene), [`${one}:80 drained`])
  })

  it('takes the entry out with quiescent = yes too', async () => {
    const scene = await twoUp({ quiescent: true })
    await scene.operator.drain(scene.keys(one), { by: 'alice' })
    await scene.advance(5_000)
    assert.deepEqual(await entries(scene), [`${two}:80 -m -w 1`])
  })

  it('is done at once for UDP', async () => {
    const id = { ...vip, protocol: 'udp' } as const
    const scene = await twoUp({ id })
    scene.connections('udp:192.0.2.1:80', `${one}:80`, { active: 0, inactive: 7 })
    await scene.operator.drain(scene.keys(one), { by: 'alice' })
    assert.deepEqual(states(scene), [`${one}:80 drained`])
    assert.deepEqual(await entries(scene), [`${two}:80 -m -w 1`])
  })

  it('is done at once where nothing is in the table', async () => {
    const scene = createScene()
    scene.answers.set(one, bad)
    await scene.start(configOf([pair(scene)]))
    await scene.advance(1)
    await scene.operator.drain(scene.keys(one), { by: 'alice' })
    assert.deepEqual(states(scene), [`${one}:80 drained`])
    assert.deepEqual(await entries(scene), [`${two}:80 -m -w 1`])
  })

  it('waits for connections to one that has come up since the table was read', async () => {
    const scene = createScene()
    scene.answers.set(one, bad)
    await scene.start(configOf([pair(scene)]))
    await scene.advance(5_000)
    scene.answers.delete(one)
    for (let n = 0; n < 200 && (await entries(scene)).length < 2; n += 1) await scene.advance(100)
    assert.deepEqual(await entries(scene), [`${one}:80 -m -w 1`, `${two}:80 -m -w 1`])
    scene.connections(tcp, `${one}:80`, { active: 1, inactive: 0 })
    await scene.operator.drain(scene.keys(one), { by: 'alice' })
    await scene.advance(20_000)
    assert.deepEqual(await entries(scene), [`${one}:80 -m -w 0`, `${two}:80 -m -w 1`])
  })

  it('puts the fallback in when every real server is drained, and takes it out with the first that returns', async () => {
    const scene = await twoUp({ fallback: '127.0.0.1' })
    for (const each of [one, two]) scene.connections(tcp, `${each}:80`, { active: 1, inactive: 0 })
    await scene.operator.drain([...scene.keys(one), ...scene.keys(two)], { by: 'alice' })
    await scene.advance(1_000)
    assert.deepEqual(await entries(scene), ['127.0.0.1:80 -m -w 1', `${one}:80 -m -w 0`, `${two}:80 -m -w 0`])
    await scene.operator.enable(scene.keys(two))
    await scene.advance(1_000)
    assert.deepEqual(await entries(scene), [`${one}:80 -m -w 0`, `${two}:80 -m -w 1`])
  })
})

describe('disabling a real server', () => {
  for (const { quiescent, line } of [
    { quiescent: false, line: [] },
    { quiescent: true, line: [`${one}:80 -m -w 0`] },
  ]) {
    it(`takes it out as quiescent = ${quiescent ? 'yes' : 'no'} says, until it is enabled`, async () => {
      const scene = await twoUp({ quiescent })
      scene.connections(tcp, `${one}:80`, { active: 1, inactive: 0 })
      await scene.operator.disable(scene.keys(one), { by: 'alice', reason: 'disk' })
      assert.deepEqual(await entries(scene), [...line, `${two}:80 -m -w 1`])
      assert.deepEqual(scene.operator.intents(), [
        intent(scene, { action: 'disable', state: 'disabled', reason: 'disk' }),
      ])
      await scene.advance(10 * minute)
      assert.deepEqual(await entries(scene), [...line, `${two}:80 -m -w 1`])
      await scene.operator.enable(scene.keys(one))
      assert.deepEqual(await entries(scene), [`${one}:80 -m -w 1`, `${two}:80 -m -w 1`])
    })
  }

  it('ends to the millisecond when its time is up', async () => {
    const scene = await twoUp()
    await scene.operator.disable(scene.keys(one), { by: 'alice', forMs: 2 * 60 * minute })
    await scene.advance(2 * 60 * minute - 1)
    assert.deepEqual(states(scene), [`${one}:80 disabled`])
    await scene.advance(1)
    assert.deepEqual(states(scene), [])
    assert.deepEqual(await entries(scene), [`${one}:80 -m -w 1`, `${two}:80 -m -w 1`])
    assert.deepEqual(scene.told().slice(-2), [
      `Enabled real server: ${one}:80 (192.0.2.1:80) time is up`,
      `Added real server: ${one}:80 (192.0.2.1:80) (Weight set to 1)`,
    ])
  })

  it('lasts no longer when the clock is set back', async () => {
    const scene = await twoUp()
    await scene.operator.disable(scene.keys(one), { by: 'alice', forMs: 60 * minute })
    scene.clock.jumpWallClock(-24 * 60 * minute)
    await scene.advance(60 * minute - 1)
    assert.deepEqual(states(scene), [`${one}:80 disabled`])
    await scene.advance(1)
    assert.deepEqual(states(scene), [])
  })

  it('ends soon after the clock has come to its hour by a jump, as after a sleep of the machine', async () => {
    const scene = await twoUp()
    await scene.operator.disable(scene.keys(one), { by: 'alice', forMs: 60 * minute })
    scene.clock.jumpWallClock(61 * minute)
    await scene.advance(5_000)
    assert.deepEqual(states(scene), [])
  })

  it('is replaced by a drain and the other way round, each with its own time', async () => {
    const scene = await twoUp()
    scene.connections(tcp, `${one}:80`, { active: 1, inactive: 0 })
    await scene.operator.drain(scene.keys(one), { by: 'alice', maxMs: minute })
    await scene.operator.disable(scene.keys(one), { by: 'bob' })
    assert.deepEqual(states(scene), [`${one}:80 disabled`])
    await scene.advance(60 * minute)
    assert.deepEqual(states(scene), [`${one}:80 disabled`])
    await scene.operator.drain(scene.keys(one), { by: 'alice', maxMs: minute })
    assert.deepEqual(states(scene), [`${one}:80 drained`])
  })

  it('leaves the other virtual services of the same server alone', async () => {
    const scene = createScene()
    const other = virtual({ id: { kind: 'fwmark', family: 4, mark: 5 }, reals: [scene.real(one)] })
    await scene.start(configOf([pair(scene), other]))
    await scene.advance(1)
    await scene.operator.disable(scene.keys(`5/${one}`), { by: 'alice' })
    assert.deepEqual(await scene.saved(), [
      '-A -t 192.0.2.1:80 -s rr',
      `-a -t 192.0.2.1:80 -r ${one}:80 -m -w 1`,
      `-a -t 192.0.2.1:80 -r ${two}:80 -m -w 1`,
      '-A -f 5 -s rr',
    ])
  })

  it('cuts and escapes what the operator says', async () => {
    const scene = await twoUp()
    const reason = `a\nb\u001b[2J${'x'.repeat(1000)}`
    await scene.operator.disable(scene.keys(one), { by: 'eve\r', reason })
    const [row] = scene.operator.intents()
    assert.equal(row?.by, 'eve\\r')
    assert.equal(row?.reason.startsWith('a\\nb\\x1b[2Jxxx'), true)
    assert.ok((row?.reason.length ?? 0) < 250)
  })

  it('ignores keys that the configuration does not have', async () => {
    const scene = await twoUp()
    assert.deepEqual(await scene.operator.disable(['nobody' as never], { by: 'alice' }), { intents: [], saved: false })
    assert.deepEqual(scene.operator.intents(), [])
  })
})

describe('orders over a reload', () => {
  it('hold on when the check of the real server changes, and in every pass between', async () => {
    const scene = await twoUp()
    await scene.operator.disable(scene.keys(one), { by: 'alice' })
    const changed = configOf([pair(scene, { reals: [scene.real(one, { check: 'other' }), scene.real(two)] })])
    // The companions hear of a config before the director takes it: a pass may come between.
    scene.operator.onConfig?.(changed)
    await scene.director.reconcile()
    assert.deepEqual(await entries(scene), [`${two}:80 -m -w 1`])
    await scene.reload(changed)
    await scene.advance(20_000)
    assert.deepEqual(await entries(scene), [`${two}:80 -m -w 1`])
    assert.equal(scene.operator.intents()[0]?.key, `${tcp} ${one}:80 other`)
  })

  it('are shown when the real server has left the file, and hold it when it comes back', async () => {
    const scene = await twoUp()
    await scene.operator.disable(scene.keys(one), { by: 'alice' })
    await scene.reload(configOf([pair(scene, { reals: [scene.real(two)] })]))
    await scene.advance(minute)
    assert.deepEqual(
      scene.operator.intents().map(({ key, real, virtual }) => ({ key, real, virtual })),
      [{ key: undefined, real: `${one}:80`, virtual: tcp }],
    )
    await scene.reload(configOf([pair(scene)]))
    await scene.advance(10_000)
    assert.deepEqual(await entries(scene), [`${two}:80 -m -w 1`])
    assert.deepEqual(scene.operator.intents(), [intent(scene, { action: 'disable', state: 'disabled' })])
  })
})
