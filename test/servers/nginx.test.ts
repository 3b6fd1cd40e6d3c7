import assert from 'node:assert/strict'
import { connect } from '../../checks/connect.ts'
import { http } from '../../checks/http.ts'
import { https } from '../../checks/https.ts'
import type { AnyCheck } from '../../src/check/contract.ts'
import { makeRequest } from '../../src/check/fields.ts'
import { compileReceive, isFault } from '../../src/check/receive/receive.ts'
import { verdictOf } from '../checks/probing.ts'
import { needs } from './needs.ts'
import { type Nginx, nginxPrograms, startNginx } from './nginx.ts'
import { asking } from './proved.ts'

const ask = asking('nginx', 'nginx')

interface Given {
  readonly check?: AnyCheck
  readonly address?: string
  readonly request?: string
  readonly receive?: string
  readonly virtualhost?: string
  readonly httpmethod?: 'GET' | 'HEAD'
  readonly perReal?: boolean
  readonly timeoutMs?: number
}

function pattern(source: string) {
  const compiled = compileReceive(source)
  assert.ok(!isFault(compiled))
  return compiled
}

describe('http, https and connect against a real nginx', function () {
  this.timeout(60_000)
  let server: Nginx | undefined
  before(async function () {
    needs(this, ...nginxPrograms)
    server = await startNginx()
  })
  after(() => server?.stop())

  const probe = (given: Given = {}) => {
    const { check = http, address = '127.0.0.1', request = '/alive', timeoutMs = 5000, perReal = false } = given
    const port = (check === https ? server?.httpsPort : server?.httpPort) ?? 0
    const options = {
      request: makeRequest(request, perReal),
      ...(given.receive === undefined ? {} : { receive: pattern(given.receive) }),
      ...(given.virtualhost === undefined ? {} : { virtualhost: given.virtualhost }),
      ...(given.httpmethod === undefined ? {} : { httpmethod: given.httpmethod }),
    }
    return ask({ check, address, port, options: check === connect ? {} : options, timeoutMs })
  }

  const page = '/anything'
  const cases: readonly [title: string, given: Given, verdict: string][] = [
    ['the page', {}, 'up'],
    ['the page has the text', { receive: 'Still alive' }, 'up'],
    ['the page has the text up to its end', { receive: '^Still (a)live$' }, 'up'],
    ['the page has another text', { receive: 'Quite dead' }, 'down mismatch'],
    ['another status than 200 with 2xx', { request: '/nothing' }, 'up'],
    ['no such page', { request: '/missing' }, 'down protocol'],
    ['the server is in maintenance', { request: '/broken' }, 'down protocol'],
    ['the text is there, the status is not', { request: '/broken', receive: 'maintenance' }, 'down protocol'],
    ['a redirect on the same server', { request: '/moved', receive: 'Still alive' }, 'up'],
    ['a redirect to https on the same server', { request: '/secure', receive: 'sni=' }, 'up'],
    ['a redirect in a circle', { request: '/round' }, 'down protocol'],
    ['HEAD', { request: page, httpmethod: 'HEAD' }, 'up'],
    [
      'HEAD, which has no body to match',
      { request: page, httpmethod: 'HEAD', receive: 'method=HEAD' },
      'down mismatch',
    ],
    ['GET', { request: page, receive: 'method=GET$' }, 'up'],
    ['the host is the address without a virtual host', { request: page, receive: '^host=127\\.0\\.0\\.1 ' }, 'up'],
    [
      'the host is the virtual host',
      { request: page, virtualhost: 'www.example.test', receive: '^host=www\\.example\\.test ' },
      'up',
    ],
    ['https', { check: https, request: '/' }, 'up'],
    [
      'https names the virtual host in TLS (SNI)',
      {
        check: https,
        virtualhost: 'www.example.test',
        receive: '^sni=www\\.example\\.test host=www\\.example\\.test$',
      },
      'up',
    ],
    ['https without a virtual host names nobody', { check: https, receive: '^sni= host=127\\.0\\.0\\.1$' }, 'up'],
    ['https has another text', { check: https, receive: 'Quite dead' }, 'down mismatch'],
    ['connect', { check: connect }, 'up'],
    ['http over IPv6', { address: '::1', receive: 'Still alive' }, 'up'],
    ['the host is the IPv6 address in brackets', { address: '::1', request: page, receive: '^host=\\[::1\\] ' }, 'up'],
    ['https over IPv6', { address: '::1', check: https, virtualhost: 'www.example.test', receive: 'sni=www' }, 'up'],
    ['connect over IPv6', { address: '::1', check: connect }, 'up'],
  ]
  for (const [title, given, verdict] of cases) {
    it(`${verdict}: ${title}`, async () => {
      const result = await probe(given)
      assert.equal(verdictOf(result), verdict, result.detail)
    })
  }

  it('down, not unknown: http to the https port and https to the http port', async () => {
    const ports = { httpPort: server?.httpsPort ?? 0, httpsPort: server?.httpPort ?? 0 }
    const options = { request: makeRequest('/', false) }
    assert.equal(verdictOf(await ask({ check: http, port: ports.httpPort, options })), 'down protocol')
    assert.equal(verdictOf(await ask({ check: https, port: ports.httpsPort, options })), 'down tls')
  })

  it('up, fifty at once', async () => {
    const results = await Promise.all(Array.from({ length: 50 }, () => probe({ receive: 'alive' })))
    assert.deepEqual(new Set(results.map(verdictOf)), new Set(['up']))
  })

  describe('that is frozen', () => {
    before(() => server?.freeze())
    after(() => server?.thaw())

    for (const [check, verdict] of [
      [http, 'down timeout'],
      [https, 'down timeout'],
      [connect, 'up'],
    ] as const) {
      it(`${verdict}: ${check.name}; the kernel accepts and nobody answers`, async () => {
        const result = await probe({ check, timeoutMs: 300 })
        assert.equal(verdictOf(result), verdict, result.detail)
        assert.ok(result.durationMs < 1500, `took ${result.durationMs} ms`)
      })
    }
  })

  describe('that is thawed and killed', () => {
    it('is up, and then all three checks are down refused', async () => {
      assert.equal(verdictOf(await probe()), 'up')
      await server?.kill()
      for (const check of [http, https, connect]) {
        assert.equal(verdictOf(await probe({ check })), 'down refused', check.name)
      }
    })
  })
})
