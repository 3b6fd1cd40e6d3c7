import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { radius } from '../../checks/radius.ts'
import { decodePacket, encodePacket, isGenuine } from '../../src/check/radius/packet.ts'
import { Secret } from '../../src/lib/secret.ts'
import {
  type Answering,
  closedDatagramPort,
  datagramSocketsAtMost,
  openDatagramSockets,
  startDatagramPeer,
} from '../check/datagram-peer.ts'
import { noise } from '../check/hostile.ts'
import { ask, verdictOf } from './probing.ts'

const secret = 'testing123'

function probe(port: number, given: { login?: string; passwd?: string; signal?: AbortSignal } = {}) {
  const { login = 'probe', passwd = 'hunter2', ...rest } = given
  const options = { login, passwd: new Secret(passwd), secret: new Secret(secret) }
  return ask({ check: radius, port, options, timeoutMs: 400, ...rest })
}

/** An answer of that code, signed as the RFC tells, with a Reply-Message. */
function answerOf(request: Buffer, code: number, key = secret): Buffer {
  const attributes = [{ type: 18, value: Buffer.from('hello\x1b') }]
  const identifier = request.readUInt8(1)
  const bytes = encodePacket({ code, identifier, authenticator: request.subarray(4, 20), attributes })
  createHash('md5').update(bytes).update(key).digest().copy(bytes, 4)
  return bytes
}

async function withPeer(answer: Answering, use: (port: number) => Promise<void>): Promise<readonly string[]> {
  const before = openDatagramSockets()
  const peer = await startDatagramPeer(answer)
  try {
    await use(peer.port)
  } finally {
    peer.close()
  }
  await datagramSocketsAtMost(before)
  return peer.received
}

describe('the radius check', () => {
  const cases: readonly [title: string, answer: Answering, verdict: string, detail: RegExp][] = [
    ['Access-Accept', (q, say) => say(answerOf(q, 2)), 'up', /^Access-Accept: hello\\x1b$/],
    ['Access-Reject', (q, say) => say(answerOf(q, 3)), 'down auth', /^Access-Reject: hello\\x1b$/],
    ['Access-Challenge', (q, say) => say(answerOf(q, 11)), 'down auth', /^Access-Challenge/],
    ['a code that is no answer', (q, say) => say(answerOf(q, 5)), 'down protocol', /code 5/],
    ['another secret', (q, say) => say(answerOf(q, 2, 'other')), 'down protocol', /not signed with our secret/],
    ['garbage', (_q, say) => say(noise(4096)), 'down protocol', /not signed/],
    ['its own question', (q, say) => say(q), 'down protocol', /not signed/],
    ['silence', () => undefined, 'down timeout', /waiting for the answer to Access-Request/],
    ['two lost datagrams', (q, say, nth) => nth === 3 && say(answerOf(q, 2)), 'up', /^Access-Accept/],
    [
      'a forged accept before the reject',
      (q, say) => {
        say(answerOf(q, 2, 'other'))
        say(answerOf(q, 3))
      },
      'down auth',
      /^Access-Reject/,
    ],
  ]
  for (const [title, answer, verdict, detail] of cases) {
    it(`${verdict}: ${title}`, async () => {
      await withPeer(answer, async (port) => {
        const result = await probe(port)
        assert.equal(verdictOf(result), verdict, result.detail)
        assert.match(result.detail, detail)
        assert.ok(result.durationMs < 1500, `took ${result.durationMs} ms`)
      })
    })
  }

  it('sends a signed request that hides the password and names our address, the same at each repetition', async () => {
    const received = await withPeer(
      () => undefined,
      async (port) => void (await probe(port)),
    )
    assert.equal(received.length, 3)
    assert.equal(new Set(received).size, 1)
    const bytes = Buffer.from(received[0] ?? '', 'latin1')
    const packet = decodePacket(bytes)?.packet
    const types = packet?.attributes.map(({ type, value }) => [type, value.length])
    assert.deepEqual(types, [
      [80, 16],
      [1, 5],
      [2, 16],
      [4, 4],
    ])
    assert.equal(packet?.code, 1)
    assert.equal(bytes.includes('hunter2'), false)
    assert.equal(isGenuine(bytes, Buffer.alloc(16), Buffer.from(secret)), false)
  })

  it('says so when a password is too long for the protocol, and does not tell it', async () => {
    await withPeer(
      () => undefined,
      async (port) => {
        const result = await probe(port, { passwd: 'p'.repeat(129) })
        assert.equal(verdictOf(result), 'down protocol')
        assert.match(result.detail, /longer than 128 bytes$/)
      },
    )
  })

  it('is down when refused and without a port', async () => {
    assert.equal(verdictOf(await probe(await closedDatagramPort())), 'down refused')
    assert.equal(verdictOf(await probe(0)), 'down unreachable')
  })

  it('says nothing of the server when it is called off', async () => {
    const stop = new AbortController()
    await withPeer(
      () => stop.abort(new Error('reload')),
      async (port) => assert.equal(verdictOf(await probe(port, { signal: stop.signal })), 'unknown cancelled'),
    )
  })
})
