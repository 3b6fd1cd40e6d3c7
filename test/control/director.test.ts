import assert from 'node:assert/strict'
import { createMemoryTable } from '../../src/backend/memory.ts'
import { type Operation, TableError } from '../../src/table/operation.ts'
import { bad, configOf, createStage, good, type Stage, vip, virtual } from './stage.ts'

const signal = new AbortController().signal
const none: readonly string[] = []

/** The destinations of the one virtual service, as `-r` options without the service. */
async function pool(stage: Stage): Promise<string[]> {
  return (await stage.saved()).filter((l) => l.startsWith('-a')).map((l) => l.replace(/^-a \S+ \S+ -r /, ''))
}

async function put(stage: Stage, ...plan: Operation[]): Promise<void> {
  const outcomes = await stage.table.apply(plan, signal)
  assert.ok(outcomes.every((o) => o.ok))
}

const settings = { scheduler: 'rr', schedulerFlags: 0, persistence: undefined, onePacket: false }
const entry = (address: string, weight = 1) => ({
  address,
  port: 80,
  forwarding: 'masq' as const,
  weight,
  upper: 0,
  lower: 0,
})

describe('The director', () => {
  it('puts a real server in after its first success, and not before', async () => {
    const stage = createStage()
    stage.answers.set('10.0.0.2', bad)
    const config = configOf([virtual({ reals: [stage.real('10.0.0.1'), stage.real('10.0.0.2')] })])
    await stage.director.start(config)
    assert.deepEqual(await stage.saved(), ['-A -t 192.0.2.1:80 -s rr'])
    await stage.advance(0)
    assert.deepEqual(await pool(stage), ['10.0.0.1:80 -m -w 1'])
    assert.deepEqual(stage.log, [
      'Added virtual server: 192.0.2.1:80',
      'Real server is up: 10.0.0.1:80 (tcp:192.0.2.1:80): 200 OK',
      'Real server is down: 10.0.0.2:80 (tcp:192.0.2.1:80): refused: connection refused',
      'Added real server: 10.0.0.1:80 (192.0.2.1:80) (Weight set to 1)',
    ])
    await stage.director.stop()
  })

  it('brings a real server back after successcount successes in a row, and says so once', async () => {
    const stage = createStage()
    const config = configOf([virtual({ reals: [stage.real('10.0.0.1')], successCount: 3 })])
    await stage.director.start(config)
    await stage.advance(0)
    assert.deepEqual(await pool(stage), ['10.0.0.1:80 -m -w 1'], 'the first verdict decides')
    stage.answers.set('10.0.0.1', bad)
    await stage.advance(10_000)
    stage.log.length = 0
    const seen: number[] = []
    for (const answer of [good, good, bad, good, good, good]) {
      stage.answers.set('10.0.0.1', answer)
      await stage.advance(10_000)
      seen.push((await pool(stage)).length)
    }
    assert.deepEqual(seen, [0, 0, 0, 0, 0, 1])
    assert.deepEqual(stage.log, [
      'Resetting soft failure count: 10.0.0.1:80 (tcp:192.0.2.1:80)',
      'Real server is up: 10.0.0.1:80 (tcp:192.0.2.1:80): 200 OK',
      'Added real server: 10.0.0.1:80 (192.0.2.1:80) (Weight set to 1)',
    ])
    await stage.director.stop()
  })

  it('trusts a real server unseen with initstate = up, until a check says otherwise', async () => {
    const stage = createStage()
    stage.answers.set('10.0.0.1', bad)
    await stage.director.start(configOf([virtual({ reals: [stage.real('10.0.0.1')], initState: 'up' })]))
    assert.deepEqual(await pool(stage), ['10.0.0.1:80 -m -w 1'])
    await stage.advance(0)
    assert.deepEqual(await pool(stage), none)
    await stage.director.stop()
  })

  it('takes what was serving out with initstate = down, and in again at its first success', async () => {
    const stage = createStage()
    await put(
      stage,
      { kind: 'add-service', id: vip, settings },
      { kind: 'add-destination', id: vip, destination: entry('10.0.0.1') },
    )
    stage.answers.set('10.0.0.1', 'silent')
    const parts = { reals: [stage.real('10.0.0.1')], initState: 'down', successCount: 3, fallback: '10.0.0.9' } as const
    await stage.director.start(configOf([virtual(parts)]))
    assert.deepEqual(await pool(stage), ['10.0.0.9:80 -m -w 1'])
    stage.answers.set('10.0.0.1', good)
    await stage.advance(20_000)
    assert.deepEqual(await pool(stage), ['10.0.0.9:80 -m -w 1'], 'a failure came first: then successcount counts')
    await stage.advance(20_000)
    assert.deepEqual(await pool(stage), ['10.0.0.1:80 -m -w 1'])
    const fresh = createStage()
    await fresh.director.start(configOf([virtual({ ...parts, reals: [fresh.real('10.0.0.1')] })]))
    await fresh.advance(0)
    assert.deepEqual(await pool(fresh), ['10.0.0.1:80 -m -w 1'])
    await Promise.all([stage.director.stop(), fresh.director.stop()])
  })

  it('takes the last real server out for the fallback, and the fallback out when one returns', async () => {
    const stage = createStage()
    await stage.director.start(configOf([virtual({ reals: [stage.real('10.0.0.1')], fallback: '10.0.0.9' })]))
    await stage.advance(0)
    assert.deepEqual(await pool(stage), ['10.0.0.1:80 -m -w 1'])
    stage.log.length = 0
    stage.answers.set('10.0.0.1', bad)
    await stage.advance(10_000)
    assert.deepEqual(await pool(stage), ['10.0.0.9:80 -m -w 1'])
    stage.answers.set('10.0.0.1', good)
    await stage.advance(10_000)
    assert.deepEqual(await pool(stage), ['10.0.0.1:80 -m -w 1'])
    assert.deepEqual(
      stage.log.filter((line) => line.includes(' server: ') && !line.startsWith('Real')),
      [
        'Added fallback server: 10.0.0.9:80 (192.0.2.1:80) (Weight set to 1)',
        'Deleted real server: 10.0.0.1:80 (192.0.2.1:80)',
        'Added real server: 10.0.0.1:80 (192.0.2.1:80) (Weight set to 1)',
        'Deleted fallback server: 10.0.0.9:80 (192.0.2.1:80)',
      ],
    )
    await stage.director.stop()
  })

  it('counts failures as failurecount says, and starts over after a success', async () => {
    const stage = createStage()
    const v = virtual({ reals: [stage.real('10.0.0.1')], failureCount: 3 })
    await stage.director.start(configOf([v]))
    await stage.advance(0)
    stage.log.length = 0
    stage.answers.set('10.0.0.1', bad)
    await stage.advance(20_000)
    stage.answers.set('10.0.0.1', good)
    await stage.advance(10_000)
    stage.answers.set('10.0.0.1', bad)
    await stage.advance(20_000)
    assert.deepEqual(await pool(stage), ['10.0.0.1:80 -m -w 1'])
    await stage.advance(10_000)
    assert.deepEqual(await pool(stage), none)
    assert.deepEqual(
      stage.log.filter((line) => /^(Soft|Resetting|Deleted)/.test(line)),
      [
        'Soft failure real server: 10.0.0.1:80 (tcp:192.0.2.1:80) failure 1/3',
        'Soft failure real server: 10.0.0.1:80 (tcp:192.0.2.1:80) failure 2/3',
        'Resetting soft failure count: 10.0.0.1:80 (tcp:192.0.2.1:80)',
        'Soft failure real server: 10.0.0.1:80 (tcp:192.0.2.1:80) failure 1/3',
        'Soft failure real server: 10.0.0.1:80 (tcp:192.0.2.1:80) failure 2/3',
        'Deleted real server: 10.0.0.1:80 (192.0.2.1:80)',
      ],
    )
    await stage.director.stop()
  })

  it('sets a failed real server to weight 0 with quiescent=yes and restores it', async () => {
    const stage = createStage()
    await stage.director.start(configOf([virtual({ reals: [stage.real('10.0.0.1', { weight: 3 })], quiescent: true })]))
    await stage.advance(0)
    assert.deepEqual(await pool(stage), ['10.0.0.1:80 -m -w 3'])
    stage.answers.set('10.0.0.1', bad)
    await stage.advance(10_000)
    assert.deepEqual(await pool(stage), ['10.0.0.1:80 -m -w 0'])
    stage.answers.set('10.0.0.1', good)
    await stage.advance(10_000)
    assert.deepEqual(await pool(stage), ['10.0.0.1:80 -m -w 3'])
    await stage.director.stop()
  })

  it('adopts the table: what was serving goes on, foreign entries leave, foreign services are untouched', async () => {
    const stage = createStage()
    const other = { ...vip, address: '192.0.2.99' }
    await put(
      stage,
      { kind: 'add-service', id: vip, settings },
      { kind: 'add-destination', id: vip, destination: entry('10.0.0.1', 7) },
      { kind: 'add-destination', id: vip, destination: entry('10.0.0.77') },
      { kind: 'add-service', id: other, settings },
      { kind: 'add-destination', id: other, destination: entry('10.0.0.78') },
    )
    stage.answers.set('10.0.0.1', 'silent')
    stage.answers.set('10.0.0.2', 'silent')
    const reals = [stage.real('10.0.0.1', { weight: 2 }), stage.real('10.0.0.2')]
    await stage.director.start(configOf([virtual({ reals })]))
    assert.deepEqual(await stage.saved(), [
      '-A -t 192.0.2.1:80 -s rr',
      '-a -t 192.0.2.1:80 -r 10.0.0.1:80 -m -w 2',
      '-A -t 192.0.2.99:80 -s rr',
      '-a -t 192.0.2.99:80 -r 10.0.0.78:80 -m -w 1',
    ])
    await stage.director.stop()
    assert.deepEqual(await stage.saved(), ['-A -t 192.0.2.99:80 -s rr', '-a -t 192.0.2.99:80 -r 10.0.0.78:80 -m -w 1'])
  })

  it('keeps a fallback that was serving until a real server has answered', async () => {
    const stage = createStage()
    await put(
      stage,
      { kind: 'add-service', id: vip, settings },
      { kind: 'add-destination', id: vip, destination: entry('10.0.0.9') },
    )
    stage.answers.set('10.0.0.1', 'silent')
    await stage.director.start(configOf([virtual({ reals: [stage.real('10.0.0.1')], fallback: '10.0.0.9' })]))
    assert.deepEqual(await pool(stage), ['10.0.0.9:80 -m -w 1'])
    await stage.advance(1_500)
    assert.deepEqual(await pool(stage), ['10.0.0.9:80 -m -w 1'])
    stage.answers.set('10.0.0.1', good)
    await stage.advance(10_000)
    assert.deepEqual(await pool(stage), ['10.0.0.1:80 -m -w 1'])
    await stage.director.stop()
  })

  it('never empties a pool over a reload that replaces every real server', async () => {
    const stage = createStage()
    await stage.director.start(configOf([virtual({ reals: [stage.real('10.0.0.1')] })]))
    await stage.advance(0)
    stage.answers.set('10.0.0.2', 'silent')
    await stage.director.change(configOf([virtual({ reals: [stage.real('10.0.0.2')] })]), 'reloading')
    assert.deepEqual(await pool(stage), ['10.0.0.1:80 -m -w 1'])
    stage.answers.set('10.0.0.2', good)
    await stage.advance(20_000)
    assert.deepEqual(await pool(stage), ['10.0.0.2:80 -m -w 1'])
    await stage.director.stop()
  })

  it('lets the real servers that left go at once when a new one is up, or when all new ones are known to be down', async () => {
    const stage = createStage()
    await stage.director.start(configOf([virtual({ reals: [stage.real('10.0.0.1')] })]))
    await stage.advance(0)
    stage.answers.set('10.0.0.2', bad)
    await stage.director.change(configOf([virtual({ reals: [stage.real('10.0.0.2')] })]), 'reloading')
    await stage.advance(0)
    assert.deepEqual(await pool(stage), none)
    await stage.director.stop()
  })

  it('keeps health over a reload, edits in place, and removes what left the file', async () => {
    const stage = createStage()
    const second = { ...vip, port: 81 }
    const reals = [stage.real('10.0.0.1'), stage.real('10.0.0.2')]
    stage.answers.set('10.0.0.2', bad)
    await stage.director.start(configOf([virtual({ reals }), virtual({ id: second, reals: [stage.real('10.0.0.1')] })]))
    await stage.advance(0)
    const kinds: string[] = []
    const apply = stage.table.apply.bind(stage.table)
    stage.table.apply = (plan, s) => {
      kinds.push(...plan.map((o) => o.kind))
      return apply(plan, s)
    }
    stage.answers.set('10.0.0.1', 'silent')
    const again = [stage.real('10.0.0.1', { weight: 5 }), stage.real('10.0.0.2')]
    const wlc = { ...settings, scheduler: 'wlc' }
    await stage.director.change(configOf([virtual({ reals: again, settings: wlc })]), 'reloading')
    assert.deepEqual(kinds, ['edit-service', 'edit-destination', 'delete-service'])
    assert.deepEqual(await stage.saved(), ['-A -t 192.0.2.1:80 -s wlc', '-a -t 192.0.2.1:80 -r 10.0.0.1:80 -m -w 5'])
    await stage.director.stop()
  })

  it('restores a virtual service that somebody removed, whole and within seconds', async () => {
    const stage = createStage()
    await stage.director.start(configOf([virtual({ reals: [stage.real('10.0.0.1'), stage.real('10.0.0.2')] })]))
    await stage.advance(0)
    const before = await stage.saved()
    await put(stage, { kind: 'delete-service', id: vip })
    await stage.advance(5_000)
    assert.deepEqual(await stage.saved(), before)
    await stage.director.stop()
  })

  it('leaves a weight that somebody changed and tells it once, until the state changes', async () => {
    const stage = createStage()
    await stage.director.start(configOf([virtual({ reals: [stage.real('10.0.0.1'), stage.real('10.0.0.2')] })]))
    await stage.advance(0)
    stage.log.length = 0
    await put(stage, { kind: 'edit-destination', id: vip, destination: entry('10.0.0.1', 0) })
    await stage.advance(30_000)
    assert.deepEqual(await pool(stage), ['10.0.0.1:80 -m -w 0', '10.0.0.2:80 -m -w 1'])
    assert.equal(stage.log.filter((line) => line.includes('changed by others')).length, 1)
    assert.equal(stage.director.drift.length, 1)
    stage.answers.set('10.0.0.1', bad)
    await stage.advance(10_000)
    stage.answers.set('10.0.0.1', good)
    await stage.advance(10_000)
    assert.deepEqual(await pool(stage), ['10.0.0.1:80 -m -w 1', '10.0.0.2:80 -m -w 1'])
    assert.deepEqual(stage.director.drift, [])
    await stage.director.stop()
  })

  it('puts a hand edit right with drift=repair', async () => {
    const stage = createStage()
    await stage.director.start(configOf([virtual({ reals: [stage.real('10.0.0.1')] })], { drift: 'repair' }))
    await stage.advance(0)
    await put(
      stage,
      { kind: 'edit-destination', id: vip, destination: entry('10.0.0.1', 0) },
      { kind: 'add-destination', id: vip, destination: entry('10.0.0.55') },
    )
    await stage.advance(5_000)
    assert.deepEqual(await pool(stage), ['10.0.0.1:80 -m -w 1'])
    await stage.director.stop()
  })

  it('tells a refusal once, goes on trying, and the others do not suffer', async () => {
    const stage = createStage(createMemoryTable(['rr']))
    const second = virtual({ id: { ...vip, port: 81 }, reals: [stage.real('10.0.0.1')] })
    const first = virtual({ settings: { ...settings, scheduler: 'nosuch' }, reals: [stage.real('10.0.0.1')] })
    await stage.director.start(configOf([first, second]))
    await stage.advance(40_000)
    assert.deepEqual(await stage.saved(), ['-A -t 192.0.2.1:81 -s rr', '-a -t 192.0.2.1:81 -r 10.0.0.1:80 -m -w 1'])
    const refused = stage.log.filter((line) => line.startsWith('IPVS refused'))
    assert.equal(refused.length, 1, refused.join('\n'))
    // The other one is not kept in full mode by it: hand edits there are still left alone.
    await put(stage, { kind: 'edit-destination', id: { ...vip, port: 81 }, destination: entry('10.0.0.1', 0) })
    await stage.advance(10_000)
    assert.deepEqual(await pool(stage), ['10.0.0.1:80 -m -w 0'])
    assert.match(refused[0] ?? '', /-A -t 192\.0\.2\.1:80 -s nosuch.*ip_vs_nosuch/)
    await stage.director.stop()
  })

  it('rejects a start without a table, and outlives a table that cannot be read for a while', async () => {
    const stage = createStage()
    const read = stage.table.read.bind(stage.table)
    const config = configOf([virtual({ reals: [stage.real('10.0.0.1')] })])
    stage.table.read = () => Promise.reject(new TableError('EPERM', 'not permitted'))
    await assert.rejects(stage.director.start(config), TableError)
    stage.table.read = read
    await stage.director.start(config)
    await stage.advance(0)
    stage.table.read = () => Promise.reject(new TableError('ENOENT', 'no IPVS in this kernel'))
    stage.answers.set('10.0.0.1', bad)
    await stage.advance(60_000)
    stage.table.read = read
    await stage.advance(60_000)
    assert.deepEqual(await pool(stage), none)
    assert.deepEqual(
      stage.log.filter((line) => line.includes('IPVS table')),
      ['Can not read the IPVS table: no IPVS in this kernel', 'The IPVS table can be read again'],
    )
    await stage.director.stop()
  })

  it('honours cleanstop per virtual service when it stops', async () => {
    const stage = createStage()
    const kept = virtual({ id: { ...vip, port: 81 }, cleanstop: false, reals: [stage.real('10.0.0.1')] })
    await stage.director.start(configOf([virtual({ reals: [stage.real('10.0.0.1')] }), kept]))
    await stage.advance(0)
    stage.log.length = 0
    await stage.director.stop()
    assert.deepEqual(await stage.saved(), ['-A -t 192.0.2.1:81 -s rr', '-a -t 192.0.2.1:81 -r 10.0.0.1:80 -m -w 1'])
    assert.deepEqual(stage.log, [
      'Purged real server (stop): 10.0.0.1:80 (192.0.2.1:80)',
      'Purged virtual server (stop): 192.0.2.1:80',
    ])
    assert.deepEqual(stage.clock.openTimers(), none)
  })
})
