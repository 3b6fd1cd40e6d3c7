import assert from 'node:assert/strict'
import { simpletcp } from '../../checks/simpletcp.ts'
import { makeRequest } from '../../src/check/fields.ts'
import { encodeRequest, unusedEscape } from '../../src/check/simple/request.ts'
import { closedDatagramPort, startDatagramPeer } from '../check/datagram-peer.ts'
import * as hostile from '../check/hostile.ts'
import { ask, verdictOf } from './probing.ts'
import { patternOf } from './web.ts'

interface Given {
  readonly request?: string
  readonly receive?: string
  readonly address?: string
  readonly transport?: 'tcp' | 'udp'
  readonly escapes?: boolean
  readonly signal?: AbortSignal
}

function probe(port: number, { request = 'ping', receive, escapes = false, ...rest }: Given = {}) {
  const pattern = receive === undefined ? undefined : patternOf(receive)
  const options = { request: makeRequest(request, false), receive: pattern, escapes }
  return ask({ check: simpletcp, port, options, timeoutMs: 400, ...rest })
}

/** Waits for the half-close, as `nc` and line servers do, and then answers and closes. */
const afterTheEnd =
  (text: string): hostile.Behaviour =>
  (socket) => {
    socket.on('end', () => socket.end(text))
  }

/** Goes on though the client has ended its half. */
const halfOpen =
  (behave: hostile.Behaviour): hostile.Behaviour =>
  (socket) => {
    socket.allowHalfOpen = true
    behave(socket)
  }

describe('the simpletcp check', () => {
  const cases: readonly [title: string, behave: hostile.Behaviour, given: Given, verdict: string][] = [
    ['a line matches', afterTheEnd('hello\nworld\n'), { receive: '^world$' }, 'up'],
    ['the last line, without its newline', afterTheEnd('hello\nworld'), { receive: '^world$' }, 'up'],
    ['two lines together', afterTheEnd('hello\nworld\n'), { receive: 'hello\\nworld' }, 'up'],
    ['^ is the begin of each line', afterTheEnd('hello\nworld\n'), { receive: '^wor' }, 'up'],
    ['a dot is no newline', afterTheEnd('hello\nworld\n'), { receive: 'hello.world' }, 'down mismatch'],
    ['$ before CR', afterTheEnd('OK\r\n'), { receive: '^OK$' }, 'down mismatch'],
    ['bytes', afterTheEnd('\0\x01\xff'), { receive: '\\xff|\\x01' }, 'up'],
    ['a look-ahead', afterTheEnd('a\nok b\n'), { receive: '^ok(?= b)' }, 'up'],
    ['no receive, a reply', afterTheEnd('anything'), {}, 'up'],
    ['no receive, no reply', afterTheEnd(''), {}, 'down closed'],
    ['a match, and the connection stays open', hostile.answers('+PONG\r\n'), { receive: 'PONG' }, 'up'],
    ['a match without a newline that stays open', hostile.answers('+PONG'), { receive: 'PONG' }, 'up'],
    ['no match, and it stays open', halfOpen(hostile.answers('+PONG\r\n')), { receive: 'PANG' }, 'down timeout'],
    ['silence', halfOpen(hostile.silence), {}, 'down timeout'],
    ['close at once', hostile.closesAtOnce, { receive: 'x' }, 'down closed'],
    ['reset', hostile.resets, { receive: 'x' }, 'down closed'],
    ['garbage', hostile.garbage, { receive: 'hello' }, 'down mismatch'],
    ['endless lines', hostile.endless('', '\n'), { receive: 'hello' }, 'down mismatch'],
    ['one endless line', hostile.endlessLine, { receive: 'hello' }, 'down mismatch'],
    ['one byte at a time', halfOpen(hostile.drip('abc\n', 5)), { receive: '^abc$' }, 'up'],
    ['a pattern that never ends', afterTheEnd(`${'a'.repeat(40)}!\n`), { receive: '^(a+)+(?=$)' }, 'down mismatch'],
  ]
  for (const [title, behave, given, verdict] of cases) {
    it(`${verdict}: ${title}`, async () => {
      const peer = await hostile.startPeer(behave)
      try {
        const result = await probe(peer.port, given)
        assert.equal(verdictOf(result), verdict, result.detail)
        assert.ok(result.durationMs < 2000, `took ${result.durationMs} ms`)
      } finally {
        await peer.close()
      }
    })
  }

  it('sends the request without its slash and ends its half', async () => {
    const peer = await hostile.startPeer(afterTheEnd('ok'))
    try {
      assert.equal(verdictOf(await probe(peer.port, { request: '/GET /\\n\\x41\\n' })), 'up')
      assert.deepEqual(peer.received(), ['GET /\n\\x41\n'])
    } finally {
      await peer.close()
    }
  })

  it('reads escapes only where the file says so', () => {
    assert.equal(encodeRequest('a\\nb\\r\\x41\\\\n', false).toString(), 'a\nb\\r\\x41\\\n')
    assert.deepEqual(
      encodeRequest('\\x00\\xFF\\r\\n\\t\\0\\\\n\\q', true),
      Buffer.from('\0\xff\r\n\t\0\\n\\q', 'latin1'),
    )
    assert.deepEqual(encodeRequest('é\\xe9', true), Buffer.from('c3a9e9', 'hex'))
    assert.equal(unusedEscape('a\\nb\\x4'), undefined)
    assert.equal(unusedEscape('a\\nb\\x41'), '\\x41')
  })

  it('works over IPv6, and is down when refused and without a port', async () => {
    const peer = await hostile.startPeer(afterTheEnd('ok'), '::1')
    try {
      assert.equal(verdictOf(await probe(peer.port, { address: '::1', receive: 'ok' })), 'up')
    } finally {
      await peer.close()
    }
    assert.equal(verdictOf(await probe(await hostile.refusedPort())), 'down refused')
    assert.equal(verdictOf(await probe(0)), 'down unreachable')
  })

  it('says nothing of the server when it is called off, and leaves no socket', async () => {
    const peer = await hostile.startPeer(hostile.silence)
    const stop = new AbortController()
    try {
      const running = probe(peer.port, { signal: stop.signal })
      stop.abort(new Error('reload'))
      assert.equal(verdictOf(await running), 'unknown cancelled')
      await peer.untilEmpty()
    } finally {
      await peer.close()
    }
  })

  describe('over UDP', () => {
    const datagrams: readonly [
      title: string,
      pieces: readonly string[],
      receive: string | undefined,
      verdict: string,
    ][] = [
      ['a line matches', ['hello\nworld'], '^world$', 'up'],
      ['the second datagram matches', ['hello', 'world'], '^world$', 'up'],
      ['nothing matches', ['hello'], 'world', 'down mismatch'],
      ['any reply', ['x'], undefined, 'up'],
      ['silence', [], undefined, 'down timeout'],
    ]
    for (const [title, pieces, receive, verdict] of datagrams) {
      it(`${verdict}: ${title}`, async () => {
        const peer = await startDatagramPeer((_datagram, say) => void pieces.map((piece) => say(piece)))
        try {
          const given = receive === undefined ? {} : { receive }
          const result = await probe(peer.port, { transport: 'udp', ...given })
          assert.equal(verdictOf(result), verdict, result.detail)
          assert.equal(peer.received[0], 'ping')
        } finally {
          peer.close()
        }
      })
    }

    it('is down when refused', async () => {
      assert.equal(verdictOf(await probe(await closedDatagramPort(), { transport: 'udp' })), 'down refused')
    })
  })
})
