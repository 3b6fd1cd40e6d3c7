import assert from 'node:assert/strict'
import { http } from '../../checks/http.ts'
import * as hostile from '../check/hostile.ts'
import { heldBytes } from '../tools/memory.ts'
import {
  askWeb,
  handlesClosed,
  openSockets,
  page,
  patternOf,
  redirect,
  startWeb,
  verdictOf,
  type Web,
  type WebAsk,
} from './web.ts'

type Ask = Omit<WebAsk, 'check' | 'port'>

/** Serves `text` to whoever asks, asks once, and gives the answer and what was asked. */
async function against(text: string, question: Ask = {}) {
  const web = await startWeb(() => text, question.address === undefined ? {} : { host: question.address })
  try {
    return { ...(await askWeb({ check: http, port: web.port, ...question })), requests: web.requests }
  } finally {
    await web.close()
  }
}

async function againstPeer(behave: hostile.Behaviour, question: Ask = {}) {
  const peer = await hostile.startPeer(behave)
  try {
    const answer = await askWeb({ check: http, port: peer.port, timeoutMs: 200, ...question })
    if (behave !== hostile.neverReads) await peer.untilEmpty()
    return { ...answer, accepted: peer.accepted(), bytesSent: peer.bytesSent() }
  } finally {
    await peer.close()
  }
}

describe('the http check', () => {
  it('says so in its declaration', () => {
    const { name, kind, defaultForPorts, timeout } = http
    assert.deepEqual(
      { name, kind, defaultForPorts, timeout, fields: Object.keys(http.fields).sort() },
      {
        name: 'http',
        kind: 'negotiate',
        defaultForPorts: [80],
        timeout: 'negotiatetimeout',
        fields: ['httpmethod', 'receive', 'request', 'virtualhost'],
      },
    )
  })

  describe('judges the status', () => {
    const rows: readonly (readonly [string, string, string])[] = [
      ['200 OK', 'up', 'HTTP 200 OK, 2 bytes'],
      ['204 No Content', 'up', 'HTTP 204 No Content, 0 bytes'],
      ['206 Partial Content', 'up', 'HTTP 206 Partial Content, 2 bytes'],
      ['299', 'up', 'HTTP 299, 2 bytes'],
      ['300 Multiple Choices', 'down protocol', 'HTTP 300 Multiple Choices'],
      ['302 Found', 'down protocol', 'HTTP 302 Found'],
      ['304 Not Modified', 'down protocol', 'HTTP 304 Not Modified'],
      ['401 Unauthorized', 'down auth', 'HTTP 401 Unauthorized'],
      ['403 Forbidden', 'down protocol', 'HTTP 403 Forbidden'],
      ['404 Not Found', 'down protocol', 'HTTP 404 Not Found'],
      ['407 Proxy Authentication Required', 'down auth', 'HTTP 407 Proxy Authentication Required'],
      ['500 Internal Server Error', 'down protocol', 'HTTP 500 Internal Server Error'],
      ['503 Service Unavailable', 'down protocol', 'HTTP 503 Service Unavailable'],
    ]
    for (const [status, verdict, detail] of rows) {
      it(`${status}: ${verdict}`, async () => {
        const body = status.startsWith('204') || status.startsWith('304') ? '' : 'OK'
        const answer = await against(page(body, status))
        assert.equal(verdictOf(answer), verdict)
        assert.equal(answer.result.detail, detail)
      })
    }
  })

  describe('matches the body', () => {
    const chunked = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nTes\r\n6;x=y\r\nt Page\r\n0\r\n\r\n'
    const rows: readonly (readonly [string, string, Ask, string])[] = [
      ['a pattern that is there', page('<h1>Test Page</h1>'), { receive: 'Test Page' }, 'up'],
      ['a pattern that is not there', page('<h1>Sorry</h1>'), { receive: 'Test Page' }, 'down mismatch'],
      [
        'only the body, not the headers',
        page('x', '200 OK', 'X-Test: Test Page\r\n'),
        { receive: 'Test' },
        'down mismatch',
      ],
      ['without its chunking', chunked, { receive: '^Test Page$' }, 'up'],
      ['up to the close where no length is given', 'HTTP/1.0 200 OK\r\n\r\nTest Page\n', { receive: 'Page$' }, 'up'],
      [
        'the empty body of HEAD',
        'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n',
        { receive: 'Test', httpmethod: 'HEAD' },
        'down mismatch',
      ],
      [
        'nothing of it for HEAD without a pattern',
        'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n',
        { httpmethod: 'HEAD' },
        'up',
      ],
      ['as bytes, not decoded', page('\xc3\xa9'), { receive: '^\xe9$' }, 'up'],
      ['with the whole text where its end matters', page('OKAY'), { receive: 'OK$' }, 'down mismatch'],
      ['by the built-in engine too', page('an error'), { receive: '^(?!.*error)' }, 'down mismatch'],
      ['an empty body', page(''), { receive: '^$' }, 'up'],
    ]
    for (const [name, text, question, verdict] of rows) {
      it(name, async () => {
        assert.equal(verdictOf(await against(text, question)), verdict)
      })
    }

    it('and shows an excerpt that is fit for a terminal', async () => {
      const { result } = await against(page(`\x1b[2J${'x'.repeat(300)}`), { receive: 'OK' })
      assert.equal(result.detail, `HTTP 200 OK, receive pattern not found in 304 bytes: "\\x1b[2J${'x'.repeat(76)}…"`)
    })

    it('and gives up on a pattern that finds no answer in its time', async () => {
      const { result } = await against(page(`${'a'.repeat(40_000)}!`), { receive: '(?=a)(a+)+$' })
      assert.equal(result.verdict, 'down')
      assert.match(result.detail, /search for receive in 40001 bytes took too long/)
    })
  })

  describe('asks', () => {
    const rows: readonly (readonly [string, Ask, string])[] = [
      ['for / with the address as Host', {}, 'GET / HTTP/1.1|host: 127.0.0.1'],
      ['with HEAD', { httpmethod: 'HEAD' }, 'HEAD / HTTP/1.1|host: 127.0.0.1'],
      ['with virtualhost as Host', { virtualhost: 'www.x.y.z' }, 'GET / HTTP/1.1|host: www.x.y.z'],
      [
        'with virtualhost without the blanks at its end',
        { virtualhost: 'www.x.y.z   ' },
        'GET / HTTP/1.1|host: www.x.y.z',
      ],
      ['with an empty Host', { virtualhost: '' }, 'GET / HTTP/1.1|host: '],
      ['for a path', { request: 'index.html' }, 'GET /index.html HTTP/1.1|host: 127.0.0.1'],
      [
        'with what a URL cannot hold encoded',
        { request: '/a b/\xe9%20?q="1"' },
        'GET /a%20b/%C3%A9%20?q=%221%22 HTTP/1.1|host: 127.0.0.1',
      ],
      [
        'for a path that looks like a URL, in a section',
        { request: 'http://127.0.0.9:99/x' },
        'GET /http://127.0.0.9:99/x HTTP/1.1|host: 127.0.0.1',
      ],
    ]
    for (const [name, question, expected] of rows) {
      it(name, async () => {
        const { requests } = await against(page(''), question)
        const [line = '', ...fields] = (requests[0] ?? '').split('\r\n')
        const host = fields.find((field) => field.toLowerCase().startsWith('host:')) ?? ''
        assert.equal(`${line}|${host}`, expected)
        assert.equal(requests.length, 1)
      })
    }

    it('as ldirectord-ng, once, to be closed, and with no header else', async () => {
      const { requests } = await against(page(''))
      const names = (requests[0] ?? '')
        .split('\r\n')
        .slice(1, -2)
        .map((line) => line.replace(/:.*/, '').toLowerCase())
      assert.deepEqual(names.sort(), ['connection', 'host', 'user-agent'])
      assert.match(requests[0] ?? '', /user-agent: ldirectord-ng\/\d+\.\d+\.\d+\r\n/i)
      assert.match(requests[0] ?? '', /connection: close\r\n/i)
    })

    it('an IPv6 real server, in brackets', async () => {
      const { requests, result } = await against(page('OK'), { address: '::1' })
      assert.equal(result.verdict, 'up')
      assert.match(requests[0] ?? '', /^host: \[::1\]\r$/im)
    })

    it('another host where the pair of a real line holds a URL', async () => {
      const other = await startWeb((path) => page(`other ${path}`), { host: '127.0.0.2' })
      try {
        const request = `/http://127.0.0.2:${other.port}/a b`
        const answer = await askWeb({ check: http, port: 1, request, perReal: true, receive: '^other /a%20b$' })
        assert.equal(verdictOf(answer), 'up')
        assert.match(other.requests[0] ?? '', /^host: 127\.0\.0\.2\r$/im)
      } finally {
        await other.close()
      }
    })

    it('another host by its name, as the hosts file has it', async () => {
      const other = await startWeb(() => page('named'))
      try {
        const request = `/http://localhost:${other.port}/`
        const answer = await askWeb({ check: http, port: 1, request, perReal: true, receive: '^named$' })
        assert.equal(verdictOf(answer), 'up', answer.result.detail)
        assert.match(other.requests[0] ?? '', /^host: localhost\r$/im)
      } finally {
        await other.close()
      }
    })

    it('nobody where that URL is none', async () => {
      const answer = await askWeb({ check: http, port: 1, request: '/http://[x/', perReal: true })
      assert.equal(verdictOf(answer), 'down protocol')
    })
  })

  describe('takes from a server that is not strict', () => {
    const rows: readonly (readonly [string, string, string])[] = [
      ['bare LF line ends', 'HTTP/1.1 200 OK\nContent-Length: 2\n\nOK', 'up'],
      ['bare LF and no length', 'HTTP/1.0 200 OK\n\nOK', 'up'],
      ['bare LF in chunks', 'HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n2\nOK\n0\n\n', 'up'],
      ['a header line without colon', 'HTTP/1.1 200 OK\r\nnonsense\r\nContent-Length: 2\r\n\r\nOK', 'up'],
      ['100 Continue unasked', 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK', 'up'],
      ['bare LF with another status', 'HTTP/1.1 404 Not Found\n\n', 'down protocol'],
      ['bare LF and a body that breaks off', 'HTTP/1.1 200 OK\nContent-Length: 9\n\nO', 'down closed'],
      ['a chunk that breaks off', 'HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n9\nO', 'down closed'],
      ['a bad chunk size', 'HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\nxyz\nO', 'down protocol'],
      ['headers that break off', 'HTTP/1.1 200 OK\nContent-', 'down closed'],
      ['no status line (HTTP/0.9)', '<h1>OK</h1>\n', 'down protocol'],
      [
        'a protocol switch',
        'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n',
        'down protocol',
      ],
    ]
    for (const [name, text, verdict] of rows) {
      it(`${name}: ${verdict}`, async () => {
        assert.equal(verdictOf(await against(text, verdict === 'up' ? { receive: '^OK$' } : {})), verdict)
      })
    }

    it('and shows what came instead of a status line', async () => {
      const { result } = await against('220 mail.example.test ESMTP\r\n')
      assert.equal(result.detail, 'the reply has no HTTP status line: "220 mail.example.test ESMTP"')
    })
  })

  describe('follows redirects on the same real server', () => {
    const routes: Readonly<Record<string, string>> = {
      '/relative': redirect('target'),
      '/absolute-path': redirect('/target'),
      '/other-host': redirect('http://www.example.test/target'),
      '/other-port': redirect('http://www.example.test:8/target'),
      '/no-scheme': redirect('//www.example.test/target'),
      '/301': redirect('/target', '301 Moved Permanently'),
      '/303': redirect('/target', '303 See Other'),
      '/307': redirect('/target', '307 Temporary Redirect'),
      '/308': redirect('/target', '308 Permanent Redirect'),
      '/loop': redirect('/loop'),
      '/ftp': redirect('ftp://www.example.test/'),
      '/bad': redirect('http://[x/'),
      '/missing': redirect('/nowhere'),
      '/target': page('target'),
      ...Object.fromEntries([1, 2, 3, 4, 5, 6, 7].map((n) => [`/${n}`, redirect(n === 1 ? '/target' : `/${n - 1}`)])),
      '/8': redirect('/7'),
    }
    let web: Web
    before(async () => {
      web = await startWeb((path) => routes[path] ?? page('', '404 Not Found'))
    })
    after(() => web.close())

    const rows: readonly (readonly [string, string, string, string?])[] = [
      ['/relative', 'up', 'first.example.test'],
      ['/absolute-path', 'up', 'first.example.test'],
      ['/other-host', 'up', 'www.example.test'],
      ['/other-port', 'up', 'www.example.test:8'],
      ['/no-scheme', 'up', 'www.example.test'],
      ['/301', 'up', 'first.example.test'],
      ['/303', 'up', 'first.example.test'],
      ['/307', 'up', 'first.example.test'],
      ['/308', 'up', 'first.example.test'],
      ['/7', 'up', 'first.example.test'],
      ['/8', 'down protocol', 'first.example.test', 'more than 7 redirects: /target'],
      ['/loop', 'down protocol', 'first.example.test', 'more than 7 redirects: /loop'],
      ['/missing', 'down protocol', 'first.example.test', 'HTTP 404 Not Found'],
      [
        '/ftp',
        'down protocol',
        'first.example.test',
        'redirected to ftp://www.example.test/, which is no http or https URL',
      ],
      ['/bad', 'down protocol', 'first.example.test', 'redirected to http://[x/, which is no http or https URL'],
    ]
    for (const [path, verdict, lastHost, detail] of rows) {
      it(`${path}: ${verdict}`, async () => {
        web.requests.length = 0
        const question = { check: http, port: web.port, request: path, virtualhost: 'first.example.test' }
        const answer = await askWeb(verdict === 'up' ? { ...question, receive: '^target$' } : question)
        assert.equal(verdictOf(answer), verdict)
        assert.deepEqual(answer.warnings, [])
        if (detail !== undefined) assert.equal(answer.result.detail, detail)
        assert.equal(/^host: (.*)\r$/im.exec(web.requests.at(-1) ?? '')?.[1], lastHost)
      })
    }

    it('keeps HEAD', async () => {
      web.requests.length = 0
      await askWeb({ check: http, port: web.port, request: '/303', httpmethod: 'HEAD' })
      assert.deepEqual(
        web.requests.map((request) => request.split(' ')[0]),
        ['HEAD', 'HEAD'],
      )
    })
  })

  describe('gives a reason within the deadline', () => {
    const rows: readonly (readonly [string, hostile.Behaviour, Ask, string, RegExp])[] = [
      ['silence', hostile.silence, {}, 'down timeout', /within 200 ms: waiting for the reply headers/],
      ['a peer that never reads', hostile.neverReads, {}, 'down timeout', /waiting for the reply headers/],
      ['headers drop by drop', hostile.drip('HTTP/1.1 200 OK\r\nX: yyyyyyyyyyyy', 30), {}, 'down timeout', /headers/],
      [
        'a body drop by drop',
        hostile.answers('HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nO'),
        {},
        'down timeout',
        /reading the body/,
      ],
      [
        'a stalled body after a match whose end matters',
        hostile.answers('HTTP/1.1 200 OK\r\n\r\nOK'),
        { receive: 'OK$' },
        'down timeout',
        /reading the body/,
      ],
      ['a body without end and pattern', hostile.endlessBody, { timeoutMs: 3000 }, 'up', /more than 1048576 bytes/],
      [
        'a body without end or match',
        hostile.endlessBody,
        { receive: 'OK', timeoutMs: 3000 },
        'down mismatch',
        /not found in the first 1048576 bytes/,
      ],
      [
        'a body without end that matches',
        hostile.endlessBody,
        { receive: 'ipsum dolor', timeoutMs: 3000 },
        'up',
        /found/,
      ],
      [
        'chunks without end',
        hostile.endless('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', '1\r\nx\r\n'),
        { receive: 'OK', timeoutMs: 5000 },
        'down mismatch',
        /first/,
      ],
      [
        'headers without end',
        hostile.endlessHeaders,
        { timeoutMs: 3000 },
        'down protocol',
        /more headers than can be read/,
      ],
      [
        'a line without end',
        hostile.endlessLine,
        { timeoutMs: 3000 },
        'down protocol',
        /more headers than can be read/,
      ],
      [
        'bare LF headers without end',
        hostile.endless('HTTP/1.1 200 OK\n', 'X-More: and more\n'),
        { timeoutMs: 3000 },
        'down protocol',
        /more headers than can be read/,
      ],
      [
        'a bare LF body without end',
        hostile.endless('HTTP/1.1 200 OK\n\n', 'lorem\n'),
        { timeoutMs: 3000 },
        'up',
        /more than/,
      ],
      [
        'a bare LF body that stalls',
        hostile.answers('HTTP/1.1 200 OK\nContent-Length: 9\n\nO'),
        {},
        'down timeout',
        /reading the body/,
      ],
      ['garbage', hostile.garbage, {}, 'down protocol', /no HTTP status line/],
      ['RST', hostile.resets, {}, 'down closed', /reset the connection while waiting for the reply headers/],
      ['RST at once', hostile.resetsAtOnce, {}, 'down closed', /reset|closed/],
      ['a close at once', hostile.closesAtOnce, {}, 'down closed', /closed the connection while waiting/],
      [
        'a close midway in the headers',
        hostile.answersAndCloses('HTTP/1.1 200 OK\r\nX-'),
        {},
        'down closed',
        /waiting for the reply headers/,
      ],
      [
        'a close midway in the body',
        hostile.answersAndCloses('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nO'),
        {},
        'down closed',
        /reading the body/,
      ],
      [
        'a close midway in a chunk',
        hostile.answersAndCloses('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nO'),
        {},
        'down closed',
        /reading the body/,
      ],
    ]
    for (const [name, behave, question, verdict, detail] of rows) {
      it(`${name}: ${verdict}`, async () => {
        const answer = await againstPeer(behave, question)
        assert.equal(verdictOf(answer), verdict, answer.result.detail)
        assert.match(answer.result.detail, detail)
        const limit = question.timeoutMs ?? 200
        assert.ok(answer.durationMs < limit + 700, `${answer.durationMs} ms`)
      })
    }

    it('a pattern that was found before the body stalled: up', async () => {
      const text = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nOK\r\n'
      assert.equal(verdictOf(await againstPeer(hostile.answers(text), { receive: 'OK' })), 'up')
    })

    it('refused', async () => {
      const answer = await askWeb({ check: http, port: await hostile.refusedPort() })
      assert.deepEqual(answer.result, {
        verdict: 'down',
        reason: 'refused',
        detail: 'connection refused while connecting',
      })
    })

    it('a SYN that is never answered: timeout', async () => {
      const peer = await hostile.startUnanswered()
      try {
        const answer = await askWeb({ check: http, port: peer.port, timeoutMs: 150 })
        assert.deepEqual(answer.result, {
          verdict: 'down',
          reason: 'timeout',
          detail: 'no answer within 150 ms: connecting',
        })
      } finally {
        await peer.close()
      }
    })

    it('a connection that is gone while its second, lenient reading waits: closed', async () => {
      let asked = 0
      const behave: hostile.Behaviour = (socket) => {
        socket.once('data', () => (asked++ === 0 ? socket.end('HTTP/1.1 200 OK\n\nOK') : socket.resetAndDestroy()))
      }
      assert.equal(verdictOf(await againstPeer(behave)), 'down closed')
    })

    it('no port at all: unreachable', async () => {
      assert.equal(verdictOf(await askWeb({ check: http, port: 0 })), 'down unreachable')
    })
  })

  describe('leaves nothing behind', () => {
    it('when it is called off, in any phase', async () => {
      const before = openSockets()
      for (const behave of [
        hostile.silence,
        hostile.answers('HTTP/1.1 200 OK\r\n\r\nO'),
        hostile.answers('HTTP/1.1 200 OK\n\nO'),
      ]) {
        const peer = await hostile.startPeer(behave)
        try {
          const stop = new AbortController()
          const running = askWeb({ check: http, port: peer.port, signal: stop.signal })
          setTimeout(() => stop.abort(new Error('reload')), 60)
          assert.equal(verdictOf(await running), 'unknown cancelled')
          await peer.untilEmpty()
        } finally {
          await peer.close()
        }
      }
      const unanswered = await hostile.startUnanswered()
      const held = openSockets()
      try {
        const stop = new AbortController()
        const running = askWeb({ check: http, port: unanswered.port, signal: stop.signal })
        setTimeout(() => stop.abort(new Error('reload')), 30)
        assert.equal(verdictOf(await running), 'unknown cancelled')
        await handlesClosed()
        assert.ok(openSockets() <= held)
      } finally {
        await unanswered.close()
      }
      await handlesClosed()
      assert.ok(openSockets() <= before, `${openSockets()} open, ${before} before`)
    })

    it('and reads no more of an endless body than its bound', async () => {
      const answer = await againstPeer(hostile.endlessBody, { timeoutMs: 3000 })
      // beyond the bound: what the socket buffers of both ends hold, up to 6 MiB each by Linux's defaults
      assert.ok(answer.bytesSent < 16 << 20, `${answer.bytesSent} bytes were sent`)
    })

    it('and memory stays flat over many endless bodies', async () => {
      const peer = await hostile.startPeer(hostile.endlessBody)
      try {
        const run = async (times: number): Promise<void> => {
          for (let i = 0; i < times; i++) {
            assert.equal(verdictOf(await askWeb({ check: http, port: peer.port, receive: 'nowhere' })), 'down mismatch')
          }
        }
        const held = async (): Promise<number> => {
          // The peer lives in this process too: what it has not sent is no concern of the check.
          await peer.untilEmpty()
          await handlesClosed()
          return heldBytes()
        }
        await run(10)
        const before = await held()
        await run(30)
        const grown = (await held()) - before
        // 30 bodies kept are 30 MiB at least; beside them the process does what it does
        assert.ok(grown < 20 << 20, `${grown >> 20} MiB more`)
      } finally {
        await peer.close()
      }
    })
  })

  it('searches a body that comes in many small chunks in bounded time', async () => {
    const { judgeBody } = await import('../../src/check/http/body.ts')
    async function* drops(): AsyncGenerator<Buffer> {
      for (let i = 0; i < 100_000; i++) yield Buffer.from('a')
    }
    const from = performance.now()
    const result = await judgeBody(drops(), patternOf('[ab]+c'), 'HTTP 200 OK')
    assert.equal(result.verdict, 'down')
    assert.ok(performance.now() - from < 3000)
  })
})
