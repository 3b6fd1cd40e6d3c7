import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { skipBecause } from '../tools/skip.ts'
import { type Case, compare, inParallel, type Outcome, type Phase } from './beside-perl.ts'
import { dovecotPrograms } from './dovecot.ts'
import { eximPrograms } from './exim.ts'
import { mariadbPrograms } from './mariadb.ts'
import { whyNoNamespace } from './namespace.ts'
import { needs } from './needs.ts'
import { nginxPrograms } from './nginx.ts'
import { fetchNnrpd } from './nnrpd.ts'
import { type Compared, startCompared } from './perl-cases.ts'
import { head, rowOf } from './perl-page.ts'
import { postgresPrograms } from './postgres.ts'
import { proftpdPrograms } from './proftpd.ts'
import { proxyPrograms } from './proxies.ts'
import { slapdPrograms } from './slapd.ts'

const page = 'docs/services-compared-with-perl.md'
const services = [
  ...['connect', 'dns', 'external', 'ftp', 'http', 'http_proxy', 'https', 'imap', 'imaps', 'ldap', 'ldaps', 'mysql'],
  ...['nntp', 'pgsql', 'pop', 'pops', 'radius', 'simpletcp', 'sip', 'smtp', 'submission'],
]
const programs = [
  ...[dovecotPrograms, eximPrograms, mariadbPrograms, nginxPrograms, postgresPrograms, proftpdPrograms],
  ...[proxyPrograms, slapdPrograms, ['dnsmasq', 'freeradius', 'kamailio', 'unshare', 'ip'] as const],
].flat()

/** Without its drivers it ends at the first check of a database. */
const debianPackages = 'ldirectord libdbd-mysql-perl libdbd-pg-perl'
const canRunPerl = (): boolean =>
  existsSync('/usr/sbin/ldirectord') && spawnSync('perl', ['-MDBD::mysql', '-MDBD::Pg', '-e', '1']).status === 0

/** How many Perl processes at a time: starting one takes a quarter of a second of a CPU, those of frozen servers wait. */
const width: Readonly<Record<Phase, number>> = { serving: 6, stopped: 12, killed: 6 }

/** Both programs ask the same real servers, with the same files, in one run. */
describe('beside Perl ldirectord', function () {
  this.timeout(150_000)
  const running: Compared[] = []
  const seen: { asked: Case; outcome: Outcome }[] = []

  before(async function () {
    needs(this, ...programs)
    if (!canRunPerl()) skipBecause(this, `Perl ldirectord is not complete: apt-get install ${debianPackages}`)
    await fetchNnrpd(this)
    await startCompared((each) => running.push(each))
    const cases = running.flatMap((each) => each.cases.map((asked) => ({ asked, ask: each.compare ?? compare })))
    const meet = async (phase: Phase): Promise<void> => {
      const own = cases.filter(({ asked }) => asked.phase === phase)
      seen.push(
        ...(await inParallel(own, width[phase], async ({ asked, ask }) => ({ asked, outcome: await ask(asked) }))),
      )
    }
    await meet('serving')
    await Promise.all(running.map(({ server }) => server.freeze()))
    await meet('stopped')
    await Promise.all(running.map(({ server }) => server.thaw()))
    await Promise.all(running.map(({ server }) => server.kill()))
    await meet('killed')
  })
  after(() => Promise.all(running.map(({ server }) => server.stop())))

  /** Perl ldirectord asks these at their standard ports only, which are free for certain in a namespace of our own. */
  const needsNamespace = (context: Mocha.Context, service = 'imap'): void => {
    const reason = ['imap', 'imaps'].includes(service) ? whyNoNamespace() : undefined
    if (reason !== undefined) skipBecause(context, reason)
  }

  const seenOf = (service: string) => seen.filter(({ asked }) => asked.service === service)

  for (const service of services) {
    it(`${service}: the same verdicts, but for the declared differences`, function () {
      needsNamespace(this, service)
      const said = seenOf(service).map(({ asked, outcome: { perl, ours } }) => [asked.state, perl, ours.split(' ')[0]])
      const meant = seenOf(service).map(({ asked }) => [asked.state, asked.differs?.perl ?? asked.ours, asked.ours])
      const details = seenOf(service).map(({ asked, outcome }) => `${asked.state}: ${outcome.ours}: ${outcome.detail}`)
      assert.ok(said.length > 0)
      assert.deepEqual(said, meant, `${JSON.stringify(said)}\n${details.join('\n')}`)
    })

    it(`${service}: what is declared as a difference is one, and docs/differences.md knows its number`, () => {
      for (const { asked, outcome } of seenOf(service)) {
        if (asked.differs === undefined) continue
        assert.notEqual(outcome.perl, outcome.ours.split(' ')[0], asked.state)
        const [, defect] = /^(D\d+)\b/.exec(asked.differs.why) ?? []
        assert.match(readFileSync('docs/differences.md', 'utf8'), new RegExp(`\\b${defect}\\b`), asked.differs.why)
      }
    })
  }

  it(`${page} tells just that; UPDATE_DOCS=1 writes it`, function () {
    needsNamespace(this)
    const rows = services.flatMap((service) => seenOf(service).map(({ asked, outcome }) => rowOf(asked, outcome)))
    const text = `${head}${rows.join('\n')}\n`
    assert.equal(rows.length, seen.length, 'a service is not in the list above')
    if (process.env['UPDATE_DOCS'] === '1') writeFileSync(page, text)
    assert.equal(readFileSync(page, 'utf8'), text)
  })
})
