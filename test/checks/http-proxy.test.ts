import assert from 'node:assert/strict'
import { httpProxy } from '../../checks/http-proxy.ts'
import * as hostile from '../check/hostile.ts'
import {
  askWeb,
  handlesClosed,
  makeCertificate,
  openSockets,
  page,
  redirect,
  startWeb,
  verdictOf,
  type Web,
  type WebAsk,
} from './web.ts'

type Ask = Omit<WebAsk, 'check' | 'port'>

describe('the http_proxy check', () => {
  let proxy: Web
  const replies: Record<string, string> = {
    'http://www.example.test/moved': redirect('/home'),
    'http://www.example.test/away': redirect('http://other.example.test:8080/'),
    'http://www.example.test/round': redirect('/round'),
    'http://www.example.test/ftp': redirect('ftp://www.example.test/'),
    'http://www.example.test/login': page('', '407 Proxy Authentication Required'),
    'http://www.example.test/lf': 'HTTP/1.0 200 OK\nA: b\n\nbare',
  }
  before(async () => {
    proxy = await startWeb((path) => replies[path] ?? page(`fetched ${path}`))
  })
  after(() => proxy.close())
  beforeEach(() => {
    proxy.requests.length = 0
  })
  const asked = (question: Ask) => askWeb({ check: httpProxy, port: proxy.port, ...question })

  it('says so in its declaration', () => {
    const { name, kind, defaultForPorts, timeout, fields } = httpProxy
    assert.deepEqual([name, kind, defaultForPorts, timeout], ['http_proxy', 'negotiate', [3128], 'negotiatetimeout'])
    assert.deepEqual(Object.keys(fields).sort(), ['httpmethod', 'receive', 'request'])
  })

  const lines: readonly (readonly [string, string, string])[] = [
    ['http://www.example.test/', 'http://www.example.test/', 'www.example.test'],
    ['/http://www.example.test/', 'http://www.example.test/', 'www.example.test'],
    ['http://www.example.test', 'http://www.example.test/', 'www.example.test'],
    ['HTTP://WWW.example.test:8080/a b?c#d', 'http://www.example.test:8080/a%20b?c', 'www.example.test:8080'],
    ['http://user:secret@www.example.test/x', 'http://www.example.test/x', 'www.example.test'],
    ['http://[2001:db8::1]:81/', 'http://[2001:db8::1]:81/', '[2001:db8::1]:81'],
  ]
  for (const [request, target, host] of lines) {
    it(`asks for ${request} with ${target} and the host ${host}`, async () => {
      const answer = await asked({ request, virtualhost: 'ignored.example.test', receive: '^fetched http://' })
      assert.equal(verdictOf(answer), 'up', answer.result.detail)
      assert.deepEqual(proxy.requests.length, 1)
      assert.equal((proxy.requests[0] ?? '').split('\r\n')[0], `GET ${target} HTTP/1.1`)
      assert.equal(/^host: ?(.*)\r$/im.exec(proxy.requests[0] ?? '')?.[1], host)
      assert.doesNotMatch(JSON.stringify(answer), /secret/)
    })
  }

  const rows: readonly (readonly [string, Ask, string, RegExp])[] = [
    [
      'a page without the text',
      { request: 'http://www.example.test/', receive: 'nowhere' },
      'down mismatch',
      /not found/,
    ],
    ['a redirect within the site', { request: 'http://www.example.test/moved', receive: '/home$' }, 'up', /found/],
    [
      'a redirect to another site',
      { request: 'http://www.example.test/away', receive: '^fetched http://other.example.test:8080/$' },
      'up',
      /found/,
    ],
    ['a redirect in a circle', { request: 'http://www.example.test/round' }, 'down protocol', /more than 7 redirects/],
    ['a redirect to ftp', { request: 'http://www.example.test/ftp' }, 'down protocol', /no http or https URL/],
    ['a proxy that wants a password', { request: 'http://www.example.test/login' }, 'down auth', /^HTTP 407/],
    ['bare LF line ends', { request: 'http://www.example.test/lf', receive: '^bare$' }, 'up', /found/],
    ['HEAD', { request: 'http://www.example.test/', httpmethod: 'HEAD' }, 'up', /^HTTP 200/],
    ['no request', {}, 'down protocol', /must be an http:\/\/ URL/],
    ['a path', { request: '/index.html' }, 'down protocol', /must be an http:\/\/ URL/],
    ['an ftp URL', { request: 'ftp://www.example.test/' }, 'down protocol', /must be an http:\/\/ URL/],
    ['no host', { request: 'http://' }, 'down protocol', /must be an http:\/\/ URL/],
  ]
  for (const [title, question, verdict, detail] of rows) {
    it(`${verdict}: ${title}`, async () => {
      const answer = await asked(question)
      assert.equal(verdictOf(answer), verdict, answer.result.detail)
      assert.match(answer.result.detail, detail)
    })
  }

  describe('with an https URL', () => {
    let web: Web
    before(async () => {
      web = await startWeb(() => page('direct'), { tls: makeCertificate() })
    })
    after(() => web.close())

    it('asks its host past the proxy, and says so', async () => {
      const answer = await asked({ request: `https://127.0.0.1:${web.port}/`, receive: '^direct$' })
      assert.equal(verdictOf(answer), 'up', answer.result.detail)
      const why = `https://127.0.0.1:${web.port} does not go through the proxy, so 127.0.0.1 is asked instead`
      assert.deepEqual([answer.warnings, proxy.requests], [[why], []])
    })

    it('follows a redirect there, but not to a virtual service of ours', async () => {
      const request = 'http://www.example.test/tls'
      replies[request] = redirect(`https://127.0.0.1:${web.port}/x`)
      assert.equal(verdictOf(await asked({ request, receive: '^direct$' })), 'up')
      const ours = await asked({ request, virtualAddresses: ['127.0.0.1'] })
      assert.equal(verdictOf(ours), 'down protocol')
      assert.match(ours.result.detail, /a virtual service of this director/)
    })
  })

  const request = 'http://www.example.test/'
  const peers: readonly (readonly [string, hostile.Behaviour, string])[] = [
    ['silence', hostile.silence, 'down timeout'],
    ['a peer that never reads', hostile.neverReads, 'down timeout'],
    ['one byte at a time', hostile.drip('HTTP/1.1 200 OK\r\n', 40), 'down timeout'],
    ['garbage', hostile.garbage, 'down protocol'],
    ['a close', hostile.closesAtOnce, 'down closed'],
    ['a reset', hostile.resets, 'down closed'],
    ['headers without end', hostile.endlessHeaders, 'down protocol'],
    ['a body without end', hostile.endlessBody, 'up'],
  ]
  for (const [title, behave, verdict] of peers) {
    it(`${verdict}: ${title}, and nothing is left`, async () => {
      const before = openSockets()
      const peer = await hostile.startPeer(behave)
      try {
        const answer = await askWeb({ check: httpProxy, port: peer.port, request, timeoutMs: 400 })
        assert.equal(verdictOf(answer), verdict, answer.result.detail)
        assert.ok(answer.durationMs < 1200)
        assert.ok(peer.bytesSent() < 16 << 20)
        if (behave !== hostile.neverReads) await peer.untilEmpty()
      } finally {
        await peer.close()
      }
      await handlesClosed()
      assert.equal(openSockets(), before)
    })
  }

  it('is refused where nobody listens, over IPv6 too, and unknown when it is called off', async () => {
    const port = await hostile.refusedPort()
    assert.equal(verdictOf(await askWeb({ check: httpProxy, port, request })), 'down refused')
    assert.equal(verdictOf(await askWeb({ check: httpProxy, port, request, address: '::1' })), 'down refused')
    const silent = await hostile.startPeer(hostile.silence)
    try {
      const stop = new AbortController()
      const running = askWeb({ check: httpProxy, port: silent.port, request, signal: stop.signal })
      setTimeout(() => stop.abort(new Error('reload')), 40)
      assert.equal(verdictOf(await running), 'unknown cancelled')
      await silent.untilEmpty()
    } finally {
      await silent.close()
    }
  })
})
