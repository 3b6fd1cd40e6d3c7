import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { ClosedError, dial, NoPortError } from '../../src/check/dial.ts'
import { secure, sniOf } from '../../src/check/tls.ts'
import { plainTlsSettings } from '../../src/check/tls-fields.ts'
import * as hostile from './hostile.ts'

const parts = { options: plainTlsSettings, address: '127.0.0.1' }
const quiet = { step: () => undefined, warn: () => undefined }

describe('dial', () => {
  it('gives a socket that the signal takes away, also long after it has connected', async () => {
    const peer = await hostile.startPeer(hostile.silence)
    try {
      const stop = new AbortController()
      const socket = await dial(peer, stop.signal)
      assert.equal(getEventListeners(stop.signal, 'abort').length, 1)
      const reason = new Error('reload')
      const closed = new Promise((resolve) => socket.once('error', resolve))
      stop.abort(reason)
      assert.equal(await closed, reason)
      await peer.untilEmpty()
    } finally {
      await peer.close()
    }
  })

  it('leaves no listener on the signal when its socket has gone', async () => {
    const peer = await hostile.startPeer(hostile.silence)
    try {
      const { signal } = new AbortController()
      const socket = await dial(peer, signal)
      socket.destroy()
      await new Promise((resolve) => socket.once('close', resolve))
      await assert.rejects(dial({ address: peer.address, port: await hostile.refusedPort() }, signal), {
        code: 'ECONNREFUSED',
      })
      // the close phase of the loop comes after the first of these
      for (let i = 0; i < 2; i++) await new Promise((resolve) => setImmediate(resolve))
      assert.equal(getEventListeners(signal, 'abort').length, 0)
    } finally {
      await peer.close()
    }
  })

  it('does not begin when the signal has fired, or when there is no port', async () => {
    const reason = new Error('reload')
    await assert.rejects(dial({ address: '127.0.0.1', port: 1 }, AbortSignal.abort(reason)), reason)
    for (const port of [0, 65_536]) {
      await assert.rejects(dial({ address: '127.0.0.1', port }, new AbortController().signal), NoPortError)
    }
  })

  it('has TLS end with the reason of the signal, and both halves with it', async () => {
    const peer = await hostile.startPeer(hostile.silence)
    try {
      const stop = new AbortController()
      const socket = await dial(peer, stop.signal)
      const reason = new Error('reload')
      setImmediate(() => stop.abort(reason))
      await assert.rejects(secure(socket, parts, { ...quiet, signal: stop.signal }), reason)
      assert.equal(socket.destroyed, true)
      await peer.untilEmpty()
    } finally {
      await peer.close()
    }
  })

  it('tells a TLS peer that closes', async () => {
    const peer = await hostile.startPeer(hostile.answersAndCloses(''))
    try {
      const { signal } = new AbortController()
      const socket = await dial(peer, signal)
      await assert.rejects(secure(socket, parts, { ...quiet, signal }), (error: Error) => {
        return error instanceof ClosedError || 'code' in error
      })
    } finally {
      await peer.close()
    }
  })
})

describe('the server name for SNI', () => {
  const rows: readonly (readonly [string | undefined, string | undefined])[] = [
    ['www.example.test', 'www.example.test'],
    ['www.example.test:443', 'www.example.test'],
    ['www.example.test.', 'www.example.test'],
    ['  www.example.test  ', 'www.example.test'],
    ['my_host', 'my_host'],
    ['192.0.2.1', undefined],
    ['192.0.2.1:443', undefined],
    ['2001:db8::1', undefined],
    ['[2001:db8::1]:443', undefined],
    ['', undefined],
    [undefined, undefined],
    ['b\xfccher.test', undefined],
    ['a b', undefined],
  ]
  for (const [host, name] of rows) it(`of ${host} is ${name}`, () => assert.equal(sniOf(host), name))
})
