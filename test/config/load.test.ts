import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findConfig } from '../../src/config/find.ts'
import { loadConfig } from '../../src/config/load.ts'
import type { Lookup } from '../../src/config/names.ts'
import { parseServices, readServices } from '../../src/config/services.ts'
import { goldenDeps, stubLookup } from './golden-world.ts'

const deps = { ...goldenDeps, lookup: stubLookup }

describe('loading a file', () => {
  let folder = ''
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'ldirectord-ng-load-'))
  })
  after(() => rmSync(folder, { recursive: true, force: true }))

  const write = (name: string, content: string | Buffer): string => {
    const path = join(folder, name)
    writeFileSync(path, content)
    return path
  }

  it('gives the config with the digest of the bytes that were read', async () => {
    const bytes = Buffer.from('\ufeffvirtual=10.9.9.1:80\r\n    real=localhost:80 gate\r\n')
    const path = write('good.cf', bytes)
    const { config, diagnostics, text, book } = await loadConfig(path, deps)
    assert.deepEqual(diagnostics, [])
    assert.equal(config?.digest, createHash('sha256').update(bytes).digest('hex'))
    assert.equal(config?.file, path)
    assert.equal(config?.virtuals[0]?.reals[0]?.address, '127.0.0.1')
    assert.equal(text, bytes.toString('utf8'))
    assert.deepEqual(Object.fromEntries(book ?? []), { '4 localhost': '127.0.0.1' })
  })

  it('reports what cannot be read, and does not throw', async () => {
    const large = write('large.cf', Buffer.alloc(9 * 1024 * 1024, '#'))
    const results = await Promise.all([join(folder, 'none.cf'), folder, large].map((file) => loadConfig(file, deps)))
    assert.deepEqual(
      results.map(({ config, diagnostics }) => [config, ...diagnostics.map((d) => `${d.severity} ${d.code}`)]),
      Array(3).fill([undefined, 'error file']),
    )
    assert.match(results[0]?.diagnostics[0]?.message ?? '', /^can not open file .*none\.cf: No such file or directory$/)
  })

  it('does not wait for a writer when a FIFO stands in the place of the file', async () => {
    const path = join(folder, 'fifo.cf')
    execFileSync('mkfifo', [path])
    const { config, diagnostics } = await loadConfig(path, deps)
    const messages = diagnostics.map((d) => d.message)
    assert.deepEqual([config, messages], [undefined, [`can not open file ${path}: not a regular file`]])
  })

  it('reads a file that is not UTF-8 as Latin-1, and says so', async () => {
    const path = write('latin1.cf', Buffer.from('virtual=10.9.9.1:80\n    servicename=caf\xe9\n', 'latin1'))
    const { config, diagnostics } = await loadConfig(path, deps)
    assert.equal(config?.virtuals[0]?.alert.serviceName, 'café')
    assert.equal(diagnostics[0]?.code, 'file')
  })

  it('asks no resolver when the file has an error', async () => {
    const path = write('bad.cf', 'bogus=1\nvirtual=name.example.com:80\n')
    const lookup: Lookup = () => assert.fail('asked')
    const { config, diagnostics } = await loadConfig(path, { ...deps, lookup })
    assert.deepEqual([config, diagnostics.length], [undefined, 1])
  })

  it('keeps last good addresses, and takes new ones when it resolves again', async () => {
    const path = write('names.cf', 'virtual=10.9.9.1:80\n    real=web:80 gate\n')
    let address: string | undefined
    const load = await loadConfig(path, { ...deps, lookup: async () => address }, new Map([['4 web', '10.0.0.9']]))
    const addressOf = (config: typeof load.config) => config?.virtuals[0]?.reals[0]?.address
    const again = await (async () => {
      address = '10.0.0.2'
      return load.resolveAgain?.()
    })()
    address = undefined
    const third = await again?.resolveAgain?.()
    assert.deepEqual(
      [load, again, third].map((each) => addressOf(each?.config)),
      ['10.0.0.9', '10.0.0.2', '10.0.0.2'],
    )
    assert.deepEqual(Object.fromEntries(third?.book ?? []), { '4 web': '10.0.0.2' })
    assert.deepEqual(
      [load, again, third].map((each) => each?.assumed?.map(({ name, address }) => `${name} ${address}`)),
      [['web 10.0.0.9'], [], ['web 10.0.0.2']],
    )
  })

  it('takes addresses that were known before for names without one, and asks for these again', async () => {
    const path = write('known.cf', 'virtual=vip:80\n    real=web:80 gate\n    real=other:80 gate\nvirtual6=vip:81\n')
    const known = new Map([
      ['4 vip', '10.0.0.1'],
      ['6 vip', '10.0.0.1'],
      ['4 web', '10.0.0.2'],
      ['4 other', '10.0.0.3'],
    ])
    const lookup: Lookup = async (name) => (name === 'other' ? '10.0.0.4' : undefined)
    const load = (await loadConfig(path, { ...deps, lookup })).assuming?.(known)
    const { virtuals = [], unresolved, addresses } = load?.config ?? {}
    assert.deepEqual(
      virtuals.map(({ key, reals }) => [key, ...reals.map(({ address }) => address)]),
      [['tcp:10.0.0.1:80', '10.0.0.2', '10.0.0.4']],
    )
    assert.deepEqual([unresolved, load?.assumed?.map(({ name }) => name)], [['vip'], ['vip', 'web']])
    assert.deepEqual(
      new Map([...known, ['4 other', '10.0.0.4']].filter(([key]) => key !== '6 vip') as never),
      addresses,
    )
  })
})

describe('finding the configuration', () => {
  it('tries the standard folders with the name glued on, an absolute one too, then the name itself', () => {
    const asked: string[] = []
    const none = (path: string): boolean => {
      asked.push(path)
      return false
    }
    assert.equal(findConfig('/tmp/x.cf', none), undefined)
    assert.equal(findConfig(undefined, none), undefined)
    assert.deepEqual(asked, [
      '/etc/ha.d//tmp/x.cf',
      '/etc/ha.d/conf//tmp/x.cf',
      '/tmp/x.cf',
      '/etc/ha.d/ldirectord.cf',
      '/etc/ha.d/conf/ldirectord.cf',
      'ldirectord.cf',
    ])
  })

  it('gives an absolute path, the first that exists', () => {
    assert.equal(
      findConfig('x.cf', (path) => path === '/etc/ha.d/conf/x.cf' || path === 'x.cf'),
      '/etc/ha.d/conf/x.cf',
    )
    assert.equal(
      findConfig('x.cf', (path) => path === 'x.cf'),
      join(process.cwd(), 'x.cf'),
    )
  })
})

describe('the services database', () => {
  it('knows names and aliases by protocol, and skips what is no entry', () => {
    const services = parseServices('# c\nhttp 80/tcp www # web\nbad\nx 1/sctp\nhttp 81/tcp\ndomain\t53/udp\n')
    const asked = [
      services.portOf('http', 'tcp'),
      services.portOf('www', 'tcp'),
      services.portOf('http', 'udp'),
      services.portOf('domain', 'udp'),
      services.portOf('x', 'tcp'),
    ]
    assert.deepEqual(asked, [80, 80, undefined, 53, undefined])
  })

  it('is empty on a machine without one', () => {
    assert.equal(readServices('/nonexistent/services').portOf('http', 'tcp'), undefined)
  })
})
