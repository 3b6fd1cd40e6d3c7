import assert from 'node:assert/strict'
import { mysql } from '../../checks/mysql.ts'
import { pgsql } from '../../checks/pgsql.ts'
import { makeRequest } from '../../src/check/fields.ts'
import { Secret } from '../../src/lib/secret.ts'
import * as hostile from '../check/hostile.ts'
import { failure, message, oneRow, postgresPeer, row } from './pgsql-peer.ts'
import { type Ask, ask, decisionsOf, verdictOf } from './probing.ts'
import { handlesClosed, openSockets } from './web.ts'

const given = { login: 'probe', passwd: new Secret('hunter2'), request: makeRequest('SELECT 1', false) }

async function against(behave: hostile.Behaviour, more: Partial<Ask> = {}) {
  const steps: string[] = []
  const peer = await hostile.startPeer(behave)
  try {
    const options = { ...given, ...more.options }
    const trace = (note: string): void => void steps.push(note)
    const result = await ask({ check: pgsql, port: peer.port, timeoutMs: 400, trace, ...more, options })
    if (behave !== hostile.neverReads) await peer.untilEmpty()
    assert.doesNotMatch(JSON.stringify([result, steps]), /hunter2/)
    return { ...result, steps, bytesSent: peer.bytesSent(), received: peer.received() }
  } finally {
    await peer.close()
  }
}

describe('the pgsql check', () => {
  it('says so in its declaration', () => {
    const { name, kind, defaultForPorts, timeout, fields } = pgsql
    assert.deepEqual([name, kind, defaultForPorts, timeout], ['pgsql', 'negotiate', [5432], 'negotiatetimeout'])
    const own = ['checksni', 'starttls', 'tlsca', 'tlscert', 'tlskey', 'tlsverify', 'virtualhost']
    assert.deepEqual(Object.keys(fields).sort(), [...Object.keys(mysql.fields), ...own].sort())
  })

  it('is down without a login or a query, and nothing is asked', async () => {
    for (const options of [{ login: '' }, { request: makeRequest('/', false) }]) {
      const result = await ask({ check: pgsql, port: 1, options: { ...given, ...options } })
      assert.equal(verdictOf(result), 'down protocol')
      assert.match(result.detail, /^Error: Must specify a login and request string .* Not adding 127\.0\.0\.1\.$/)
    }
  })

  it('is up at a row, asks once, and says good-bye', async () => {
    const peer = postgresPeer(oneRow)
    const result = await against(peer.behave)
    assert.equal(verdictOf(result), 'up', result.detail)
    assert.deepEqual(peer.said, ['>', 'p', 'Q', 'X'])
    assert.match(result.received[0] ?? '', /user\0probe\0database\0probe\0/)
    assert.match(result.received[0] ?? '', /hunter2/)
  })

  it('stays up where the server is silent at the good-bye', async () => {
    const peer = await hostile.startPeer(
      postgresPeer((socket) => {
        socket.write(oneRow)
        // it hears neither the good-bye nor the end, and so never closes
        socket.pause()
      }).behave,
    )
    try {
      const result = await ask({ check: pgsql, port: peer.port, timeoutMs: 500, options: given })
      assert.deepEqual([verdictOf(result), result.detail], ['up', 'the query gave a row'])
    } finally {
      await peer.close()
    }
  })

  it('tells of its verdict before it says good-bye, and of none that it has not', async () => {
    for (const [reply, verdicts] of [
      [oneRow, ['up']],
      [message('C', 'SELECT 0\0'), []],
      [failure('42501', 'no'), []],
    ] as const) {
      const peer = postgresPeer(Buffer.concat([reply, message('Z', 'I')]))
      const server = await hostile.startPeer(peer.behave)
      try {
        const { decided, result } = await decisionsOf({ check: pgsql, port: server.port, options: given })
        assert.deepEqual(decided, verdicts.length === 0 ? [] : [result])
        assert.deepEqual(decided.map(verdictOf), verdicts)
      } finally {
        await server.close()
      }
    }
  })

  it('takes neither user nor password nor database from the environment', async () => {
    const names = { PGUSER: 'u', PGPASSWORD: 'envpass', PGDATABASE: 'envbase', PGSSLMODE: 'require', PGHOST: '/tmp' }
    Object.assign(process.env, names)
    try {
      const result = await against(postgresPeer(oneRow).behave, { options: { passwd: new Secret('') } })
      assert.equal(verdictOf(result), 'up', result.detail)
      assert.doesNotMatch(result.received.join(), /envpass|envbase|user\0u\0/)
    } finally {
      for (const name of Object.keys(names)) delete process.env[name]
    }
  })

  const states: readonly (readonly [string, string, string])[] = [
    ['28P01', 'password authentication failed', 'down auth'],
    ['28000', 'no pg_hba.conf entry', 'down auth'],
    ['3D000', 'database "x" does not exist', 'down protocol'],
    ['57P03', 'the database system is starting up', 'down protocol'],
    ['53300', 'sorry, too many clients already', 'down protocol'],
  ]
  for (const [state, text, verdict] of states) {
    for (const starttls of ['no', 'try']) {
      it(`${verdict}: ${text}, with starttls = ${starttls}`, async () => {
        const result = await against(hostile.answersAndCloses(failure(state, text)), { options: { starttls } })
        assert.deepEqual([verdictOf(result), result.detail], [verdict, `error ${state}: ${text}`])
      })
    }
  }

  const tls = (starttls: string) => ({ options: { starttls } })
  const peers: readonly (readonly [string, hostile.Behaviour, Partial<Ask>, string, RegExp])[] = [
    ['silence', hostile.silence, {}, 'down timeout', /logging in/],
    ['silence to the question for TLS', hostile.silence, tls('try'), 'down timeout', /asking for TLS/],
    ['a peer that never reads', hostile.neverReads, {}, 'down timeout', /logging in/],
    ['one byte at a time', hostile.drip('R\0\0\0\x08', 60), {}, 'down timeout', /logging in/],
    ['a close', hostile.closesAtOnce, {}, 'down closed', /while logging in/],
    ['a close at the question for TLS', hostile.answersAndCloses(''), tls('yes'), 'down closed', /asking for TLS/],
    ['a reset', hostile.resets, {}, 'down closed', /reset/],
    [
      'a web server',
      hostile.answersAndCloses('HTTP/1.1 400 Bad Request\r\n\r\n'),
      {},
      'down protocol',
      /not PostgreSQL/,
    ],
    [
      'a web server asked for TLS',
      hostile.answers('HTTP/1.1 400'),
      tls('try'),
      'down protocol',
      /not PostgreSQL: "HTTP/,
    ],
    ['no TLS where it must be', hostile.answers('N'), tls('yes'), 'down tls', /does not speak TLS/],
    ['bytes before the handshake', hostile.answers('S\x15\x03'), tls('yes'), 'down protocol', /not PostgreSQL/],
    ['no handshake', hostile.answers('S'), tls('yes'), 'down timeout', /in the TLS handshake/],
    ['an answer without end', hostile.endless('', 'x'), {}, 'down protocol', /no such length|no end/],
    ['a message out of turn', hostile.answers(message('T', 'x')), {}, 'down protocol', /not understood|without an end/],
    ['rows before the query', hostile.answers(row), {}, 'down protocol', /not understood/],
    [
      'a way to log in that nobody knows',
      hostile.answers(message('R', '\0\0\0\x63')),
      {},
      'down protocol',
      /Unknown auth/,
    ],
    ['a close in the query', postgresPeer((socket) => socket.end()).behave, {}, 'down closed', /waiting for rows/],
    ['silence in the query', postgresPeer(() => undefined).behave, {}, 'down timeout', /waiting for rows/],
    ['notices without end', postgresPeer(endlessNotices).behave, { timeoutMs: 3000 }, 'down protocol', /no end/],
  ]
  for (const [title, behave, more, verdict, detail] of peers) {
    it(`${verdict}: ${title}, and nothing is left`, async () => {
      const before = openSockets()
      const result = await against(behave, more)
      assert.ok(verdictOf(result).startsWith(verdict), `${verdictOf(result)} ${result.detail}`)
      assert.match(result.detail, detail)
      assert.ok(result.durationMs < (more.timeoutMs ?? 400) + 800)
      assert.ok(result.bytesSent < 16 << 20)
      await handlesClosed()
      assert.equal(openSockets(), before)
    })
  }

  it('is refused where nobody listens, over IPv6 too', async () => {
    const port = await hostile.refusedPort()
    for (const address of ['127.0.0.1', '::1']) {
      assert.equal(verdictOf(await ask({ check: pgsql, port, address, options: given })), 'down refused')
    }
  })

  it('survives noise of every first byte, without a word on our error output', async () => {
    for (let first = 0; first < 256; first++) {
      const noise = Buffer.from([first, 0, 0, 0, 9, first, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
      const result = await against(hostile.answersAndCloses(noise))
      assert.equal(result.verdict, 'down', `${first}: ${JSON.stringify(result)}`)
    }
  })

  it('is unknown when it is called off', async () => {
    const peer = await hostile.startPeer(postgresPeer(() => undefined).behave)
    try {
      const stop = new AbortController()
      const trace = (note: string): void => {
        if (note === 'waiting for rows') stop.abort(new Error('reload'))
      }
      const result = await ask({ check: pgsql, port: peer.port, options: given, signal: stop.signal, trace })
      assert.equal(verdictOf(result), 'unknown cancelled')
      await peer.untilEmpty()
    } finally {
      await peer.close()
    }
  })
})

function endlessNotices(socket: Parameters<hostile.Behaviour>[0]): void {
  const notices = Buffer.concat(Array.from({ length: 500 }, () => message('N', 'SNOTICE\0C00000\0Mhello\0\0')))
  const pump = (): void => {
    while (!socket.destroyed && socket.write(notices));
  }
  socket.on('drain', pump)
  pump()
}
