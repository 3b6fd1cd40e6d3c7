import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { imap } from '../../checks/imap.ts'
import { imaps } from '../../checks/imaps.ts'
import { pop } from '../../checks/pop.ts'
import { pops } from '../../checks/pops.ts'
import type { AnyCheck } from '../../src/check/contract.ts'
import { Secret } from '../../src/lib/secret.ts'
import { verdictOf } from '../checks/probing.ts'
import { type Dovecot, type DovecotSettings, dovecotPrograms, startDovecot } from './dovecot.ts'
import { needs } from './needs.ts'
import { asking } from './proved.ts'

interface Given {
  readonly address?: string
  readonly timeoutMs?: number
  readonly passwd?: string
  readonly options?: Readonly<Record<string, unknown>>
}

/** A wrong password is answered after two seconds, which is on purpose. */
const patient = 5000

function portOf(server: Dovecot, check: AnyCheck): number {
  const ports = { imap: server.imapPort, imaps: server.imapsPort, pop: server.popPort, pops: server.popsPort }
  return Object.entries(ports).find(([name]) => name === check.name)?.[1] ?? 0
}

for (const check of [imap, imaps, pop, pops] as readonly AnyCheck[]) {
  const ask = asking('Dovecot', check.name.startsWith('imap') ? 'dovecot-imapd' : 'dovecot-pop3d')
  const hasStartTls = !check.name.endsWith('s')

  describe(`${check.name} against a real Dovecot`, function () {
    this.timeout(60_000)
    const servers: Dovecot[] = []
    const start = async (settings: DovecotSettings): Promise<Dovecot> => {
      const server = await startDovecot(settings)
      servers.push(server)
      return server
    }
    before(async function () {
      needs(this, ...dovecotPrograms)
      await start({ mechanisms: 'plain login', onlySecure: false })
    })
    after(async () => {
      for (const server of servers) await server.stop()
    })
    const probe = (given: Given = {}, server = servers[0]) => {
      const { passwd, options, ...more } = given
      const credentials = passwd === undefined ? {} : { login: 'probe', passwd: new Secret(passwd) }
      const port = server === undefined ? 0 : portOf(server, check)
      return ask({ check, port, timeoutMs: patient, ...more, options: { ...credentials, ...options } })
    }
    const cert = (): string => join(servers[0]?.directory ?? '', 'cert.pem')

    const starttls = hasStartTls ? { starttls: 'yes' } : {}
    const cases: readonly [title: string, given: () => Given, verdict: string, detail: RegExp][] = [
      ['no login', () => ({}), 'up', /^greeted with .*Dovecot/],
      ['a login', () => ({ passwd: 'secret' }), 'up', /^logged in$/],
      ['a wrong password', () => ({ passwd: 'wrong' }), 'down auth', /Authentication failed/],
      ['over IPv6', () => ({ address: '::1', passwd: 'secret' }), 'up', /^logged in$/],
      [
        'a trusted certificate of the right name',
        () => ({
          passwd: 'secret',
          options: { ...starttls, tlsverify: true, tlsca: cert(), virtualhost: 'www.example.test' },
        }),
        'up',
        /^logged in/,
      ],
      [
        'a trusted certificate of another name',
        () => ({
          passwd: 'secret',
          options: { ...starttls, tlsverify: true, tlsca: cert(), checksni: 'other.example.test' },
        }),
        'down tls',
        /not for other\.example\.test/,
      ],
      [
        'a certificate that nobody has signed',
        () => ({ passwd: 'secret', options: { ...starttls, tlsverify: true } }),
        'down tls',
        /certificate not accepted/,
      ],
    ]
    for (const [title, given, verdict, detail] of cases) {
      it(`${verdict}: ${title}`, async () => {
        const result = await probe(given())
        assert.equal(verdictOf(result), verdict, result.detail)
        assert.match(result.detail, detail)
        assert.doesNotMatch(result.detail, /wrong/)
      })
    }

    if (hasStartTls) {
      for (const wish of ['yes', 'try']) {
        it(`up: starttls = ${wish}, with a login and over IPv6 too`, async () => {
          const options = { starttls: wish }
          for (const given of [{}, { passwd: 'secret' }, { address: '::1', passwd: 'secret' }]) {
            const result = await probe({ ...given, options })
            assert.equal(verdictOf(result), 'up', result.detail)
            assert.match(result.detail, /, over TLS$/)
          }
        })
      }

      it('down auth: it takes no password on a plain connection; up with starttls', async () => {
        const strict = await start({ mechanisms: 'plain login', onlySecure: true })
        const plain = await probe({ address: '127.0.0.2', passwd: 'secret' }, strict)
        const secured = await probe({ address: '127.0.0.2', passwd: 'secret', options: { starttls: 'yes' } }, strict)
        assert.equal(verdictOf(secured), 'up', secured.detail)
        assert.equal(verdictOf(plain), 'down auth', plain.detail)
        assert.match(plain.detail, /starttls = yes may help/)
        // the line is written a moment after the answer
        const log = join(strict.directory, 'log')
        while (!/Login: user=<probe>/.test(await readFile(log, 'utf8')));
      })
    }

    if (check === pop) {
      for (const [way, mechanisms] of [
        ['APOP', 'plain apop'],
        ['CRAM-MD5', 'plain cram-md5'],
      ] as const) {
        it(`logs in with ${way} where it is offered; a wrong password is tried once`, async () => {
          const server = await start({ mechanisms, onlySecure: false })
          const good = await probe({ passwd: 'secret' }, server)
          assert.equal(verdictOf(good), 'up', good.detail)
          const bad = await probe({ passwd: 'wrong' }, server)
          assert.equal(verdictOf(bad), 'down auth', bad.detail)
          assert.match(bad.detail, new RegExp(`^${way} was answered with -ERR`))
          // the line is written a moment after the answer
          let log = ''
          while (!/auth failed/.test(log)) log = await readFile(join(server.directory, 'log'), 'utf8')
          assert.match(log, new RegExp(`Login: user=<probe>, method=${way}`))
          assert.match(log, /auth failed, 1 attempts/)
        })
      }
    }

    it('is told good-bye, and no mailbox is touched', async () => {
      const file = join(servers[0]?.directory ?? '', 'log')
      const earlier = (await readFile(file, 'utf8')).length
      assert.equal(verdictOf(await probe({ passwd: 'secret' })), 'up')
      // the line is written a moment after the answer
      let log = ''
      while (!/Logged out/.test(log)) log = (await readFile(file, 'utf8')).slice(earlier)
      assert.doesNotMatch(log, /expunged=[1-9]|deleted=[1-9]|del=[1-9]/)
    })

    describe('that is frozen', () => {
      before(() => servers[0]?.freeze())
      after(() => servers[0]?.thaw())

      it('down timeout: it accepts and says nothing', async () => {
        const result = await probe({ timeoutMs: 400, passwd: 'secret' })
        assert.equal(verdictOf(result), 'down timeout')
        assert.match(result.detail, /waiting for the (?:greeting|banner)|in the TLS handshake/)
        assert.ok(result.durationMs < 1500, `took ${result.durationMs} ms`)
      })
    })

    describe('that is thawed and killed', () => {
      it('is up, and then down refused', async () => {
        assert.equal(verdictOf(await probe({ passwd: 'secret' })), 'up')
        await servers[0]?.kill()
        assert.equal(verdictOf(await probe()), 'down refused')
      })
    })
  })
}
