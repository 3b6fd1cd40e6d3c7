import assert from 'node:assert/strict'
import { dns } from '../../checks/dns.ts'
import { makeRequest } from '../../src/check/fields.ts'
import { verdictOf } from '../checks/probing.ts'
import { patternOf } from '../checks/web.ts'
import { type NameServer, startDnsmasq, startUnbound } from './name-servers.ts'
import { needs } from './needs.ts'
import { asking } from './proved.ts'

interface Given {
  readonly request?: string
  readonly receive?: string
  readonly address?: string
  readonly transport?: 'tcp' | 'udp'
  readonly timeoutMs?: number
}

function prober(ask: ReturnType<typeof asking>, server: () => NameServer | undefined) {
  return (given: Given) => {
    const {
      request = 'alive.example.test',
      receive,
      transport = 'udp',
      timeoutMs = 3000,
      address = '127.0.0.1',
    } = given
    const pattern = receive === undefined ? undefined : patternOf(receive)
    const options = { request: makeRequest(request, false), receive: pattern }
    return ask({ check: dns, address, port: server()?.port ?? 0, transport, options, timeoutMs })
  }
}

type Case = readonly [title: string, given: Given, verdict: string, detail: RegExp]

describe('dns against a real dnsmasq', function () {
  this.timeout(60_000)
  let server: NameServer | undefined
  before(async function () {
    needs(this, 'dnsmasq')
    server = await startDnsmasq()
  })
  after(() => server?.stop())
  const probe = prober(asking('dnsmasq', 'dnsmasq-base'), () => server)

  const cases: readonly Case[] = [
    ['any address', {}, 'up', /answer A 192\.0\.2\.10/],
    ['the address that is looked for', { receive: '^192\\.0\\.2\\.10$' }, 'up', /A 192\.0\.2\.10/],
    ['an IPv6 address of a name that has both', { receive: '2001:db8::10' }, 'up', /AAAA 2001:db8::10/],
    ['a name with IPv6 only', { request: '/six.example.test' }, 'up', /AAAA 2001:db8::6/],
    ['an alias', { request: 'www.example.test', receive: '192.0.2.10' }, 'up', /A 192/],
    ['in capitals, with a dot at its end', { request: 'ALIVE.Example.test.' }, 'up', /A 192/],
    ['the name of an address', { request: '192.0.2.10', receive: '^alive\\.example\\.test$' }, 'up', /PTR alive/],
    ['the name of an IPv6 address', { request: '2001:db8::10', receive: 'alive' }, 'up', /PTR alive/],
    ['over TCP', { transport: 'tcp', receive: '192.0.2.10' }, 'up', /A 192/],
    ['over IPv6', { address: '::1', receive: '192.0.2.10' }, 'up', /A 192/],
    ['over IPv6 and TCP', { address: '::1', transport: 'tcp' }, 'up', /A 192/],
    ['another address', { receive: '192.0.2.11' }, 'down mismatch', /not found in the answer: A 192.*AAAA 2001/],
    ['another name', { request: '192.0.2.10', receive: 'www' }, 'down mismatch', /PTR alive\.example\.test/],
    ['no address at all', { request: 'text.example.test' }, 'down mismatch', /no data/],
    ['no such name', { request: 'gone.example.test' }, 'down protocol', /NXDOMAIN to gone\.example\.test A/],
    ['no such name, over TCP', { request: 'gone.test', transport: 'tcp' }, 'down protocol', /NXDOMAIN/],
    ['a name it does not answer for', { request: 'www.example.net' }, 'down protocol', /REFUSED/],
  ]
  for (const [title, given, verdict, detail] of cases) {
    it(`${verdict}: ${title}`, async () => {
      const result = await probe(given)
      assert.equal(verdictOf(result), verdict, result.detail)
      assert.match(result.detail, detail)
    })
  }

  it('asks again over TCP when the answer is truncated', async () => {
    const result = await probe({ request: 'many.example.test', receive: '^192\\.0\\.2\\.159$' })
    assert.equal(verdictOf(result), 'up', result.detail)
  })

  describe('that is frozen', () => {
    before(() => server?.freeze())
    after(() => server?.thaw())

    for (const transport of ['udp', 'tcp'] as const) {
      it(`down timeout over ${transport}: it says nothing`, async () => {
        const result = await probe({ transport, timeoutMs: 400 })
        assert.equal(verdictOf(result), 'down timeout')
        assert.ok(result.durationMs < 1500, `took ${result.durationMs} ms`)
      })
    }
  })

  describe('that is thawed and killed', () => {
    it('is up, and then down refused over both', async () => {
      assert.equal(verdictOf(await probe({})), 'up')
      await server?.kill()
      assert.equal(verdictOf(await probe({})), 'down refused')
      assert.equal(verdictOf(await probe({ transport: 'tcp' })), 'down refused')
    })
  })
})

describe('dns against a real Unbound', function () {
  this.timeout(60_000)
  let server: NameServer | undefined
  before(async function () {
    needs(this, 'unbound')
    server = await startUnbound()
  })
  after(() => server?.stop())
  const probe = prober(asking('Unbound', 'unbound'), () => server)

  const cases: readonly Case[] = [
    ['the address', { receive: '192.0.2.10' }, 'up', /A 192/],
    ['the address over IPv6 and TCP', { address: '::1', transport: 'tcp', receive: '192.0.2.10' }, 'up', /A 192/],
    ['another address', { receive: '192.0.2.11' }, 'down mismatch', /A 192\.0\.2\.10, AAAA 2001:db8::10/],
    ['no such name', { request: 'gone.example.test' }, 'down protocol', /NXDOMAIN/],
    ['a refusal', { request: 'www.refused.test' }, 'down protocol', /REFUSED to www\.refused\.test A/],
    ['a refusal over TCP', { request: 'www.refused.test', transport: 'tcp' }, 'down protocol', /REFUSED/],
    ['a name it drops', { request: 'a.silent.test', timeoutMs: 400 }, 'down timeout', /a\.silent\.test A over UDP/],
  ]
  for (const [title, given, verdict, detail] of cases) {
    it(`${verdict}: ${title}`, async () => {
      const result = await probe(given)
      assert.equal(verdictOf(result), verdict, result.detail)
      assert.match(result.detail, detail)
    })
  }
})
