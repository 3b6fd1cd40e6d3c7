import assert from 'node:assert/strict'
import { realKeyOf } from '../../src/config/model.ts'
import type { Operation } from '../../src/table/operation.ts'
import { bad, configOf, good, type VirtualParts, vip, virtual } from '../control/stage.ts'
import { type AlertStage, alertTo, createAlertStage } from './stage.ts'

const settings = { scheduler: 'rr', schedulerFlags: 0, persistence: undefined, onePacket: false }
const entry = (address: string, weight = 1) =>
  ({ address, port: 80, forwarding: 'masq', weight, upper: 0, lower: 0 }) as const
const there = (...entries: ReturnType<typeof entry>[]): Operation[] => [
  { kind: 'add-service', id: vip, settings },
  ...entries.map((destination): Operation => ({ kind: 'add-destination', id: vip, destination })),
]
const one = '10.0.0.1'
const two = '10.0.0.2'
const added = (address: string) => `Added real server: ${address}:80 (192.0.2.1:80) (Weight set to 1)`
const restored = (address: string) => `Restored real server: ${address}:80 (192.0.2.1:80) (Weight set to 1)`
const deleted = (address: string) => `Deleted real server: ${address}:80 (192.0.2.1:80)`
const quiesced = (address: string) => `Quiescent real server: ${address}:80 (192.0.2.1:80) (Weight set to 0)`
const missing = (address: string) => `Inaccessible real server: ${address}:80 (192.0.2.1:80)`
const purged = (when: string, address: string) => `Purged real server (${when}): ${address}:80 (192.0.2.1:80)`
const fallbackIn = 'Added fallback server: 10.0.0.9:80 (192.0.2.1:80) (Weight set to 1)'
const fallbackOut = 'Deleted fallback server: 10.0.0.9:80 (192.0.2.1:80)'

describe('alerts, with the director in virtual time', () => {
  let stage: AlertStage
  beforeEach(() => {
    stage = createAlertStage()
  })
  afterEach(async () => {
    await stage.stop()
    assert.deepEqual(stage.clock.openTimers(), [])
  })

  const reals = (...addresses: string[]) => addresses.map((address) => stage.real(address))
  const config = (parts: VirtualParts = {}) =>
    configOf([virtual({ reals: reals(one, two), alert: alertTo(), ...parts })])
  const running = (...subjects: string[]) => subjects.map((subject) => `running: ${subject}`)
  const starting = (...subjects: string[]) => subjects.map((subject) => `starting: ${subject}`)

  describe('at a start', () => {
    it('tell of each real server that comes in, once, though the table was empty', async () => {
      await stage.start(config())
      assert.deepEqual(stage.told(), starting(added(one), added(two)))
      await stage.advance(60_000)
      assert.deepEqual(stage.told(), [])
    })

    it('say nothing of one that is down and was not in', async () => {
      stage.answers.set(two, bad)
      await stage.start(config())
      assert.deepEqual(stage.told(), starting(added(one)))
    })

    it('say nothing of one that waits at weight 0 for its first check, nor of one that stays there', async () => {
      stage.answers.set(two, bad)
      await stage.start(config({ quiescent: true }))
      assert.deepEqual(stage.told(), starting(restored(one)))
      assert.ok(stage.log.includes(quiesced(two)))
    })

    it('say nothing when the table is found as it ought to be', async () => {
      await stage.put(...there(entry(one), entry(two)))
      await stage.start(config())
      await stage.advance(60_000)
      assert.deepEqual(stage.told(), [])
    })

    it('say nothing of a weight that is mended', async () => {
      await stage.put(...there(entry(one, 5), entry(two)))
      await stage.start(config())
      assert.ok(stage.log.includes(restored(one)))
      assert.deepEqual(stage.told(), [])
    })

    it('tell of one that was adopted and is found down, and of a stranger that had traffic', async () => {
      await stage.put(...there(entry(one), entry(two), entry('10.0.0.7'), entry('10.0.0.8', 0)))
      stage.answers.set(two, bad)
      await stage.start(config())
      assert.deepEqual(stage.told(), starting(purged('start', '10.0.0.7'), deleted(two)))
    })

    it('tell of the fallback when all are down, and nothing more', async () => {
      stage.answers.set(one, bad).set(two, bad)
      await stage.start(config({ fallback: '10.0.0.9' }))
      assert.deepEqual(stage.told(), starting(fallbackIn))
    })

    it('say nothing of a fallback that was in force before', async () => {
      await stage.put(...there(entry('10.0.0.9')))
      stage.answers.set(one, bad).set(two, bad)
      await stage.start(config({ fallback: '10.0.0.9' }))
      assert.deepEqual(stage.told(), [])
    })
  })

  describe('while it runs', () => {
    it('tell of a failure and of the return', async () => {
      await stage.start(config())
      stage.told()
      stage.answers.set(one, bad)
      await stage.advance(10_000)
      assert.deepEqual(stage.told(), running(deleted(one)))
      stage.answers.set(one, good)
      await stage.advance(10_000)
      assert.deepEqual(stage.told(), running(added(one)))
    })

    it('say nothing of failures that failurecount forgives', async () => {
      await stage.start(config({ failureCount: 3 }))
      stage.told()
      stage.answers.set(one, bad)
      await stage.advance(20_000)
      stage.answers.set(one, good)
      await stage.advance(20_000)
      assert.deepEqual(stage.told(), [])
    })

    it('use the words of quiescence where that is wanted', async () => {
      await stage.start(config({ quiescent: true }))
      stage.told()
      stage.answers.set(one, bad)
      await stage.advance(10_000)
      stage.answers.set(one, good)
      await stage.advance(10_000)
      assert.deepEqual(stage.told(), running(quiesced(one), restored(one)))
    })

    it('tell of the fallback that comes into force and goes', async () => {
      await stage.start(config({ fallback: '10.0.0.9', reals: reals(one) }))
      stage.told()
      stage.answers.set(one, bad)
      await stage.advance(10_000)
      assert.deepEqual(stage.told(), running(fallbackIn, deleted(one)))
      stage.answers.set(one, good)
      await stage.advance(10_000)
      assert.deepEqual(stage.told(), running(added(one), fallbackOut))
    })

    it('tell of what comes back after somebody removed the virtual service, save what comes back at weight 0', async () => {
      stage.answers.set(one, bad)
      await stage.start(config({ quiescent: true }))
      stage.told()
      await stage.put({ kind: 'delete-service', id: vip })
      await stage.advance(5_000)
      assert.deepEqual(stage.told(), running(added(two)))
    })

    it('put the name of the service in front', async () => {
      await stage.start(config({ alert: alertTo({ serviceName: 'web', comment: 'call Bob' }) }))
      assert.deepEqual(stage.told(), starting(`[web] ${added(one)}`, `[web] ${added(two)}`))
    })
  })

  describe('at a reload', () => {
    it('say nothing when nothing changed, though one is down', async () => {
      await stage.start(config())
      stage.answers.set(two, bad)
      await stage.advance(10_000)
      stage.told()
      await stage.reload(config())
      await stage.advance(60_000)
      assert.deepEqual(stage.told(), [])
    })

    it('say nothing of a weight that the new file has', async () => {
      await stage.start(config())
      stage.told()
      await stage.reload(config({ reals: [stage.real(one, { weight: 7 }), stage.real(two)] }))
      assert.deepEqual(stage.told(), [])
    })

    it('tell of one that leaves the file, and of one that comes with its first success', async () => {
      await stage.start(config())
      stage.told()
      await stage.reload(config({ reals: reals(one, '10.0.0.3') }))
      assert.deepEqual(stage.told(), [`reloading: ${purged('start', two)}`, ...running(added('10.0.0.3'))])
    })

    it('say nothing of a virtual service that leaves the file, as Perl ldirectord', async () => {
      await stage.start(config())
      stage.told()
      await stage.reload(configOf([virtual({ id: { ...vip, port: 81 }, reals: reals(one), alert: alertTo() })]))
      assert.deepEqual(
        stage.told().filter((line) => line.includes('192.0.2.1:80')),
        [],
      )
    })
  })

  describe('at the end', () => {
    it('tell of each real server that had traffic', async () => {
      stage.answers.set(two, bad)
      await stage.start(config({ quiescent: true }))
      stage.told()
      await stage.stop()
      assert.deepEqual(stage.told(), [`stopping: ${purged('stop', one)}`])
    })

    it('say nothing when the table stays', async () => {
      await stage.start(config({ cleanstop: false }))
      stage.told()
      await stage.stop()
      assert.deepEqual(stage.told(), [])
    })
  })

  describe('with emailalertstatus', () => {
    const course = async (status: Parameters<typeof alertTo>[0]): Promise<string[]> => {
      await stage.start(config({ alert: alertTo(status) }))
      stage.answers.set(one, bad)
      await stage.advance(10_000)
      stage.answers.set(one, good)
      await stage.advance(10_000)
      await stage.reload(config({ alert: alertTo(status), reals: reals(one) }))
      await stage.stop()
      return stage.told()
    }
    it('all, tell in every state', async () => {
      assert.deepEqual(await course({}), [
        ...starting(added(one), added(two)),
        ...running(deleted(one), added(one)),
        `reloading: ${purged('start', two)}`,
        `stopping: ${purged('stop', one)}`,
      ])
    })
    for (const [status, lines] of [
      ['starting', [`starting: ${added(one)}`, `starting: ${added(two)}`]],
      ['running', [`running: ${deleted(one)}`, `running: ${added(one)}`]],
      ['reloading', [`reloading: ${purged('start', two)}`]],
      ['stopping', [`stopping: ${purged('stop', one)}`]],
    ] as const) {
      it(`${status}, tell in that state alone`, async () => {
        assert.deepEqual(await course({ status: [status] }), lines)
      })
    }
    it('none, say nothing', async () => {
      assert.deepEqual(await course({ status: [] }), [])
    })
  })

  describe('with emailalertfreq', () => {
    const alert = alertTo({ everySeconds: 30 })

    it('remind every so many seconds until the real server is back', async () => {
      await stage.start(config({ alert }))
      stage.told()
      stage.answers.set(one, bad)
      await stage.advance(10_000)
      assert.deepEqual(stage.told(), running(deleted(one)))
      // The check that failed was somewhere in those ten seconds.
      await stage.advance(20_000)
      assert.deepEqual(stage.told(), [])
      await stage.advance(11_000)
      assert.deepEqual(stage.told(), running(missing(one)))
      await stage.advance(60_000)
      assert.deepEqual(stage.told(), running(missing(one), missing(one)))
      stage.answers.set(one, good)
      await stage.advance(20_000)
      assert.deepEqual(stage.told(), running(added(one)))
      await stage.advance(300_000)
      assert.deepEqual(stage.told(), [])
    })

    it('remind of one that the start found down, though nothing was said then', async () => {
      stage.answers.set(two, bad)
      await stage.start(config({ alert }))
      stage.told()
      await stage.advance(29_999)
      assert.deepEqual(stage.told(), [])
      await stage.advance(1)
      assert.deepEqual(stage.told(), running(missing(two)))
    })

    it('remind of one that is quiesced', async () => {
      await stage.start(config({ alert, quiescent: true }))
      stage.answers.set(one, bad)
      await stage.advance(10_000)
      stage.told()
      await stage.advance(30_000)
      assert.deepEqual(stage.told(), running(missing(one)))
    })

    it('do not remind of one that has left the file (D35)', async () => {
      stage.answers.set(two, bad)
      await stage.start(config({ alert }))
      stage.told()
      await stage.reload(config({ alert, reals: reals(one) }))
      await stage.advance(300_000)
      assert.deepEqual(stage.told(), [])
    })

    it('go on over a reload that changes nothing, at the same pace', async () => {
      stage.answers.set(two, bad)
      await stage.start(config({ alert }))
      stage.told()
      await stage.advance(20_000)
      await stage.reload(config({ alert }))
      await stage.advance(10_000)
      assert.deepEqual(stage.told(), running(missing(two)))
    })

    it('take the pace of the new file', async () => {
      stage.answers.set(two, bad)
      await stage.start(config({ alert }))
      stage.told()
      await stage.reload(config({ alert: alertTo({ everySeconds: 300 }) }))
      await stage.advance(299_000)
      assert.deepEqual(stage.told(), [])
      await stage.advance(1_000)
      assert.deepEqual(stage.told(), running(missing(two)))
    })

    it('do not remind while the operator holds it out, and do when it is down after that', async () => {
      const key = realKeyOf(virtual(), stage.real(one))
      await stage.start(config({ alert }))
      stage.told()
      stage.holds.set(key, { as: 'out', reason: 'new disk' })
      await stage.director.reconcile()
      await stage.advance(0)
      assert.deepEqual(stage.told(), running(deleted(one)))
      stage.answers.set(one, bad)
      await stage.advance(120_000)
      assert.deepEqual(stage.told(), [])
      stage.holds.delete(key)
      await stage.director.reconcile()
      await stage.advance(30_000)
      assert.deepEqual(stage.told(), running(missing(one)))
      stage.answers.set(one, good)
      await stage.advance(10_000)
      assert.deepEqual(stage.told(), running(added(one)))
    })

    it('forget one that comes back from maintenance well', async () => {
      const key = realKeyOf(virtual(), stage.real(one))
      await stage.start(config({ alert }))
      stage.holds.set(key, { as: 'drain', reason: 'new disk' })
      await stage.director.reconcile()
      await stage.advance(0)
      stage.told()
      stage.holds.delete(key)
      await stage.director.reconcile()
      await stage.advance(300_000)
      assert.deepEqual(stage.told(), running(restored(one)))
    })

    it('stay silent in states that are not asked for', async () => {
      stage.answers.set(two, bad)
      await stage.start(config({ alert: alertTo({ everySeconds: 30, status: ['starting'] }) }))
      stage.told()
      await stage.advance(300_000)
      assert.deepEqual(stage.told(), [])
    })

    it('do not care for jumps of the wall clock', async () => {
      stage.answers.set(two, bad)
      await stage.start(config({ alert }))
      stage.told()
      stage.clock.jumpWallClock(86_400_000)
      await stage.advance(29_000)
      assert.deepEqual(stage.told(), [])
    })

    it('0, never', async () => {
      stage.answers.set(two, bad)
      await stage.start(config())
      stage.told()
      await stage.advance(3_600_000)
      assert.deepEqual(stage.told(), [])
    })
  })
})
