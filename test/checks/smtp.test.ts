import assert from 'node:assert/strict'
import { nntp } from '../../checks/nntp.ts'
import { smtp } from '../../checks/smtp.ts'
import { submission } from '../../checks/submission.ts'
import * as hostile from '../check/hostile.ts'
import { endlessly, lineServer, resetsHere, type Script, saysAndCloses, type Turn } from '../check/line-server.ts'
import { type Ask, ask, verdictOf } from './probing.ts'
import { handlesClosed, makeCertificate, openSockets } from './web.ts'

const certificate = makeCertificate()

/** A mail server that does all right, with some turns replaced. */
function mail(turns: Partial<Record<'banner' | 'ehlo' | 'helo' | 'starttls' | 'quit' | 'tlsEhlo', Turn>> = {}): Script {
  const rest: NonNullable<Script['answers']> = [
    [/^HELO localhost\.localdomain$/, turns.helo ?? '250 peer\r\n'],
    [/^STARTTLS$/, turns.starttls ?? { thenTls: '220 go ahead\r\n' }],
    [/^QUIT$/, turns.quit ?? saysAndCloses('221 bye\r\n')],
    [/./, '500 what?\r\n'],
  ]
  const ehlo = /^EHLO localhost\.localdomain$/
  return {
    certificate,
    greeting: turns.banner ?? '220 peer ESMTP\r\n',
    answers: [[ehlo, turns.ehlo ?? '250-peer hello\r\n250-SIZE 1000\r\n250 STARTTLS\r\n'], ...rest],
    tlsAnswers: [[ehlo, turns.tlsEhlo ?? '250-peer hello again\r\n250 SIZE 1000\r\n'], ...rest],
  }
}

describe('the smtp, submission and nntp checks', () => {
  const peers: hostile.Peer[] = []
  async function start(behave: hostile.Behaviour, host?: string): Promise<hostile.Peer> {
    const peer = await hostile.startPeer(behave, host)
    peers.push(peer)
    return peer
  }
  afterEach(async () => {
    for (const peer of peers.splice(0)) await peer.close()
  })
  const probe = (to: Pick<hostile.Peer, 'address' | 'port'>, more: Partial<Ask> = {}) =>
    ask({ check: smtp, address: to.address, port: to.port, timeoutMs: 3000, ...more })

  it('are known by their names and ports', () => {
    const known = [smtp, submission, nntp].map(({ name, kind, defaultForPorts, timeout }) => [
      name,
      kind,
      defaultForPorts,
      timeout,
    ])
    assert.deepEqual(known, [
      ['smtp', 'negotiate', [25], 'negotiatetimeout'],
      ['submission', 'negotiate', [587], 'negotiatetimeout'],
      ['nntp', 'negotiate', [119], 'negotiatetimeout'],
    ])
  })

  describe('smtp talks', () => {
    const plain = ['EHLO localhost.localdomain', 'QUIT']
    const oldFashioned = ['EHLO localhost.localdomain', 'HELO localhost.localdomain', 'QUIT']
    const secured = ['EHLO localhost.localdomain', 'STARTTLS', 'tls: EHLO localhost.localdomain', 'tls: QUIT']
    const triedTls = ['EHLO localhost.localdomain', 'STARTTLS', 'QUIT']
    const noTls = '250-peer hello\r\n250 SIZE 1000\r\n'
    const cases: readonly [
      title: string,
      script: Script,
      starttls: string,
      verdict: string,
      detail: RegExp,
      heard: readonly string[],
    ][] = [
      ['in plain text', mail(), 'no', 'up', /^greeted with 250 peer hello$/, plain],
      [
        'after a banner of several lines',
        mail({ banner: '220-peer\r\n220-and\r\n220 more\r\n' }),
        'no',
        'up',
        /./,
        plain,
      ],
      ['after a banner that is only a code', mail({ banner: '220\n' }), 'no', 'up', /./, plain],
      ['after another good banner', mail({ banner: '200 hm\r\n' }), 'no', 'up', /./, plain],
      [
        'with HELO where EHLO is not known',
        mail({ ehlo: '502 what?\r\n' }),
        'no',
        'up',
        /^greeted with 250 peer$/,
        oldFashioned,
      ],
      ['with HELO where EHLO fails for now', mail({ ehlo: '451-no\r\n451 later\r\n' }), 'no', 'up', /./, oldFashioned],
      ['under TLS when it must', mail(), 'yes', 'up', /^greeted with 250 peer hello again, over TLS$/, secured],
      ['under TLS when it may', mail(), 'try', 'up', /, over TLS$/, secured],
      ['in plain text when it may and TLS is not offered', mail({ ehlo: noTls }), 'try', 'up', /hello$/, plain],
      [
        'in plain text when it may and TLS is refused',
        mail({ starttls: '454 not now\r\n' }),
        'try',
        'up',
        /hello$/,
        triedTls,
      ],
      [
        'not at all when it must and TLS is not offered',
        mail({ ehlo: noTls }),
        'yes',
        'down tls',
        /^no STARTTLS: it is not offered$/,
        plain.slice(0, 1),
      ],
      [
        'not at all when it must and there is only HELO',
        mail({ ehlo: '502 what?\r\n', helo: '250-peer\r\n250 STARTTLS\r\n' }),
        'yes',
        'down tls',
        /not offered$/,
        oldFashioned.slice(0, 2),
      ],
      [
        'not at all when it must and TLS is refused',
        mail({ starttls: '454 not now\r\n' }),
        'yes',
        'down tls',
        /^no STARTTLS: 454 not now$/,
        triedTls.slice(0, 2),
      ],
      [
        'no more when the server refuses EHLO under TLS',
        mail({ tlsEhlo: '421 too late\r\n' }),
        'yes',
        'down protocol',
        /421 too late/,
        secured.slice(0, 3),
      ],
    ]
    for (const [title, script, starttls, verdict, detail, heard] of cases) {
      it(`${title}: ${verdict}`, async () => {
        const server = lineServer(script)
        const peer = await start(server.behave)
        const result = await probe(peer, { options: { starttls } })
        assert.equal(verdictOf(result), verdict, result.detail)
        assert.match(result.detail, detail)
        await peer.untilEmpty()
        assert.deepEqual(server.heard, heard)
        assert.equal(peer.accepted(), 1)
      })
    }

    it('the same as submission, and over IPv6', async () => {
      for (const [check, host] of [
        [submission, '127.0.0.1'],
        [submission, '::1'],
        [smtp, '::1'],
      ] as const) {
        const server = lineServer(mail())
        assert.equal(verdictOf(await probe(await start(server.behave, host), { check })), 'up')
        assert.deepEqual(server.heard, plain)
      }
    })
  })

  describe('smtp tells what is wrong', () => {
    const silent: Turn = ''
    const injected = { thenTls: '220 go ahead\r\n250 injected\r\n' }
    const cases: readonly [title: string, script: Script | hostile.Behaviour, verdict: string, detail: RegExp][] = [
      ['closes at once', hostile.closesAtOnce, 'down closed', /waiting for the banner$/],
      ['resets at once', hostile.resetsAtOnce, 'down closed', /./],
      ['silence', hostile.silence, 'down timeout', /no answer within 300 ms: waiting for the banner/],
      ['never reads', hostile.neverReads, 'down timeout', /waiting for the banner/],
      ['garbage', hostile.garbage, 'down protocol', /./],
      [
        'another protocol',
        hostile.says('SSH-2.0-OpenSSH_9.2p1\r\n'),
        'down protocol',
        /^no reply: SSH-2\.0-OpenSSH_9\.2p1$/,
      ],
      [
        'TLS',
        hostile.says(Buffer.from('\x15\x03\x01\0\x02\x02\x0a\n', 'latin1')),
        'down protocol',
        /^no reply: \\x15\\x03\\x01\\x00\\x02/,
      ],
      ['NUL bytes', hostile.says('\0\0\0\r\n'), 'down protocol', /^no reply: \\x00\\x00\\x00$/],
      ['an empty line', hostile.says('\r\n'), 'down protocol', /^no reply: $/],
      ['four digits', mail({ banner: '2200 peer\r\n' }), 'down protocol', /^no reply: 2200 peer$/],
      ['codes that differ', mail({ banner: '220-peer\r\n221 peer\r\n' }), 'down protocol', /^no reply: 221 peer$/],
      ['a banner without end', mail({ banner: endlessly('x') }), 'down protocol', /^a line of more than 8192 bytes$/],
      [
        'a banner of lines without end',
        mail({ banner: endlessly('220-more\r\n') }),
        'down protocol',
        /^more than 65536 bytes/,
      ],
      ['half a banner', mail({ banner: '220-peer\r\n' }), 'down timeout', /waiting for the banner/],
      ['half a banner and the end', mail({ banner: saysAndCloses('220-peer\r\n') }), 'down closed', /banner$/],
      [
        'a banner that refuses',
        mail({ banner: '554 no service\r\n' }),
        'down protocol',
        /^the banner is 554 no service$/,
      ],
      [
        'a banner that puts off',
        mail({ banner: saysAndCloses('421 too many\r\n') }),
        'down protocol',
        /^the banner is 421 too many$/,
      ],
      ['a banner that asks for more', mail({ banner: '354 go on\r\n' }), 'down protocol', /^the banner is 354/],
      [
        'control characters',
        mail({ banner: '554 \x1b[2J\x07\r\n' }),
        'down protocol',
        /^the banner is 554 \\x1b\[2J\\x07$/,
      ],
      ['silence at EHLO', mail({ ehlo: silent }), 'down timeout', /waiting for the answer to EHLO/],
      ['the end at EHLO', mail({ ehlo: saysAndCloses('') }), 'down closed', /the answer to EHLO/],
      ['RST at EHLO', mail({ ehlo: resetsHere }), 'down closed', /the answer to EHLO/],
      ['EHLO put off', mail({ ehlo: '421 busy\r\n' }), 'down protocol', /^EHLO was answered with 421 busy$/],
      [
        'an answer to EHLO without end',
        mail({ ehlo: endlessly('250-AUTH\r\n') }),
        'down protocol',
        /^more than 65536 bytes/,
      ],
      [
        'EHLO and HELO refused',
        mail({ ehlo: '502 no\r\n', helo: '550 go away\r\n' }),
        'down protocol',
        /^HELO was answered with 550 go away$/,
      ],
      ['silence at HELO', mail({ ehlo: '502 no\r\n', helo: silent }), 'down timeout', /the answer to HELO/],
      ['silence at STARTTLS', mail({ starttls: silent }), 'down timeout', /asking for TLS/],
      ['the end at STARTTLS', mail({ starttls: saysAndCloses('') }), 'down closed', /asking for TLS/],
      ['silence in the handshake', mail({ starttls: '220 go\r\n' }), 'down timeout', /in the TLS handshake/],
      [
        'text put in before the handshake',
        mail({ starttls: injected }),
        'down protocol',
        /^more plain text came where TLS was to begin$/,
      ],
      ['silence under TLS', mail({ tlsEhlo: silent }), 'down timeout', /the answer to EHLO/],
      ['the end under TLS', mail({ tlsEhlo: saysAndCloses('') }), 'down closed', /the answer to EHLO/],
    ]
    for (const [title, given, verdict, detail] of cases) {
      it(`${verdict}: ${title}`, async () => {
        const peer = await start(typeof given === 'function' ? given : lineServer(given).behave)
        const isSlow = verdict === 'down timeout'
        // try: each of them also where TLS is wished for
        const result = await probe(peer, { options: { starttls: 'try' }, timeoutMs: isSlow ? 300 : 3000 })
        assert.equal(verdictOf(result), verdict, result.detail)
        assert.match(result.detail, detail)
        assert.ok(result.durationMs < 2500, `took ${result.durationMs} ms`)
        if (given !== hostile.neverReads) await peer.untilEmpty()
        assert.ok(peer.bytesSent() < 20_000_000)
      })
    }

    const ends: readonly [title: string, quit: Turn][] = [
      ['a refusal', '500 what?\r\n'],
      ['the end', saysAndCloses('')],
      ['RST', resetsHere],
      ['garbage', hostile.noise(4096)],
      ['a line without end', endlessly('x')],
    ]
    it('up: silence at QUIT until the deadline', async () => {
      const result = await probe(await start(lineServer(mail({ quit: silent })).behave), { timeoutMs: 300 })
      assert.equal(verdictOf(result), 'up')
    })

    for (const [title, quit] of ends) {
      it(`up: ${title} at QUIT`, async () => {
        assert.equal(verdictOf(await probe(await start(lineServer(mail({ quit })).behave))), 'up')
      })
    }

    it('down refused; down timeout where connecting hangs; down unreachable without a port', async () => {
      const port = await hostile.refusedPort()
      assert.equal(verdictOf(await probe({ address: '127.0.0.1', port })), 'down refused')
      assert.equal(verdictOf(await probe({ address: '127.0.0.1', port: 0 })), 'down unreachable')
      const unanswered = await hostile.startUnanswered()
      try {
        const result = await probe(unanswered, { timeoutMs: 200 })
        assert.deepEqual([verdictOf(result), /connecting/.test(result.detail)], ['down timeout', true])
      } finally {
        await unanswered.close()
      }
    })
  })

  describe('called off', () => {
    const never = ''
    const steps: readonly [title: string, script: Script, note: RegExp][] = [
      ['at the banner', mail({ banner: never }), /banner/],
      ['at EHLO', mail({ ehlo: never }), /EHLO/],
      ['at STARTTLS', mail({ starttls: never }), /asking/],
      ['in the handshake', mail({ starttls: '220 go\r\n' }), /handshake/],
      ['under TLS', mail({ tlsEhlo: never }), /EHLO/],
      ['at QUIT', mail({ quit: never }), /good-bye/],
    ]
    for (const [title, script, note] of steps) {
      it(`${title}, it leaves no socket and says nothing of the server`, async () => {
        const before = openSockets()
        const peer = await start(lineServer(script).behave)
        const stop = new AbortController()
        const seen: string[] = []
        const trace = (step: string): void => {
          seen.push(step)
          const isUnderTls = title !== 'under TLS' || seen.filter((each) => /EHLO/.test(each)).length === 2
          if (note.test(step) && isUnderTls) setTimeout(() => stop.abort(new Error('reload')), 20)
        }
        const result = await probe(peer, { options: { starttls: 'yes' }, signal: stop.signal, trace })
        assert.equal(verdictOf(result), 'unknown cancelled', result.detail)
        await peer.untilEmpty()
        await peer.close()
        await handlesClosed()
        assert.equal(openSockets(), before)
      })
    }
  })

  describe('nntp', () => {
    const news = (greeting: Turn, quit: Turn = saysAndCloses('205 bye\r\n')): Script => ({
      greeting,
      answers: [[/^QUIT$/, quit]],
    })
    const cases: readonly [title: string, script: Script | hostile.Behaviour, verdict: string, detail: RegExp][] = [
      ['200, posting allowed', news('200 peer ready\r\n'), 'up', /^greeted with 200 peer ready$/],
      ['201, no posting', news('201 peer ready\r\n'), 'up', /^greeted with 201/],
      ['a bare line end', news('200 peer\n'), 'up', /./],
      ['200, then an end at QUIT', news('200 peer\r\n', saysAndCloses('')), 'up', /./],
      ['200, then RST at QUIT', news('200 peer\r\n', resetsHere), 'up', /./],
      ['400', news(saysAndCloses('400 no service\r\n')), 'down protocol', /^the greeting is 400 no service$/],
      ['502', news('502 not for you\r\n'), 'down protocol', /^the greeting is 502/],
      ['silence', hostile.silence, 'down timeout', /waiting for the greeting/],
      ['half a greeting', news('200 pe'), 'down timeout', /waiting for the greeting/],
      ['half a greeting and the end', news(saysAndCloses('200 pe')), 'down closed', /greeting/],
      ['the end', hostile.closesAtOnce, 'down closed', /greeting/],
      ['RST', hostile.resetsAtOnce, 'down closed', /./],
      ['garbage', hostile.garbage, 'down protocol', /./],
      ['NUL bytes', hostile.says('\0\0\n'), 'down protocol', /^no reply: \\x00\\x00$/],
      ['a greeting without end', news(endlessly('2')), 'down protocol', /^a line of more than/],
      ['lines without end', news(endlessly('200-x\r\n')), 'down protocol', /^more than 65536/],
    ]
    for (const [title, given, verdict, detail] of cases) {
      it(`${verdict}: ${title}`, async () => {
        const peer = await start(typeof given === 'function' ? given : lineServer(given).behave)
        const result = await probe(peer, { check: nntp, timeoutMs: verdict === 'down timeout' ? 300 : 3000 })
        assert.equal(verdictOf(result), verdict, result.detail)
        assert.match(result.detail, detail)
        await peer.untilEmpty()
      })
    }

    it('up over IPv6, with a polite QUIT and nothing else', async () => {
      const server = lineServer(news('200 peer\r\n'))
      assert.equal(verdictOf(await probe(await start(server.behave, '::1'), { check: nntp })), 'up')
      assert.deepEqual(server.heard, ['QUIT'])
    })
  })
})
