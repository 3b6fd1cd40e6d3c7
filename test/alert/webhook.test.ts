import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { postJson } from '../../src/alert/webhook.ts'
import { makeAuthority } from '../check/authority.ts'
import * as hostile from '../check/hostile.ts'

const never = new AbortController().signal

describe('alertwebhook', function () {
  this.timeout(30_000)
  /** One POST to a server that answers as told. */
  async function post(answer: (request: IncomingMessage, response: ServerResponse) => void, path = '/hook?a=b') {
    const heard: { line: string; headers: IncomingMessage['headers']; body: string }[] = []
    const server = createServer((request, response) => {
      let body = ''
      request.on('data', (chunk: Buffer) => (body += chunk.toString()))
      request.on('end', () => {
        heard.push({ line: `${request.method} ${request.url}`, headers: request.headers, body })
        answer(request, response)
      })
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    try {
      const url = new URL(`http://name:pass@127.0.0.1:${port}${path}`)
      return { outcome: await postJson(url, '{"version":1,"x":"ö"}', never), heard }
    } finally {
      server.close()
      server.closeAllConnections()
    }
  }

  it('posts JSON, with the login of the URL', async () => {
    const { outcome, heard } = await post((_request, response) => response.end('ok'))
    assert.deepEqual(outcome, { kind: 'sent' })
    assert.deepEqual(
      heard.map(({ line, headers, body }) => [line, headers['content-type'], headers.authorization, body]),
      [
        [
          'POST /hook?a=b',
          'application/json',
          `Basic ${Buffer.from('name:pass').toString('base64')}`,
          '{"version":1,"x":"ö"}',
        ],
      ],
    )
  })

  for (const [status, kind, retry] of [
    [200, 'sent'],
    [204, 'sent'],
    [301, 'failed', false],
    [400, 'failed', false],
    [401, 'failed', false],
    [404, 'failed', false],
    [408, 'failed', true],
    [429, 'failed', true],
    [500, 'failed', true],
    [503, 'failed', true],
  ] as const) {
    it(`${status}: ${kind === 'sent' ? 'sent' : retry ? 'tried again' : 'not tried again'}`, async () => {
      const { outcome } = await post((_request, response) => {
        response.writeHead(status, { location: 'http://127.0.0.1:1/' })
        response.end()
      })
      const failure = { kind: 'failed', retry: retry ?? false, text: `answered with status ${status}` }
      assert.deepEqual(outcome, kind === 'sent' ? { kind } : failure)
    })
  }

  it('does not wait for an answer without an end', async () => {
    const { outcome } = await post((_request, response) => {
      response.writeHead(200)
      response.write('and so on')
    })
    assert.deepEqual(outcome, { kind: 'sent' })
  })

  for (const [title, behave, text] of [
    ['closes', hostile.closesAtOnce, /hang up|ECONNRESET/],
    ['resets', hostile.resets, /hang up|ECONNRESET/],
    ['says garbage', hostile.garbage, /Parse Error|hang up|ECONNRESET/],
    ['has headers without an end', hostile.endlessHeaders, /Parse Error|overflow/i],
  ] as const) {
    it(`fails when the peer ${title}`, async () => {
      const peer = await hostile.startPeer(behave)
      try {
        await assert.rejects(postJson(new URL(`http://127.0.0.1:${peer.port}/`), '{}', never), text)
        await peer.untilEmpty()
      } finally {
        await peer.close()
      }
    })
  }

  it('ends with the deadline when the peer is silent, and leaves no connection', async () => {
    const peer = await hostile.startPeer(hostile.silence)
    try {
      const end = new AbortController()
      const posting = postJson(new URL(`http://127.0.0.1:${peer.port}/`), '{}', end.signal)
      const timer = setTimeout(() => end.abort(new Error('time is up')), 200)
      await assert.rejects(posting, /time is up/)
      clearTimeout(timer)
      await peer.untilEmpty()
    } finally {
      await peer.close()
    }
  })

  it('does not trust a certificate that nobody has signed', async () => {
    const authority = makeAuthority()
    const { key, cert } = authority.issue('IP:127.0.0.1')
    const server = createTlsServer({ key, cert }, (_request, response) => response.end())
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    try {
      const { port } = server.address() as AddressInfo
      await assert.rejects(postJson(new URL(`https://127.0.0.1:${port}/`), '{}', never), /certificate/)
    } finally {
      server.close()
      server.closeAllConnections()
      authority.remove()
    }
  })
})
