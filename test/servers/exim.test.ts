import assert from 'node:assert/strict'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { smtp } from '../../checks/smtp.ts'
import { submission } from '../../checks/submission.ts'
import { verdictOf } from '../checks/probing.ts'
import { type Exim, eximPrograms, startExim } from './exim.ts'
import { needs } from './needs.ts'
import { asking } from './proved.ts'

const ask = asking('Exim', 'exim4-daemon-light')

for (const check of [smtp, submission]) {
  describe(`${check.name} against a real Exim`, function () {
    this.timeout(60_000)
    let server: Exim | undefined
    before(async function () {
      needs(this, ...eximPrograms)
      server = await startExim()
    })
    after(() => server?.stop())

    interface Given {
      readonly address?: string
      readonly timeoutMs?: number
      readonly options?: Readonly<Record<string, unknown>>
    }
    const probe = (given: Given = {}) => {
      const port = (check === smtp ? server?.smtpPort : server?.submissionPort) ?? 0
      return ask({ check, port, timeoutMs: 5000, ...given })
    }
    const fileOf = (name: string): string => join(server?.directory ?? '', name)
    const trusting = () => ({ tlsverify: true, tlsca: fileOf('cert.pem') })

    const cases: readonly [title: string, options: () => Record<string, unknown>, verdict: string, detail: RegExp][] = [
      ['as it comes', () => ({}), 'up', /^greeted with 250 mail\.example\.test Hello /],
      ['starttls = yes', () => ({ starttls: 'yes' }), 'up', /, over TLS$/],
      ['starttls = try', () => ({ starttls: 'try' }), 'up', /, over TLS$/],
      [
        'starttls with a certificate that is trusted',
        () => ({ starttls: 'yes', checksni: 'www.example.test', ...trusting() }),
        'up',
        /over TLS$/,
      ],
      [
        'starttls with a certificate for another name',
        () => ({ starttls: 'yes', virtualhost: 'other.example.test', ...trusting() }),
        'down tls',
        /not for other\.example\.test/,
      ],
      [
        'starttls with a certificate that nobody has signed',
        () => ({ starttls: 'yes', tlsverify: true }),
        'down tls',
        /certificate not accepted/,
      ],
    ]
    for (const [title, options, verdict, detail] of cases) {
      it(`${verdict}: ${title}`, async () => {
        const result = await probe({ options: options() })
        assert.equal(verdictOf(result), verdict, result.detail)
        assert.match(result.detail, detail)
      })
    }

    it('is up over IPv6, plain and with STARTTLS', async () => {
      for (const starttls of ['no', 'yes']) {
        const result = await probe({ address: '::1', options: { starttls } })
        assert.equal(verdictOf(result), 'up', result.detail)
      }
    })

    it('down protocol: it wants no clients', async () => {
      await writeFile(fileOf('refuse-clients'), '')
      try {
        const result = await probe()
        assert.deepEqual([verdictOf(result), result.detail], ['down protocol', 'the banner is 550 no clients today'])
      } finally {
        await rm(fileOf('refuse-clients'))
      }
    })

    it('down protocol: it takes neither EHLO nor HELO', async () => {
      await writeFile(fileOf('refuse-names'), '')
      try {
        const result = await probe()
        assert.equal(verdictOf(result), 'down protocol')
        assert.match(result.detail, /^HELO was answered with 550 .*no such name/)
      } finally {
        await rm(fileOf('refuse-names'))
      }
    })

    it('is told good-bye: the server has nothing to complain of', async () => {
      for (let i = 0; i < 3; i++) assert.equal(verdictOf(await probe({ options: { starttls: 'try' } })), 'up')
      const log = await readFile(fileOf('log/mainlog'), 'utf8')
      assert.doesNotMatch(log, /lost|unexpected|synchronization|dropped|TLS error/i)
    })

    describe('that is frozen', () => {
      before(() => server?.freeze())
      after(() => server?.thaw())

      it('down timeout: it accepts and says nothing', async () => {
        const result = await probe({ timeoutMs: 400 })
        assert.equal(verdictOf(result), 'down timeout')
        assert.match(result.detail, /waiting for the banner/)
        assert.ok(result.durationMs < 1500, `took ${result.durationMs} ms`)
      })
    })

    describe('that is thawed and killed', () => {
      it('is up, and then down refused', async () => {
        assert.equal(verdictOf(await probe()), 'up')
        await server?.kill()
        assert.equal(verdictOf(await probe()), 'down refused')
      })
    })
  })
}
