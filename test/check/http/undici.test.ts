import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { ClosedError, dial } from '../../../src/check/dial.ts'
import { Failure } from '../../../src/check/failure.ts'
import { UnreadableReplyError } from '../../../src/check/http/reply.ts'
import { exchange } from '../../../src/check/http/undici.ts'
import { DeadlineError } from '../../../src/lib/deadline-error.ts'
import * as hostile from '../hostile.ts'

const request = { method: 'GET', path: '/', hostHeader: 'real' } as const

async function withPeer(behave: hostile.Behaviour, work: (socket: Socket, stop: AbortController) => Promise<void>) {
  const peer = await hostile.startPeer(behave)
  const stop = new AbortController()
  const socket = await dial(peer, stop.signal)
  try {
    await work(socket, stop)
    socket.destroy()
    await peer.untilEmpty()
  } finally {
    socket.destroy()
    await peer.close()
  }
}

async function closed(socket: Socket): Promise<void> {
  if (!socket.closed) await new Promise<void>((resolve) => socket.once('close', () => resolve()))
}

async function readAll(body: AsyncIterable<Buffer>): Promise<string> {
  let text = ''
  for await (const chunk of body) text += chunk.toString('latin1')
  return text
}

describe('an exchange through undici', () => {
  it('gives status, location and body', async () => {
    const text = 'HTTP/1.1 302 Found here\r\nLocation: /a\r\nLocation: /b\r\nContent-Length: 2\r\n\r\nOK'
    await withPeer(hostile.answers(text), async (socket) => {
      const reply = await exchange(socket, request)
      const { status, statusText, location } = reply
      assert.deepEqual(
        { status, statusText, location },
        { status: 302, statusText: 'HTTP 302 Found here', location: '/a' },
      )
      assert.equal(await readAll(reply.body), 'OK')
      reply.close()
    })
  })

  const failures: readonly (readonly [string, hostile.Behaviour, object, unknown])[] = [
    ['a close', hostile.closesAtOnce, request, ClosedError],
    ['a reset', hostile.resets, request, { code: 'ECONNRESET' }],
    ['bare LF', hostile.answers('HTTP/1.1 200 OK\n\n'), request, UnreadableReplyError],
    ['100 unasked', hostile.answers('HTTP/1.1 100 Continue\r\n\r\n'), request, UnreadableReplyError],
    ['endless headers', hostile.endlessHeaders, request, Failure],
    ['a path that cannot be sent', hostile.silence, { ...request, path: '/a b' }, Failure],
  ]
  for (const [name, behave, asked, expected] of failures) {
    it(`tells ${name} in our words`, async () => {
      await withPeer(behave, async (socket) => {
        await assert.rejects(exchange(socket, { ...request, ...asked }), expected as Error)
      })
    })
  }

  it('fails at once with a connection that has gone while undici was loaded', async () => {
    await withPeer(hostile.silence, async (socket) => {
      socket.destroy()
      await assert.rejects(exchange(socket, request), ClosedError)
    })
  })

  it('leaves a server that answers before it was asked to the lenient reader', async () => {
    await withPeer(hostile.says('HTTP/1.0 200 OK\r\n\r\nOK'), async (socket) => {
      if (socket.readableLength === 0) await new Promise((resolve) => socket.once('readable', resolve))
      await assert.rejects(exchange(socket, request), UnreadableReplyError)
    })
  })

  // each of these ends in an assertion inside undici, uncaught, if it pauses its parser or gets the signal too
  it('survives a reset while much of the body is unread', async () => {
    const body = Buffer.alloc(400_000, 'x')
    const behave: hostile.Behaviour = (socket) => {
      socket.once('data', () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n')
        socket.write(body, () => setTimeout(() => socket.resetAndDestroy(), 30))
      })
    }
    await withPeer(behave, async (socket) => {
      const reply = await exchange(socket, request)
      await closed(socket)
      await readAll(reply.body).catch(() => '')
      reply.close()
    })
  })

  for (const read of [true, false]) {
    it(`survives its signal in the middle of a body without length that is ${read ? '' : 'not '}read`, async () => {
      await withPeer(hostile.endless('HTTP/1.1 200 OK\r\n\r\n', 'x'), async (socket, stop) => {
        const reply = await exchange(socket, request)
        if (read) await reply.body[Symbol.asyncIterator]().next()
        const reason = new DeadlineError(1)
        stop.abort(reason)
        await closed(socket)
        if (!read) await assert.rejects(readAll(reply.body), reason)
        reply.close()
      })
    })
  }

  it('survives being closed in the middle of a body', async () => {
    await withPeer(hostile.endlessBody, async (socket) => {
      const reply = await exchange(socket, request)
      await reply.body[Symbol.asyncIterator]().next()
      reply.close()
      await closed(socket)
    })
  })
})
