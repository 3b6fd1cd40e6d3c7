import assert from 'node:assert/strict'
import type { Config } from '../../src/config/model.ts'
import { lookUpNames, namesOf } from '../../src/config/names.ts'
import { parseConfig } from '../../src/config/parse.ts'
import { printConfig } from '../../src/config/print.ts'
import { resolveConfig } from '../../src/config/resolve.ts'
import { dumpConfig } from './dump.ts'
import { readGoldenCases } from './golden-cases.ts'
import { goldenDeps, stubLookup } from './golden-world.ts'

async function load(text: string): Promise<Config | undefined> {
  const { parsed } = parseConfig(text, 'f', goldenDeps)
  if (parsed === undefined) return undefined
  return resolveConfig(parsed, await lookUpNames(namesOf(parsed), stubLookup)).config
}

/** What printing may not keep: passwords, and what follows the host of a webhook. */
function withoutSecrets(lines: readonly string[]): readonly string[] {
  return lines.map((line) => line.replace(/ passwd="[^"]*"/, '').replace(/,"webhook":"[^"]*"/, ''))
}

describe('the printed configuration', () => {
  it('shows every inherited value, and no secret', async () => {
    const config = await load(
      'checktimeout = 3\nfallback = 127.0.0.1\nquiescent = yes\nvirtual = 192.0.2.1:3306\n    real = localhost:3306 masq 2 l:5 u:10\n' +
        '    login = "checker"\n    passwd = "hunter2"\n    request = "SELECT 1"\n',
    )
    assert.ok(config)
    assert.equal(
      printConfig(config),
      `autoreload = no
logfile = "/var/log/ldirectord.log"
supervised = no
fork = no
readdquiescent = no
drift = report
checkinterval = 10

virtual = 192.0.2.1:3306
    real = localhost:3306 masq 2 l:5 u:10
    fallback = 127.0.0.1:3306 gate
    protocol = tcp
    scheduler = wrr
    checktype = negotiate
    service = mysql
    checktimeout = 3
    negotiatetimeout = 3
    login = "checker"
    # passwd = (hidden)
    request = "SELECT 1"
    failurecount = 1
    quiescent = yes
    cleanstop = yes
`,
    )
  })

  it('shows of a webhook where it is, and not the rest, which is often a secret', async () => {
    const webhook = async (url: string): Promise<string | undefined> => {
      const config = await load(`virtual=10.9.9.1:80\n    alertwebhook = ${url}\n`)
      assert.ok(config)
      return printConfig(config)
        .split('\n')
        .find((line) => line.includes('webhook'))
    }
    assert.equal(await webhook('http://127.0.0.1:9/'), '    alertwebhook = "http://127.0.0.1:9/"')
    const hidden = '    # alertwebhook = "https://hooks.example.com/" (the rest is hidden)'
    assert.equal(await webhook('https://hooks.example.com/services/T0K3N'), hidden)
    assert.equal(await webhook('https://name:pass@hooks.example.com/'), hidden)
  })

  it('shows no password of a URL', async () => {
    const request = 'http://name:hunter2@proxy.example.com/x'
    const config = await load(
      `virtual=10.9.9.1:3128\n    real=10.0.0.1:3128 masq "${request}", "ok"\n    service=http_proxy\n    request="${request}"\n`,
    )
    assert.ok(config)
    const printed = printConfig(config)
    assert.equal(printed.includes('hunter2'), false)
    assert.equal(printed.split('http://name:(hidden)@proxy.example.com/x').length, 3)
  })

  it('lets no control character through', async () => {
    const config = await load('virtual=10.9.9.1:80\n    comment = \u001b[2J\n    servicename = \u009b\n')
    assert.ok(config)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    assert.equal(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/.test(printConfig(config)), false)
  })

  for (const { name, input } of readGoldenCases()) {
    it(`loads again and means the same: ${name.replaceAll('-', ' ')}`, async () => {
      const config = await load(input)
      if (config === undefined) return
      const printed = printConfig(config)
      const again = await load(printed)
      assert.ok(again, printed)
      // A virtual service without an address now cannot be printed as one.
      const expected = dumpConfig({ ...config, unresolved: [] })
      assert.deepEqual(withoutSecrets(dumpConfig({ ...again, unresolved: [] })), withoutSecrets(expected), printed)
    })
  }
})
