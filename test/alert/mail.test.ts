import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Outcome } from '../../src/alert/delivery.ts'
import { composeMail, type Mail, sendBySmtp } from '../../src/alert/mail.ts'
import type { MailServer } from '../../src/config/model.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { withDeadline } from '../../src/lib/deadline.ts'
import { Secret } from '../../src/lib/secret.ts'
import { type Authority, type Issued, makeAuthority } from '../check/authority.ts'
import * as hostile from '../check/hostile.ts'
import { endlessly, lineServer, resetsHere, type Script, saysAndCloses } from '../check/line-server.ts'

const mail: Mail = {
  from: { name: '', address: 'root@director.example.test' },
  to: [
    { name: '', address: 'ops@example.test' },
    { name: 'Night Shift', address: 'noc@example.test' },
  ],
  subject: '[web] Deleted real server: 10.0.0.1:80 (192.0.2.1:80)',
  text: 'ldirectord host: director\nLog-Message: x\n.\nDaemon-Status: running\n',
  date: new Date(Date.UTC(2026, 10, 21, 12, 0, 0)),
  messageId: 'one@director.example.test',
}
const everybody = mail.to.map(({ address }) => address)

/** A server that takes everything; each answer can be replaced. */
const willing = (more: Script['answers'] = [], features = ''): Script => ({
  greeting: '220 mail.example.test ESMTP\r\n',
  answers: [
    ...more,
    [/^EHLO /, `${features}250 mail.example.test\r\n`],
    [/^HELO /, '250 mail.example.test\r\n'],
    [/^(MAIL|RCPT) /, '250 ok\r\n'],
    [/^DATA$/, '354 go on\r\n'],
    [/^\.$/, '250 taken as 4711\r\n'],
    [/^QUIT$/, saysAndCloses('221 bye\r\n')],
  ],
})

interface Sent {
  readonly outcome: Outcome | Error
  readonly heard: readonly string[]
  readonly waiting: readonly string[]
}

describe('a mail over SMTP', function () {
  this.timeout(30_000)
  let authority: Authority
  let certificate: Issued
  before(() => {
    authority = makeAuthority()
    certificate = authority.issue('DNS:localhost,IP:127.0.0.1')
  })
  after(() => authority.remove())

  /** Sends to a peer and waits until it has no connection any more. */
  async function sendTo(behave: hostile.Behaviour, parts: Partial<MailServer> = {}, ms = 10_000) {
    const peer = await hostile.startPeer(behave)
    const server: MailServer = {
      host: '127.0.0.1',
      port: peer.port,
      starttls: 'try',
      login: undefined,
      password: undefined,
      ...parts,
    }
    const waiting = new Set(everybody)
    try {
      const post = { server, sender: 'root@director.example.test', waiting }
      const outcome = await withDeadline({ clock: systemClock, ms }, (signal) => sendBySmtp(mail, post, signal)).catch(
        (error: Error) => error,
      )
      await peer.untilEmpty()
      return { outcome, waiting: [...waiting] }
    } finally {
      await peer.close()
    }
  }
  async function send(script: Script, parts: Partial<MailServer> = {}): Promise<Sent> {
    const server = lineServer(script)
    return { ...(await sendTo(server.behave, parts)), heard: server.heard }
  }
  const tls = (after: Script['answers'] = []): Script => ({
    ...willing([[/^STARTTLS$/, { thenTls: '220 go on\r\n' }]], '250-mail.example.test\r\n250-STARTTLS\r\n'),
    tlsAnswers: [...after, ...(willing([], '250-mail.example.test\r\n250-AUTH PLAIN LOGIN\r\n').answers ?? [])],
    certificate,
  })

  it('gives each recipient his own RCPT, and the headers that a mail has', async () => {
    const { outcome, heard, waiting } = await send(willing())
    assert.deepEqual([outcome, waiting], [{ kind: 'sent' }, []])
    const [hello, ...lines] = heard
    assert.match(hello ?? '', /^EHLO \S+$/)
    assert.deepEqual(lines, [
      'MAIL FROM:<root@director.example.test>',
      'RCPT TO:<ops@example.test>',
      'RCPT TO:<noc@example.test>',
      'DATA',
      'From: root@director.example.test',
      'To: ops@example.test, Night Shift <noc@example.test>',
      'Subject: [web] Deleted real server: 10.0.0.1:80 (192.0.2.1:80)',
      'Message-ID: <one@director.example.test>',
      'Date: Sat, 21 Nov 2026 12:00:00 +0000',
      'Content-Transfer-Encoding: 7bit',
      'MIME-Version: 1.0',
      'Content-Type: text/plain; charset=utf-8',
      '',
      'ldirectord host: director',
      'Log-Message: x',
      '..',
      'Daemon-Status: running',
      '.',
    ])
  })

  it('reaches a server by a name of /etc/hosts, whichever of its addresses it listens at', async () => {
    const { outcome } = await send(willing(), { host: 'localhost' })
    assert.deepEqual(outcome, { kind: 'sent' })
  })

  it('is tried again when there is no such name', async () => {
    const { outcome } = await send(willing(), { host: 'mail.invalid' })
    assert.ok('kind' in outcome && outcome.kind === 'failed' && outcome.retry)
    assert.match(outcome.text, /mail\.invalid/)
  })

  describe('that is refused', () => {
    const cases: readonly [title: string, script: Script, text: RegExp, retry: boolean, waiting?: readonly string[]][] =
      [
        ['in the greeting, for now', { greeting: '421 too busy\r\n' }, /421 too busy/, true],
        ['in the greeting, for good', { greeting: '554 no service\r\n' }, /554 no service/, false],
        ['at MAIL, for now', willing([[/^MAIL /, '451 try later\r\n']]), /451 try later/, true],
        ['at MAIL, for good', willing([[/^MAIL /, '550 not from you\r\n']]), /550 not from you/, false],
        [
          'for one recipient, for now',
          willing([[/^RCPT .*ops/, '450 busy\r\n']]),
          /450 busy/,
          true,
          ['ops@example.test'],
        ],
        ['for one recipient, for good', willing([[/^RCPT .*ops/, '550 unknown\r\n']]), /550 unknown/, false, []],
        [
          'for one recipient for good and for the other for now',
          willing([
            [/^RCPT .*ops/, '550 unknown\r\n'],
            [/^RCPT .*noc/, '450 busy\r\n'],
          ]),
          /unknown|busy/,
          true,
          ['noc@example.test'],
        ],
        [
          'for all of them',
          willing([[/^RCPT /, '550 relay not permitted\r\n']]),
          /^ops@example\.test: .*relay not permitted/,
          false,
          [],
        ],
        ['after DATA, for now', willing([[/^\.$/, '452 disk full\r\n']]), /452 disk full/, true],
        ['after DATA, for good', willing([[/^\.$/, '554 looks like spam\r\n']]), /554 looks like spam/, false],
      ]
    for (const [title, script, text, retry, waiting = everybody] of cases) {
      it(`${title}: ${retry ? 'is tried again' : 'is not tried again'}`, async () => {
        const seen = await send(script)
        const { outcome } = seen
        assert.ok('kind' in outcome && outcome.kind === 'failed', String(outcome))
        assert.match(outcome.text, text)
        assert.equal(outcome.retry, retry)
        assert.deepEqual(seen.waiting, waiting)
      })
    }
  })

  describe('to a peer that misbehaves', () => {
    const cases: readonly [title: string, behave: () => hostile.Behaviour, text: RegExp][] = [
      ['closes at once', () => hostile.closesAtOnce, /closed/i],
      ['resets at once', () => hostile.resetsAtOnce, /ECONNRESET|closed/i],
      ['says garbage', () => hostile.garbage, /./],
      ['closes in the middle', () => lineServer(willing([[/^RCPT /, saysAndCloses('')]])).behave, /closed/i],
      ['resets in the middle', () => lineServer(willing([[/^DATA$/, resetsHere]])).behave, /ECONNRESET|closed/i],
      ['greets without an end', () => lineServer({ greeting: endlessly('220-x\r\n') }).behave, /./],
      ['greets with a line without an end', () => lineServer({ greeting: endlessly('x') }).behave, /./],
    ]
    for (const [title, behave, text] of cases) {
      it(`and ${title}: is tried again`, async () => {
        const { outcome, waiting } = await sendTo(behave())
        const said = outcome instanceof Error ? outcome.message : outcome.kind === 'failed' ? outcome.text : ''
        assert.match(said, text)
        assert.ok(outcome instanceof Error || (outcome.kind === 'failed' && outcome.retry))
        assert.deepEqual(waiting, everybody)
      })
    }

    it('and says nothing: ends with the deadline', async () => {
      const { outcome } = await sendTo(hostile.silence, {}, 300)
      assert.ok(outcome instanceof Error)
      assert.equal(outcome.message, 'no answer within 300 ms')
    })

    it('and is silent after DATA: ends with the deadline', async () => {
      const { outcome } = await sendTo(lineServer(willing([[/^\.$/, '']])).behave, {}, 300)
      assert.ok(outcome instanceof Error)
      assert.equal(outcome.message, 'no answer within 300 ms')
    })

    it('and is not there: is tried again', async () => {
      const peer = await hostile.startPeer(hostile.silence)
      await peer.close()
      const { outcome } = await sendTo(hostile.silence, { port: peer.port })
      assert.ok('kind' in outcome && outcome.kind === 'failed' && outcome.retry)
      assert.match(outcome.text, /ECONNREFUSED/)
    })
  })

  describe('with smtpstarttls', () => {
    const inTls = (heard: readonly string[]): boolean => heard.some((line) => line.startsWith('tls: MAIL FROM'))

    it('try: takes TLS where it is offered, whoever signed the certificate', async () => {
      const { outcome, heard } = await send(tls())
      assert.deepEqual([outcome, inTls(heard)], [{ kind: 'sent' }, true])
    })
    it('try: goes without where it is not offered', async () => {
      const { outcome, heard } = await send(willing())
      assert.deepEqual([outcome, inTls(heard)], [{ kind: 'sent' }, false])
    })
    it('try: goes without where it is offered and refused', async () => {
      const offered = willing([[/^STARTTLS$/, '454 not now\r\n']], '250-mail.example.test\r\n250-STARTTLS\r\n')
      const { outcome, heard } = await send(offered)
      assert.deepEqual([outcome, inTls(heard)], [{ kind: 'sent' }, false])
    })
    it('no: does not ask for it', async () => {
      const { outcome, heard } = await send(tls(), { starttls: 'no' })
      assert.deepEqual([outcome, inTls(heard), heard.includes('STARTTLS')], [{ kind: 'sent' }, false, false])
    })
    it('yes: sends nothing where it is not offered', async () => {
      const { outcome, heard } = await send(willing([[/^STARTTLS$/, '502 what\r\n']]), { starttls: 'yes' })
      assert.ok('kind' in outcome && outcome.kind === 'failed')
      assert.deepEqual(
        heard.filter((line) => line.includes('MAIL')),
        [],
      )
    })
    it('yes: sends nothing to one whose certificate nobody has signed', async () => {
      const { outcome, heard } = await send(tls(), { starttls: 'yes' })
      assert.ok('kind' in outcome && outcome.kind === 'failed' && outcome.retry)
      assert.match(outcome.text, /certificate/)
      assert.deepEqual(
        heard.filter((line) => line.includes('MAIL')),
        [],
      )
    })
    it('yes: sends to one whose certificate is trusted and for its name', async function () {
      this.timeout(20_000)
      const server = lineServer(tls())
      const peer = await hostile.startPeer(server.behave)
      try {
        const program = fileURLToPath(new URL('./send-with-tls.js', import.meta.url))
        const environment = { ...process.env, NODE_EXTRA_CA_CERTS: authority.caFile }
        const run = promisify(execFile)(process.execPath, [program, String(peer.port)], { env: environment })
        assert.deepEqual(JSON.parse((await run).stdout), { kind: 'sent' })
        assert.ok(inTls(server.heard))
      } finally {
        await peer.close()
      }
    })
  })

  describe('with a login', () => {
    const login = { login: 'director', password: new Secret('p@ss wörd') }
    const plain = Buffer.from('\0director\0p@ss wörd').toString('base64')

    it('logs in under TLS', async () => {
      const { outcome, heard } = await send(tls([[/^AUTH PLAIN /, '235 welcome\r\n']]), login)
      assert.deepEqual(
        [outcome, heard.filter((line) => line.includes('AUTH'))],
        [{ kind: 'sent' }, [`tls: AUTH PLAIN ${plain}`]],
      )
    })
    it('that is refused: is not tried again, and the password is not in the reason', async () => {
      const { outcome } = await send(tls([[/^AUTH PLAIN /, '535 wrong\r\n']]), login)
      assert.ok('kind' in outcome && outcome.kind === 'failed')
      assert.deepEqual([outcome.retry, /535 wrong/.test(outcome.text)], [false, true])
      assert.ok(!outcome.text.includes('p@ss') && !outcome.text.includes(plain))
    })
    it('is not told to a server that refuses the TLS it offers', async () => {
      const offer = '250-mail.example.test\r\n250-STARTTLS\r\n250-AUTH PLAIN\r\n'
      const { heard } = await send(willing([[/^STARTTLS$/, '454 not now\r\n']], offer), login)
      assert.deepEqual(
        heard.filter((line) => line.includes('AUTH')),
        [],
      )
    })
  })
})

describe('a mail as text', () => {
  const compose = async (parts: Partial<Mail>): Promise<string> =>
    Buffer.from(await composeMail({ ...mail, ...parts })).toString('utf8')
  const headersOf = (text: string): string[] => (text.split('\n\n')[0] ?? '').split('\n')

  it('cannot get a header of its own through any field', async () => {
    const evil = 'x\r\nBcc: thief@example.test\r\n\r\nbody'
    const text = await compose({
      subject: evil,
      from: { name: evil, address: 'root@a.test' },
      to: [{ name: evil, address: 'ops@a.test' }],
    })
    assert.deepEqual(
      headersOf(text).filter((line) => /^bcc/i.test(line)),
      [],
    )
    assert.deepEqual(
      headersOf(text)
        .filter((line) => /^\S+:/.test(line))
        .map((line) => line.split(':')[0]),
      ['From', 'To', 'Subject', 'Message-ID', 'Date', 'Content-Transfer-Encoding', 'MIME-Version', 'Content-Type'],
    )
  })

  it('encodes what is not ASCII', async () => {
    const text = await compose({ subject: '[Büro] Deleted', text: 'Comment: Zoë\n' })
    assert.match(text, /^Subject: =\?UTF-8\?[QB]\?\S+\?=/m)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: everything else is what is looked for
    assert.doesNotMatch(text, /[^\x00-\x7f]/)
  })

  it('leaves the sender to the program where the file names none, and ends lines in LF', async () => {
    const text = await compose({ from: undefined })
    assert.ok(!headersOf(text).some((line) => line.startsWith('From:')))
    assert.ok(!text.includes('\r'))
    assert.ok(headersOf(text).includes('Message-ID: <one@director.example.test>'))
  })

  it('keeps long lines of ASCII whole, and encodes the others', async () => {
    const long = `Log-Message: ${'x'.repeat(200)}\n`
    assert.ok((await compose({ text: long })).endsWith(`\n\n${long}`))
    assert.match(await compose({ text: long }), /^Content-Transfer-Encoding: 7bit$/m)
    assert.match(await compose({ text: `${'x'.repeat(1000)}\n` }), /^Content-Transfer-Encoding: quoted-printable$/m)
    assert.match(
      await compose({ text: `Zoë ${'x'.repeat(100)}\n` }),
      /^Content-Transfer-Encoding: (quoted-printable|base64)$/m,
    )
  })

  it('takes a local name for a recipient', async () => {
    assert.ok(headersOf(await compose({ to: [{ name: '', address: 'root' }] })).includes('To: <root>'))
  })
})
