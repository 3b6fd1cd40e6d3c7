import assert from 'node:assert/strict'
import { oracle } from '../../checks/oracle.ts'
import { makeRequest } from '../../src/check/fields.ts'
import type { OracleMessage } from '../../src/check/oracle/messages.ts'
import { converse } from '../../src/check/oracle/session.ts'
import { Secret } from '../../src/lib/secret.ts'
import * as hostile from '../check/hostile.ts'
import { accept, type OracleParts, oracleServer, outcome, packet, redirect, refuse, rowsOf } from './oracle-peer.ts'
import { type Ask, ask, verdictOf } from './probing.ts'

const password = 'a "secret" pass'

interface Given {
  readonly login?: string
  readonly passwd?: string
  readonly database?: string
  readonly request?: string
}

/** Time enough for the first thread on a busy machine; none of these cases waits for it. */
const generous = 20_000

/** One probe. A first one may have to start a thread; a short deadline wants a warm one, by an earlier probe. */
function probe(to: Pick<Ask, 'address' | 'port'>, given: Given = {}, more: Partial<Ask> = {}) {
  const { login = 'probe', passwd = password, database = 'ORCL', request = '/SELECT 1 FROM DUAL' } = given
  const options = { login, passwd: new Secret(passwd), database, request: makeRequest(request, false) }
  return ask({ check: oracle, address: to.address, port: to.port, options, timeoutMs: generous, ...more } as Ask)
}

describe('the oracle check', function () {
  this.timeout(60_000)
  const peers: hostile.Peer[] = []
  async function start(behave: hostile.Behaviour, host?: string): Promise<hostile.Peer> {
    const peer = await hostile.startPeer(behave, host)
    peers.push(peer)
    return peer
  }
  const server = (parts: Partial<OracleParts> = {}) => oracleServer({ password, ...parts })
  afterEach(async () => {
    for (const peer of peers.splice(0)) await peer.close()
  })

  describe('logs in', () => {
    it('up: proves the password without sending it, asks once, logs off', async () => {
      const database = server()
      const peer = await start(database.behave)
      const steps: string[] = []
      const result = await probe(peer, {}, { trace: (note) => steps.push(note) })
      assert.deepEqual([verdictOf(result), result.detail], ['up', 'the query gave a row'])
      await peer.untilEmpty()
      assert.deepEqual(
        [database.asked, database.queries, database.leavers(), peer.accepted()],
        [['SID=ORCL'], ['SELECT 1 FROM DUAL'], 1, 1],
      )
      assert.deepEqual(steps, ['connecting', 'logging in', 'waiting for rows'])
      assert.equal(peer.received().join('').includes('secret'), false)
    })

    it('up over IPv6', async () => {
      assert.equal(verdictOf(await probe(await start(server().behave, '::1'))), 'up')
    })

    it('up: a database that has no such SID but a service of that name', async () => {
      const database = server({ knows: 'SERVICE_NAME=freepdb1' })
      const peer = await start(database.behave)
      assert.equal(verdictOf(await probe(peer, { database: 'freepdb1' })), 'up')
      assert.deepEqual(database.asked, ['SID=freepdb1', 'SERVICE_NAME=freepdb1'])
      await peer.untilEmpty()
    })

    it('up: a name with a dot is a service', async () => {
      const database = server({ knows: 'SERVICE_NAME=pdb.example.test' })
      assert.equal(verdictOf(await probe(await start(database.behave), { database: 'pdb.example.test' })), 'up')
      assert.deepEqual(database.asked, ['SERVICE_NAME=pdb.example.test'])
    })

    it('up: a listener that sends it on, of which the trace tells', async () => {
      const database = await start(server().behave)
      const to = `(DESCRIPTION=(ADDRESS=(PROTOCOL=TCP)(HOST=127.0.0.1)(PORT=${database.port}))(CONNECT_DATA=(SID=ORCL)))`
      const listener = await start(hostile.answers(redirect(to)))
      const steps: string[] = []
      const result = await probe(listener, {}, { trace: (note) => steps.push(note) })
      assert.equal(verdictOf(result), 'up', result.detail)
      assert.ok(steps.includes(`sent on to 127.0.0.1 port ${database.port}, logging in`), steps.join('; '))
      await listener.untilEmpty()
      await database.untilEmpty()
    })

    it('up: a change', async () => {
      const result = await probe(await start(server({ answer: outcome(0, '', 1) }).behave), {
        request: '/UPDATE alive SET n = 1',
      })
      assert.equal(verdictOf(result), 'up', result.detail)
    })

    it('up although the server is silent when it logs off', async () => {
      await probe(await start(server().behave))
      const peer = await start(server({ silentAtLogoff: true }).behave)
      const result = await probe(peer, {}, { timeoutMs: 4000 })
      assert.deepEqual([verdictOf(result), result.detail], ['up', 'the query gave a row'])
      await peer.untilEmpty()
    })

    it('is not misled by what an earlier server did', async () => {
      for (const behave of [server({ answer: hostile.noise(60) }).behave, hostile.garbage, hostile.resets]) {
        for (let i = 0; i < 2; i++) {
          assert.equal((await probe(await start(behave))).verdict, 'down')
          const [port, peer] = [await hostile.refusedPort(), await start(server().behave)]
          assert.equal(verdictOf(await probe({ address: '127.0.0.1', port })), 'down refused')
          assert.equal(verdictOf(await probe(peer)), 'up')
        }
      }
    })

    it('keeps its thread for the next one, also after a failure', async () => {
      const peer = await start(server().behave)
      assert.equal(verdictOf(await probe(peer, { passwd: 'wrong' })), 'down auth')
      assert.equal(verdictOf(await probe(peer)), 'up')
      assert.equal(verdictOf(await probe(peer, { database: 'other' })), 'down protocol')
      const both = await Promise.all([probe(peer), probe(peer)])
      assert.deepEqual(both.map(verdictOf), ['up', 'up'])
      await peer.untilEmpty()
    })
  })

  describe('connects to nobody without', () => {
    const words = 'Error: Must specify a login and request string for MySQL, Oracle and PostgreSQL checks.'
    for (const [title, given, detail] of [
      ['a login', { login: '' }, `${words} Not adding 127.0.0.1.`],
      ['a query', { request: '/' }, `${words} Not adding 127.0.0.1.`],
      ['a database', { database: '' }, 'database names neither a SID nor a service'],
      [
        'a name that fits a connect descriptor',
        { database: 'x)(ADDRESS=' },
        'not a SID or a service name: "x)(ADDRESS="',
      ],
    ] as const) {
      it(title, async () => {
        const peer = await start(hostile.silence)
        const result = await probe(peer, given)
        assert.deepEqual([verdictOf(result), result.detail, peer.accepted()], ['down protocol', detail, 0])
      })
    }
  })

  describe('tells what is wrong', () => {
    const refusal = (number: number): hostile.Behaviour => hostile.answers(refuse(number))
    const answering = (answer: Buffer): hostile.Behaviour => server({ answer }).behave
    const denying = (number: number, message: string): hostile.Behaviour =>
      server({ denies: outcome(number, `${message}\n`) }).behave
    const cases: readonly [title: string, behave: hostile.Behaviour, verdict: string, detail: RegExp][] = [
      [
        'a SID the listener does not know',
        refusal(12505),
        'down protocol',
        /^error ORA-12505: .* no such SID \(ORCL\)$/,
      ],
      [
        'neither a SID nor a service',
        server({ knows: 'SID=other' }).behave,
        'down protocol',
        /^error ORA-12514: the listener knows no such service \(ORCL\)$/,
      ],
      ['too many connections', refusal(12519), 'down protocol', /^error ORA-12519: .*too many connections/],
      ['an instance that is starting up', refusal(12528), 'down protocol', /^error ORA-12528: .*starting up/],
      ['a refusal of another kind', refusal(12599), 'down protocol', /^error ORA-12599: the listener refuses/],
      [
        'a wrong password',
        oracleServer({ password: 'other' }).behave,
        'down auth',
        /^error ORA-01017: invalid username\/password; logon denied$/,
      ],
      ['a locked account', denying(28000, 'ORA-28000: the account is locked'), 'down auth', /^error ORA-28000: /],
      [
        'a database that is starting up',
        denying(1033, 'ORA-01033: ORACLE initialization or shutdown in progress'),
        'down protocol',
        /^error ORA-01033: .* in progress$/,
      ],
      [
        'a table that is not there',
        answering(outcome(942, 'ORA-00942: table or view does not exist\n')),
        'down protocol',
        /^error ORA-00942: table or view does not exist$/,
      ],
      [
        'words with control characters',
        answering(outcome(942, 'ORA-00942: a\x1b[2Jb')),
        'down protocol',
        /^error ORA-00942: a\\x1b\[2Jb$/,
      ],
      ['no row', answering(rowsOf(0)), 'down mismatch', /^the query gave no row$/],
      ['closes at once', hostile.closesAtOnce, 'down closed', /./],
      ['resets at once', hostile.resetsAtOnce, 'down closed', /./],
      ['closes after ACCEPT', hostile.answersAndCloses(accept), 'down closed', /logging in/],
      ['garbage', hostile.garbage, 'down protocol', /not understood/],
      ['another protocol, closed', hostile.answersAndCloses('SSH-2.0-x\r\n'), 'down closed', /logging in/],
      ['a packet of no length', hostile.answers(Buffer.alloc(8)), 'down protocol', /Invalid packet length: 0/],
      ['an unknown kind of packet', hostile.answers(packet(99, Buffer.alloc(4))), 'down protocol', /not understood/],
      ['a redirect to garbage', hostile.answers(redirect('))))((')), 'down protocol', /not understood/],
      ['a redirect to itself', hostile.answers(redirect('(ADDRESS=(PROTOCOL=TCP)')), 'down protocol', /not understood/],
      [
        'noise in place of the negotiation',
        hostile.answers(Buffer.concat([accept, packet(6, Buffer.concat([Buffer.alloc(2), hostile.noise(60)]), 4)])),
        'down protocol',
        /not understood/,
      ],
      ['noise in place of rows', answering(hostile.noise(60)), 'down protocol', /not understood/],
    ]
    for (const [title, behave, verdict, detail] of cases) {
      it(`${verdict}: ${title}`, async () => {
        const peer = await start(behave)
        const result = await probe(peer)
        assert.equal(verdictOf(result), verdict, result.detail)
        assert.match(result.detail, detail)
        assert.doesNotMatch(result.detail, /CONNECTION_ID|secret/)
        assert.equal(peer.received().join('').includes('secret'), false)
        await peer.untilEmpty()
      })
    }

    it('down refused', async () => {
      const result = await probe({ address: '127.0.0.1', port: await hostile.refusedPort() })
      assert.deepEqual([verdictOf(result), result.detail], ['down refused', 'connection refused while connecting'])
    })

    it('down unreachable: no port', async () => {
      assert.equal(verdictOf(await probe({ address: '127.0.0.1', port: 0 })), 'down unreachable')
    })
  })

  describe('keeps its deadline', () => {
    for (const [title, behave] of [
      ['silence', hostile.silence],
      ['silence after ACCEPT', hostile.answers(accept)],
      ['a redirect whose address never comes', hostile.answers(redirect(''))],
      ['half a packet', hostile.answers(refuse(12514).subarray(0, 20))],
      ['one byte a while', hostile.drip('\x00\x7f\x00\x00\x04\x00\x00\x00', 50)],
      ['silence at the query', server({ answer: undefined }).behave],
    ] as const) {
      it(`down timeout: ${title}`, async () => {
        // a thread that is warm, so that the deadline meets the server and not the start
        await probe(await start(server().behave))
        const peer = await start(behave)
        // the log-in before the query is arithmetic on both sides, which a busy machine takes its time for
        const [timeoutMs, phase] = title.endsWith('query') ? [4000, 'waiting for rows'] : [700, 'logging in']
        const result = await probe(peer, {}, { timeoutMs })
        assert.deepEqual(
          [verdictOf(result), result.detail],
          ['down timeout', `no answer within ${timeoutMs} ms: ${phase}`],
        )
        await peer.untilEmpty()
      })
    }

    it('down timeout: a connection that hangs', async () => {
      await probe(await start(server().behave))
      const peer = await hostile.startUnanswered()
      try {
        const result = await probe(peer, {}, { timeoutMs: 500 })
        assert.deepEqual([verdictOf(result), result.detail], ['down timeout', 'no answer within 500 ms: connecting'])
      } finally {
        await peer.close()
      }
    })
  })

  describe('reads no more than it must', () => {
    const accepted =
      (piece: Buffer): hostile.Behaviour =>
      (socket) => {
        const pump = (): void => {
          while (!socket.destroyed && socket.write(piece));
        }
        socket.on('drain', pump)
        socket.once('data', () => {
          socket.write(accept)
          pump()
        })
      }
    for (const [title, behave] of [
      [
        'one packet without end',
        accepted(Buffer.concat([Buffer.from([0, 0x1f, 0xff, 0xff, 6, 0, 0, 0]), Buffer.alloc(8184)])),
      ],
      ['packets without end', accepted(packet(6, Buffer.alloc(2000), 4))],
    ] as const) {
      it(`down protocol: ${title}`, async () => {
        const peer = await hostile.startPeer(behave)
        peers.push(peer)
        const result = await probe(peer)
        assert.equal(verdictOf(result), 'down protocol', result.detail)
        await peer.untilEmpty()
      })
    }
  })

  it('survives whatever a server says in well-formed packets', async () => {
    for (let seed = 0; seed < 24; seed++) {
      const noise = hostile.noise(60 + 24 * 8).subarray(seed * 8, seed * 8 + 40)
      const first = packet([2, 4, 5, 6, 11, 12, 14, 15][seed % 8] ?? 0, noise)
      const peer = await start((socket) => socket.once('data', () => socket.end(first)))
      const result = await probe(peer, {}, { timeoutMs: 3000 })
      assert.equal(result.verdict, 'down', `seed ${seed}: ${result.detail}`)
      await peer.close()
    }
  })

  it('leaves nothing behind when it is called off, in any phase', async () => {
    for (const behave of [hostile.silence, hostile.answers(accept), server({ answer: undefined }).behave]) {
      const peer = await start(behave)
      for (const at of ['connecting', 'logging in']) {
        const controller = new AbortController()
        const trace = (note: string): void => void (note === at && controller.abort())
        assert.equal(verdictOf(await probe(peer, {}, { signal: controller.signal, trace })), 'unknown cancelled')
        await peer.untilEmpty()
      }
    }
  })

  it('unknown missing-tool: the package is not there', async () => {
    const said: OracleMessage[] = []
    const load = () => Promise.reject(Object.assign(new Error('no'), { code: 'ERR_MODULE_NOT_FOUND' }))
    const question = {
      address: '127.0.0.1',
      port: 1,
      login: 'a',
      password: 'b',
      database: 'c',
      sql: 'd',
      limitSeconds: 1,
    }
    await converse(question, (message) => said.push(message), load)
    assert.deepEqual(said, [{ kind: 'missing' }])
  })

  it('never names the password', async () => {
    const steps: string[] = []
    const result = await probe(await start(oracleServer({ password: 'x' }).behave), {}, { trace: (s) => steps.push(s) })
    assert.equal(JSON.stringify([steps, result]).includes('secret'), false)
  })
})
