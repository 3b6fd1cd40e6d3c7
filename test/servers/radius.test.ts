import assert from 'node:assert/strict'
import { radius } from '../../checks/radius.ts'
import { Secret } from '../../src/lib/secret.ts'
import { verdictOf } from '../checks/probing.ts'
import { type Freeradius, startFreeradius } from './freeradius.ts'
import { needs } from './needs.ts'
import { asking } from './proved.ts'

const ask = asking('FreeRADIUS', 'freeradius')

describe('radius against a real FreeRADIUS', function () {
  this.timeout(60_000)
  let server: Freeradius | undefined
  before(async function () {
    needs(this, 'freeradius')
    server = await startFreeradius()
  })
  after(() => server?.stop())

  interface Given {
    readonly address?: string
    readonly login?: string
    readonly passwd?: string
    readonly secret?: string
    readonly timeoutMs?: number
  }
  const probe = (given: Given = {}) => {
    const { login = 'probe', passwd = 'secret', secret = 'testing123', address = '127.0.0.1', timeoutMs = 3000 } = given
    const options = { login, passwd: new Secret(passwd), secret: new Secret(secret) }
    return ask({ check: radius, address, port: server?.port ?? 0, transport: 'udp', options, timeoutMs })
  }

  const cases: readonly [title: string, given: Given, verdict: string, detail: RegExp][] = [
    ['the account may come in', {}, 'up', /^Access-Accept/],
    ['over IPv6', { address: '::1' }, 'up', /^Access-Accept/],
    ['a wrong password', { passwd: 'wrong' }, 'down auth', /^Access-Reject/],
    ['no password', { passwd: '' }, 'down auth', /^Access-Reject/],
    ['an unknown account', { login: 'nobody' }, 'down auth', /^Access-Reject/],
    ['a wrong secret', { secret: 'other', timeoutMs: 400 }, 'down timeout', /which a wrong secret does not get/],
  ]
  for (const [title, given, verdict, detail] of cases) {
    it(`${verdict}: ${title}`, async () => {
      const result = await probe(given)
      assert.equal(verdictOf(result), verdict, result.detail)
      assert.match(result.detail, detail)
    })
  }

  describe('that is frozen', () => {
    before(() => server?.freeze())
    after(() => server?.thaw())

    it('down timeout: it says nothing', async () => {
      const result = await probe({ timeoutMs: 400 })
      assert.equal(verdictOf(result), 'down timeout')
      assert.ok(result.durationMs < 1500, `took ${result.durationMs} ms`)
    })
  })

  describe('that is thawed and killed', () => {
    it('is up, and then down refused', async () => {
      assert.equal(verdictOf(await probe()), 'up')
      await server?.kill()
      assert.equal(verdictOf(await probe()), 'down refused')
    })
  })
})
