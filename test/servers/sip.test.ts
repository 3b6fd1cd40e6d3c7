import assert from 'node:assert/strict'
import { sip } from '../../checks/sip.ts'
import { verdictOf } from '../checks/probing.ts'
import { type Kamailio, startKamailio } from './kamailio.ts'
import { needs } from './needs.ts'
import { asking } from './proved.ts'

const ask = asking('Kamailio', 'kamailio')

describe('sip against a real Kamailio', function () {
  this.timeout(60_000)
  let server: Kamailio | undefined
  before(async function () {
    needs(this, 'kamailio')
    server = await startKamailio()
  })
  after(() => server?.stop())

  for (const transport of ['udp', 'tcp'] as const) {
    const probe = (user = 'probe', address = '127.0.0.1', timeoutMs = 3000) =>
      ask({
        check: sip,
        address,
        port: server?.port ?? 0,
        transport,
        options: { login: `${user}@localhost` },
        timeoutMs,
      })

    const cases: readonly [user: string, verdict: string, detail: string][] = [
      ['probe', 'up', 'SIP 200 OK'],
      ['slow', 'up', 'SIP 200 OK'],
      ['busy', 'down protocol', 'SIP 486 Busy Here'],
      ['locked', 'down auth', 'SIP 401 Unauthorized'],
    ]
    for (const [user, verdict, detail] of cases) {
      it(`${verdict} over ${transport} for the user ${user}`, async () => {
        const result = await probe(user)
        assert.equal(verdictOf(result), verdict, result.detail)
        assert.equal(result.detail, detail)
      })
    }

    it(`up over ${transport} and IPv6`, async () => assert.equal(verdictOf(await probe('probe', '::1')), 'up'))

    it(`down timeout over ${transport}: frozen, and up when thawed`, async () => {
      server?.freeze()
      try {
        const result = await probe('probe', '127.0.0.1', 400)
        assert.equal(verdictOf(result), 'down timeout')
        assert.ok(result.durationMs < 1500, `took ${result.durationMs} ms`)
      } finally {
        server?.thaw()
      }
      assert.equal(verdictOf(await probe()), 'up')
    })
  }

  it('down refused over both when killed', async () => {
    await server?.kill()
    for (const transport of ['udp', 'tcp'] as const) {
      const asked = ask({ check: sip, port: server?.port ?? 0, transport, options: { login: 'probe@localhost' } })
      assert.equal(verdictOf(await asked), 'down refused')
    }
  })
})
