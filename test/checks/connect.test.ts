import assert from 'node:assert/strict'
import { connect } from '../../checks/connect.ts'
import * as hostile from '../check/hostile.ts'
import { askWeb, handlesClosed, openSockets, verdictOf } from './web.ts'

describe('the connect check', () => {
  for (const host of ['127.0.0.1', '::1']) {
    it(`is up when ${host} accepts, sends nothing and closes in good order`, async () => {
      let ended = 0
      let failed = 0
      const peer = await hostile.startPeer((socket) => {
        socket.on('end', () => ended++)
        socket.on('error', () => failed++)
      }, host)
      try {
        const answer = await askWeb({ check: connect, address: host, port: peer.port })
        assert.deepEqual(answer.result, { verdict: 'up', detail: 'connected' })
        await peer.untilEmpty()
        assert.deepEqual([peer.accepted(), peer.received(), ended, failed], [1, [''], 1, 0])
      } finally {
        await peer.close()
      }
    })
  }

  const peers = {
    silence: hostile.silence,
    neverReads: hostile.neverReads,
    garbage: hostile.garbage,
    closesAtOnce: hostile.closesAtOnce,
  }
  for (const [name, behave] of Object.entries(peers)) {
    it(`is up whatever the peer says: ${name}`, async () => {
      const peer = await hostile.startPeer(behave)
      try {
        assert.equal(verdictOf(await askWeb({ check: connect, port: peer.port })), 'up')
      } finally {
        await peer.close()
      }
    })
  }

  it('is down when refused', async () => {
    const answer = await askWeb({ check: connect, port: await hostile.refusedPort() })
    assert.deepEqual(answer.result, {
      verdict: 'down',
      reason: 'refused',
      detail: 'connection refused while connecting',
    })
  })

  it('is down without a port', async () => {
    assert.equal(verdictOf(await askWeb({ check: connect, port: 0 })), 'down unreachable')
  })

  it('is down when the SYN is never answered, unknown when called off then, and leaves no socket', async () => {
    const peer = await hostile.startUnanswered()
    const before = openSockets()
    try {
      const late = await askWeb({ check: connect, port: peer.port, timeoutMs: 100 })
      assert.deepEqual(late.result, {
        verdict: 'down',
        reason: 'timeout',
        detail: 'no answer within 100 ms: connecting',
      })
      const stop = new AbortController()
      const running = askWeb({ check: connect, port: peer.port, signal: stop.signal })
      stop.abort(new Error('reload'))
      assert.equal(verdictOf(await running), 'unknown cancelled')
      await handlesClosed()
      assert.ok(openSockets() <= before)
    } finally {
      await peer.close()
    }
  })
})
