import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** What one check alone needs, or one feature; to load it costs time at every start. */
const onFirstUse = ['basic-ftp', 'ldapts', 'mysql2', 'netlink', 'nodemailer', 'oracledb', 'pg', 'ping', 'undici']

const asModule = (code: string): string => `data:text/javascript,${encodeURIComponent(code)}`

/** In place of Node's own, to be given with --import: whoever loads one of `packages` fails as if it were not installed. */
function without(packages: readonly string[]): string {
  const hooks = `export async function resolve(word, context, next) {
    if (${JSON.stringify(packages)}.some((name) => word === name || word.startsWith(name + '/')))
      throw Object.assign(new Error('the test has no ' + word), { code: 'ERR_MODULE_NOT_FOUND' })
    return next(word, context)
  }`
  return asModule(`import { register } from 'node:module'; register(${JSON.stringify(asModule(hooks))})`)
}

interface Ended {
  readonly status: number | null
  readonly out: string
}

function node(packages: readonly string[], ...words: readonly string[]): Ended {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', without(packages), ...words], {
    encoding: 'utf8',
    timeout: 60_000,
  })
  return { status, out: stdout + stderr }
}

describe('the packages of single checks', function () {
  this.timeout(120_000)
  let folder: string
  let config: string
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'ldng-loading-'))
    config = join(folder, 'all.cf')
    const services: readonly [service: string, port: number][] = [
      ['http', 80],
      ['ldap', 389],
      ['mysql', 3306],
      ['oracle', 1521],
      ['pgsql', 5432],
    ]
    const sections = services.map(
      ([service, port]) => `virtual=192.0.2.1:${port}
    real=127.0.0.1:1 masq
    service=${service}
    login="probe"
    passwd="secret"
    database="ORCL"
    request="SELECT 1 FROM DUAL"
`,
    )
    writeFileSync(config, sections.join('\n'))
  })
  after(() => rmSync(folder, { recursive: true, force: true }))

  it('are not there in these tests: to load one fails', () => {
    for (const name of onFirstUse) {
      const { status, out } = node([name], '--input-type=module', '-e', `await import('${name}')`)
      assert.notEqual(status, 0)
      assert.match(out, new RegExp(`the test has no ${name}`))
    }
  })

  it('are not loaded with the list of checks', () => {
    const list = new URL('../../checks/index.js', import.meta.url).href
    const { status, out } = node(onFirstUse, '--input-type=module', '-e', `await import('${list}'); console.log('ok')`)
    assert.deepEqual([status, out], [0, 'ok\n'])
  })

  for (const command of ['status', 'validate']) {
    it(`are not loaded by ${command}`, () => {
      const { status, out } = node(onFirstUse, 'bin/ldirectord-ng', config, command)
      assert.equal(status, command === 'status' ? 3 : 0, out)
      assert.doesNotMatch(out, /the test has no/)
    })
  }

  it('unknown missing-tool: the oracle check says which one it needs', () => {
    const { out } = node(['oracledb'], 'bin/ldirectord-ng', config, 'check', '--json')
    const results = out.split('\n').filter((line) => line.includes('oracledb'))
    assert.ok(results.length > 0, out)
    assert.match(out, /missing-tool/)
    assert.match(out, /the check needs the npm package oracledb, which is not installed/)
  })
})
