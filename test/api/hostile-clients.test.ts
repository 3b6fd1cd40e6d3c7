import assert from 'node:assert/strict'
import type { Server } from 'node:http'
import { connect, type Socket } from 'node:net'
import { ok, type Route, readFields } from '../../src/api/http.ts'
import { createApiServer } from '../../src/api/server.ts'
import { temporaryFolder } from '../log/temporary.ts'
import { seeded } from '../table/random.ts'

const routes: readonly Route[] = [
  { method: 'GET', path: '/v1/why', summary: 'x', answer: ({ query }) => ok(Object.fromEntries(query)) },
  {
    method: 'POST',
    path: '/v1/disable',
    summary: 'x',
    answer: ({ body }) => ok(readFields(body, { real: 'text', all: 'flag', forMs: 'number' })),
  },
]
const body = '{"real":"192.0.2.20:80","all":true,"forMs":5000}'
const good = [
  'GET /v1/why?real=192.0.2.20 HTTP/1.1\r\nHost: x\r\n\r\n',
  `POST /v1/disable HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
]

describe('clients of the control socket that mean no good', function () {
  this.timeout(30_000)
  const folder = temporaryFolder()
  const faults: string[] = []
  const sockets: Socket[] = []
  let server: Server | undefined

  const listen = async (requestWithinMs: number): Promise<void> => {
    faults.length = 0
    server = createApiServer({ routes, onFault: (text) => faults.push(text), requestWithinMs })
    await new Promise<void>((resolve) => void server?.listen(folder.path('s'), resolve))
  }
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy()
    server?.closeAllConnections()
    await new Promise((resolve) => server?.close(resolve))
    assert.deepEqual(faults, [])
  })
  const open = (bytes: string | Buffer): { socket: Socket; heard: Promise<string> } => {
    const socket = connect(folder.path('s'))
    socket.write(bytes)
    sockets.push(socket)
    let text = ''
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1')
    })
    // Who is cut off while he sends gets a broken pipe; what he heard before counts.
    socket.on('error', () => undefined)
    return { socket, heard: new Promise((resolve) => socket.once('close', () => resolve(text))) }
  }

  for (const [title, bytes] of [
    ['in the middle of the headers', 'GET /v1/why HTTP/1.1\r\nHost:'],
    ['in the middle of the body', 'POST /v1/disable HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n{'],
  ] as const) {
    it(`who stops ${title} gets 408 with a sentence, and is cut off`, async () => {
      await listen(200)
      const heard = await open(bytes).heard
      assert.match(heard, /^HTTP\/1\.1 408 /)
      assert.deepEqual(JSON.parse(heard.slice(heard.indexOf('\r\n\r\n'))), { error: 'the request took too long' })
    })
  }

  it('who only hold connections, all there are, hold up the others no longer than their time', async () => {
    await listen(500)
    const idle = Array.from({ length: 70 }, () => open('GET /v1/why'))
    await Promise.all(idle.map(({ heard }) => heard))
    assert.match(await open(good[0] ?? '').heard, /^HTTP\/1\.1 200 /)
  })

  it('need not name a host, and may expect what they like', async () => {
    await listen(5_000)
    for (const head of [
      'GET /v1/nothing HTTP/1.1\r\n\r\n',
      'GET /v1/nothing HTTP/1.1\r\nHost: x\r\nExpect: tea\r\n\r\n',
    ]) {
      assert.match(await open(head).heard, /^HTTP\/1\.1 404 [\s\S]*there is nothing at this path/)
    }
  })

  it('find no proxy, and no other protocol', async () => {
    await listen(5_000)
    assert.match(await open('CONNECT 192.0.2.1:25 HTTP/1.1\r\n\r\n').heard, /^HTTP\/1\.1 405 [\s\S]*this is no proxy/)
    const upgrade = 'GET /v1/why HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n'
    assert.match(await open(upgrade).heard, /^HTTP\/1\.1 200 /)
  })

  it('get an answer of HTTP with a sentence, or are cut off, whatever bytes they change', async () => {
    await listen(5_000)
    const random = seeded(4)
    const statuses = new Map<string, number>()
    for (let n = 0; n < 1500; n++) {
      const bytes = Buffer.from(random.pick(good))
      for (let changes = 1 + random.below(6); changes > 0; changes--)
        bytes[random.below(bytes.length)] = random.below(256)
      const { socket, heard } = open(bytes)
      socket.end()
      const text = await heard
      const [, status = 'cut off'] = /^HTTP\/1\.1 (\d+) /.exec(text) ?? []
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
      if (status.startsWith('4')) {
        const answer = JSON.parse(text.slice(text.indexOf('\r\n\r\n')))
        assert.ok(typeof answer.error === 'string' && answer.error.length > 10, `${n}: ${text}`)
      }
    }
    assert.deepEqual(
      [...statuses.keys()].filter((status) => !/^(200|4\d\d|cut off)$/.test(status)),
      [],
    )
    assert.match(await open(good[1] ?? '').heard, /^HTTP\/1\.1 200 /)
  })
})
