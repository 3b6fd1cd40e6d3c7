import assert from 'node:assert/strict'
import { join } from 'node:path'
import { pgsql } from '../../checks/pgsql.ts'
import { makeRequest } from '../../src/check/fields.ts'
import type { StartTls, TlsSettings } from '../../src/check/tls-fields.ts'
import { Secret } from '../../src/lib/secret.ts'
import { verdictOf } from '../checks/probing.ts'
import type { RunningServer } from './harness.ts'
import { needs } from './needs.ts'
import { type Postgres, postgresPrograms, startPostgres, startStartingPostgres } from './postgres.ts'
import { asking } from './proved.ts'

const ask = asking('PostgreSQL', 'postgresql-15')

describe('pgsql against a real PostgreSQL', function () {
  this.timeout(60_000)
  let server: Postgres | undefined
  before(async function () {
    needs(this, ...postgresPrograms)
    server = await startPostgres()
  })
  after(() => server?.stop())

  interface Given {
    readonly address?: string
    readonly login?: string
    readonly passwd?: string
    readonly database?: string
    readonly request?: string
    readonly starttls?: StartTls
    readonly virtualhost?: string
    readonly tls?: Partial<TlsSettings>
    readonly timeoutMs?: number
  }
  const probe = (given: Given = {}) => {
    const { request = '/SELECT * FROM alive', passwd = 'secret', address = '127.0.0.1', timeoutMs = 5000 } = given
    const { login = 'probe', database = 'ldirectord', starttls = 'no', virtualhost, tls } = given
    const text = makeRequest(request, false)
    const options = { login, database, passwd: new Secret(passwd), request: text, starttls, virtualhost, ...tls }
    return ask({ check: pgsql, address, port: server?.port ?? 0, options, timeoutMs })
  }

  /** A backend notices its client's end a moment later. */
  const idle = async (): Promise<void> => {
    const count = "select count(*) from pg_stat_activity where backend_type = 'client backend'"
    while ((await server?.execute(count))?.trim() !== '1');
  }

  const long = '/SELECT repeat(md5(n::text), 20) FROM generate_series(1, 3000000) n'
  const cases: readonly [title: string, given: Given, verdict: string, detail: RegExp][] = [
    ['a row comes back', {}, 'up', /row/],
    ['a query that ends with a semicolon', { request: 'SELECT 1;' }, 'up', /row/],
    ['rows of many types', { request: `/SELECT NULL, now(), '\\x00ff'::bytea, 1.5, '{"a":1}'::json` }, 'up', /row/],
    ['a change of a row', { request: '/UPDATE alive SET ok = ok + 1' }, 'up', /row/],
    ['a change of no row', { request: '/UPDATE alive SET ok = 1 WHERE id = 7' }, 'down mismatch', /no row/],
    ['no row', { request: '/SELECT * FROM empty' }, 'down mismatch', /no row/],
    ['two statements, the second with a row', { request: '/SELECT * FROM empty; SELECT 1' }, 'up', /row/],
    ['a statement that gives nothing', { request: '/SET TIME ZONE UTC' }, 'down mismatch', /no row/],
    ['a query that is a comment', { request: '/-- nothing' }, 'down mismatch', /no row/],
    ['an md5 password', { login: 'old' }, 'up', /row/],
    ['millions of rows', { request: long }, 'up', /row/],
    ['a wrong password', { passwd: 'wrong' }, 'down auth', /error 28P01: password authentication failed/],
    ['no password', { passwd: '' }, 'down auth', /password must be a non-empty string/],
    ['an unknown account', { login: 'nobody' }, 'down auth', /error 28000: no pg_hba.conf entry/],
    ['a host that may not come in', { login: 'plain', address: '::1' }, 'down auth', /error 28000/],
    ['a table it may not see', { request: '/SELECT * FROM closed' }, 'down auth', /error 42501: permission denied/],
    ['a database that does not exist', { database: 'gone' }, 'down protocol', /error 3D000: database "gone" does not/],
    ['the database of its own name', { database: '' }, 'down protocol', /error 3D000: database "probe" does not/],
    ['a table that does not exist', { request: '/SELECT * FROM gone' }, 'down protocol', /error 42P01/],
    ['a query with a fault', { request: '/SELEC 1' }, 'down protocol', /error 42601: syntax error/],
    ['a copy', { request: '/COPY alive FROM STDIN' }, 'down auth', /error 42501/],
    ['a query that takes too long', { request: '/SELECT pg_sleep(3)', timeoutMs: 700 }, 'down timeout', /for rows/],
    ['IPv6', { address: '::1' }, 'up', /row/],
    ['TLS, where it must be', { login: 'secure', starttls: 'yes' }, 'up', /row/],
    ['TLS, where it may be', { login: 'secure', starttls: 'try' }, 'up', /row/],
    ['TLS over IPv6', { address: '::1', starttls: 'yes' }, 'up', /row/],
    ['no TLS, where it must be', { login: 'secure' }, 'down auth', /error 28000: .*no encryption/],
    ['TLS with a certificate of nobody', { starttls: 'yes', tls: { tlsverify: true } }, 'down tls', /self-signed/],
  ]
  for (const [title, given, verdict, detail] of cases) {
    it(`${verdict}: ${title}`, async () => {
      const result = await probe(given)
      assert.equal(verdictOf(result), verdict, result.detail)
      assert.match(result.detail, detail)
    })
  }

  it('verifies the certificate by the name of the virtual host', async () => {
    const tls = { tlsverify: true, tlsca: join(server?.directory ?? '', 'cert.pem') }
    const asked = (virtualhost: string) => probe({ starttls: 'yes', virtualhost, tls })
    assert.equal(verdictOf(await asked('www.example.test')), 'up')
    const other = await asked('db.example.test')
    assert.equal(verdictOf(other), 'down tls')
    assert.match(other.detail, /not for db\.example\.test/)
  })

  it('runs the query once', async () => {
    await server?.execute('update alive set ok = 10')
    await probe({ request: '/UPDATE alive SET ok = ok + 1' })
    assert.equal((await server?.execute('select ok from alive'))?.trim(), '11')
  })

  it('leaves no connection behind', async () => {
    for (let i = 0; i < 5; i++) assert.equal(verdictOf(await probe()), 'up')
    await idle()
  })

  it('says so when there are too many connections', async () => {
    await idle()
    const crowd = Array.from({ length: 25 }, () => probe({ request: '/SELECT pg_sleep(0.5)', timeoutMs: 3000 }))
    const texts = (await Promise.all(crowd)).map(({ detail }) => detail).join('\n')
    assert.match(texts, /error 53300: /)
    await idle()
  })

  it('knows no server in TLS that has none, and goes on without where it may', async () => {
    await server?.execute('alter system set ssl = off')
    await server?.execute('select pg_reload_conf()')
    try {
      let must = await probe({ starttls: 'yes' })
      for (let i = 0; i < 200 && must.verdict === 'up'; i++) must = await probe({ starttls: 'yes' })
      assert.equal(verdictOf(must), 'down tls')
      assert.match(must.detail, /does not speak TLS/)
      assert.equal(verdictOf(await probe({ starttls: 'try' })), 'up')
    } finally {
      await server?.execute('alter system reset ssl')
      await server?.execute('select pg_reload_conf()')
    }
  })

  describe('that is frozen', () => {
    before(() => server?.freeze())
    after(() => server?.thaw())

    for (const starttls of ['no', 'try'] as const) {
      it(`down timeout with starttls = ${starttls}: it accepts and says nothing`, async () => {
        const result = await probe({ timeoutMs: 400, starttls })
        assert.equal(verdictOf(result), 'down timeout')
        assert.match(result.detail, starttls === 'no' ? /logging in/ : /asking for TLS/)
        assert.ok(result.durationMs < 1500, `took ${result.durationMs} ms`)
      })
    }
  })

  describe('that is thawed and killed', () => {
    it('is up, and then down refused', async () => {
      assert.equal(verdictOf(await probe()), 'up')
      await server?.kill()
      assert.equal(verdictOf(await probe()), 'down refused')
    })
  })
})

describe('pgsql against a real PostgreSQL that is starting up', function () {
  this.timeout(60_000)
  let server: RunningServer | undefined
  before(async function () {
    needs(this, ...postgresPrograms)
    server = await startStartingPostgres()
  })
  after(() => server?.stop())

  for (const starttls of ['no', 'yes'] as const) {
    it(`down protocol, which says so, with starttls = ${starttls}`, async () => {
      const given = { login: 'probe', passwd: new Secret('secret'), database: 'ldirectord', starttls }
      const options = { ...given, request: makeRequest('/SELECT 1', false) }
      const result = await ask({ check: pgsql, port: server?.ports[0] ?? 0, options })
      assert.deepEqual(
        [verdictOf(result), result.detail],
        ['down protocol', 'error 57P03: the database system is starting up'],
      )
    })
  }
})
