import assert from 'node:assert/strict'
import { sip } from '../../checks/sip.ts'
import { closedDatagramPort, startDatagramPeer } from '../check/datagram-peer.ts'
import * as hostile from '../check/hostile.ts'
import { ask, verdictOf } from './probing.ts'

type Transport = 'tcp' | 'udp'

function probe(transport: Transport, port: number, rest: { address?: string; signal?: AbortSignal } = {}) {
  return ask({ check: sip, port, transport, options: { login: 'me@here' }, timeoutMs: 400, ...rest })
}

/** Serves the pieces over one transport, each its own write or datagram; gives what the client sent. */
async function withPeer(
  { transport, pieces, host = '127.0.0.1' }: { transport: Transport; pieces: readonly string[]; host?: string },
  use: (port: number) => Promise<void>,
): Promise<readonly string[]> {
  if (transport === 'udp') {
    const peer = await startDatagramPeer((_datagram, say) => void pieces.map((piece) => say(piece)), host)
    await use(peer.port).finally(() => peer.close())
    return peer.received
  }
  const peer = await hostile.startPeer((socket) => {
    socket.once('data', () => void pieces.map((piece) => socket.write(piece)))
  }, host)
  try {
    await use(peer.port)
    await peer.untilEmpty()
  } finally {
    await peer.close()
  }
  return peer.received()
}

const response = (status: string, more = '') => `SIP/2.0 ${status}\r\n${more}Content-Length: 0\r\n\r\n`

describe('the sip check', () => {
  for (const transport of ['udp', 'tcp'] as const) {
    describe(`over ${transport}`, () => {
      const cases: readonly [title: string, pieces: readonly string[], verdict: string, detail: RegExp][] = [
        ['200', [response('200 OK')], 'up', /^SIP 200 OK$/],
        ['200 in other words', [response('200 Fine')], 'up', /^SIP 200 Fine$/],
        [
          '200 after provisional ones',
          [response('100 Trying'), response('180 Ringing'), response('200 OK')],
          'up',
          /200/,
        ],
        [
          'another final one first',
          [response('100 Trying'), response('503 No'), response('200 OK')],
          'down protocol',
          /503 No/,
        ],
        ['302', [response('302 Moved')], 'down protocol', /302/],
        ['407', [response('407 Proxy Authentication Required')], 'down auth', /407/],
        ['only a provisional one', [response('100 Trying')], 'down timeout', /final response after 100 Trying/],
        ['garbage', [`${hostile.noise(300).toString('latin1')}\n`], 'down protocol', /not a SIP response/],
        ['another protocol', ['220 mail ready\r\n'], 'down protocol', /not a SIP response: "220 mail ready/],
        ['its own question', ['OPTIONS sip:me SIP/2.0\r\n\r\n'], 'down protocol', /not a SIP response/],
        ['silence', [], 'down timeout', /waiting for the final response/],
      ]
      for (const [title, pieces, verdict, detail] of cases) {
        it(`${verdict}: ${title}`, async () => {
          await withPeer({ transport, pieces }, async (port) => {
            const result = await probe(transport, port)
            assert.equal(verdictOf(result), verdict, result.detail)
            assert.match(result.detail, detail)
          })
        })
      }

      it('asks with a branch of its own and says which transport it is', async () => {
        const received = await withPeer({ transport, pieces: [response('200 OK')] }, async (port) => {
          assert.equal(verdictOf(await probe(transport, port)), 'up')
          assert.equal(verdictOf(await probe(transport, port)), 'up')
        })
        const branches = received.map((text) => {
          const name = transport.toUpperCase()
          const via = new RegExp(
            `^OPTIONS sip:me@here SIP/2\\.0\r\nVia: SIP/2\\.0/${name} 127\\.0\\.0\\.1:\\d+;branch=(z9hG4bK\\w+)\r\n`,
          )
          assert.match(text, via)
          assert.ok(
            text.endsWith(
              'CSeq: 63104 OPTIONS\r\nContact: <sip:me@here>\r\nAccept: application/sdp\r\nContent-Length: 0\r\n\r\n',
            ),
          )
          return via.exec(text)?.[1]
        })
        assert.equal(new Set(branches).size, 2)
      })

      it('works over IPv6, with the address in brackets', async () => {
        const received = await withPeer({ transport, pieces: [response('200 OK')], host: '::1' }, async (port) => {
          assert.equal(verdictOf(await probe(transport, port, { address: '::1' })), 'up')
        })
        assert.match(received[0] ?? '', /Via: SIP\/2\.0\/(UDP|TCP) \[::1\]:\d+;/)
      })

      it('is down when refused, and unknown when called off', async () => {
        const port = transport === 'udp' ? await closedDatagramPort() : await hostile.refusedPort()
        assert.equal(verdictOf(await probe(transport, port)), 'down refused')
        const stop = new AbortController()
        await withPeer({ transport, pieces: [] }, async (silent) => {
          const running = probe(transport, silent, { signal: stop.signal })
          stop.abort(new Error('reload'))
          assert.equal(verdictOf(await running), 'unknown cancelled')
        })
      })
    })
  }

  const peers: readonly [title: string, behave: hostile.Behaviour, verdict: string][] = [
    ['close at once', hostile.closesAtOnce, 'down closed'],
    ['reset', hostile.resets, 'down closed'],
    ['close after half a line', hostile.answersAndCloses('SIP/2.0 20'), 'down closed'],
    ['close after a provisional response', hostile.answersAndCloses(response('100 Trying')), 'down closed'],
    ['close before the empty line', hostile.answersAndCloses('SIP/2.0 200 OK\r\nServer: x\r\n'), 'up'],
    ['endless headers', hostile.endless('SIP/2.0 200 OK\r\n', 'X: y\r\n'), 'down protocol'],
    ['endless line', hostile.endlessLine, 'down protocol'],
    [
      'a body behind a provisional response',
      hostile.answers('SIP/2.0 183 X\r\nl: 4\r\n\r\nbodySIP/2.0 200 OK\r\n\r\n'),
      'up',
    ],
    ['a response in pieces', hostile.drip('SIP/2.0 200 OK\r\n\r\n', 5), 'up'],
  ]
  for (const [title, behave, verdict] of peers) {
    it(`${verdict} over tcp: ${title}`, async () => {
      const peer = await hostile.startPeer(behave)
      try {
        const result = await probe('tcp', peer.port)
        assert.equal(verdictOf(result), verdict, result.detail)
      } finally {
        await peer.close()
      }
    })
  }
})
