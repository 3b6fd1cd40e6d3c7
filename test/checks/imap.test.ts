import assert from 'node:assert/strict'
import { imap } from '../../checks/imap.ts'
import { imaps } from '../../checks/imaps.ts'
import { loginLines } from '../../src/check/imap/login-lines.ts'
import { Secret } from '../../src/lib/secret.ts'
import * as hostile from '../check/hostile.ts'
import { endlessly, lineServer, resetsHere, type Script, saysAndCloses, type Turn } from '../check/line-server.ts'
import { type Ask, ask, verdictOf } from './probing.ts'
import { handlesClosed, makeCertificate, openSockets } from './web.ts'

const certificate = makeCertificate()
const password = 'pa"ss\\word'
const quotedPassword = 'pa\\"ss\\\\word'

/** A mailbox server that does all right, with some turns replaced. */
function box(
  turns: Partial<Record<'greeting' | 'capability' | 'starttls' | 'login' | 'logout' | 'tlsLogin', Turn>> = {},
): Script {
  const rest: NonNullable<Script['answers']> = [
    [/^a1 CAPABILITY$/, turns.capability ?? '* CAPABILITY IMAP4rev1 STARTTLS\r\na1 OK done\r\n'],
    [/^a2 STARTTLS$/, turns.starttls ?? { thenTls: 'a2 OK begin\r\n' }],
    [/^a9 LOGOUT$/, turns.logout ?? saysAndCloses('* BYE bye\r\na9 OK done\r\n')],
  ]
  const login = turns.login ?? '* CAPABILITY IMAP4rev1\r\na3 OK [CAPABILITY IMAP4rev1] in\r\n'
  return {
    certificate,
    greeting: turns.greeting ?? '* OK peer ready\r\n',
    answers: [[/^a3 LOGIN /, login], ...rest],
    tlsAnswers: [[/^a3 LOGIN /, turns.tlsLogin ?? login], ...rest],
  }
}

describe('the imap and imaps checks', () => {
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
    ask({ check: imap, address: to.address, port: to.port, timeoutMs: 3000, ...more })

  it('are known by their names and ports', () => {
    const known = [imap, imaps].map(({ name, defaultForPorts, timeout }) => [name, defaultForPorts, timeout])
    assert.deepEqual(known, [
      ['imap', [143], 'negotiatetimeout'],
      ['imaps', [993], 'negotiatetimeout'],
    ])
    assert.equal('starttls' in imaps.fields, false)
  })

  describe('a login becomes a command', () => {
    const cases: readonly [login: string, passwd: string, lines: readonly string[]][] = [
      ['probe', 'secret', ['LOGIN "probe" "secret"']],
      ['a b', '', ['LOGIN "a b" ""']],
      ['do\\main', 'q"q', ['LOGIN "do\\\\main" "q\\"q"']],
      ['probe', 'größe', ['LOGIN "probe" {7}', 'größe']],
      ['jürgen', 'secret', ['LOGIN {7}', 'jürgen "secret"']],
      ['jürgen', 'größe', ['LOGIN {7}', 'jürgen {7}', 'größe']],
      ['tab\there', 'x', ['LOGIN {8}', 'tab\there "x"']],
    ]
    for (const [login, passwd, lines] of cases) {
      it(lines.join(' + '), () => assert.deepEqual(loginLines(login, passwd), lines))
    }
  })

  describe('talk', () => {
    const login = `a3 LOGIN "probe" "${quotedPassword}"`
    const cases: readonly [
      title: string,
      script: Script,
      options: Record<string, unknown>,
      verdict: string,
      detail: RegExp,
      heard: readonly string[],
    ][] = [
      ['without a login', box(), {}, 'up', /^greeted with OK peer ready$/, ['a9 LOGOUT']],
      ['after a greeting in small letters', box({ greeting: '* ok\n' }), {}, 'up', /^greeted with ok$/, ['a9 LOGOUT']],
      ['with a login', box(), credentials, 'up', /^logged in$/, ['a1 CAPABILITY', login, 'a9 LOGOUT']],
      [
        'with a login, capabilities in the greeting',
        box({ greeting: '* OK [CAPABILITY IMAP4rev1 ID] hi\r\n' }),
        credentials,
        'up',
        /^logged in$/,
        [login, 'a9 LOGOUT'],
      ],
      [
        'where it is logged in already',
        box({ greeting: '* PREAUTH peer\r\n' }),
        credentials,
        'up',
        /^greeted with PREAUTH peer$/,
        ['a9 LOGOUT'],
      ],
      [
        'where plain logins are not taken',
        box({ greeting: '* OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] hi\r\n' }),
        credentials,
        'down auth',
        /\(LOGINDISABLED\): starttls = yes may help$/,
        [],
      ],
      [
        'where plain logins are not taken and there is no TLS',
        box({ greeting: '* OK [CAPABILITY LOGINDISABLED] hi\r\n' }),
        credentials,
        'down auth',
        /\(LOGINDISABLED\): imaps may help$/,
        [],
      ],
      [
        'where plain logins are not taken, without a login',
        box({ greeting: '* OK [CAPABILITY LOGINDISABLED] hi\r\n' }),
        {},
        'up',
        /./,
        ['a9 LOGOUT'],
      ],
      [
        'where plain logins are not taken, under TLS',
        box({ greeting: '* OK [CAPABILITY STARTTLS LOGINDISABLED] hi\r\n' }),
        { ...credentials, starttls: 'try' },
        'up',
        /^logged in, over TLS$/,
        ['a2 STARTTLS', `tls: ${login}`, 'tls: a9 LOGOUT'],
      ],
      [
        'under TLS when it must',
        box(),
        { starttls: 'yes' },
        'up',
        /, over TLS$/,
        ['a1 CAPABILITY', 'a2 STARTTLS', 'tls: a9 LOGOUT'],
      ],
      [
        'in plain text when TLS is not offered',
        box({ capability: '* CAPABILITY IMAP4rev1\r\na1 OK\r\n' }),
        { starttls: 'try' },
        'up',
        /ready$/,
        ['a1 CAPABILITY', 'a9 LOGOUT'],
      ],
      [
        'in plain text when TLS is refused',
        box({ starttls: 'a2 NO not now\r\n' }),
        { starttls: 'try' },
        'up',
        /ready$/,
        ['a1 CAPABILITY', 'a2 STARTTLS', 'a9 LOGOUT'],
      ],
      [
        'in plain text when it does not tell what it can',
        box({ capability: 'a1 BAD what?\r\n' }),
        { starttls: 'try', ...credentials },
        'up',
        /^logged in$/,
        ['a1 CAPABILITY', 'a1 CAPABILITY', login, 'a9 LOGOUT'],
      ],
      [
        'not when it must and TLS is not offered',
        box({ capability: 'a1 BAD what?\r\n' }),
        { starttls: 'yes' },
        'down tls',
        /^no STARTTLS: it is not offered$/,
        ['a1 CAPABILITY'],
      ],
      [
        'not when it must and TLS is refused',
        box({ starttls: 'a2 BAD no\r\n' }),
        { starttls: 'yes' },
        'down tls',
        /^no STARTTLS: BAD no$/,
        ['a1 CAPABILITY', 'a2 STARTTLS'],
      ],
      [
        'not when it must and is logged in already',
        box({ greeting: '* PREAUTH [CAPABILITY STARTTLS] peer\r\n' }),
        { starttls: 'yes' },
        'down tls',
        /not offered$/,
        [],
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
      })
    }

    it('in literals, each sent when the server asks for it', async () => {
      const server = lineServer({
        greeting: '* OK [CAPABILITY IMAP4rev1] hi\r\n',
        answers: [
          [/^a3 LOGIN \{7\}$/, '+ go on\r\n'],
          [/^jürgen \{7\}$/, '+\r\n'],
          [/^größe$/, 'a3 OK in\r\n'],
          [/^a9 /, saysAndCloses('a9 OK\r\n')],
        ],
      })
      const options = { login: 'jürgen', passwd: new Secret('größe') }
      const result = await probe(await start(server.behave), { options })
      assert.deepEqual([verdictOf(result), server.heard.length], ['up', 4], result.detail)
    })

    it('over IPv6, and imaps under TLS from the first byte', async () => {
      const plain = lineServer(box())
      assert.equal(verdictOf(await probe(await start(plain.behave, '::1'), { options: credentials })), 'up')
      const server = lineServer({
        ...box(),
        greeting: { thenTls: '' },
        tlsGreeting: '* OK [CAPABILITY LOGINDISABLED] hi\r\n',
      })
      for (const host of ['127.0.0.1', '::1']) {
        const result = await probe(await start(server.behave, host), { check: imaps, options: credentials })
        assert.deepEqual([verdictOf(result), result.detail], ['up', 'logged in'])
      }
      assert.deepEqual(server.heard.slice(2), [`tls: a3 LOGIN "probe" "${quotedPassword}"`, 'tls: a9 LOGOUT'])
    })
  })

  describe('tell what is wrong', () => {
    const denied = `a3 NO [AUTHENTICATIONFAILED] wrong ${password} or "${quotedPassword}"\r\n`
    const cases: readonly [title: string, script: Script | hostile.Behaviour, verdict: string, detail: RegExp][] = [
      ['silence', hostile.silence, 'down timeout', /no answer within 300 ms: waiting for the greeting/],
      ['never reads', hostile.neverReads, 'down timeout', /waiting for the greeting/],
      ['closes at once', hostile.closesAtOnce, 'down closed', /waiting for the greeting$/],
      ['resets at once', hostile.resetsAtOnce, 'down closed', /./],
      ['garbage', hostile.garbage, 'down protocol', /./],
      ['another protocol', hostile.says('+OK POP3 ready\r\n'), 'down protocol', /^the greeting is \+OK POP3 ready$/],
      ['NUL bytes', hostile.says('\0\0\r\n'), 'down protocol', /^the greeting is \\x00\\x00$/],
      [
        'BYE',
        box({ greeting: saysAndCloses('* BYE too many\r\n') }),
        'down protocol',
        /^the greeting is \* BYE too many$/,
      ],
      ['a word that begins like OK', box({ greeting: '* OKAY\r\n' }), 'down protocol', /^the greeting is \* OKAY$/],
      ['a greeting without end', box({ greeting: endlessly('* OK ') }), 'down protocol', /^a line of more than/],
      ['half a greeting', box({ greeting: '* OK hal' }), 'down timeout', /waiting for the greeting/],
      ['silence at CAPABILITY', box({ capability: '' }), 'down timeout', /waiting for the capabilities/],
      [
        'the end at CAPABILITY',
        box({ capability: saysAndCloses('* CAPABILITY IMAP4rev1\r\n') }),
        'down closed',
        /capabilities/,
      ],
      [
        'lines without end at CAPABILITY',
        box({ capability: endlessly('* 1 EXISTS\r\n') }),
        'down protocol',
        /^more than 65536/,
      ],
      [
        'capabilities without end',
        box({ capability: endlessly('* CAPABILITY x') }),
        'down protocol',
        /^a line of more than/,
      ],
      [
        'BYE at CAPABILITY',
        box({ capability: saysAndCloses('* BYE idle\r\n') }),
        'down protocol',
        /^the server said \* BYE idle$/,
      ],
      ['no answer at CAPABILITY', box({ capability: 'nonsense\r\n' }), 'down protocol', /^the server said nonsense$/],
      ['somebody else’s tag', box({ capability: 'b7 OK\r\n' }), 'down protocol', /^the server said b7 OK$/],
      ['silence at STARTTLS', box({ starttls: '' }), 'down timeout', /asking for TLS/],
      ['silence in the handshake', box({ starttls: 'a2 OK\r\n' }), 'down timeout', /TLS handshake/],
      ['the end in the handshake', box({ starttls: saysAndCloses('a2 OK\r\n') }), 'down closed', /TLS handshake/],
      [
        'text put in before the handshake',
        box({ starttls: { thenTls: 'a2 OK\r\na3 OK injected\r\n' } }),
        'down protocol',
        /plain text/,
      ],
      [
        'a wrong password, repeated by the server',
        box({ tlsLogin: denied }),
        'down auth',
        /^LOGIN was answered with NO \[AUTHENTICATIONFAILED\] wrong \(hidden\) or "\(hidden\)"$/,
      ],
      ['a wrong password', box({ tlsLogin: 'a3 NO no\r\n' }), 'down auth', /^LOGIN was answered with NO no$/],
      [
        'accounts that cannot be asked',
        box({ tlsLogin: 'a3 NO [UNAVAILABLE] db down\r\n' }),
        'down protocol',
        /NO \[UNAVAILABLE\] db down$/,
      ],
      [
        'LOGIN not understood',
        box({ tlsLogin: `a3 BAD LOGIN ${password}\r\n` }),
        'down protocol',
        /^LOGIN was answered with BAD LOGIN \(hidden\)$/,
      ],
      [
        'BYE at LOGIN',
        box({ tlsLogin: saysAndCloses(`* BYE ${password}\r\n`) }),
        'down protocol',
        /^the server said \* BYE \(hidden\)$/,
      ],
      [
        'a go-ahead that nobody waits for',
        box({ tlsLogin: '+ more\r\n' }),
        'down protocol',
        /^the server said \+ more$/,
      ],
      ['silence at LOGIN', box({ tlsLogin: '' }), 'down timeout', /logging in/],
      ['the end at LOGIN', box({ tlsLogin: saysAndCloses('') }), 'down closed', /logging in/],
    ]
    for (const [title, given, verdict, detail] of cases) {
      it(`${verdict}: ${title}`, async () => {
        const peer = await start(typeof given === 'function' ? given : lineServer(given).behave)
        const steps: string[] = []
        const result = await probe(peer, {
          options: { ...credentials, starttls: 'try' },
          timeoutMs: verdict === 'down timeout' ? 300 : 3000,
          trace: (note) => void steps.push(note),
        })
        assert.equal(verdictOf(result), verdict, result.detail)
        assert.match(result.detail, detail)
        for (const text of [result.detail, ...steps]) {
          assert.equal(text.includes(password) || text.includes(quotedPassword), false, text)
        }
        if (given !== hostile.neverReads) await peer.untilEmpty()
      })
    }

    for (const [title, logout] of [
      ['the end', saysAndCloses('')],
      ['RST', resetsHere],
      ['a refusal', 'a9 BAD what?\r\n'],
      ['lines without end', endlessly('* x\r\n')],
    ] as const) {
      it(`up: ${title} at LOGOUT`, async () => {
        assert.equal(verdictOf(await probe(await start(lineServer(box({ logout })).behave))), 'up')
      })
    }

    it('down tls: imaps against a plain server, and against TLS that is none', async () => {
      for (const behave of [lineServer(box()).behave, hostile.tlsGarbage]) {
        const result = await probe(await start(behave), { check: imaps })
        assert.equal(verdictOf(result), 'down tls', result.detail)
      }
    })

    it('down timeout: imaps against silence; down refused', async () => {
      const result = await probe(await start(hostile.silence), { check: imaps, timeoutMs: 300 })
      assert.deepEqual([verdictOf(result), /TLS handshake/.test(result.detail)], ['down timeout', true])
      const port = await hostile.refusedPort()
      for (const check of [imap, imaps]) {
        assert.equal(verdictOf(await probe({ address: '127.0.0.1', port }, { check })), 'down refused')
      }
    })
  })

  for (const [title, script, note] of [
    ['at the greeting', box({ greeting: '' }), /greeting/],
    ['at STARTTLS', box({ starttls: '' }), /asking/],
    ['in the handshake', box({ starttls: 'a2 OK\r\n' }), /handshake/],
    ['at LOGIN', box({ tlsLogin: '' }), /logging in/],
    ['at LOGOUT', box({ logout: '' }), /good-bye/],
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
