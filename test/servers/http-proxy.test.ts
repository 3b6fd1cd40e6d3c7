import assert from 'node:assert/strict'
import { httpProxy } from '../../checks/http-proxy.ts'
import { makeRequest } from '../../src/check/fields.ts'
import { verdictOf } from '../checks/probing.ts'
import { patternOf } from '../checks/web.ts'
import { needs } from './needs.ts'
import { type Nginx, nginxPrograms, startNginx } from './nginx.ts'
import { asking } from './proved.ts'
import { type HttpProxy, proxyPrograms, startSquid, startTinyproxy } from './proxies.ts'

const servers = [
  { name: 'tinyproxy', start: startTinyproxy, dead: /^HTTP 500/, ask: asking('tinyproxy', 'tinyproxy') },
  { name: 'Squid', start: startSquid, dead: /^HTTP 503/, ask: asking('Squid', 'squid') },
]

for (const { name, start, dead, ask } of servers) {
  describe(`http_proxy against a real ${name}`, function () {
    this.timeout(60_000)
    let proxy: HttpProxy | undefined
    let origin: Nginx | undefined
    before(async function () {
      needs(this, ...proxyPrograms, ...nginxPrograms)
      ;[proxy, origin] = await Promise.all([start(), startNginx()])
    })
    after(() => Promise.all([proxy?.stop(), origin?.stop()]))

    interface Given {
      readonly url?: string
      readonly address?: string
      readonly receive?: string
      readonly httpmethod?: 'GET' | 'HEAD'
      readonly timeoutMs?: number
    }
    /** HTTP and HTTPS stand for the ports of the origin. */
    const probe = ({ url = 'http://127.0.0.1:HTTP/alive', address = '127.0.0.1', ...given }: Given = {}) => {
      const text = url.replace('HTTPS', `${origin?.httpsPort}`).replace('HTTP', `${origin?.httpPort}`)
      const options = {
        request: makeRequest(text, false),
        httpmethod: given.httpmethod ?? 'GET',
        receive: given.receive === undefined ? undefined : patternOf(given.receive),
      }
      return ask({ check: httpProxy, address, port: proxy?.port ?? 0, options, timeoutMs: given.timeoutMs ?? 5000 })
    }

    const origins = 'http://127.0.0.1:HTTP'
    const cases: readonly [title: string, given: Given, verdict: string][] = [
      ['the page', {}, 'up'],
      ['the page has the text', { receive: 'Still alive' }, 'up'],
      ['the page has another text', { receive: 'Quite dead' }, 'down mismatch'],
      ['HEAD', { httpmethod: 'HEAD' }, 'up'],
      ['the origin is asked by the host of the URL', { url: `${origins}/x`, receive: '^host=127\\.0\\.0\\.1 ' }, 'up'],
      ['a query and blanks', { url: `${origins}/a b?c=d e` }, 'up'],
      ['a redirect, through the proxy again', { url: `${origins}/moved`, receive: 'Still alive' }, 'up'],
      ['a redirect in a circle', { url: `${origins}/round` }, 'down protocol'],
      ['a redirect to https, past the proxy', { url: `${origins}/secure`, receive: '^sni=' }, 'up'],
      ['https, past the proxy', { url: 'https://127.0.0.1:HTTPS/', receive: '^sni=' }, 'up'],
      ['no such page', { url: `${origins}/missing` }, 'down protocol'],
      ['an origin over IPv6', { url: 'http://[::1]:HTTP/alive', receive: 'Still alive' }, 'up'],
      ['the proxy over IPv6', { address: '::1', receive: 'Still alive' }, 'up'],
      ['no URL', { url: '/' }, 'down protocol'],
    ]
    for (const [title, given, verdict] of cases) {
      it(`${verdict}: ${title}`, async () => {
        const result = await probe(given)
        assert.equal(verdictOf(result), verdict, result.detail)
      })
    }

    if (name === 'Squid') {
      it('down protocol: a URL that the proxy forbids', async () => {
        const result = await probe({ url: 'http://forbidden.example.test/' })
        assert.equal(verdictOf(result), 'down protocol')
        assert.match(result.detail, /^HTTP 403/)
      })
    }

    it('down protocol: an origin that is not there', async () => {
      const result = await probe({ url: 'http://127.0.0.1:1/' })
      assert.equal(verdictOf(result), 'down protocol')
      assert.match(result.detail, dead)
    })

    it('down timeout: an origin that says nothing', async () => {
      origin?.freeze()
      try {
        const result = await probe({ timeoutMs: 400 })
        assert.equal(verdictOf(result), 'down timeout')
        assert.ok(result.durationMs < 1500, `took ${result.durationMs} ms`)
      } finally {
        origin?.thaw()
      }
    })

    it('down timeout, that is frozen: the kernel accepts and nobody answers', async () => {
      proxy?.freeze()
      try {
        const result = await probe({ timeoutMs: 400 })
        assert.equal(verdictOf(result), 'down timeout')
        assert.match(result.detail, /waiting for the reply headers/)
        assert.ok(result.durationMs < 1500, `took ${result.durationMs} ms`)
      } finally {
        proxy?.thaw()
      }
    })

    it('is up, and when it is killed down refused', async () => {
      assert.equal(verdictOf(await probe()), 'up')
      await proxy?.kill()
      assert.equal(verdictOf(await probe()), 'down refused')
    })
  })
}
