import assert from 'node:assert/strict'
import type { AnyCheck } from '../../src/check/contract.ts'
import { login, passwd } from '../../src/check/fields.ts'
import { makeRegistry } from '../../src/check/registry.ts'
import { listDirectives } from '../../src/config/directives/list.ts'
import { type Config, realKeyOf } from '../../src/config/model.ts'
import { parseConfig } from '../../src/config/parse.ts'
import { resolveConfig } from '../../src/config/resolve.ts'
import { makeField } from '../../src/lib/decode.ts'
import { Secret } from '../../src/lib/secret.ts'
import { up } from '../../src/model/verdict.ts'
import { goldenDeps } from './golden-world.ts'

const ftp: AnyCheck = {
  name: 'ftp',
  kind: 'negotiate',
  summary: 'a check that logs in',
  defaultForPorts: [21, 2121],
  timeout: 'negotiatetimeout',
  fields: { login, passwd },
  run: async () => up('fine'),
}
const deps = { ...goldenDeps, registry: makeRegistry([...goldenDeps.registry.all, ftp]) }

function load(text: string): Config {
  const { parsed, diagnostics } = parseConfig(text, 'f', deps)
  assert.ok(parsed, JSON.stringify(diagnostics))
  return resolveConfig(parsed, new Map()).config
}

/** Of the first real server of the first virtual service. */
function credentials(text: string): (string | undefined)[] {
  const checking = load(text).virtuals[0]?.reals[0]?.checking
  assert.ok(checking?.kind === 'probe')
  const { options } = checking.probe
  return [options['login'], options['passwd']].map((value) =>
    value instanceof Secret ? value.reveal() : String(value),
  )
}

const real = '    real=127.0.0.2:21 masq\n'

describe('the cascade of defaults', () => {
  it('gives anonymous ftp its credentials, by service or by port, each only where the file has none', () => {
    assert.deepEqual(
      [
        credentials(`virtual=10.9.9.1:21\n${real}`),
        credentials(`virtual=10.9.9.1:2121\n${real}`),
        credentials(`virtual=10.9.9.1:80\n    service=ftp\n${real}`),
        credentials(`virtual=10.9.9.1:21\n    login="bob"\n${real}`),
        credentials(`virtual=10.9.9.1:21\n    passwd="x"\n${real}`),
      ],
      [
        ['anonymous', 'ldirectord@director'],
        ['anonymous', 'ldirectord@director'],
        ['anonymous', 'ldirectord@director'],
        ['bob', 'ldirectord@director'],
        ['anonymous', 'x'],
      ],
    )
  })

  it('resolves the two time-outs by place, each falling back on the other first', () => {
    const timeouts = (globals: string, section: string): number[] => {
      const text = `${globals}virtual=10.9.9.1:80\n    checktype=1\n${section}    real=127.0.0.2:80 masq\n`
      const checking = load(text).virtuals[0]?.reals[0]?.checking
      assert.ok(checking?.kind === 'combined')
      return [checking.connect.timeoutMs / 1000, checking.negotiate.timeoutMs / 1000]
    }
    assert.deepEqual(
      [
        timeouts('', ''),
        timeouts('checktimeout=3\n', ''),
        timeouts('negotiatetimeout=9\n', ''),
        timeouts('checktimeout=3\nnegotiatetimeout=9\n', ''),
        timeouts('checktimeout=3\nnegotiatetimeout=9\n', '    checktimeout=4\n'),
        timeouts('checktimeout=3\nnegotiatetimeout=9\n', '    negotiatetimeout=8\n'),
        timeouts('checktimeout=3\n', '    checktimeout=4\n    negotiatetimeout=8\n'),
      ],
      [
        [5, 30],
        [3, 3],
        [9, 9],
        [3, 9],
        [4, 4],
        [8, 8],
        [4, 8],
      ],
    )
  })

  it('lets checkinterval of a section count with fork = yes only', () => {
    const section = 'virtual=10.9.9.1:80\n    checkinterval=3\n'
    const intervals = [`checkinterval=7\n${section}`, `fork=yes\ncheckinterval=7\n${section}`, `${section}fork=yes\n`]
    assert.deepEqual(
      intervals.map((text) => load(text).virtuals[0]?.checkIntervalMs),
      [7000, 3000, 3000],
    )
  })

  it('lets a section override each inherited value', () => {
    const globals = 'quiescent=yes\ncleanstop=no\nfailurecount=4\nfallback=127.0.0.1:8080 masq\n'
    const own = '    quiescent=no\n    cleanstop=yes\n    failurecount=2\n    fallback=127.0.0.9 ipip\n'
    const of = (text: string): unknown[] => {
      const virtual = load(text).virtuals[0]
      const { address, port, forwarding } = virtual?.fallback?.destination ?? {}
      return [virtual?.quiescent, virtual?.cleanstop, virtual?.failureCount, address, port, forwarding]
    }
    assert.deepEqual(
      [of(`${globals}virtual=10.9.9.1:80\n`), of(`${globals}virtual=10.9.9.1:80\n${own}`), of('virtual=10.9.9.1:80\n')],
      [
        [true, false, 4, '127.0.0.1', 8080, 'masq'],
        [false, true, 2, '127.0.0.9', 80, 'ipip'],
        [false, true, 1, undefined, undefined, undefined],
      ],
    )
  })

  it('does not stop on a check of the config that needs another family of fallback', () => {
    const config = load('fallback6=[::1]\nvirtual=10.9.9.1:80\nvirtual6=[2001:db8::1]:80\n')
    assert.deepEqual(
      config.virtuals.map((virtual) => virtual.fallback?.destination?.address),
      [undefined, '::1'],
    )
  })
})

describe('the id of a real server', () => {
  const keys = (lines: string): string[] => {
    const [virtual] = load(`virtual=10.9.9.1:80\n${lines}`).virtuals
    return virtual?.reals.map((each) => realKeyOf(virtual, each)) ?? []
  }
  const [plain = ''] = keys('    real=127.0.0.2:80 gate\n')

  it('stays while weight, forwarding and thresholds change', () => {
    assert.deepEqual(keys('    real=127.0.0.2:80 masq 7 l:1 u:2\n'), [plain])
  })

  it('changes with address, port and checking', () => {
    const others = [
      keys('    real=127.0.0.3:80 gate\n'),
      keys('    real=127.0.0.2:81 gate\n'),
      keys('    real=127.0.0.2:80 gate\n    receive="x"\n'),
      keys('    real=127.0.0.2:80 gate\n    checktype=2\n'),
      keys('    real=127.0.0.2:80 gate\n    checktype=on\n'),
    ].flat()
    assert.equal(new Set([plain, ...others]).size, 6)
  })

  it('is unique among lines that are alike, the first keeping its own', () => {
    const ids = keys('    real=127.0.0.2:80 gate\n    real=127.0.0.2:80 gate 5\n    real=127.0.0.2:80 gate 6\n')
    assert.deepEqual(ids, [plain, `${plain}#2`, `${plain}#3`])
  })

  it('tells nothing of a password', () => {
    const text = 'virtual=10.9.9.1:21\n    passwd="hunter2"\n    real=127.0.0.2:21 masq\n'
    assert.equal(JSON.stringify(load(text)).includes('hunter2'), false)
  })
})

describe('names in a configuration', () => {
  const text = 'virtual=vip.example.com:80\n    real=web:80 gate\n    real=127.0.0.2:80 gate\n    fallback=sorry\n'

  it('prevent nothing while they have no address: virtual out, real down, no fallback, each with a warning', () => {
    const { parsed } = parseConfig(text, 'f', deps)
    assert.ok(parsed)
    const none = resolveConfig(parsed, new Map())
    assert.deepEqual(none.config.virtuals, [])
    assert.deepEqual(none.config.unresolved, ['vip.example.com', 'web', 'sorry'])
    assert.equal(
      none.diagnostics.every((d) => d.severity === 'warning' && d.code === 'resolve'),
      true,
    )
    const some = resolveConfig(parsed, new Map([['4 vip.example.com', '10.9.9.1']]))
    const [virtual] = some.config.virtuals
    assert.deepEqual(
      virtual?.reals.map((each) => [each.host, each.address, each.checking.kind]),
      [
        ['web', undefined, 'unresolved'],
        ['127.0.0.2', '127.0.0.2', 'probe'],
      ],
    )
    assert.equal(virtual?.fallback?.destination, undefined)
    assert.deepEqual(some.config.unresolved, ['web', 'sorry'])
  })
})

describe('the list of directives', () => {
  const listed = listDirectives(deps.registry)
  const find = (name: string) => listed.find((directive) => directive.name === name)

  it('has every directive once, with its scope and a sentence', () => {
    assert.equal(new Set(listed.map(({ name }) => name)).size, listed.length)
    assert.deepEqual(
      listed.filter(({ doc }) => doc === '').map(({ name }) => name),
      [],
    )
    const scopes = ['virtual', 'drift', 'quiescent', 'checkcount', 'real', 'receive'].map((name) => find(name)?.scope)
    assert.deepEqual(scopes, ['global', 'global', 'both', 'both', 'virtual', 'virtual'])
  })

  it('says which are acted on: those that a check declares are', () => {
    const names = ['quiescent', 'request', 'passwd', 'monitorfile', 'load', 'secret']
    assert.deepEqual(
      names.map((name) => find(name)?.actedOn),
      [true, true, true, true, true, false],
    )
    const bare = listDirectives(makeRegistry([]))
    assert.equal(bare.find(({ name }) => name === 'request')?.actedOn, false)
  })

  it('takes a directive of a new check without being told', () => {
    const mood = makeField({ doc: 'Mood.', fallback: 'good', absent: 'good', decode: (d) => d.value })
    const registry = makeRegistry([{ ...ftp, name: 'mood', defaultForPorts: [7], fields: { mood } }])
    assert.equal(listDirectives(registry).find(({ name }) => name === 'mood')?.actedOn, true)
    const { diagnostics } = parseConfig('virtual=10.9.9.1:7\n    mood=bad\n', 'f', { ...deps, registry })
    assert.deepEqual(diagnostics, [])
  })
})
