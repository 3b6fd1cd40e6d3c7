import assert from 'node:assert/strict'
import { connect } from '../../checks/connect.ts'
import { dns } from '../../checks/dns.ts'
import { ftp } from '../../checks/ftp.ts'
import { mysql } from '../../checks/mysql.ts'
import { ping } from '../../checks/ping.ts'
import { simpletcp } from '../../checks/simpletcp.ts'
import { makeRegistry } from '../../src/check/registry.ts'
import { parseConfig } from '../../src/config/parse.ts'
import { goldenDeps } from './golden-world.ts'

const registry = makeRegistry([
  connect,
  dns,
  ping,
  ftp,
  simpletcp,
  mysql,
  { ...mysql, name: 'pgsql' },
  { ...mysql, name: 'oracle' },
])

/** The warnings of one virtual service. */
function advice(port: number, ...lines: readonly string[]): string[] {
  const text = [`virtual=192.0.2.1:${port}`, ...lines.map((line) => `    ${line}`), ''].join('\n')
  const { diagnostics } = parseConfig(text, 'ldirectord.cf', { ...goldenDeps, registry })
  return diagnostics.map(({ severity, at, message }) => `${severity} ${at.line}: ${message}`)
}

const real = (port: number, more = ''): string => `real=192.0.2.20:${port} masq${more}`

describe('the advice on a configuration', () => {
  const greeting = 'a connect check breaks off the greeting, which MySQL counts toward max_connect_errors'

  it('warns of a TCP connect to MySQL, also of the number form, and of no other check', () => {
    assert.deepEqual(advice(3306, real(3306), 'checktype=connect'), [`warning 3: ${greeting}`])
    assert.deepEqual(advice(3307, real(3307), 'service=mysql', 'checktype=connect'), [`warning 4: ${greeting}`])
    assert.deepEqual(advice(3306, real(3306), 'checktype=2', 'login="a"', 'request="SELECT 1"'), [
      `warning 3: ${greeting}`,
    ])
    assert.deepEqual(advice(3306, real(3306), 'checktype=ping'), [])
    assert.deepEqual(advice(3306, real(3306), 'login="a"', 'request="SELECT 1"'), [])
    assert.deepEqual(advice(5432, real(5432), 'service=pgsql', 'checktype=connect'), [])
  })

  for (const service of ['mysql', 'pgsql']) {
    it(`warns of a ${service} check that lacks what it must have`, () => {
      const told = (...lines: readonly string[]): string[] => advice(4000, real(4000), `service=${service}`, ...lines)
      const fails = (what: string): string[] => [`warning 3: without ${what} every check of service ${service} fails`]
      assert.deepEqual(told(), fails('login and request'))
      assert.deepEqual(told('login="a"'), fails('request'))
      assert.deepEqual(told('request="SELECT 1"'), fails('login'))
      assert.deepEqual(told('login="a"', 'request="SELECT 1"'), [])
      assert.deepEqual(told('checktype=ping'), [])
    })
  }

  it('warns of an oracle check that lacks what it must have', () => {
    const told = (...lines: readonly string[]): string[] => advice(4000, real(4000), 'service=oracle', ...lines)
    const fails = (what: string): string[] => [`warning 3: without ${what} every check of service oracle fails`]
    assert.deepEqual(told(), fails('login, database and request'))
    assert.deepEqual(told('login="a"', 'database="ORCL"'), fails('request'))
    assert.deepEqual(told('login="a"', 'request="SELECT 1 FROM DUAL"'), fails('database'))
    assert.deepEqual(told('login="a"', 'database="ORCL"', 'request="SELECT 1 FROM DUAL"'), [])
  })

  it('warns of a text to look for where ftp fetches no file', () => {
    const never = 'receive can never match: without request no file is fetched'
    assert.deepEqual(advice(21, real(21), 'receive="alive"'), [`warning 3: ${never}`])
    assert.deepEqual(advice(21, real(21), 'receive="alive"', 'request="/alive.txt"'), [])
    assert.deepEqual(advice(21, real(21, ' 1 "alive.txt", "alive"'), 'receive="alive"'), [])
    assert.deepEqual(advice(21, real(21)), [])
  })

  it('warns of a request of simpletcp that was written to hold bytes and will be sent as it stands', () => {
    const sent = (line: number, what: string): string[] => [
      `warning ${line}: request holds ${what}, which is sent as it stands`,
    ]
    const told = (...lines: readonly string[]): string[] => advice(4000, real(4000), 'service=simpletcp', ...lines)
    assert.deepEqual(told('request="ping\\n"'), [])
    assert.deepEqual(told('request="ping\\r\\n"'), sent(4, '\\r'))
    assert.deepEqual(told('request="\\x01\\x02"'), sent(4, '\\x01'))
    assert.deepEqual(told('request="a\\tb"', 'escapes=no'), sent(4, '\\t'))
    assert.deepEqual(told('request="\\x01\\r\\n"', 'escapes=yes'), [])
    assert.deepEqual(told('request="\\x01"', 'checktype=connect'), [
      'warning 4: request has no effect with checktype connect',
    ])
    const pair = advice(4000, real(4000, ' 1 "\\x01", "ok"'), 'service=simpletcp')
    assert.deepEqual(pair, sent(2, '\\x01'))
  })

  it('warns of a name for dns that needs the search list of a resolver', () => {
    const short = (line: number): string[] => [`warning ${line}: a name without a dot is asked for as it stands`]
    assert.deepEqual(advice(53, real(53), 'request="www"'), short(3))
    assert.deepEqual(advice(53, real(53, ' 1 "www", "192"'), 'request="www.example.test"'), short(2))
    for (const whole of ['www.example.test', 'localhost.', '192.0.2.1', '2001:db8::1', '::1']) {
      assert.deepEqual(advice(53, real(53), `request="${whole}"`), [])
    }
  })
})
