import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect as dial, type Socket } from 'node:net'
import { connect } from '../../checks/connect.ts'
import { mysql } from '../../checks/mysql.ts'
import { makeRequest } from '../../src/check/fields.ts'
import { Secret } from '../../src/lib/secret.ts'
import { ask as askOnce, verdictOf } from '../checks/probing.ts'
import { type Mariadb, mariadbPrograms, startMariadb } from './mariadb.ts'
import { needs } from './needs.ts'
import { asking } from './proved.ts'
import { type Relay, startRelay } from './relay.ts'

const ask = asking('MariaDB', 'mariadb-server-core')

/** How many aborted handshakes in a row make the server block a host. */
const most = 3

describe('mysql against a real MariaDB that counts the errors of each host', function () {
  this.timeout(60_000)
  let server: Mariadb | undefined
  const relays: Relay[] = []
  before(async function () {
    needs(this, ...mariadbPrograms)
    server = await startMariadb({ blocksAfter: most })
    await server.execute(
      "create user probe@'127.0.0.%' identified by 'secret'; grant select on *.* to probe@'127.0.0.%'",
    )
  })
  after(async () => {
    for (const relay of relays) await relay.close()
    await server?.stop()
  })

  /** The server's own host is never blocked, so each test comes from a host of its own. */
  const from = async (address: string): Promise<number> => {
    const relay = await startRelay(server?.port ?? 0, address)
    relays.push(relay)
    return relay.port
  }
  const probe = (port: number, more: Readonly<Record<string, unknown>> = {}) => {
    const given = { login: 'probe', passwd: new Secret('secret'), database: 'ldirectord' }
    const options = { ...given, request: makeRequest('/SELECT * FROM alive', false), ...more }
    return ask({ check: mysql, port, options })
  }
  const aborted = async (): Promise<number> =>
    Number(/(\d+)\s*$/.exec((await server?.execute("show global status like 'Aborted_connects'")) ?? '')?.[1])
  /** Connect checks, until the server has seen so many more of them break off. */
  const connects = async (port: number): Promise<void> => {
    const before = await aborted()
    for (let i = 0; i < most; i++) assert.equal(verdictOf(await askOnce({ check: connect, port })), 'up')
    while ((await aborted()) < before + most);
  }

  it('is not counted when it logs in, however often', async () => {
    const port = await from('127.0.0.11')
    for (let i = 0; i < 3 * most; i++) assert.equal(verdictOf(await probe(port)), 'up')
  })

  it('connect checks are, and then the host is blocked: down protocol, which says so', async () => {
    const port = await from('127.0.0.12')
    await connects(port)
    const result = await probe(port)
    assert.equal(verdictOf(result), 'down protocol')
    assert.match(result.detail, /^error 1129: Host '127\.0\.0\.12' is blocked because of many connection errors/)
    await server?.execute('flush hosts')
    assert.equal(verdictOf(await probe(port)), 'up')
  })

  it('tells all reasons apart', async () => {
    const port = await from('127.0.0.13')
    const told = new Map<string, string>()
    const tell = async (what: string, result: ReturnType<typeof probe>): Promise<void> => {
      const { detail } = await result
      told.set(/^error (\d+): /.exec(detail)?.[1] ?? detail, what)
    }
    await tell('a wrong password', probe(port, { passwd: new Secret('wrong') }))
    await tell('no such database', probe(port, { database: 'gone' }))
    await tell('a host without an account', probe(await from('127.1.0.1')))
    await server?.execute('set global max_connections = 10')
    const crowd: Socket[] = []
    try {
      for (let i = 0; i < 11; i++) {
        const socket = dial({ host: '127.0.0.1', port: server?.port ?? 0 })
        crowd.push(socket)
        await once(socket, 'data')
      }
      await tell('too many connections', probe(port))
    } finally {
      for (const socket of crowd) socket.destroy()
      await server?.execute('set global max_connections = 151')
    }
    await connects(port)
    await tell('a host that is blocked', probe(port))
    assert.deepEqual(Object.fromEntries(told), {
      1040: 'too many connections',
      1045: 'a wrong password',
      1049: 'no such database',
      1129: 'a host that is blocked',
      1130: 'a host without an account',
    })
  })
})
