import assert from 'node:assert/strict'
import { createHash, createHmac } from 'node:crypto'
import { pop } from '../../checks/pop.ts'
import { pops } from '../../checks/pops.ts'
import { Secret } from '../../src/lib/secret.ts'
import * as hostile from '../check/hostile.ts'
import { endlessly, lineServer, resetsHere, type Script, saysAndCloses, type Turn } from '../check/line-server.ts'
import { type Ask, ask, verdictOf } from './probing.ts'
import { handlesClosed, makeCertificate, openSockets } from './web.ts'

const certificate = makeCertificate()
const password = 'pass word'
const challenge = '<1896.697170952@dbc.mtview.ca.us>'
const apopDigest = createHash('md5').update(`${challenge}${password}`).digest('hex')
const cramProof = Buffer.from(`probe ${createHmac('md5', password).update(challenge).digest('hex')}`).toString('base64')
const cramChallenge = Buffer.from(challenge).toString('base64')

type Turns = Partial<Record<'banner' | 'capa' | 'stls' | 'user' | 'pass' | 'apop' | 'auth' | 'proof' | 'quit', Turn>>

/** A POP3 server that does all right, with some turns replaced. */
function box(turns: Turns = {}): Script {
  return {
    certificate,
    greeting: turns.banner ?? '+OK peer ready\r\n',
    answers: [
      [/^CAPA$/, turns.capa ?? '+OK here they are\r\nUSER\r\nSTLS\r\n.\r\n'],
      [/^STLS$/, turns.stls ?? { thenTls: '+OK begin\r\n' }],
      [/^USER probe$/, turns.user ?? '+OK go on\r\n'],
      [/^PASS pass word$/, turns.pass ?? '+OK in\r\n'],
      [/^APOP probe /, turns.apop ?? '+OK in\r\n'],
      [/^AUTH CRAM-MD5$/, turns.auth ?? `+ ${cramChallenge}\r\n`],
      [/^[A-Za-z0-9+/]{20,}=*$/, turns.proof ?? '+OK in\r\n'],
      [/^QUIT$/, turns.quit ?? saysAndCloses('+OK bye\r\n')],
    ],
  }
}

const withCram = '+OK\r\nUSER\r\nSASL PLAIN CRAM-MD5\r\nSTLS\r\n.\r\n'

describe('the pop and pops checks', () => {
  const peers: hostile.Peer[] = []
  async function start(behave: hostile.Behaviour, host?: string): Promise<hostile.Peer> {
    const peer = await hostile.startPeer(behave, host)
    peers.push(peer)
    return peer
  }
  afterEach(async () => {
    for (const peer of peers.splice(0)) await peer.close()
  })
  const credentials = { login: 'probe', passwd: new Secret(password) }
  const probe = (to: Pick<hostile.Peer, 'address' | 'port'>, more: Partial<Ask> = {}) =>
    ask({ check: pop, address: to.address, port: to.port, timeoutMs: 3000, ...more })

  it('are known by their names and ports', () => {
    const known = [pop, pops].map(({ name, defaultForPorts, timeout }) => [name, defaultForPorts, timeout])
    assert.deepEqual(known, [
      ['pop', [110], 'negotiatetimeout'],
      ['pops', [995], 'negotiatetimeout'],
    ])
    assert.equal('starttls' in pops.fields, false)
  })

  describe('talk', () => {
    const userPass = ['USER probe', 'PASS pass word']
    const refusing = { pass: '-ERR [AUTH] no\r\n', apop: '-ERR no\r\n', proof: '-ERR no\r\n' }
    const noTls = '+OK\r\nUSER\r\n.\r\n'
    const cases: readonly [
      title: string,
      script: Script,
      options: Record<string, unknown>,
      verdict: string,
      detail: RegExp,
      heard: readonly string[],
    ][] = [
      ['without a login', box(), {}, 'up', /^greeted with \+OK peer ready$/, ['QUIT']],
      ['after a banner without a text', box({ banner: '+OK\n' }), {}, 'up', /^greeted with \+OK$/, ['QUIT']],
      ['with name and password', box(), credentials, 'up', /^logged in$/, ['CAPA', ...userPass, 'QUIT']],
      [
        'with name and password where CAPA is not known',
        box({ capa: '-ERR what?\r\n' }),
        credentials,
        'up',
        /./,
        ['CAPA', ...userPass, 'QUIT'],
      ],
      [
        'with APOP',
        box({ banner: `+OK ready ${challenge}\r\n` }),
        credentials,
        'up',
        /^logged in$/,
        [`APOP probe ${apopDigest}`, 'QUIT'],
      ],
      [
        'with CRAM-MD5',
        box({ capa: withCram }),
        credentials,
        'up',
        /^logged in$/,
        ['CAPA', 'AUTH CRAM-MD5', cramProof, 'QUIT'],
      ],
      [
        'with name and password where the banner has something like a challenge',
        box({ banner: '+OK <hello> a@b\r\n' }),
        credentials,
        'up',
        /./,
        ['CAPA', ...userPass, 'QUIT'],
      ],
      [
        'once with a wrong password',
        box(refusing),
        credentials,
        'down auth',
        /^PASS was answered with -ERR \[AUTH\] no$/,
        ['CAPA', ...userPass],
      ],
      [
        'once with a wrong password and APOP',
        box({ ...refusing, banner: `+OK ${challenge}\r\n`, capa: withCram }),
        credentials,
        'down auth',
        /^APOP was answered with -ERR no$/,
        [`APOP probe ${apopDigest}`],
      ],
      [
        'once with a wrong password and CRAM-MD5',
        box({ ...refusing, capa: withCram }),
        credentials,
        'down auth',
        /^CRAM-MD5 was answered with -ERR no$/,
        ['CAPA', 'AUTH CRAM-MD5', cramProof],
      ],
      ['under TLS when it must', box(), { starttls: 'yes' }, 'up', /, over TLS$/, ['CAPA', 'STLS', 'tls: QUIT']],
      [
        'under TLS when it may, with a login',
        box(),
        { ...credentials, starttls: 'try' },
        'up',
        /^logged in, over TLS$/,
        ['CAPA', 'STLS', 'tls: CAPA', ...userPass.map((each) => `tls: ${each}`), 'tls: QUIT'],
      ],
      [
        'in plain text when TLS is not offered',
        box({ capa: noTls }),
        { starttls: 'try' },
        'up',
        /ready$/,
        ['CAPA', 'QUIT'],
      ],
      [
        'in plain text when TLS is refused',
        box({ stls: '-ERR not now\r\n' }),
        { starttls: 'try' },
        'up',
        /ready$/,
        ['CAPA', 'STLS', 'QUIT'],
      ],
      [
        'not when it must and TLS is not offered',
        box({ capa: noTls }),
        { starttls: 'yes' },
        'down tls',
        /^no STARTTLS: it is not offered$/,
        ['CAPA'],
      ],
      [
        'not when it must and CAPA is not known',
        box({ capa: '-ERR\r\n' }),
        { starttls: 'yes' },
        'down tls',
        /not offered$/,
        ['CAPA'],
      ],
      [
        'not when it must and TLS is refused',
        box({ stls: '-ERR no\r\n' }),
        { starttls: 'yes' },
        'down tls',
        /^no STARTTLS: -ERR no$/,
        ['CAPA', 'STLS'],
      ],
    ]
    for (const [title, script, options, verdict, detail, heard] of cases) {
      it(`${title}: ${verdict}`, async () => {
        const server = lineServer(script)
        const peer = await start(server.behave)
        const result = await probe(peer, { options })
        assert.equal(verdictOf(result), verdict, result.detail)
        assert.match(result.detail, detail)
        await peer.untilEmpty()
        assert.deepEqual(server.heard, heard)
        assert.equal(peer.accepted(), 1)
      })
    }

    it('over IPv6, and pops under TLS from the first byte', async () => {
      assert.equal(verdictOf(await probe(await start(lineServer(box()).behave, '::1'), { options: credentials })), 'up')
      const server = lineServer({ ...box(), greeting: { thenTls: '' }, tlsGreeting: `+OK ${challenge}\r\n` })
      for (const host of ['127.0.0.1', '::1']) {
        const result = await probe(await start(server.behave, host), { check: pops, options: credentials })
        assert.deepEqual([verdictOf(result), result.detail], ['up', 'logged in'])
      }
      assert.deepEqual(server.heard.slice(2), [`tls: APOP probe ${apopDigest}`, 'tls: QUIT'])
    })
  })

  describe('tell what is wrong', () => {
    const cases: readonly [title: string, script: Script | hostile.Behaviour, verdict: string, detail: RegExp][] = [
      ['silence', hostile.silence, 'down timeout', /no answer within 300 ms: waiting for the banner/],
      ['never reads', hostile.neverReads, 'down timeout', /waiting for the banner/],
      ['closes at once', hostile.closesAtOnce, 'down closed', /waiting for the banner$/],
      ['resets at once', hostile.resetsAtOnce, 'down closed', /./],
      ['garbage', hostile.garbage, 'down protocol', /./],
      ['another protocol', hostile.says('220 peer ESMTP\r\n'), 'down protocol', /^no answer: 220 peer ESMTP$/],
      ['NUL bytes', hostile.says('\0\0\r\n'), 'down protocol', /^no answer: \\x00\\x00$/],
      [
        'a refusing banner',
        box({ banner: saysAndCloses('-ERR too many\r\n') }),
        'down protocol',
        /^the banner is -ERR too many$/,
      ],
      ['a word that begins like OK', box({ banner: '+OKAY\r\n' }), 'down protocol', /^no answer: \+OKAY$/],
      ['a banner without end', box({ banner: endlessly('+OK ') }), 'down protocol', /^a line of more than/],
      ['half a banner', box({ banner: '+OK hal' }), 'down timeout', /waiting for the banner/],
      ['silence at CAPA', box({ capa: '' }), 'down timeout', /waiting for the capabilities/],
      ['half a list at CAPA', box({ capa: '+OK\r\nUSER\r\n' }), 'down timeout', /waiting for the capabilities/],
      [
        'half a list at CAPA, then the end',
        box({ capa: saysAndCloses('+OK\r\nUSER\r\n') }),
        'down closed',
        /capabilities/,
      ],
      ['a list without end', box({ capa: endlessly('+OK\r\n') }), 'down protocol', /^more than 65536/],
      ['silence at STLS', box({ stls: '' }), 'down timeout', /asking for TLS/],
      ['the end at STLS', box({ stls: saysAndCloses('') }), 'down closed', /asking for TLS/],
      ['silence in the handshake', box({ stls: '+OK\r\n' }), 'down timeout', /TLS handshake/],
      [
        'text put in before the handshake',
        box({ stls: { thenTls: '+OK\r\n+OK injected\r\n' } }),
        'down protocol',
        /plain text/,
      ],
      ['silence at USER', box({ user: '' }), 'down timeout', /logging in/],
      [
        'USER refused',
        box({ user: '-ERR who?\r\n' }),
        'down auth',
        /^USER was answered with -ERR who\? \(it offers TLS: starttls = yes may help\)$/,
      ],
      ['silence at PASS', box({ pass: '' }), 'down timeout', /logging in/],
      ['the end at PASS', box({ pass: saysAndCloses('') }), 'down closed', /logging in/],
      [
        'a wrong password, repeated by the server',
        box({ pass: `-ERR no "${password}"\r\n` }),
        'down auth',
        /^PASS was answered with -ERR no "\(hidden\)"$/,
      ],
      [
        'PASS not understood',
        box({ pass: `what is PASS ${password}?\r\n` }),
        'down protocol',
        /^no answer: what is PASS \(hidden\)\?$/,
      ],
      ['a mailbox in use', box({ pass: '-ERR [IN-USE] locked\r\n' }), 'down protocol', /\[IN-USE\] locked$/],
      [
        'trouble of the server',
        box({ pass: '-ERR [SYS/TEMP] db down\r\n' }),
        'down protocol',
        /\[SYS\/TEMP\] db down$/,
      ],
      ['silence at APOP', box({ banner: `+OK ${challenge}\r\n`, apop: '' }), 'down timeout', /logging in with APOP/],
      [
        'a refusal that repeats the digest',
        box({ banner: `+OK ${challenge}\r\n`, apop: `-ERR ${apopDigest}\r\n` }),
        'down auth',
        /^APOP was answered with -ERR \(hidden\)$/,
      ],
      ['silence at AUTH', box({ capa: withCram, auth: '' }), 'down timeout', /CRAM-MD5/],
      [
        'no challenge at AUTH',
        box({ capa: withCram, auth: '-ERR no\r\n' }),
        'down protocol',
        /^AUTH was answered with -ERR no$/,
      ],
      [
        'a refusal that repeats the proof',
        box({ capa: withCram, proof: `-ERR ${cramProof}\r\n` }),
        'down auth',
        /^CRAM-MD5 was answered with -ERR \(hidden\)$/,
      ],
      ['silence at the proof', box({ capa: withCram, proof: '' }), 'down timeout', /CRAM-MD5/],
    ]
    for (const [title, given, verdict, detail] of cases) {
      it(`${verdict}: ${title}`, async () => {
        const peer = await start(typeof given === 'function' ? given : lineServer(given).behave)
        const steps: string[] = []
        const starttls = /STLS|handshake/.test(title) ? 'yes' : 'no'
        const result = await probe(peer, {
          options: { ...credentials, starttls },
          timeoutMs: verdict === 'down timeout' ? 300 : 3000,
          trace: (note) => void steps.push(note),
        })
        assert.equal(verdictOf(result), verdict, result.detail)
        assert.match(result.detail, detail)
        for (const text of [result.detail, ...steps]) {
          for (const hidden of [password, apopDigest, cramProof]) assert.equal(text.includes(hidden), false, text)
        }
        if (given !== hostile.neverReads) await peer.untilEmpty()
      })
    }

    for (const [title, quit] of [
      ['the end', saysAndCloses('')],
      ['RST', resetsHere],
      ['a refusal', '-ERR what?\r\n'],
      ['a line without end', endlessly('x')],
    ] as const) {
      it(`up: ${title} at QUIT`, async () => {
        assert.equal(verdictOf(await probe(await start(lineServer(box({ quit })).behave))), 'up')
      })
    }

    it('down protocol: a login that would be two commands is not sent', async () => {
      const server = lineServer(box())
      const options = { login: 'probe\r\nDELE 1', passwd: new Secret('x') }
      const result = await probe(await start(server.behave), { options })
      assert.equal(verdictOf(result), 'down protocol')
      assert.deepEqual(server.heard, ['CAPA'])
    })

    it('down refused also without a login (D27); down tls: pops against a plain server', async () => {
      const port = await hostile.refusedPort()
      for (const check of [pop, pops]) {
        assert.equal(verdictOf(await probe({ address: '127.0.0.1', port }, { check })), 'down refused')
      }
      const result = await probe(await start(lineServer(box()).behave), { check: pops })
      assert.equal(verdictOf(result), 'down tls', result.detail)
    })
  })

  for (const [title, script, note] of [
    ['at the banner', box({ banner: '' }), /banner/],
    ['at STLS', box({ stls: '' }), /asking/],
    ['in the handshake', box({ stls: '+OK\r\n' }), /handshake/],
    ['at PASS', box({ pass: '' }), /logging in/],
    ['at QUIT', box({ quit: '' }), /good-bye/],
  ] as const) {
    it(`called off ${title}, they leave no socket and say nothing of the server`, async () => {
      const before = openSockets()
      const peer = await start(lineServer(script).behave)
      const stop = new AbortController()
      const result = await probe(peer, {
        options: { ...credentials, starttls: 'yes' },
        signal: stop.signal,
        trace: (step) => {
          if (note.test(step)) setTimeout(() => stop.abort(new Error('reload')), 20)
        },
      })
      assert.equal(verdictOf(result), 'unknown cancelled', result.detail)
      await peer.untilEmpty()
      await peer.close()
      await handlesClosed()
      assert.equal(openSockets(), before)
    })
  }
})
