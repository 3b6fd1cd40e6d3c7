import assert from 'node:assert/strict'
import { createNetlinkTransport, type Transport } from '../../../src/backend/netlink/transport.ts'
import { attribute, encodeMessage, messagesIn, text } from '../../../src/backend/netlink/wire.ts'
import { never } from '../../table/fixtures.ts'

/** Asks the controller of generic netlink for itself: every kernel answers that, and to anybody. */
function question(seq: number, name = 'nlctrl'): Buffer {
  return encodeMessage({ type: 16, flags: 1, seq, command: 3, version: 1 }, [attribute(2, text(name))])
}

/** A real socket to the kernel of this machine, which need not have IPVS. */
describe('The netlink socket', () => {
  let transport: Transport
  beforeEach(() => {
    transport = createNetlinkTransport(200)
  })
  afterEach(() => transport.close())
  const ask = async (request: Buffer): Promise<number[]> => {
    const types: number[] = []
    const take = (datagram: Buffer): 'last' => {
      types.push(...messagesIn(datagram).map((message) => message.type))
      return 'last'
    }
    await transport.exchange(request, take, never)
    return types
  }

  it('brings the answer', async () => assert.deepEqual(await ask(question(1)), [16]))
  it('brings a refusal', async () => assert.deepEqual(await ask(question(1, 'nonesuch')), [2]))
  it('brings one answer after the other over the same socket', async () => {
    for (let seq = 1; seq <= 50; seq += 1) assert.deepEqual(await ask(question(seq)), [16])
  })
  it('brings a hundred answers to one buffer', async () => {
    const buffer = Buffer.concat(Array.from({ length: 100 }, (_, seq) => question(seq, 'nonesuch')))
    const seqs: number[] = []
    const take = (datagram: Buffer): 'more' | 'last' => {
      seqs.push(...messagesIn(datagram).map((message) => message.seq))
      return seqs.length < 100 ? 'more' : 'last'
    }
    await transport.exchange(buffer, take, never)
    assert.deepEqual(
      seqs,
      Array.from({ length: 100 }, (_, seq) => seq),
    )
  })
  it('waits no longer than it was told, and serves the next', async () => {
    const begun = performance.now()
    await assert.rejects(
      transport.exchange(question(1), () => 'more', never),
      {
        name: 'TableError',
        code: 'ETIMEDOUT',
        message: 'the kernel did not answer (ETIMEDOUT)',
      },
    )
    assert.ok(performance.now() - begun >= 190)
    assert.deepEqual(await ask(question(2)), [16])
  })
  it('ends at once when it is cancelled, and serves the next', async () => {
    const controller = new AbortController()
    const pending = transport.exchange(question(1), () => 'more', controller.signal)
    controller.abort()
    await assert.rejects(pending, { name: 'TableError', code: 'ECANCELED' })
    await assert.rejects(
      transport.exchange(question(1), () => 'last', AbortSignal.abort()),
      { code: 'ECANCELED' },
    )
    assert.deepEqual(await ask(question(2)), [16])
  })
  it('lives through a throw in the listener', async () => {
    const take = (): never => {
      throw new Error('a bug in the reading of an answer')
    }
    await assert.rejects(transport.exchange(question(1), take, never), { name: 'TableError', code: 'EBADMSG' })
    assert.deepEqual(await ask(question(2)), [16])
  })
  it('tells when a buffer is too large to be sent', async () => {
    const code = await transport.exchange(Buffer.alloc(8 << 20), () => 'last', never).catch((error) => error.code)
    assert.equal(code, 'EMSGSIZE')
    assert.deepEqual(await ask(question(2)), [16])
  })
  it('refuses a second exchange during the first: that is a bug', async () => {
    const first = transport.exchange(question(1), () => 'last', never)
    await new Promise((resolve) => setImmediate(resolve))
    await first
    const pending = transport.exchange(question(1), () => 'more', never)
    await assert.rejects(
      transport.exchange(question(2), () => 'last', never),
      /one netlink exchange at a time/,
    )
    await assert.rejects(pending, { code: 'ETIMEDOUT' })
  })
  it('ends what is under way when it is closed, and then refuses', async () => {
    const pending = transport.exchange(question(1), () => 'more', never)
    const ended = assert.rejects(pending, { name: 'TableError', code: 'ECANCELED' })
    await new Promise((resolve) => setTimeout(resolve, 20))
    transport.close()
    await ended
    await assert.rejects(
      transport.exchange(question(1), () => 'last', never),
      { code: 'ECANCELED' },
    )
  })
  it('can be closed without having been used, and twice', () => {
    transport.close()
    transport.close()
  })
})
