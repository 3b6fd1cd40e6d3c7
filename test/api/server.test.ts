import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { askDaemon, NoDaemonError } from '../../src/api/client.ts'
import { createControlSocket } from '../../src/api/control-socket.ts'
import { ok, RequestError, type Route, readFields } from '../../src/api/http.ts'
import { systemClock } from '../../src/lib/clock.ts'
import type { Event } from '../../src/model/events.ts'
import { temporaryFolder } from '../log/temporary.ts'

const routes: readonly Route[] = [
  { method: 'GET', path: '/v1/echo', summary: 'x', answer: ({ query }) => ok(Object.fromEntries(query)) },
  {
    method: 'POST',
    path: '/v1/take',
    summary: 'x',
    answer: ({ body }) => ok(readFields(body, { real: 'text', all: 'flag', minutes: 'number' })),
  },
  {
    method: 'GET',
    path: '/v1/refuse',
    summary: 'x',
    answer: () => {
      throw new RequestError('which of them?', { status: 409, detail: { choices: ['a', 'b'] } })
    },
  },
  {
    method: 'GET',
    path: '/v1/bug',
    summary: 'x',
    answer: () => {
      throw new TypeError('no such thing\x1b[2J')
    },
  },
]

/** Sends bytes as they are and gives back all that comes until the other end closes. */
function sendRaw(path: string, bytes: string | Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    let heard = ''
    const socket = connect(path, () => socket.end(bytes))
    socket.setEncoding('utf8')
    socket.on('data', (text: string) => {
      heard += text
    })
    socket.on('close', () => resolve(heard))
    socket.on('error', reject)
  })
}

describe('the control socket', () => {
  const folder = temporaryFolder()
  const path = (): string => folder.path('run/www.cf.sock')
  const events: Event[] = []
  let socket = createControlSocket({ path: '', routes, tell: () => undefined })
  const client = () => ({ clock: systemClock, socket: path() })

  beforeEach(async () => {
    events.length = 0
    socket = createControlSocket({ path: path(), routes, tell: (event) => events.push(event) })
    await socket.open()
  })
  afterEach(async () => {
    await socket.stop?.()
    rmSync(folder.path('run'), { recursive: true, force: true })
  })

  it('answers in JSON, and only owner and group may come near', async () => {
    assert.equal(statSync(path()).mode & 0o777, 0o660)
    const answer = await askDaemon(client(), { method: 'GET', path: '/v1/echo?real=a%20b&x=1' })
    assert.deepEqual(answer, { status: 200, body: { real: 'a b', x: '1' } })
    const taken = await askDaemon(client(), {
      method: 'POST',
      path: '/v1/take',
      body: { real: 'r', all: true, minutes: 3 },
    })
    assert.deepEqual(taken, { status: 200, body: { real: 'r', all: true, minutes: 3 } })
  })

  const malformed: readonly (readonly [title: string, bytes: string | Buffer, status: number, sentence: RegExp])[] = [
    ['no HTTP at all', 'hello\r\n\r\n', 400, /not an HTTP request/],
    ['binary rubbish', Buffer.from([0, 255, 1, 2, 10, 13, 10]), 400, /not an HTTP request/],
    ['a path that is not there', 'GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n', 404, /nothing at this path.*\/v1\/echo/],
    ['a path without its version', 'GET /echo HTTP/1.1\r\nHost: x\r\n\r\n', 404, /nothing at this path/],
    ['the wrong method', 'DELETE /v1/echo HTTP/1.1\r\nHost: x\r\n\r\n', 405, /\/v1\/echo takes GET/],
    ['a target that is no path', 'GET echo HTTP/1.1\r\nHost: x\r\n\r\n', 400, /not an HTTP request|no path/],
    ['a body that is not JSON', post('{real:'), 400, /not JSON/],
    ['a body that is a list', post('[1]'), 400, /JSON object/],
    ['a field that is not known', post('{"reel":"x"}'), 400, /no field of that name; fields: real, all, minutes/],
    ['a field of the wrong kind', post('{"real":5}'), 400, /real must be a text/],
    ['a number that is none', post('{"minutes":"5"}'), 400, /minutes must be a number/],
    ['a text that is too long', post(`{"real":"${'x'.repeat(1001)}"}`), 400, /at most 1000/],
    ['a body that is too long', post(`{"real":"${'x'.repeat(70_000)}"}`), 413, /longer than 65536/],
    ['headers without end', `GET /v1/echo HTTP/1.1\r\nX: ${'x'.repeat(40_000)}\r\n\r\n`, 431, /headers are too long/],
    ['a body cut in the middle', 'POST /v1/take HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n{', 400, /./],
  ]
  for (const [title, bytes, status, sentence] of malformed) {
    it(`answers ${status} with a sentence: ${title}`, async () => {
      const heard = await sendRaw(path(), bytes)
      assert.match(heard, new RegExp(`^HTTP/1.1 ${status} `))
      const { error, ...rest } = JSON.parse(heard.slice(heard.indexOf('\r\n\r\n')))
      assert.match(`${error} ${JSON.stringify(rest)}`, sentence)
      assert.deepEqual(events, [])
    })
  }

  it('passes on what a route refuses, and tells of a bug without dying of it', async () => {
    const refused = await askDaemon(client(), { method: 'GET', path: '/v1/refuse' })
    assert.deepEqual(refused, { status: 409, body: { error: 'which of them?', choices: ['a', 'b'] } })
    const bug = await askDaemon(client(), { method: 'GET', path: '/v1/bug' })
    assert.deepEqual(bug, { status: 500, body: { error: 'internal error: no such thing\\x1b[2J' } })
    assert.deepEqual(
      events.map(({ kind }) => kind),
      ['fault'],
    )
  })

  it('comes back by itself when somebody sweeps its file away', async () => {
    rmSync(path())
    await assert.rejects(askDaemon(client(), { method: 'GET', path: '/v1/echo' }), NoDaemonError)
    await socket.open()
    assert.equal((await askDaemon(client(), { method: 'GET', path: '/v1/echo' })).status, 200)
  })

  it('takes the place of a file that a killed daemon left, and removes its own at the end', async () => {
    await socket.stop?.()
    assert.equal(existsSync(path()), false)
    const { spawnSync } = await import('node:child_process')
    const leave = `require('node:net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))`
    spawnSync(process.execPath, ['-e', leave, path()])
    assert.equal(statSync(path()).isSocket(), true)
    socket = createControlSocket({ path: path(), routes, tell: (event) => events.push(event) })
    await socket.open()
    assert.deepEqual(events, [])
    assert.equal((await askDaemon(client(), { method: 'GET', path: '/v1/echo' })).status, 200)
  })

  it('leaves a socket alone where somebody answers, and a file that is no socket: told once', async () => {
    const second = createControlSocket({ path: path(), routes, tell: (event) => events.push(event) })
    await second.open()
    await second.open()
    assert.equal(events.length, 1)
    assert.match(JSON.stringify(events), /cannot be opened, the daemon runs without: .*EADDRINUSE/)
    await second.stop?.()
    assert.equal((await askDaemon(client(), { method: 'GET', path: '/v1/echo' })).status, 200)
    events.length = 0
    const file = folder.path('file.sock')
    writeFileSync(file, 'precious')
    const third = createControlSocket({ path: file, routes, tell: (event) => events.push(event) })
    await third.open()
    assert.equal(events.length, 1)
    await third.stop?.()
    assert.equal(existsSync(file), true)
  })

  it('tells of a folder that cannot be made once, and opens when it can be', async () => {
    const folderOfFile = folder.path('blocked')
    writeFileSync(folderOfFile, '')
    const own = createControlSocket({ path: join(folderOfFile, 'a.sock'), routes, tell: (event) => events.push(event) })
    await own.open()
    await own.open()
    rmSync(folderOfFile)
    mkdirSync(folderOfFile)
    chmodSync(folderOfFile, 0o755)
    await own.open()
    await own.stop?.()
    assert.deepEqual(
      events
        .map((event) => ('text' in event ? event.text.replace(folder.path(''), '') : event.kind))
        .map((text) => text.replace(/: .*/, '')),
      [
        'The control socket /blocked/a.sock cannot be opened, the daemon runs without',
        'The control socket /blocked/a.sock is open again',
      ],
    )
  })

  it('refuses a path that no Unix socket can have', async () => {
    const long = createControlSocket({ path: `/tmp/${'x'.repeat(200)}`, routes, tell: (event) => events.push(event) })
    await long.open()
    assert.match(JSON.stringify(events), /longer than 107 bytes/)
    await long.stop?.()
  })
})

function post(body: string): string {
  return `POST /v1/take HTTP/1.1\r\nHost: x\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
}
