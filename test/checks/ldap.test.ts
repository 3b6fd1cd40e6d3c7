import assert from 'node:assert/strict'
import { ldap } from '../../checks/ldap.ts'
import { ldaps } from '../../checks/ldaps.ts'
import { makeRequest } from '../../src/check/fields.ts'
import { Secret } from '../../src/lib/secret.ts'
import * as hostile from '../check/hostile.ts'
import { heldBytes } from '../tools/memory.ts'
import { type Answer, attribute, ber, converse, entry, message, reference, result, says } from './ldap-peer.ts'
import { type Ask, ask, decisionsOf, verdictOf } from './probing.ts'

const password = 'a "secret" pass'
const login = 'cn=probe,dc=test'
const found = says(entry('dc=test'), result('search', 0))
const bound = says(result('bind', 0))

interface Given {
  readonly login?: string
  readonly passwd?: string
  readonly request?: string
  readonly starttls?: 'yes' | 'no' | 'try'
}

function probe(to: Pick<Ask, 'address' | 'port'>, given: Given = {}, more: Partial<Ask> = {}) {
  const { passwd = password, request = '/dc=test', starttls = 'no' } = given
  const options = {
    ...{ login: given.login ?? login, passwd: new Secret(passwd) },
    ...{ request: makeRequest(request, false), starttls },
  }
  return ask({ check: ldap, address: to.address, port: to.port, options, timeoutMs: 2000, ...more } as Ask)
}

describe('the ldap check', () => {
  const peers: hostile.Peer[] = []
  async function start(behave: hostile.Behaviour, host?: string): Promise<hostile.Peer> {
    const peer = await hostile.startPeer(behave, host)
    peers.push(peer)
    return peer
  }
  afterEach(async () => {
    for (const peer of peers.splice(0)) await peer.close()
  })

  it('up: binds, asks for the entry without attributes, at most two, and says good-bye', async () => {
    const peer = await start(converse(bound, found))
    const outcome = await probe(peer)
    assert.deepEqual([verdictOf(outcome), outcome.detail], ['up', 'found the entry "dc=test"'])
    await peer.untilEmpty()
    const [sent = ''] = peer.received()
    // simple bind of version 3 with the name and the password
    assert.ok(sent.includes(`\x02\x01\x03\x04\x10${login}\x80\x0f${password}`))
    // base, scope 0, aliases never, size limit 2, no time limit, types and values, presence of objectclass, no attribute
    const wanted =
      '\x04\x07dc=test\x0a\x01\x00\x0a\x01\x00\x02\x01\x02\x02\x01\x00\x01\x01\x00\x87\x0bobjectClass0\x05\x04\x031.1'
    assert.ok(sent.includes(wanted), JSON.stringify(sent))
    assert.ok(sent.endsWith('\x42\x00'))
    assert.equal(peer.accepted(), 1)
  })

  for (const given of [{ login: '' }, { passwd: '' }, { login: '', passwd: '' }]) {
    it(`up: binds anonymously with ${JSON.stringify(given)}`, async () => {
      const peer = await start(converse(bound, found))
      assert.equal(verdictOf(await probe(peer, given)), 'up')
      assert.ok(peer.received()[0]?.includes('\x60\x07\x02\x01\x03\x04\x00\x80\x00'))
    })
  }

  it('up over IPv6', async () => {
    assert.equal(verdictOf(await probe(await start(converse(bound, found), '::1'))), 'up')
  })

  it('up: a referral beside the entry does not count', async () => {
    const answer = says(reference('ldap://other/'), entry('dc=test', attribute('dc', 'test')), result('search', 0))
    assert.equal(verdictOf(await probe(await start(converse(bound, answer)))), 'up')
  })

  describe('tells what is wrong', () => {
    const raw =
      (...bytes: readonly Buffer[]): Answer =>
      (_id, socket) => {
        socket.write(Buffer.concat(bytes))
      }
    const ends: Answer = (_id, socket) => socket.end()
    const half: Answer = (id, socket) => socket.write(message(id, result('bind', 0)).subarray(0, 6))
    const failed = (code: number, text: string): Answer => says(result('bind', code, text))
    const cases: readonly [title: string, behave: hostile.Behaviour, verdict: string, detail: RegExp][] = [
      ['silence', hostile.silence, 'down timeout', /binding/],
      ['closes at once', hostile.closesAtOnce, 'down closed', /binding/],
      ['resets at once', hostile.resetsAtOnce, 'down closed', /./],
      ['resets at the bind', hostile.resets, 'down closed', /binding/],
      ['garbage', hostile.garbage, 'down protocol', /not LDAP/],
      ['another protocol', hostile.says('HTTP/1.1 400 Bad Request\r\n\r\n'), 'down protocol', /not LDAP/],
      ['TLS', hostile.says(Buffer.from([0x16, 3, 3, 0x10, 0, ...hostile.noise(200)])), 'down protocol', /not LDAP/],
      ['a length without end', hostile.says(Buffer.from([0x30, 0x80, 2, 1, 1])), 'down protocol', /not LDAP/],
      ['a length of five bytes', hostile.says(Buffer.from([0x30, 0x85, 0, 0, 0, 0, 9])), 'down protocol', /not LDAP/],
      ['a huge length', hostile.says(Buffer.from([0x30, 0x84, 0x7f, 0, 0, 0, 2])), 'down protocol', /no end/],
      ['a message without a number', hostile.says(ber(0x30, ber(4, 'what?'))), 'down protocol', /not LDAP/],
      ['an empty message', hostile.says(ber(0x30)), 'down protocol', /not LDAP/],
      [
        'one message that never ends',
        hostile.says(Buffer.concat([Buffer.from([0x30, 0x83, 0x0f, 0xff, 0xff, 2, 1, 9]), Buffer.alloc(1 << 20)])),
        'down protocol',
        /no end/,
      ],
      ['noise for an operation', converse((id, s) => s.write(message(id, hostile.noise(60)))), 'down protocol', /./],
      ['an unknown operation', converse(says(ber(0x7e, 'x'))), 'down protocol', /not understood/],
      ['a cut operation', converse(says(Buffer.from([0x61, 9, 0x0a]))), 'down protocol', /./],
      ['half an answer, then silence', converse(half), 'down timeout', /binding/],
      ['half an answer, then the end', converse((id, s) => [half(id, s), s.end()]), 'down closed', /binding/],
      ['an answer to nobody', converse(raw(message(99, result('bind', 0)))), 'down timeout', /binding/],
      ['it takes leave', converse(raw(message(0, result('extended', 52)))), 'down closed', /took leave/],
      ['wrong credentials', converse(failed(49, '')), 'down auth', /^error 49: /],
      ['no anonymous bind', converse(failed(48, 'anonymous bind disallowed')), 'down auth', /48: anonymous bind/],
      ['TLS wanted first', converse(failed(13, 'TLS required')), 'down auth', /^error 13: TLS required$/],
      ['busy', converse(failed(51, 'later')), 'down protocol', /^error 51: later$/],
      ['shutting down', converse(failed(52, '')), 'down protocol', /^error 52: /],
      ['an unheard-of code', converse(failed(123, 'odd')), 'down protocol', /^error 123: /],
      ['control characters', converse(failed(51, 'a\x1b[2J\nb')), 'down protocol', /^error 51: a\\x1b\[2J\\nb$/],
      ['the password repeated', converse(failed(49, `no ${password}!`)), 'down auth', /^error 49: no \(hidden\)!$/],
      ['silence at the search', converse(bound), 'down timeout', /waiting for the entry/],
      ['the end at the search', converse(bound, ends), 'down closed', /waiting for the entry/],
      ['no entry', converse(bound, says(result('search', 0))), 'down mismatch', /no entry/],
      ['no such entry', converse(bound, says(result('search', 32))), 'down mismatch', /^error 32: /],
      ['not allowed to search', converse(bound, says(result('search', 50))), 'down auth', /^error 50: /],
      ['a referral', converse(bound, says(result('search', 10))), 'down protocol', /^error 10: /],
      ['an entry, then silence', converse(bound, says(entry('dc=test'))), 'down timeout', /waiting for the entry/],
      ['an entry, then an error', converse(bound, says(entry('dc=test'), result('search', 80))), 'down protocol', /80/],
      ['two entries', converse(bound, says(entry('a=1'), entry('a=2'), result('search', 4))), 'down mismatch', /more/],
      ['the wrong kind of answer', converse(bound, says(result('bind', 0))), 'down protocol', /not understood/],
    ]
    for (const [title, behave, verdict, detail] of cases) {
      it(`${verdict}: ${title}`, async () => {
        const peer = await start(behave)
        const outcome = await probe(peer, {}, { timeoutMs: verdict === 'down timeout' ? 300 : 3000 })
        assert.equal(verdictOf(outcome), verdict, outcome.detail)
        assert.match(outcome.detail, detail)
        assert.ok(outcome.durationMs < 1500, `took ${outcome.durationMs} ms`)
        await peer.untilEmpty()
      })
    }

    it('down refused', async () => {
      const outcome = await probe({ address: '127.0.0.1', port: await hostile.refusedPort() })
      assert.equal(verdictOf(outcome), 'down refused')
    })

    it('down timeout: a connection that hangs', async () => {
      const peer = await hostile.startUnanswered()
      try {
        const outcome = await probe(peer, {}, { timeoutMs: 200 })
        assert.deepEqual([verdictOf(outcome), /connecting/.test(outcome.detail)], ['down timeout', true])
      } finally {
        await peer.close()
      }
    })
  })

  it('reads no more than a megabyte of entries', async () => {
    const flood: Answer = (id, socket) => {
      const block = Buffer.concat(Array.from({ length: 500 }, () => message(id, entry('dc=test'))))
      const pump = (): void => {
        while (!socket.destroyed && socket.write(block));
      }
      socket.on('drain', pump)
      pump()
    }
    const before = heldBytes()
    const peer = await start(converse(bound, flood))
    const outcome = await probe(peer)
    assert.deepEqual([verdictOf(outcome), outcome.detail], ['down protocol', 'the answer has no end'])
    await peer.untilEmpty()
    assert.ok(heldBytes() - before < 8_000_000)
  })

  describe('with starttls', () => {
    const agrees = says(result('extended', 0))
    const refuses = says(result('extended', 2, 'unsupported'))
    const cases: readonly [starttls: 'yes' | 'try', title: string, answers: readonly Answer[], expected: string][] = [
      ['yes', 'the server refuses', [refuses, bound, found], 'down tls'],
      ['try', 'the server refuses', [refuses, bound, found], 'up'],
      ['yes', 'the server agrees and says no more', [agrees], 'down timeout'],
      ['try', 'the server agrees and says no more', [agrees], 'down timeout'],
      ['yes', 'the server agrees and closes', [(id, socket) => [agrees(id, socket), socket.end()]], 'down closed'],
      [
        'yes',
        'the server agrees and goes on in the clear',
        [says(result('extended', 0), result('bind', 0))],
        'down protocol',
      ],
      ['yes', 'the server says nothing', [], 'down timeout'],
    ]
    for (const [starttls, title, answers, expected] of cases) {
      it(`${starttls}: ${expected} when ${title}; the password waits for TLS`, async () => {
        const peer = await start(converse(...answers))
        const outcome = await probe(peer, { starttls }, { timeoutMs: expected === 'down timeout' ? 300 : 2000 })
        assert.ok(verdictOf(outcome).startsWith(expected), `${verdictOf(outcome)}: ${outcome.detail}`)
        await peer.untilEmpty()
        assert.equal(peer.received().join('').includes(password), expected === 'up')
      })
    }
  })

  it('as ldaps: down tls against a server without TLS, down timeout against one that is silent', async () => {
    const plain = await start(hostile.answersAndCloses(message(1, result('bind', 0))))
    assert.equal(verdictOf(await probe(plain, {}, { check: ldaps })), 'down tls')
    const silent = await start(hostile.silence)
    assert.equal(verdictOf(await probe(silent, {}, { check: ldaps, timeoutMs: 300 })), 'down timeout')
    await silent.untilEmpty()
  })

  it('survives whatever a server says in well-formed messages', async () => {
    for (let seed = 0; seed < 120; seed++) {
      const noise = hostile.noise(40 + 120 * 8).subarray(seed * 8, seed * 8 + 40)
      const talk: Answer = (id, socket) => {
        socket.end(message(id, ber([0x61, 0x64, 0x65, 0x73, 0x78][seed % 5] ?? 0, noise)))
      }
      const peer = await start(seed % 2 === 0 ? converse(talk) : converse(bound, talk))
      const outcome = await probe(peer, {}, { timeoutMs: 500 })
      assert.notEqual(outcome.verdict, 'unknown', `seed ${seed}: ${outcome.detail}`)
      await peer.untilEmpty()
    }
  })

  for (const [title, answer, verdict, detail] of [
    ['up', found, 'up', 'found the entry "dc=test"'],
    ['down', says(result('search', 0)), 'down mismatch', 'the search found no entry'],
  ] as const) {
    it(`stays ${title} where the server is silent at the good-bye`, async () => {
      const silent: Answer = (id, socket) => {
        answer(id, socket)
        // it hears neither the good-bye nor the end, and so never closes
        socket.pause()
      }
      const outcome = await probe(await start(converse(bound, silent)), {}, { timeoutMs: 500 })
      assert.deepEqual([verdictOf(outcome), outcome.detail], [verdict, detail])
    })
  }

  it('tells of its verdict before it says good-bye, good or bad', async () => {
    for (const [answer, verdict] of [
      [found, 'up'],
      [says(result('search', 0)), 'down mismatch'],
    ] as const) {
      const { port } = await start(converse(bound, answer))
      const options = { login, passwd: new Secret(password), request: makeRequest('/dc=test', false) }
      const told = await decisionsOf({ check: ldap, port, options })
      assert.deepEqual(told.decided, [told.result])
      assert.equal(verdictOf(told.result), verdict)
    }
  })

  it('leaves nothing behind when it is called off, in any phase', async () => {
    for (const behave of [hostile.silence, converse(bound)]) {
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
    const outcome = await probe(await start(converse(bound, found)), {}, { trace: (note) => steps.push(note) })
    assert.equal(JSON.stringify([steps, outcome]).includes('secret'), false)
    assert.deepEqual(steps, ['connecting', 'binding', 'waiting for the entry'])
  })
})
