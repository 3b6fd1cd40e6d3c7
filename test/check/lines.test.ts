import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import type { Target } from '../../src/check/contract.ts'
import { converse, type Lines, longestLine, mostBytes, quoted } from '../../src/check/lines.ts'
import { plainTlsSettings } from '../../src/check/tls-fields.ts'
import { DeadlineError } from '../../src/lib/deadline-error.ts'
import { Secret } from '../../src/lib/secret.ts'
import { type CheckResult, up } from '../../src/model/verdict.ts'
import { verdictOf } from '../checks/probing.ts'
import { handlesClosed, makeCertificate, openSockets } from '../checks/web.ts'
import * as hostile from './hostile.ts'
import { endlessly, lineServer, resetsHere, saysAndCloses, type Turn } from './line-server.ts'

describe('a dialogue in lines', () => {
  const peers: hostile.Peer[] = []
  afterEach(async () => {
    for (const peer of peers.splice(0)) await peer.close()
  })
  const stop = { current: new AbortController() }
  beforeEach(() => {
    stop.current = new AbortController()
  })
  let steps: string[] = []

  async function talkTo(
    behave: hostile.Behaviour,
    talk: (lines: Lines) => Promise<CheckResult>,
    tls = false,
  ): Promise<CheckResult> {
    const peer = await hostile.startPeer(behave)
    peers.push(peer)
    const target: Target = { address: peer.address, family: 4, port: peer.port, transport: 'tcp' }
    steps = []
    const context = {
      signal: stop.current.signal,
      timeoutMs: 1000,
      step: (note: string) => void steps.push(note),
      warn: () => undefined,
      isVirtualAddress: () => false,
      decided: () => undefined,
    }
    const parts = { options: plainTlsSettings, address: peer.address }
    return converse({ target, context, ...(tls ? { tls: parts } : {}) }, talk)
  }
  /** What three lines are, each in brackets. */
  const threeLines = async (lines: Lines): Promise<CheckResult> => {
    const read: string[] = []
    for (let i = 0; i < 3; i++) read.push(`[${await lines.readLine()}]`)
    return up(read.join(''))
  }

  describe('reads', () => {
    const byteByByte: hostile.Behaviour = (socket) => {
      socket.setNoDelay(true)
      const all = Buffer.from('one\r\n€\r\nthree\r\n')
      let at = 0
      const next = (): void => {
        if (at < all.length) socket.write(all.subarray(at, ++at), () => setImmediate(next))
      }
      next()
    }
    const cases: readonly [title: string, behave: hostile.Behaviour, detail: string][] = [
      ['CRLF', hostile.says('a\r\nb b\r\n\r\n'), '[a][b b][]'],
      ['LF', hostile.says('a\nb\n\n'), '[a][b][]'],
      ['both, and a CR within a line', hostile.says('a\nb\rb\r\r\nc\r\n'), '[a][b\rb\r][c]'],
      ['byte after byte, also within a letter', byteByByte, '[one][€][three]'],
      [
        'bytes that are no text',
        hostile.says(Buffer.from('ok \xff\r\n\x80\r\n\r\n', 'latin1')),
        '[ok \ufffd][\ufffd][]',
      ],
      ['NUL bytes', hostile.says('a\0b\r\n\0\r\nc\r\n'), '[a\0b][\0][c]'],
      ['lines, then an orderly end', (socket) => socket.end('a\r\nb\r\nc\r\n'), '[a][b][c]'],
      [
        'a line of the longest length',
        hostile.says(`${'x'.repeat(longestLine - 1)}\r\n\n\n`),
        `[${'x'.repeat(longestLine - 1)}][][]`,
      ],
    ]
    for (const [title, behave, detail] of cases) {
      it(title, async () => {
        assert.deepEqual(await talkTo(behave, threeLines), up(detail))
      })
    }
  })

  describe('gives up', () => {
    const forEver = async (lines: Lines): Promise<CheckResult> => {
      lines.enter('listening')
      for (;;) await lines.readLine()
    }
    const turn =
      (act: Turn): hostile.Behaviour =>
      (socket) =>
        lineServer({ greeting: act }).behave(socket)
    const cases: readonly [title: string, behave: hostile.Behaviour, verdict: string, detail: RegExp][] = [
      [
        'a line too long by a byte',
        hostile.says(`${'x'.repeat(longestLine + 1)}\n`),
        'down protocol',
        /^a line of more than 8192 bytes$/,
      ],
      ['a line without end', turn(endlessly('x')), 'down protocol', /^a line of more than 8192 bytes$/],
      ['NUL bytes without end', turn(endlessly('\0')), 'down protocol', /^a line of more than 8192 bytes$/],
      ['lines without end', turn(endlessly('250-more\r\n')), 'down protocol', /^more than 65536 bytes of replies$/],
      ['empty lines without end', turn(endlessly('\n')), 'down protocol', /^more than 65536 bytes of replies$/],
      ['an end in good order', turn(saysAndCloses('a\r\n')), 'down closed', /closed the connection while listening/],
      ['an end within a line', turn(saysAndCloses('a\r\nhalf')), 'down closed', /while listening/],
      ['RST', turn(resetsHere), 'down closed', /./],
    ]
    for (const [title, behave, verdict, detail] of cases) {
      it(`${verdict}: ${title}`, async () => {
        const result = await talkTo(behave, forEver)
        assert.equal(verdictOf(result), verdict, result.detail)
        assert.match(result.detail, detail)
        await peers[0]?.untilEmpty()
        assert.ok((peers[0]?.bytesSent() ?? 0) < mostBytes * 200)
      })
    }

    it('down timeout at the deadline, unknown when called off; the socket goes and no listener stays', async () => {
      const before = openSockets()
      for (const [reason, verdict] of [
        [new DeadlineError(1000), 'down timeout'],
        [new Error('reload'), 'unknown cancelled'],
      ] as const) {
        stop.current = new AbortController()
        const running = talkTo(hostile.silence, async (lines) => {
          setImmediate(() => stop.current.abort(reason))
          return forEver(lines)
        })
        const result = await running
        assert.equal(verdictOf(result), verdict, result.detail)
        assert.match(result.detail, /listening$/)
        await peers.at(-1)?.untilEmpty()
        await handlesClosed()
        assert.equal(getEventListeners(stop.current.signal, 'abort').length, 0)
      }
      for (const peer of peers.splice(0)) await peer.close()
      await handlesClosed()
      assert.equal(openSockets(), before)
    })

    it('down protocol rather than send a text that is more than one line', async () => {
      for (const text of ['a\r\nDELE 1', 'a\nb', 'a\rb', 'a\0b']) {
        const result = await talkTo(hostile.silence, async (lines) => {
          lines.write(text)
          return up('sent')
        })
        assert.equal(verdictOf(result), 'down protocol')
        assert.doesNotMatch(result.detail, /DELE/)
        await peers.at(-1)?.untilEmpty()
        assert.deepEqual(peers.at(-1)?.received(), [''])
      }
    })
  })

  describe('leaves', () => {
    const quits = (lines: Lines): Promise<CheckResult> => lines.leave(up('fine'), 'QUIT')
    const cases: readonly [title: string, answer: Turn][] = [
      ['with an answer', '221 bye\r\n'],
      ['with a refusal', '-ERR no\r\n'],
      ['with an end', saysAndCloses('')],
      ['with an answer and an end', saysAndCloses('221 bye\r\n')],
      ['with RST', resetsHere],
      ['with a line without end', endlessly('x')],
    ]
    for (const [title, answer] of cases) {
      it(`up: ${title}`, async () => {
        const server = lineServer({ answers: [[/^QUIT$/, answer]] })
        assert.deepEqual(await talkTo(server.behave, quits), up('fine'))
        assert.deepEqual(server.heard, ['QUIT'])
      })
    }

    it('no later than the deadline, which takes nothing from the verdict', async () => {
      const result = await talkTo(hostile.silence, async (lines) => {
        setImmediate(() => stop.current.abort(new DeadlineError(1000)))
        return quits(lines)
      })
      assert.deepEqual(result, up('fine'))
    })

    it('with an answer of several lines, where it is told which is the last', async () => {
      const server = lineServer({ answers: [[/^a9 LOGOUT$/, '* BYE\r\na9 OK\r\n']] })
      let last = ''
      await talkTo(server.behave, async (lines) => {
        return lines.leave(up('fine'), 'a9 LOGOUT', (line) => {
          last = line
          return line.startsWith('a9 ')
        })
      })
      assert.equal(last, 'a9 OK')
    })
  })

  describe('goes over to TLS in the middle', () => {
    const certificate = makeCertificate()
    const script = (agrees: Turn) =>
      lineServer({ certificate, answers: [[/^STARTTLS$/, agrees]], tlsAnswers: [[/^HELLO$/, 'secret hello\r\n']] })
    const startsTls = async (lines: Lines): Promise<CheckResult> => {
      lines.write('STARTTLS')
      await lines.readLine()
      await lines.upgrade({ options: plainTlsSettings, address: '127.0.0.1' })
      lines.write('HELLO')
      return up(await lines.readLine())
    }

    it('and hears what is said under it', async () => {
      const server = script({ thenTls: 'go ahead\r\n' })
      assert.deepEqual(await talkTo(server.behave, startsTls), up('secret hello'))
      assert.deepEqual(server.heard, ['STARTTLS', 'tls: HELLO'])
      assert.ok(steps.includes('in the TLS handshake'))
      await peers[0]?.untilEmpty()
    })

    for (const injected of ['injected hello\r\n', 'x', '\0']) {
      it(`down protocol: ${JSON.stringify(injected)} came in plain text behind the answer`, async () => {
        const server = script({ thenTls: `go ahead\r\n${injected}` })
        const result = await talkTo(server.behave, startsTls)
        assert.equal(verdictOf(result), 'down protocol', result.detail)
        assert.match(result.detail, /plain text/)
        assert.deepEqual(server.heard, ['STARTTLS'])
      })
    }

    const cases: readonly [title: string, turn: Turn, verdict: RegExp][] = [
      [
        'plain text comes in place of the handshake',
        (socket) => void socket.write('go\r\n', () => setTimeout(() => socket.write('injected hello\r\n'), 20)),
        /^down tls$/,
      ],
      ['the end comes in place of the handshake', saysAndCloses('go\r\n'), /^down closed$/],
    ]
    for (const [title, turn, verdict] of cases) {
      it(`down: ${title}`, async () => {
        const server = script(turn)
        const result = await talkTo(server.behave, startsTls)
        assert.match(verdictOf(result), verdict, result.detail)
        assert.match(result.detail, /in the TLS handshake/)
        assert.deepEqual(server.heard, ['STARTTLS'])
      })
    }
  })

  it('shows a line without what was secret in it, on one line of its own', () => {
    assert.equal(
      quoted('-ERR no "hunter2" for hunter2\x1b[2J\r', new Secret('hunter2')),
      '-ERR no "(hidden)" for (hidden)\\x1b[2J\\r',
    )
    assert.equal(quoted('NO a\\"b or a"b', ['a"b', 'a\\"b', '']), 'NO (hidden) or (hidden)')
    assert.equal(quoted('as it is'), 'as it is')
    assert.equal(quoted('x'.repeat(300)).length, 201)
    assert.equal(quoted('nothing', new Secret('')), 'nothing')
  })
})
