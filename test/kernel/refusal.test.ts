import { strict as assert } from 'node:assert'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { cli, command, writeConfig } from './lab/director.ts'
import type { Host } from './lab/host.ts'
import { loneDirector } from './lab/topology.ts'

const loader = '/proc/sys/kernel/modprobe'

const config = `virtual=10.9.9.1:80
    real=10.50.0.2:80 masq
    checktype=on
`

/** The file's name sorts its boot apart: IPVS must not have been loaded by anybody before. */
describe('a kernel that will not', function () {
  this.timeout(60_000)
  let host: Host | undefined
  const usual = readFileSync(loader, 'utf8')

  before(async () => {
    host = await loneDirector()
  })
  after(async () => {
    writeFileSync(loader, usual)
    await host?.close()
  })

  it('without IPVS: run, start and plan end with 4 and say which module to load', async () => {
    assert.ok(host !== undefined)
    assert.doesNotMatch(readFileSync('/proc/modules', 'utf8'), /^ip_vs /m)
    writeFileSync(loader, '/bin/false')
    for (const verb of ['plan', 'run', 'start']) {
      const file = writeConfig(config)
      const words = verb === 'start' ? [file, 'start'] : [verb, file]
      const { code, stderr } = await cli(host, ...words)
      assert.equal(code, 4, `${verb}: ${stderr}`)
      assert.match(stderr, /modprobe ip_vs/, verb)
    }
    // Nothing was left behind that would keep the next start from its work.
    writeFileSync(loader, usual)
    const file = writeConfig(config)
    assert.equal((await cli(host, file, 'start')).code, 0)
    assert.equal((await host.table()).length, 2)
    assert.equal((await cli(host, file, 'stop')).code, 0)
    assert.deepEqual(await host.table(), [])
  })

  it('without the right to change the table: plan ends with 4 and says so', async () => {
    assert.ok(host !== undefined)
    const nobody = ['--reuid', '65534', '--regid', '65534', '--clear-groups']
    const file = writeConfig(config)
    chmodSync(dirname(file), 0o755)
    const { code, stderr } = await host.run('setpriv', ...nobody, ...command, 'plan', file)
    assert.equal(code, 4, stderr)
    assert.match(stderr, /permi(tted|ssion)|root|CAP_NET_ADMIN/i)
  })
})
