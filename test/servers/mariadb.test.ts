import assert from 'node:assert/strict'
import { mysql } from '../../checks/mysql.ts'
import { makeRequest } from '../../src/check/fields.ts'
import { Secret } from '../../src/lib/secret.ts'
import { verdictOf } from '../checks/probing.ts'
import { heldBytes } from '../tools/memory.ts'
import { type Mariadb, mariadbPrograms, startMariadb } from './mariadb.ts'
import { needs } from './needs.ts'
import { asking } from './proved.ts'

const ask = asking('MariaDB', 'mariadb-server-core')

describe('mysql against a real MariaDB', function () {
  this.timeout(60_000)
  let server: Mariadb | undefined
  before(async function () {
    needs(this, ...mariadbPrograms)
    server = await startMariadb()
  })
  after(() => server?.stop())

  interface Given {
    readonly address?: string
    readonly login?: string
    readonly passwd?: string
    readonly database?: string
    readonly request?: string
    readonly timeoutMs?: number
  }
  const probe = (given: Given = {}) => {
    const { request = '/SELECT * FROM alive', passwd = 'secret', address = '127.0.0.1', timeoutMs = 5000 } = given
    const { login = 'probe', database = 'ldirectord' } = given
    const options = { login, database, passwd: new Secret(passwd), request: makeRequest(request, false) }
    return ask({ check: mysql, address, port: server?.port ?? 0, options, timeoutMs })
  }

  /** The server sees a client's end a moment later; the one connection is the administrator's. */
  const countsWhenIdle = async (): Promise<Map<string, number>> => {
    for (;;) {
      const text =
        (await server?.execute('show global status where variable_name rlike "Aborted_cl|Threads_conn"')) ?? ''
      const rows = text.split('\n').map((line) => line.split('\t'))
      const counts = new Map(rows.map(([name = '', value]) => [name, Number(value)]))
      if (counts.get('Threads_connected') === 1) return counts
    }
  }

  const cases: readonly [title: string, given: Given, verdict: string, detail: RegExp][] = [
    ['a row comes back', {}, 'up', /row/],
    ['a request without its slash', { request: 'SELECT 1' }, 'up', /row/],
    ['a query that ends with a semicolon', { request: '/SELECT 1;' }, 'up', /row/],
    ['no database, and a query that needs none', { database: '', request: '/SELECT 1' }, 'up', /row/],
    ['a query for the database by name', { database: '', request: '/SELECT ok FROM ldirectord.alive' }, 'up', /row/],
    ['rows with NULL, a date and a blob', { request: "/SELECT NULL, NOW(), x'00ff', 1.5" }, 'up', /row/],
    ['a change of a row', { request: '/UPDATE alive SET ok = ok + 1' }, 'up', /row/],
    ['a change of no row', { request: '/UPDATE alive SET ok = 1 WHERE id = 7' }, 'down mismatch', /no row/],
    ['no row', { request: '/SELECT * FROM empty' }, 'down mismatch', /no row/],
    ['a wrong password', { passwd: 'wrong' }, 'down auth', /error 1045: Access denied for user 'probe'/],
    ['no password', { passwd: '' }, 'down auth', /error 1045/],
    ['an unknown account', { login: 'nobody' }, 'down auth', /error 1045/],
    ['a database it may not see', { database: 'mysql' }, 'down auth', /error 1044/],
    ['a table it may not change', { request: '/DELETE FROM alive' }, 'down auth', /error 1142/],
    [
      'a database that does not exist',
      { database: 'gone', login: 'reader' },
      'down protocol',
      /error 1049: Unknown database/,
    ],
    ['a table that does not exist', { request: '/SELECT * FROM gone' }, 'down protocol', /error 1146/],
    ['a query with a fault', { request: '/SELEC 1' }, 'down protocol', /error 1064/],
    ['two statements in one', { request: '/SELECT 1; SELECT 2' }, 'down protocol', /error 1064/],
    [
      'a query that takes too long',
      { request: '/SELECT SLEEP(2)', timeoutMs: 700 },
      'down timeout',
      /waiting for rows/,
    ],
    ['a host without any account', { address: '::1' }, 'down auth', /error 1130: Host/],
  ]
  for (const [title, given, verdict, detail] of cases) {
    it(`${verdict}: ${title}`, async () => {
      const result = await probe(given)
      assert.equal(verdictOf(result), verdict, result.detail)
      assert.match(result.detail, detail)
    })
  }

  it('is up over IPv6', async () => {
    await server?.execute("create user probe@'::1' identified by 'secret'; grant select on ldirectord.* to probe@'::1'")
    assert.equal(verdictOf(await probe({ address: '::1' })), 'up')
  })

  it('runs the query once', async () => {
    await server?.execute('update ldirectord.alive set ok = 10')
    await probe({ request: '/UPDATE alive SET ok = ok + 1' })
    assert.match((await server?.execute('select ok from ldirectord.alive')) ?? '', /\b11\b/)
  })

  it('reads one row of millions and leaves at once', async () => {
    const before = heldBytes()
    const result = await probe({ request: '/SELECT REPEAT("x", 500) FROM seq_1_to_10000000', timeoutMs: 5000 })
    assert.equal(verdictOf(result), 'up', result.detail)
    assert.ok(heldBytes() - before < 8_000_000)
  })

  it('leaves no connection behind, and the server counts none of them as aborted', async () => {
    const earlier = await countsWhenIdle()
    for (let i = 0; i < 5; i++) assert.equal(verdictOf(await probe()), 'up')
    assert.equal((await countsWhenIdle()).get('Aborted_clients'), earlier.get('Aborted_clients'))
  })

  it('says so when there are too many connections', async () => {
    await server?.execute('set global max_connections = 10')
    try {
      const crowd = Array.from({ length: 11 }, () => probe({ request: '/SELECT SLEEP(1)', timeoutMs: 800 }))
      const texts = (await Promise.all(crowd)).map(({ detail }) => detail).join('\n')
      assert.match(texts, /error 1040: Too many connections/)
    } finally {
      await server?.execute('set global max_connections = 151')
    }
  })

  describe('that is frozen', () => {
    before(() => server?.freeze())
    after(() => server?.thaw())

    it('down timeout: it accepts and says nothing', async () => {
      const result = await probe({ timeoutMs: 400 })
      assert.equal(verdictOf(result), 'down timeout')
      assert.match(result.detail, /waiting for the greeting/)
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
