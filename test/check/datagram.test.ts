import assert from 'node:assert/strict'
import { exchangeDatagrams } from '../../src/check/datagram.ts'
import { Failure } from '../../src/check/failure.ts'
import { createVirtualClock } from '../lib/virtual-clock.ts'
import {
  type Answering,
  closedDatagramPort,
  type DatagramPeer,
  datagramSocketsAtMost,
  openDatagramSockets,
  startDatagramPeer,
} from './datagram-peer.ts'

describe('an exchange of datagrams', () => {
  const never = new AbortController().signal
  const question = () => Buffer.from('question')
  const takeAll = (datagram: Buffer) => datagram.toString()
  const withPeer = async (answer: Answering, use: (peer: DatagramPeer) => Promise<void>, host?: string) => {
    const before = openDatagramSockets()
    const peer = await startDatagramPeer(answer, host)
    try {
      await use(peer)
    } finally {
      peer.close()
    }
    await datagramSocketsAtMost(before)
  }

  for (const address of ['127.0.0.1', '::1']) {
    it(`gives the first answer that is taken, at ${address}, and tells the message our own end`, async () => {
      await withPeer(
        (_datagram, say) => void ['one', 'two', 'three'].map(say),
        async (peer) => {
          const answer = await exchangeDatagrams(
            { address, port: peer.port },
            {
              signal: never,
              timeoutMs: 5000,
              message: (local) => Buffer.from(`${local.address} ${local.port}`),
              take: (datagram) => (datagram.toString() === 'two' ? 'taken' : undefined),
            },
          )
          assert.equal(answer, 'taken')
          assert.deepEqual(peer.received, [`${address} ${peer.clients[0]}`])
        },
        address,
      )
    })
  }

  it('repeats the same question after a quarter and a half of the time, and then only waits', async () => {
    const clock = createVirtualClock()
    const arrivals: (() => void)[] = []
    const arrival = () => new Promise<void>((resolve) => arrivals.push(resolve))
    await withPeer(
      (_datagram, say, nth) => {
        arrivals.shift()?.()
        if (nth === 3) say('at last')
      },
      async (peer) => {
        const first = arrival()
        const exchange = exchangeDatagrams(
          { address: '127.0.0.1', port: peer.port },
          { signal: never, timeoutMs: 1000, message: question, take: takeAll, clock },
        )
        await first
        await clock.advance(249)
        assert.equal(peer.received.length, 1)
        const second = arrival()
        await clock.advance(1)
        await second
        const third = arrival()
        await clock.advance(250)
        await third
        assert.equal(await exchange, 'at last')
        assert.deepEqual(peer.received, ['question', 'question', 'question'])
        assert.deepEqual(clock.openTimers(), [])
      },
    )
  })

  it('asks for a last word at seven eighths of the time', async () => {
    const clock = createVirtualClock()
    let arrived = (): void => undefined
    const arrival = new Promise<void>((resolve) => (arrived = resolve))
    await withPeer(
      () => arrived(),
      async (peer) => {
        const exchange = exchangeDatagrams(
          { address: '127.0.0.1', port: peer.port },
          { signal: never, timeoutMs: 1000, message: question, take: () => undefined, lastWord: () => 'junk', clock },
        )
        await arrival
        await clock.advance(875)
        assert.equal(await exchange, 'junk')
      },
    )
  })

  it('fails with what the last word throws, and with what take throws', async () => {
    const clock = createVirtualClock()
    const thrown = (what: string) => (): never => {
      throw new Failure('protocol', what)
    }
    await withPeer(
      (_datagram, say) => say('x'),
      async (peer) => {
        const to = { address: '127.0.0.1', port: peer.port }
        const common = { signal: never, timeoutMs: 1000, message: question }
        await assert.rejects(exchangeDatagrams(to, { ...common, take: thrown('in take') }), /in take/)
        let seen = (): void => undefined
        const taken = new Promise<void>((resolve) => (seen = resolve))
        const take = (): undefined => seen() as undefined
        const late = exchangeDatagrams(to, { ...common, take, lastWord: thrown('at last'), clock })
        const failed = assert.rejects(late, /at last/)
        await taken
        await clock.advance(875)
        await failed
      },
    )
  })

  it('fails with the system error when nothing listens', async () => {
    for (const address of ['127.0.0.1', '::1']) {
      const to = { address, port: await closedDatagramPort(address) }
      const asked = exchangeDatagrams(to, { signal: never, timeoutMs: 5000, message: question, take: takeAll })
      await assert.rejects(asked, { code: 'ECONNREFUSED' })
    }
  })

  it('fails without a port', async () => {
    const to = { address: '127.0.0.1', port: 0 }
    await assert.rejects(
      exchangeDatagrams(to, { signal: never, timeoutMs: 1, message: question, take: takeAll }),
      /no port to check/,
    )
  })

  it('passes on what the message throws', async () => {
    const message = (): never => {
      throw new RangeError('too long')
    }
    const to = { address: '127.0.0.1', port: 9 }
    await assert.rejects(exchangeDatagrams(to, { signal: never, timeoutMs: 1, message, take: takeAll }), /too long/)
  })

  it('does not see datagrams of another server', async () => {
    await withPeer(
      () => undefined,
      async (stranger) => {
        await withPeer(
          (_datagram, say) => setTimeout(() => say('ours'), 20),
          async (peer) => {
            const answer = exchangeDatagrams(
              { address: '127.0.0.1', port: peer.port },
              {
                signal: never,
                timeoutMs: 5000,
                message: (local) => {
                  stranger.send('forged', local.port)
                  return question()
                },
                take: takeAll,
              },
            )
            assert.equal(await answer, 'ours')
          },
        )
      },
    )
  })

  it('gives up on a server that talks for ever', async () => {
    await withPeer(
      (_datagram, say) => {
        const talk = setInterval(() => Array.from({ length: 50 }, () => say('x')), 1)
        setTimeout(() => clearInterval(talk), 1000)
      },
      async (peer) => {
        const exchange = { signal: never, timeoutMs: 60_000, message: question, take: () => undefined }
        const asked = exchangeDatagrams({ address: '127.0.0.1', port: peer.port }, exchange)
        await assert.rejects(asked, /1000 datagrams, none of them the answer/)
      },
    )
  })

  it('ends with the reason of its signal, before and while it waits', async () => {
    const stop = new AbortController()
    let arrived = (): void => undefined
    const arrival = new Promise<void>((resolve) => (arrived = resolve))
    await withPeer(
      () => arrived(),
      async (peer) => {
        const to = { address: '127.0.0.1', port: peer.port }
        const exchange = { signal: stop.signal, timeoutMs: 5000, message: question, take: takeAll }
        const waiting = exchangeDatagrams(to, exchange)
        await arrival
        stop.abort(new Error('called off'))
        await assert.rejects(waiting, /called off/)
        await assert.rejects(exchangeDatagrams(to, exchange), /called off/)
      },
    )
  })
})
