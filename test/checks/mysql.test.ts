import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { mysql } from '../../checks/mysql.ts'
import { makeRequest } from '../../src/check/fields.ts'
import { Secret } from '../../src/lib/secret.ts'
import * as hostile from '../check/hostile.ts'
import { heldBytes } from '../tools/memory.ts'
import { converse, failure, greeting, header, mysql8, ok, packet, resultOf, type State } from './mysql-peer.ts'
import { type Ask, ask, verdictOf } from './probing.ts'

const password = 'a "secret" pass'

interface Given {
  readonly login?: string
  readonly passwd?: string
  readonly request?: string
}

function probe(to: Pick<Ask, 'address' | 'port'>, given: Given = {}, more: Partial<Ask> = {}) {
  const { login = 'probe', passwd = password, request = '/SELECT 1' } = given
  const options = { login, passwd: new Secret(passwd), database: 'db', request: makeRequest(request, false) }
  return ask({ check: mysql, address: to.address, port: to.port, options, timeoutMs: 2000, ...more } as Ask)
}

/** Answers the login with OK and then lets `answer` speak to the query. */
const afterLogin = (answer: State): hostile.Behaviour => converse(greeting, (_payload, reply) => reply([ok], answer))
const stay: State = () => stay
const sends =
  (...bytes: readonly Buffer[]): State =>
  (_payload, _reply, socket) => {
    for (const each of bytes) socket.write(each)
    return stay
  }

const leaves =
  (how: (socket: Socket) => void): State =>
  (_payload, _reply, socket) => {
    how(socket)
    return stay
  }

describe('the mysql check', () => {
  const peers: hostile.Peer[] = []
  async function start(behave: hostile.Behaviour, host?: string): Promise<hostile.Peer> {
    const peer = await hostile.startPeer(behave, host)
    peers.push(peer)
    return peer
  }
  afterEach(async () => {
    for (const peer of peers.splice(0)) await peer.close()
  })

  describe('logs in to MySQL 8', () => {
    for (const path of ['fast', 'full'] as const) {
      it(`up: caching_sha2_password, the ${path} path; the query is asked once, with a good-bye`, async () => {
        const server = mysql8(password, path)
        const peer = await start(server.behave)
        assert.equal(verdictOf(await probe(peer)), 'up')
        await peer.untilEmpty()
        assert.deepEqual([server.queries, server.quits(), peer.accepted()], [['SELECT 1'], 1, 1])
        assert.equal(peer.received().join('').includes(password), false)
      })

      it(`down auth: a wrong password, the ${path} path`, async () => {
        const server = mysql8(password, path)
        const peer = await start(server.behave)
        const result = await probe(peer, { passwd: 'wrong' })
        assert.deepEqual([verdictOf(result), result.detail], ['down auth', 'error 1045: Access denied'])
        assert.deepEqual(server.queries, [])
        await peer.untilEmpty()
      })
    }

    it('up over IPv6', async () => {
      assert.equal(verdictOf(await probe(await start(mysql8(password, 'fast').behave, '::1'))), 'up')
    })

    it('down mismatch: no row', async () => {
      const result = await probe(await start(mysql8(password, 'fast', resultOf(0)).behave))
      assert.deepEqual([verdictOf(result), result.detail], ['down mismatch', 'the query gave no row'])
    })

    it('up: many rows, of which it reads the first few', async () => {
      const peer = await start(mysql8(password, 'fast', resultOf(50)).behave)
      assert.equal(verdictOf(await probe(peer)), 'up')
    })
  })

  describe('wants a login and a query, and connects to nobody without', () => {
    for (const [title, given] of [
      ['no login', { login: '' }],
      ['no request', { request: '/' }],
      ['neither', { login: '', request: '' }],
    ] as const) {
      it(title, async () => {
        const peer = await start(hostile.silence)
        const result = await probe(peer, given)
        assert.equal(verdictOf(result), 'down protocol')
        assert.equal(
          result.detail,
          'Error: Must specify a login and request string for MySQL, Oracle and PostgreSQL checks. Not adding 127.0.0.1.',
        )
        assert.equal(peer.accepted(), 0)
      })
    }
  })

  describe('tells what is wrong', () => {
    const wide = (count: number): Buffer => Buffer.from([0xfc, count & 0xff, count >> 8])
    const cases: readonly [title: string, behave: hostile.Behaviour, verdict: string, detail: RegExp][] = [
      ['closes at once', hostile.closesAtOnce, 'down closed', /waiting for the greeting/],
      ['resets at once', hostile.resetsAtOnce, 'down closed', /./],
      ['garbage', hostile.garbage, 'down protocol', /not MySQL: packet \d+ where 0 was due/],
      ['another protocol', hostile.says('HTTP/1.1 400 Bad Request\r\n\r\n'), 'down protocol', /not MySQL/],
      ['TLS', hostile.says(Buffer.from([0x16, 3, 3, 0x10, 0, ...hostile.noise(200)])), 'down protocol', /not MySQL/],
      ['a greeting of zeros', hostile.says(packet(0, Buffer.alloc(80))), 'down timeout', /logging in/],
      ['an empty greeting, then the end', (socket) => socket.end(packet(0, Buffer.alloc(0))), 'down protocol', /./],
      [
        'half a greeting, then silence',
        hostile.says(greeting.subarray(0, 40)),
        'down timeout',
        /no answer within 300 ms/,
      ],
      ['half a greeting, then the end', (socket) => socket.end(greeting.subarray(0, 40)), 'down closed', /./],
      ['two bytes, then the end', (socket) => socket.end(greeting.subarray(0, 2)), 'down closed', /./],
      [
        'full',
        hostile.says(packet(0, failure(1040, 'Too many connections', ''))),
        'down protocol',
        /^error 1040: Too many connections$/,
      ],
      [
        'host blocked',
        hostile.says(packet(0, failure(1129, "Host 'x' is blocked", ''))),
        'down protocol',
        /^error 1129: Host 'x' is blocked$/,
      ],
      [
        'host not allowed',
        hostile.says(packet(0, failure(1130, "Host 'x' is not allowed", ''))),
        'down auth',
        /^error 1130: /,
      ],
      [
        'an error with control characters',
        hostile.says(packet(0, failure(1040, 'a\x1b[2J\nb', ''))),
        'down protocol',
        /^error 1040: a\\x1b\[2J\\nb$/,
      ],
      ['silence after the greeting', hostile.says(greeting), 'down timeout', /logging in/],
      ['the end after the greeting', (socket) => socket.end(greeting), 'down closed', /logging in/],
      [
        'RST at the login',
        converse(
          greeting,
          leaves((socket) => socket.resetAndDestroy()),
        ),
        'down closed',
        /logging in/,
      ],
      [
        'no account without a password',
        converse(greeting, (_p, reply) => reply([failure(1698, 'Access denied')], stay)),
        'down auth',
        /error 1698/,
      ],
      [
        'a password in clear wanted',
        converse(greeting, (_p, reply) => reply([Buffer.from('\xfemysql_clear_password\0', 'latin1')], stay)),
        'down auth',
        /plaintext/,
      ],
      [
        'an unknown way to log in',
        converse(greeting, (_p, reply) => reply([Buffer.from('\xfenonsense\0', 'latin1')], stay)),
        'down auth',
        /nonsense/,
      ],
      [
        'a key that is none',
        converse(greeting, (_p, reply) =>
          reply([Buffer.from([1, 4])], (_q, again) => again([Buffer.from('\x01no key')], stay)),
        ),
        'down protocol',
        /./,
      ],
      ['a packet out of turn', afterLogin(sends(packet(9, ok))), 'down protocol', /packet 9 where 1 was due/],
      ['silence at the query', afterLogin(stay), 'down timeout', /waiting for rows/],
      ['the end at the query', afterLogin(leaves((socket) => socket.end())), 'down closed', /waiting for rows/],
      [
        'half a result, then silence',
        afterLogin(sends(resultOf(1).subarray(0, 20))),
        'down timeout',
        /waiting for rows/,
      ],
      [
        'half a result, then the end',
        afterLogin(leaves((socket) => socket.end(resultOf(1).subarray(0, 20)))),
        'down closed',
        /./,
      ],
      [
        'noise for a result',
        afterLogin(sends(packet(1, Buffer.from([1])), packet(2, hostile.noise(60)), packet(3, hostile.noise(9)))),
        'down protocol',
        /./,
      ],
      [
        'more columns than there can be',
        afterLogin((_p, reply) =>
          reply(
            [
              wide(0xffff),
              ...Array.from({ length: 6000 }, () =>
                Buffer.from('\x03def\0\0\0\x01n\0\x0c\x3f\0\x01\0\0\0\x08\x81\0\0\0\0', 'latin1'),
              ),
            ],
            stay,
          ),
        ),
        'down protocol',
        /too many packets/,
      ],
      [
        'a wish for a file of ours',
        afterLogin((_p, reply) =>
          reply([Buffer.from('\xfb/etc/hostname', 'latin1')], (_q, again) => again([ok], stay)),
        ),
        'down protocol',
        /LOCAL INFILE/,
      ],
      ['no change', afterLogin((_p, reply) => reply([ok], stay)), 'down mismatch', /no row/],
      ['a change', afterLogin((_p, reply) => reply([Buffer.from([0, 1, 0, 2, 0, 0, 0])], stay)), 'up', /row/],
    ]
    for (const [title, behave, verdict, detail] of cases) {
      it(`${verdict}: ${title}`, async () => {
        const peer = await start(behave)
        const result = await probe(peer, {}, { timeoutMs: verdict === 'down timeout' ? 300 : 3000 })
        assert.equal(verdictOf(result), verdict, result.detail)
        assert.match(result.detail, detail)
        assert.ok(result.durationMs < 1500, `took ${result.durationMs} ms`)
        assert.equal(peer.received().join('').includes('secret'), false)
        await peer.untilEmpty()
      })
    }

    it('down refused', async () => {
      const result = await probe({ address: '127.0.0.1', port: await hostile.refusedPort() })
      assert.equal(verdictOf(result), 'down refused')
    })

    it('down timeout: a connection that hangs', async () => {
      const peer = await hostile.startUnanswered()
      try {
        const result = await probe(peer, {}, { timeoutMs: 200 })
        assert.equal(verdictOf(result), 'down timeout')
        assert.match(result.detail, /connecting/)
      } finally {
        await peer.close()
      }
    })

    it('down timeout: one byte a while', async () => {
      const slowly = hostile.drip(greeting.toString('latin1'), 20)
      const result = await probe(await start(slowly), {}, { timeoutMs: 250 })
      assert.equal(verdictOf(result), 'down timeout')
    })
  })

  describe('reads no more than it must', () => {
    const endlessly =
      (...first: readonly Buffer[]) =>
      (block: Buffer): State =>
      (_payload, _reply, socket) => {
        const pump = (): void => {
          while (!socket.destroyed && socket.write(block));
        }
        socket.on('drain', pump)
        for (const each of first) socket.write(each)
        pump()
        return stay
      }
    const cases: readonly [title: string, behave: hostile.Behaviour, verdict: string][] = [
      ['one packet without end', afterLogin(endlessly(header(0xffffff, 1))(Buffer.alloc(65_536))), 'down protocol'],
      [
        'packets of nothing',
        afterLogin(
          endlessly()(Buffer.concat(Array.from({ length: 256 }, (_, i) => packet((i + 1) & 0xff, Buffer.alloc(0))))),
        ),
        'down protocol',
      ],
      [
        'a greeting without end',
        hostile.says(Buffer.concat([header(0xffffff, 0), Buffer.alloc(6_000_000)])),
        'down protocol',
      ],
      [
        'rows without end',
        afterLogin(
          endlessly(resultOf(1).subarray(0, -9))(
            Buffer.concat(Array.from({ length: 256 }, (_, i) => packet((i + 5) & 0xff, Buffer.from('\x011')))),
          ),
        ),
        'up',
      ],
    ]
    for (const [title, behave, verdict] of cases) {
      it(`${verdict}: ${title}`, async () => {
        const before = heldBytes()
        const peer = await start(behave)
        const result = await probe(peer)
        assert.equal(verdictOf(result), verdict, result.detail)
        await peer.untilEmpty()
        assert.ok(result.durationMs < 2000, `took ${result.durationMs} ms`)
        assert.ok(heldBytes() - before < 8_000_000)
      })
    }
  })

  it('stays up where the server is silent at the good-bye', async () => {
    const silent: State = (_payload, _reply, socket) => {
      socket.write(resultOf(1))
      // it hears neither the good-bye nor the end, and so never closes
      socket.pause()
      return stay
    }
    const result = await probe(await start(afterLogin(silent)), {}, { timeoutMs: 500 })
    assert.deepEqual([verdictOf(result), result.detail], ['up', 'the query gave a row'])
  })

  it('survives whatever a server says in well-formed packets, and prints none of it', async () => {
    const said: unknown[] = []
    const { error, log, warn } = console
    Object.assign(console, { error: said.push.bind(said), log: said.push.bind(said), warn: said.push.bind(said) })
    try {
      for (let seed = 0; seed < 150; seed++) {
        const noise = hostile.noise(40 + 150 * 8).subarray(seed * 8)
        const parts = [7, 1, 20, 3, 12].map((length, index) => noise.subarray(index * 20, index * 20 + length))
        const talk: State = (_p, reply, socket) => {
          reply(parts, stay)
          socket.end()
          return stay
        }
        const greets: hostile.Behaviour = (socket) => socket.end(packet(0, noise))
        const ways = [converse(greeting, talk), afterLogin(talk), greets]
        const peer = await start(ways[seed % ways.length] ?? greets)
        const result = await probe(peer)
        assert.notEqual(result.verdict, 'unknown', `seed ${seed}: ${result.detail}`)
        await peer.close()
      }
    } finally {
      Object.assign(console, { error, log, warn })
    }
    assert.deepEqual(said, [])
  })

  it('leaves nothing behind when it is called off, in any phase', async () => {
    for (const behave of [hostile.silence, hostile.says(greeting), afterLogin(stay)]) {
      const peer = await start(behave)
      const controller = new AbortController()
      const running = probe(
        peer,
        {},
        { signal: controller.signal, trace: () => setImmediate(() => controller.abort()) },
      )
      assert.equal(verdictOf(await running), 'unknown cancelled')
      await peer.untilEmpty()
    }
  })

  it('never names the password', async () => {
    const steps: string[] = []
    const result = await probe(await start(mysql8('other', 'full').behave), {}, { trace: (note) => steps.push(note) })
    assert.equal(JSON.stringify([steps, result]).includes('secret'), false)
    assert.deepEqual(steps, ['connecting', 'waiting for the greeting', 'logging in'])
  })
})
