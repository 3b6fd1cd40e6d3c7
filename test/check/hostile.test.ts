import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import * as hostile from './hostile.ts'

describe('the kit of hostile peers', () => {
  it('has an address whose SYN is never answered', async () => {
    const peer = await hostile.startUnanswered()
    const socket = connect({ host: peer.address, port: peer.port })
    try {
      const first = await Promise.race([
        once(socket, 'connect').then(() => 'connected'),
        new Promise((resolve) => setTimeout(() => resolve('hangs'), 150)),
      ])
      assert.equal(first, 'hangs')
    } finally {
      socket.destroy()
      await peer.close()
    }
  })

  it('has a port that refuses', async () => {
    const socket = connect({ host: '127.0.0.1', port: await hostile.refusedPort() })
    const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException]
    assert.equal(error.code, 'ECONNREFUSED')
  })

  it('resets, drips, never ends, and knows when its clients have left', async () => {
    const cases = [
      { behave: hostile.resets, sees: 'ECONNRESET' },
      { behave: hostile.drip('ab', 5), sees: 'data' },
      { behave: hostile.endlessBody, sees: 'data' },
      { behave: hostile.endlessHeaders, sees: 'data' },
      { behave: hostile.garbage, sees: 'data' },
      { behave: hostile.tlsGarbage, sees: 'data' },
      { behave: hostile.closesAtOnce, sees: 'end' },
    ]
    for (const { behave, sees } of cases) {
      const peer = await hostile.startPeer(behave)
      const socket = connect({ host: peer.address, port: peer.port })
      try {
        socket.write('hello')
        const seen = await new Promise((resolve) => {
          socket.once('data', () => resolve('data'))
          socket.once('end', () => resolve('end'))
          socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code))
        })
        assert.equal(seen, sees)
        socket.destroy()
        await peer.untilEmpty()
        assert.equal(peer.open(), 0)
      } finally {
        socket.destroy()
        await peer.close()
      }
    }
  })
})
