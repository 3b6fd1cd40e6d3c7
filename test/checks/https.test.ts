import assert from 'node:assert/strict'
import { http } from '../../checks/http.ts'
import { https } from '../../checks/https.ts'
import { tlsFields } from '../../src/check/tls-fields.ts'
import * as hostile from '../check/hostile.ts'
import { askWeb, makeCertificate, page, redirect, startWeb, verdictOf, type Web } from './web.ts'

describe('the https check', () => {
  let certificate: { key: Buffer; cert: Buffer }
  let web: Web
  before(async () => {
    certificate = makeCertificate()
    web = await startWeb(
      (path) => (path === '/other' ? redirect('https://other.example.test/') : page(`secure ${path}`)),
      { tls: certificate },
    )
  })
  after(() => web.close())
  beforeEach(() => {
    web.requests.length = 0
    web.serverNames.length = 0
  })

  it('is the http check on another port', () => {
    assert.deepEqual([https.name, https.defaultForPorts], ['https', [443]])
    assert.deepEqual(https.fields, { ...http.fields, ...tlsFields })
  })

  const names: readonly (readonly [string | undefined, string, string])[] = [
    [undefined, '', '127.0.0.1'],
    ['www.example.test', 'www.example.test', 'www.example.test'],
    ['www.example.test:8443', 'www.example.test', 'www.example.test:8443'],
    ['192.0.2.1', '', '192.0.2.1'],
    ['', '', ''],
  ]
  for (const [virtualhost, serverName, host] of names) {
    it(`with virtualhost ${virtualhost ?? 'unset'} sends the server name "${serverName}" and the host "${host}"`, async () => {
      const question = { check: https, port: web.port, request: '/x', receive: '^secure /x$' }
      const answer = await askWeb(virtualhost === undefined ? question : { ...question, virtualhost })
      assert.equal(verdictOf(answer), 'up', answer.result.detail)
      assert.deepEqual(web.serverNames, [serverName])
      assert.equal(/^host: ?(.*)\r$/im.exec(web.requests[0] ?? '')?.[1], host)
    })
  }

  it('sends the name a redirect gives, to the same real server', async () => {
    const question = { check: https, port: web.port, request: '/other', virtualhost: 'www.example.test' }
    assert.equal(verdictOf(await askWeb({ ...question, receive: '^secure /$' })), 'up')
    assert.deepEqual(web.serverNames, ['www.example.test', 'other.example.test'])
  })

  it('asks an IPv6 real server', async () => {
    const six = await startWeb(() => page('OK'), { tls: certificate, host: '::1' })
    try {
      assert.equal(verdictOf(await askWeb({ check: https, port: six.port, address: '::1' })), 'up')
      assert.deepEqual(six.serverNames, [''])
    } finally {
      await six.close()
    }
  })

  const peers: readonly (readonly [string, hostile.Behaviour, string, RegExp])[] = [
    ['silence', hostile.silence, 'down timeout', /within 200 ms: in the TLS handshake/],
    ['a peer that never reads', hostile.neverReads, 'down timeout', /in the TLS handshake/],
    ['one byte at a time', hostile.drip('\x16\x03\x03\x40\x00', 40), 'down timeout', /in the TLS handshake/],
    [
      'plain HTTP',
      hostile.answersAndCloses('HTTP/1.1 400 Bad Request\r\n\r\n'),
      'down tls',
      /^(wrong version number|packet length too long|http request)/,
    ],
    ['garbage', hostile.garbage, 'down tls', /while in the TLS handshake/],
    ['TLS garbage', hostile.tlsGarbage, 'down tls', /while in the TLS handshake/],
    ['a close', hostile.closesAtOnce, 'down closed', /in the TLS handshake/],
    ['a reset', hostile.resets, 'down closed', /reset the connection while in the TLS handshake/],
    ['noise without end', hostile.endless('', 'x'), 'down tls', /in the TLS handshake/],
  ]
  for (const [name, behave, verdict, detail] of peers) {
    it(`${name}: ${verdict}, and nothing is left`, async () => {
      const peer = await hostile.startPeer(behave)
      try {
        const answer = await askWeb({ check: https, port: peer.port, timeoutMs: 200 })
        assert.equal(verdictOf(answer), verdict, answer.result.detail)
        assert.match(answer.result.detail, detail)
        assert.ok(answer.durationMs < 900)
        if (behave !== hostile.neverReads) await peer.untilEmpty()
      } finally {
        await peer.close()
      }
    })
  }

  it('called off in the middle of a body leaves nothing', async () => {
    const endless = await startWeb(() => 'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nO', { tls: certificate })
    const silent = await hostile.startPeer(hostile.silence)
    try {
      const stop = new AbortController()
      const running = askWeb({ check: https, port: silent.port, signal: stop.signal })
      setTimeout(() => stop.abort(new Error('reload')), 60)
      assert.equal(verdictOf(await running), 'unknown cancelled')
      await silent.untilEmpty()
      // and a server that closes in the middle is seen as such through TLS too
      assert.equal(verdictOf(await askWeb({ check: https, port: endless.port })), 'down closed')
    } finally {
      await silent.close()
      await endless.close()
    }
  })

  it('reads no more of an endless body than its bound, and is late where a body without length stalls', async () => {
    const lasting = await startWeb(
      (path) => `HTTP/1.1 200 OK\r\n\r\n${path === '/long' ? 'x'.repeat(3 << 20) : 'OK'}`,
      {
        tls: certificate,
        keepOpen: true,
      },
    )
    try {
      const long = await askWeb({ check: https, port: lasting.port, request: '/long' })
      assert.deepEqual(long.result, { verdict: 'up', detail: 'HTTP 200 OK, more than 1048576 bytes' })
      const late = await askWeb({ check: https, port: lasting.port, receive: 'OK$', timeoutMs: 150 })
      assert.deepEqual(late.result, {
        verdict: 'down',
        reason: 'timeout',
        detail: 'no answer within 150 ms: reading the body',
      })
    } finally {
      await lasting.close()
    }
  })

  describe('and http, where a redirect changes the scheme,', () => {
    it('ask the same real server on the port of the URL', async () => {
      const plain = await startWeb(() => redirect(`https://www.example.test:${web.port}/login`))
      try {
        const answer = await askWeb({ check: http, port: plain.port, receive: '^secure /login$' })
        assert.equal(verdictOf(answer), 'up', answer.result.detail)
        assert.deepEqual(answer.warnings, [])
        assert.deepEqual(web.serverNames, ['www.example.test'])
        assert.match(web.requests[0] ?? '', new RegExp(`^host: www\\.example\\.test:${web.port}\\r$`, 'im'))
      } finally {
        await plain.close()
      }
    })

    it('come back to the port of the check with its own scheme', async () => {
      let secure: Web | undefined
      const plain = await startWeb((path) =>
        path === '/' ? redirect(`https://x.test:${secure?.port}/`) : page('back'),
      )
      secure = await startWeb(() => redirect('http://x.test/home'), { tls: certificate })
      try {
        assert.equal(verdictOf(await askWeb({ check: http, port: plain.port, receive: '^back$' })), 'up')
      } finally {
        await plain.close()
        await secure.close()
      }
    })

    it('are refused where it is the real server itself that was named and does not listen', async () => {
      const port = await hostile.refusedPort()
      const plain = await startWeb(() => redirect(`https://127.0.0.1:${port}/`))
      try {
        const answer = await askWeb({ check: http, port: plain.port })
        assert.deepEqual([verdictOf(answer), answer.warnings], ['down refused', []])
      } finally {
        await plain.close()
      }
    })

    it('ask the host that was named where the real server does not listen, and warn', async () => {
      const other = await startWeb(() => page('elsewhere'), { tls: certificate, host: '127.0.0.2' })
      const location = `https://127.0.0.2:${other.port}/x`
      const plain = await startWeb(() => redirect(location))
      try {
        const answer = await askWeb({ check: http, port: plain.port, receive: '^elsewhere$' })
        assert.equal(verdictOf(answer), 'up', answer.result.detail)
        assert.deepEqual(answer.warnings, [
          `redirected to ${location}: the real server does not listen there, so 127.0.0.2 is asked instead`,
        ])
        const ours = await askWeb({ check: http, port: plain.port, virtualAddresses: ['127.0.0.2'] })
        assert.equal(verdictOf(ours), 'down protocol')
        assert.ok(ours.result.detail.includes(location), ours.result.detail)
        assert.deepEqual([ours.warnings, other.requests.length], [[], 1])
      } finally {
        await plain.close()
        await other.close()
      }
    })
  })
})
