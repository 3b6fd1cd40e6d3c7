import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:net'
import { dns } from '../../checks/dns.ts'
import { makeRequest } from '../../src/check/fields.ts'
import {
  type Answering,
  closedDatagramPort,
  datagramSocketsAtMost,
  openDatagramSockets,
  startDatagramPeer,
} from '../check/datagram-peer.ts'
import * as hostile from '../check/hostile.ts'
import { ask, verdictOf } from './probing.ts'
import { patternOf } from './web.ts'

interface Given {
  readonly port: number
  readonly request?: string
  readonly receive?: string
  readonly address?: string
  readonly transport?: 'tcp' | 'udp'
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

function probe({ request = 'a.test', receive, transport = 'udp', timeoutMs = 5000, ...rest }: Given) {
  const pattern = receive === undefined ? undefined : patternOf(receive)
  const options = { request: makeRequest(request, false), receive: pattern }
  return ask({ check: dns, transport, timeoutMs, options, ...rest })
}

/** The query with other flags, and `records` (type, data) in the answer section. */
function replyTo(query: Buffer, records: readonly [type: number, data: Buffer][] = [], flags = 0x8180): Buffer {
  const head = Buffer.from(query)
  head.writeUInt16BE(flags, 2)
  head.writeUInt16BE(records.length, 6)
  const parts = records.map(([type, data]) => {
    const record = Buffer.from([0xc0, 12, 0, type, 0, 1, 0, 0, 0, 1, 0, data.length])
    return Buffer.concat([record, data])
  })
  return Buffer.concat([head, ...parts])
}

const a = (...bytes: number[]): [number, Buffer] => [1, Buffer.from(bytes)]
const typeOf = (query: Buffer): number => query.readUInt16BE(query.length - 4)

async function withPeer(answer: Answering, use: (port: number) => Promise<void>): Promise<void> {
  const before = openDatagramSockets()
  const peer = await startDatagramPeer(answer)
  try {
    await use(peer.port)
  } finally {
    peer.close()
  }
  await datagramSocketsAtMost(before)
}

describe('the dns check', () => {
  it('asks for A, and for AAAA only where that did not do', async () => {
    const types: number[] = []
    const answer: Answering = (query, say) => {
      types.push(typeOf(query))
      say(replyTo(query, typeOf(query) === 1 ? [a(192, 0, 2, 1)] : []))
    }
    await withPeer(answer, async (port) => {
      assert.equal(verdictOf(await probe({ port, receive: '192' })), 'up')
      assert.deepEqual(types, [1])
      const other = await probe({ port, receive: '10\\.' })
      assert.equal(verdictOf(other), 'down mismatch')
      assert.equal(other.detail, 'receive pattern not found in the answer: A 192.0.2.1')
      assert.deepEqual(types, [1, 1, 28])
    })
  })

  it('matches each address by itself', async () => {
    const answer: Answering = (query, say) => say(replyTo(query, [a(10, 0, 0, 1), a(10, 0, 0, 2)]))
    await withPeer(answer, async (port) => {
      assert.equal(verdictOf(await probe({ port, receive: '^10\\.0\\.0\\.2$' })), 'up')
      assert.equal(verdictOf(await probe({ port, receive: '0\\.1.*0\\.2' })), 'down mismatch')
    })
  })

  it('takes any record for data without receive, only addresses and names with it', async () => {
    const alias: Answering = (query, say) => say(replyTo(query, [[5, Buffer.from([0xc0, 12])]]))
    await withPeer(alias, async (port) => {
      assert.deepEqual((await probe({ port })).detail, 'answer of type 5')
      const result = await probe({ port, receive: 'a' })
      assert.equal(verdictOf(result), 'down mismatch')
      assert.equal(result.detail, 'no address or name in the answer')
    })
  })

  for (const [code, text] of [
    [1, 'FORMERR'],
    [2, 'SERVFAIL'],
    [3, 'NXDOMAIN'],
    [4, 'NOTIMP'],
    [5, 'REFUSED'],
    [9, 'error 9'],
  ] as const) {
    it(`is down with the words of the server: ${text}`, async () => {
      await withPeer(
        (query, say) => say(replyTo(query, [], 0x8180 | code)),
        async (port) => {
          const result = await probe({ port })
          assert.equal(verdictOf(result), 'down protocol')
          assert.equal(result.detail, `the server answers ${text} to a.test A`)
        },
      )
    })
  }

  it('says a mismatch though the server has no word for AAAA', async () => {
    const answer: Answering = (query, say) =>
      say(typeOf(query) === 1 ? replyTo(query, [a(192, 0, 2, 1)]) : replyTo(query, [], 0x8182))
    await withPeer(answer, async (port) => {
      assert.equal((await probe({ port, receive: 'x' })).detail, 'receive pattern not found in the answer: A 192.0.2.1')
    })
  })

  it('asks nothing without a name, or with one that no message can hold', async () => {
    let asked = 0
    await withPeer(
      () => asked++,
      async (port) => {
        for (const request of ['/', '.', 'a..b', `${'a'.repeat(64)}.test`]) {
          assert.equal(verdictOf(await probe({ port, request })), 'down protocol', request)
        }
        assert.equal((await probe({ port, request: '/' })).detail, 'nothing to ask for: request holds no name')
        assert.equal(asked, 0)
      },
    )
  })

  it('passes over replies that are not to its question', async () => {
    const answer: Answering = (query, say) => {
      const forged = replyTo(query, [a(10, 0, 0, 66)])
      forged.writeUInt16BE(query.readUInt16BE(0) ^ 1, 0)
      say(forged)
      say('')
      say(hostile.noise(500))
      say(replyTo(query, [a(10, 0, 0, 1)]))
    }
    await withPeer(answer, async (port) => {
      assert.equal((await probe({ port })).detail, 'answer A 10.0.0.1')
    })
  })

  it('survives two lost datagrams', async () => {
    await withPeer(
      (query, say, nth) => nth === 3 && say(replyTo(query, [a(10, 0, 0, 1)])),
      async (port) => assert.equal(verdictOf(await probe({ port, timeoutMs: 400 })), 'up'),
    )
  })

  const hostiles: readonly [title: string, answer: Answering, verdict: string, detail: RegExp][] = [
    [
      'silence',
      () => undefined,
      'down timeout',
      /no answer within 400 ms: waiting for the answer to a\.test A over UDP/,
    ],
    ['garbage', (_query, say) => say(hostile.noise(4096)), 'down protocol', /none of them the reply to our question/],
    [
      'an answer that is cut off',
      (query, say) => say(replyTo(query, [a(1, 2, 3, 4)]).subarray(0, -2)),
      'down protocol',
      /cannot be read/,
    ],
    [
      'a name in circles',
      (query, say) => say(replyTo(query, [[12, Buffer.from([0xc0, query.length + 12])]])),
      'down protocol',
      /refers to itself/,
    ],
  ]
  for (const [title, answer, verdict, detail] of hostiles) {
    it(`${verdict}: ${title}`, async () => {
      await withPeer(answer, async (port) => {
        const result = await probe({ port, timeoutMs: 400 })
        assert.equal(verdictOf(result), verdict, result.detail)
        assert.match(result.detail, detail)
        assert.ok(result.durationMs < 1500, `took ${result.durationMs} ms`)
      })
    })
  }

  it('is down when refused, over both, and without a port', async () => {
    const port = await closedDatagramPort()
    assert.equal(verdictOf(await probe({ port })), 'down refused')
    assert.equal(verdictOf(await probe({ port: await hostile.refusedPort(), transport: 'tcp' })), 'down refused')
    assert.equal(verdictOf(await probe({ port: 0 })), 'down unreachable')
  })

  it('says nothing of the server when it is called off, and leaves no socket', async () => {
    const before = openDatagramSockets()
    const stop = new AbortController()
    await withPeer(
      () => stop.abort(new Error('reload')),
      async (port) => assert.equal(verdictOf(await probe({ port, signal: stop.signal })), 'unknown cancelled'),
    )
    await datagramSocketsAtMost(before)
  })

  describe('over TCP', () => {
    const framed = (message: Buffer): Buffer =>
      Buffer.concat([Buffer.from([message.length >> 8, message.length & 0xff]), message])

    it('reads a reply that comes byte by byte', async () => {
      const peer = await hostile.startPeer((socket) => {
        socket.once('data', (bytes: Buffer) => {
          for (const byte of framed(replyTo(bytes.subarray(2), [a(10, 0, 0, 1)]))) socket.write(Buffer.from([byte]))
        })
      })
      try {
        assert.equal((await probe({ port: peer.port, transport: 'tcp' })).detail, 'answer A 10.0.0.1')
        await peer.untilEmpty()
        assert.equal(peer.received()[0]?.slice(0, 2), '\0\x18')
      } finally {
        await peer.close()
      }
    })

    it('is asked when a datagram is truncated, and its word counts', async () => {
      await withTruncated(
        (query) => framed(replyTo(query, [a(10, 0, 0, 9)])),
        async (port) => assert.equal((await probe({ port, receive: '9$' })).detail, 'answer A 10.0.0.9'),
      )
    })

    const peers: readonly [title: string, behave: hostile.Behaviour, verdict: string][] = [
      ['silence', hostile.silence, 'down timeout'],
      ['close at once', hostile.closesAtOnce, 'down closed'],
      ['close midway', hostile.answersAndCloses(Buffer.from([0, 40, 1, 2, 3])), 'down closed'],
      ['reset', hostile.resets, 'down closed'],
      ['garbage', hostile.answers(Buffer.concat([Buffer.from([0, 40]), hostile.noise(40)])), 'down protocol'],
      ['megabytes', hostile.endless('', 'x'), 'down protocol'],
      ['one byte a second', hostile.drip('x', 100), 'down timeout'],
    ]
    for (const [title, behave, verdict] of peers) {
      it(`${verdict}: ${title}`, async () => {
        const peer = await hostile.startPeer(behave)
        try {
          const result = await probe({ port: peer.port, transport: 'tcp', timeoutMs: 400 })
          assert.equal(verdictOf(result), verdict, result.detail)
          await peer.untilEmpty()
        } finally {
          await peer.close()
        }
      })
    }
  })
})

/** UDP answers that are truncated, and a TCP server on the same port. */
async function withTruncated(answer: (query: Buffer) => Buffer, use: (port: number) => Promise<void>): Promise<void> {
  const server: Server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.once('data', (bytes: Buffer) => socket.end(answer(bytes.subarray(2))))
  })
  await withPeer(
    (query, say) => say(replyTo(query, [], 0x8380)),
    async (port) => {
      await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
      try {
        await use(port)
      } finally {
        server.close()
      }
    },
  )
}
