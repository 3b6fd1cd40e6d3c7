import assert from 'node:assert/strict'
import { mkdirSync, renameSync, rmdirSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { basename } from 'node:path'
import { createMemoryTable } from '../../../src/backend/memory.ts'
import type { Config } from '../../../src/config/model.ts'
import { createMaintenance, type Maintenance } from '../../../src/control/operator/maintenance.ts'
import { createOperator } from '../../../src/control/operator/operator.ts'
import type { Intent } from '../../../src/control/operator/order.ts'
import type { Reverse } from '../../../src/control/operator/reverse-names.ts'
import { type Clock, systemClock } from '../../../src/lib/clock.ts'
import { linesOf } from '../../../src/log/wording.ts'
import { createVirtualClock } from '../../lib/virtual-clock.ts'
import { temporaryFolder } from '../../log/temporary.ts'
import { bad, configOf, createStage, type MakeOperator, type VirtualParts, virtual } from '../stage.ts'
import { createScene, type Scene } from './scene.ts'

const one = '192.0.2.20'
const two = '192.0.2.21'
const { real } = createStage()
const noNames: Reverse = async () => []

/** The periodic look is out of the way: what is seen is seen by its event. */
const eventsOnly: Clock = {
  ...systemClock,
  setTimer: (name, delayMs, action) =>
    delayMs >= 5_000 ? { cancel: () => undefined } : systemClock.setTimer(name, delayMs, action),
}

/** Comes back when it is so; the time limit of the test is the only one. */
async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 2))
}

describe('maintenancedir', () => {
  const temporary = temporaryFolder()
  const folder = (name = ''): string => temporary.path(`m/${name}`)
  let maintenance: Maintenance | undefined
  let told: string[] = []

  const config = (dir: string | undefined = temporary.path('m')): Config =>
    configOf([virtual({ reals: [real(one), real(two)] })], { maintenanceDir: dir })
  const begin = async ({ reverse = noNames, clock = eventsOnly } = {}): Promise<Maintenance> => {
    maintenance = createMaintenance({
      clock,
      tell: (event) => void told.push(...linesOf(event)),
      onChange: () => undefined,
      reverse,
    })
    await maintenance.follow(config())
    return maintenance
  }
  /** Address and reason of who is held. */
  const held = (): string[] =>
    [...(maintenance?.files ?? [])].map(([key, { path, reason }]) => `${key.split(' ')[1]} ${basename(path)} ${reason}`)
  const becomes = (...wanted: string[]): Promise<void> => until(() => held().join('\n') === wanted.join('\n'))
  const begun = (address: string, file: string, reason: string): string =>
    `Maintenance of real server begun: ${address}:80 (192.0.2.1:80) ${folder(file)}: ${reason}`
  const ended = (address: string, file: string): string =>
    `Maintenance of real server ended: ${address}:80 (192.0.2.1:80) ${folder(file)}`

  beforeEach(() => {
    told = []
    mkdirSync(folder())
  })
  afterEach(async () => {
    await maintenance?.stop()
    maintenance = undefined
  })

  it('knows at the first look what is there', async () => {
    writeFileSync(folder(one), 'new disk\n')
    mkdirSync(folder(`${two}:80`))
    writeFileSync(folder('192.0.2.99'), '')
    await begin()
    assert.deepEqual(held(), [`${one}:80 ${one} new disk`, `${two}:80 ${two}:80 ${two}:80`])
    assert.deepEqual(told, [begun(one, one, 'new disk'), begun(two, `${two}:80`, `${two}:80`)])
  })

  it('sees a file come and go, again and again', async () => {
    await begin()
    for (let round = 0; round < 3; round += 1) {
      writeFileSync(folder(one), '')
      await becomes(`${one}:80 ${one} ${one}`)
      unlinkSync(folder(one))
      await becomes()
    }
    assert.deepEqual(told, Array.from({ length: 3 }, () => [begun(one, one, one), ended(one, one)]).flat())
  })

  it('takes each of the six forms, and nothing else', async () => {
    await begin({ reverse: async (address) => (address === one ? ['web1.example.com'] : []) })
    for (const name of [`${one}:80`, one, 'web1.example.com:80', 'web1.example.com', 'web1:80', 'web1']) {
      for (const other of [`${one}:81`, `${name}.rpmnew`, 'web2', 'README']) writeFileSync(folder(other), '')
      writeFileSync(folder(name), '')
      await becomes(`${one}:80 ${name} ${name}`)
      unlinkSync(folder(name))
      await becomes()
    }
  })

  it('gives the first line of the text as the reason, cut and escaped, as it is now', async () => {
    await begin()
    for (const [text, reason] of [
      ['disk\nsecond line', 'disk'],
      ['  kernel 6.1 \r\n', 'kernel 6.1'],
      ['\n\nlate', one],
      ['\u001b[2Jx', '\\x1b[2Jx'],
      ['y'.repeat(500), 'y'.repeat(200)],
      [`${'z'.repeat(199)}ä`, 'z'.repeat(199)],
    ] as const) {
      writeFileSync(folder(one), text)
      await becomes(`${one}:80 ${one} ${reason}`)
    }
    assert.equal(told.length, 1, 'it is one maintenance')
  })

  it('counts a link that leads somewhere', async () => {
    symlinkSync(folder('target'), folder(one))
    await begin()
    assert.deepEqual(held(), [])
    writeFileSync(folder('target'), 'by link')
    await becomes(`${one}:80 ${one} by link`)
  })

  it('tells a folder that is missing once, and finds it when it appears', async () => {
    rmdirSync(folder())
    await begin()
    await maintenance?.follow(config())
    const missing = `Warning [${process.pid}]: maintenance directory does not exist: ${temporary.path('m')}`
    assert.deepEqual(told, [missing])
    mkdirSync(folder())
    writeFileSync(folder(one), '')
    await becomes(`${one}:80 ${one} ${one}`)
    rmSync(folder(), { recursive: true })
    await until(() => told.length === 5)
    const back = `The maintenance directory can be read: ${temporary.path('m')}`
    assert.deepEqual([...told].sort(), [missing, missing, back, begun(one, one, one), ended(one, one)].sort())
  })

  it('follows a folder that is replaced, and one behind a link', async () => {
    await begin()
    mkdirSync(temporary.path('new'))
    writeFileSync(temporary.path(`new/${one}`), 'in the new one')
    renameSync(folder(), temporary.path('old'))
    renameSync(temporary.path('new'), folder())
    await becomes(`${one}:80 ${one} in the new one`)
    unlinkSync(folder(one))
    await becomes()
    renameSync(folder(), temporary.path('real'))
    symlinkSync(temporary.path('real'), temporary.path('m'))
    writeFileSync(folder(two), 'behind a link')
    await becomes(`${two}:80 ${two} behind a link`)
    unlinkSync(temporary.path(`real/${two}`))
    await becomes()
  })

  it('leaves everything as it was while the folder cannot be read', async () => {
    writeFileSync(folder(one), '')
    await begin()
    renameSync(folder(), temporary.path('old'))
    symlinkSync(temporary.path('m'), temporary.path('m'))
    await until(() => told.some((line) => line.includes('cannot be read')))
    await maintenance?.follow(config())
    assert.deepEqual(held(), [`${one}:80 ${one} ${one}`])
    unlinkSync(temporary.path('m'))
    renameSync(temporary.path('old'), temporary.path('m'))
    unlinkSync(folder(one))
    await becomes()
    assert.equal(told.filter((line) => line.includes('cannot be read')).length, 1)
  })

  it('takes a file that is no directory for a missing one', async () => {
    rmdirSync(folder())
    writeFileSync(temporary.path('m'), '')
    await begin()
    assert.deepEqual(told, [`Warning [${process.pid}]: maintenance directory does not exist: ${temporary.path('m')}`])
  })

  it('is another one after a reload that says so, and none after one that does not', async () => {
    writeFileSync(folder(one), '')
    await begin()
    mkdirSync(temporary.path('other'))
    writeFileSync(temporary.path(`other/${two}`), '')
    await maintenance?.follow(config(temporary.path('other')))
    assert.deepEqual(held(), [`${two}:80 ${two} ${two}`])
    unlinkSync(temporary.path(`other/${two}`))
    await becomes()
    writeFileSync(temporary.path(`other/${two}`), '')
    await becomes(`${two}:80 ${two} ${two}`)
    await maintenance?.follow(configOf(config().virtuals))
    assert.deepEqual(held(), [])
  })

  it('does not wait for a name server: an address counts at once, a name when it is known', async () => {
    let answer = (_names: string[]): void => undefined
    const slow = new Promise<string[]>((resolve) => {
      answer = resolve
    })
    writeFileSync(folder('web1'), '')
    maintenance = createMaintenance({
      clock: eventsOnly,
      tell: (event) => void told.push(...linesOf(event)),
      onChange: () => undefined,
      reverse: async (address) => (address === one ? await slow : []),
    })
    const first = maintenance.follow(config())
    writeFileSync(folder(two), '')
    await becomes(`${two}:80 ${two} ${two}`)
    answer(['web1.example.com'])
    await becomes(`${two}:80 ${two} ${two}`, `${one}:80 web1 web1`)
    await first
  })

  it('knows a name from DNS at the first look', async () => {
    writeFileSync(folder('web1.example.com'), '')
    await begin({ reverse: async (address) => (address === one ? ['web1.example.com'] : []) })
    assert.deepEqual(held(), [`${one}:80 web1.example.com web1.example.com`])
  })

  it('holds up no start when neither folder nor name server answers', async () => {
    const clock = createVirtualClock()
    writeFileSync(folder('web1'), '')
    maintenance = createMaintenance({
      clock,
      tell: (event) => void told.push(...linesOf(event)),
      onChange: () => undefined,
      reverse: async () => await new Promise<never>(() => undefined),
    })
    let isOver = false
    const first = maintenance.follow(config()).then(() => {
      isOver = true
    })
    await until(() => clock.openTimers().includes('maintenance folder'))
    assert.equal(isOver, false)
    await clock.advance(2_000)
    await first
    // A reverse lookup that heeds no signal is not waited for at the end either.
    const end = maintenance.stop()
    maintenance = undefined
    await until(() => clock.openTimers().length > 0)
    await clock.advance(2_000)
    await end
  })

  it('sees by its periodic look what no event told', async () => {
    const clock = createVirtualClock()
    await begin({ clock })
    await until(() => clock.openTimers().includes('maintenance folder'))
    // A watch that tells nothing is like none at all.
    writeFileSync(folder(one), '')
    await clock.advance(5_000)
    await becomes(`${one}:80 ${one} ${one}`)
  })

  describe('with a director', () => {
    let scene: Scene | undefined

    const start = async (parts: VirtualParts = {}, table = createMemoryTable()): Promise<Scene> => {
      const make: MakeOperator = (ports) =>
        createOperator({ ...ports, maintenance: (more) => createMaintenance({ ...more, reverse: noNames }) })
      const made = createScene(make, table)
      scene = made
      const reals = [made.real(one), made.real(two)]
      await made.start(configOf([virtual({ reals, ...parts })], { maintenanceDir: temporary.path('m') }))
      return made
    }
    const entries = async ({ saved }: Scene): Promise<string> =>
      (await saved())
        .filter((line) => line.startsWith('-a'))
        .map((line) => line.replace(/.* -r (\S+):80 -m -w /, '$1='))
        .join(' ')
    const tableBecomes = (made: Scene, wanted: string): Promise<void> =>
      until(async () => {
        await made.advance(5)
        return (await entries(made)) === wanted
      })
    afterEach(async () => {
      await scene?.director.stop()
      await scene?.operator.stop?.()
      scene = undefined
    })

    it('holds before the first pass, whatever the table has', async () => {
      const table = createMemoryTable()
      const former = await start({}, table)
      await former.advance(1)
      assert.equal(await entries(former), `${one}=1 ${two}=1`)
      await former.director.stop({ keepTable: true })
      await former.operator.stop?.()
      writeFileSync(folder(one), '')
      assert.equal(await entries(await start({ quiescent: true }, table)), `${one}=0 ${two}=1`)
    })

    for (const { quiescent, out } of [
      { quiescent: false, out: `${two}=1` },
      { quiescent: true, out: `${one}=0 ${two}=1` },
    ]) {
      it(`takes a server out as quiescent = ${quiescent ? 'yes' : 'no'} says, and brings it back`, async () => {
        const made = await start({ quiescent })
        await made.advance(1)
        writeFileSync(folder(one), 'new disk')
        await tableBecomes(made, out)
        assert.equal(made.director.holds.get(made.keys(one)[0] as never)?.reason, 'new disk')
        unlinkSync(folder(one))
        await tableBecomes(made, `${one}=1 ${two}=1`)
      })
    }

    it('puts the fallback in when everybody is held', async () => {
      const made = await start({ fallback: '127.0.0.1' })
      await made.advance(1)
      writeFileSync(folder(one), '')
      writeFileSync(folder(two), '')
      await tableBecomes(made, '127.0.0.1=1')
      unlinkSync(folder(two))
      await tableBecomes(made, `${two}=1`)
    })

    it('leaves the checks going, so that a dead server does not come back with the end of its maintenance', async () => {
      const made = await start()
      await made.advance(1)
      writeFileSync(folder(one), '')
      await tableBecomes(made, `${two}=1`)
      made.answers.set(one, bad)
      await made.advance(20_000)
      unlinkSync(folder(one))
      await until(async () => {
        await made.advance(5)
        return made.operator.intents().length === 0
      })
      await made.advance(1_000)
      assert.equal(await entries(made), `${two}=1`)
      made.answers.delete(one)
      await made.advance(10_000)
      await tableBecomes(made, `${one}=1 ${two}=1`)
    })

    it('shows a file and an order side by side; enable takes back the order alone', async () => {
      const made = await start({ quiescent: true })
      await made.advance(1)
      await made.operator.disable(made.keys(one), { by: 'alice', reason: 'kernel' })
      writeFileSync(folder(one), 'disk')
      await until(async () => {
        await made.advance(5)
        return made.operator.intents().length === 2
      })
      const row = { key: made.keys(one)[0], virtual: 'tcp:192.0.2.1:80', real: `${one}:80` }
      const rest = { until: undefined, connections: undefined }
      const ordered = { ...row, action: 'disable', state: 'disabled', reason: 'kernel', by: 'alice', ...rest }
      const filed = { ...row, action: 'maintenance', state: 'maintenance', reason: 'disk', by: folder(one), ...rest }
      const withoutTime = (intents: readonly Intent[]): object[] => intents.map(({ since: _, ...row }) => row)
      assert.deepEqual(withoutTime(made.operator.intents()), [ordered, filed])
      assert.deepEqual(made.director.holds.get(made.keys(one)[0] as never), {
        as: 'out',
        reason: 'disk; disabled by alice: kernel',
      })
      const { intents } = await made.operator.enable(made.keys(one))
      assert.deepEqual(withoutTime(intents), [filed])
      assert.equal(await entries(made), `${one}=0 ${two}=1`)
    })

    it('does not wait for a drain that is under way', async () => {
      const made = await start()
      await made.advance(1)
      made.connections('tcp:192.0.2.1:80', `${one}:80`, { active: 1, inactive: 0 })
      await made.operator.drain(made.keys(one), { by: 'alice' })
      assert.equal(await entries(made), `${one}=0 ${two}=1`)
      writeFileSync(folder(one), '')
      await tableBecomes(made, `${two}=1`)
    })
  })
})
