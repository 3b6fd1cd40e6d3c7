import assert from 'node:assert/strict'
import { chmodSync, copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { skipBecause } from '../tools/skip.ts'
import { command, tableBecomes, writeConfig } from './lab/director.ts'
import type { Ran } from './lab/host.ts'
import { masqTopology, type Topology } from './lab/topology.ts'

const service = '-A -t 10.1.0.100:80 -s rr'
const both = [service, '-a -t 10.1.0.100:80 -r 10.2.1.2:80 -m -w 1', '-a -t 10.1.0.100:80 -r 10.2.2.2:80 -m -w 1']
const file = `
  virtual=10.1.0.100:80
      real=10.2.1.2:80 masq
      real=10.2.2.2:80 masq
      checktype=on
      scheduler=rr
`

describe('The resource agent for Pacemaker', function () {
  this.timeout(180_000)
  let lab: Topology
  const folder = mkdtempSync(join(tmpdir(), 'ocf-'))
  const agent = join(folder, 'agent')
  const program = join(folder, 'ldirectord-ng')

  before(async function () {
    if (!existsSync('/usr/sbin/ocf-tester'))
      skipBecause(this, 'there is no ocf-tester: apt-get install resource-agents')
    lab = await masqTopology()
    // Where any account may read it: a part of the tester is somebody else.
    chmodSync(folder, 0o755)
    copyFileSync('etc/ocf/ldirectord-ng', agent)
    writeFileSync(program, `#!/bin/sh\nexec ${command.join(' ')} "$@"\n`)
    for (const path of [agent, program]) chmodSync(path, 0o755)
  })
  after(() => lab.close())

  /** As Pacemaker's executor does it: nothing in the environment but what OCF says, its own directory, no input. */
  const act = (action: string, config: string, binary = program, script = agent): Promise<Ran> => {
    const variables = ['OCF_ROOT=/usr/lib/ocf', 'OCF_RESOURCE_INSTANCE=director', 'OCF_RESKEY_CRM_meta_timeout=15000']
    const parameters = [`OCF_RESKEY_configfile=${config}`, `OCF_RESKEY_ldirectord=${binary}`]
    const clean = ['-i', '-C', '/run', ...variables, ...parameters]
    return lab.director.run('env', ...clean, 'setsid', '--wait', 'sh', '-c', 'exec "$0" "$1" <&-', script, action)
  }
  const code = async (...words: Parameters<typeof act>): Promise<number> => (await act(...words)).code
  const pidOf = (config: string): number => Number(readFileSync(`/run/ldirectord.${basename(config)}.pid`, 'utf8'))

  it('passes ocf-tester', async () => {
    const config = writeConfig(file)
    const parameters = ['-o', `configfile=${config}`, '-o', `ldirectord=${program}`]
    const { code, stdout, stderr } = await lab.director.run('ocf-tester', '-n', 'director', ...parameters, agent)
    assert.deepEqual(
      { code, last: stdout.trimEnd().split('\n').at(-1) },
      { code: 0, last: `${agent} passed all tests` },
      stdout + stderr,
    )
    assert.doesNotMatch(stdout, /^\* rc=/m)
    assert.deepEqual(await lab.director.table(), [])
  })

  it('answers 7 after a kill -9, starts again on the table that was left, and needs no file to see and stop it', async () => {
    const config = writeConfig(file)
    assert.equal(await code('monitor', config), 7)
    assert.deepEqual(await act('start', config), { code: 0, stdout: '', stderr: '' })
    assert.equal(await code('monitor', config), 0)
    process.kill(pidOf(config), 'SIGKILL')
    await tableBecomes(lab.director, both.join('\n'))
    assert.deepEqual(await act('monitor', config), { code: 7, stdout: '', stderr: '' })
    assert.equal(await code('start', config), 0)
    rmSync(config)
    assert.equal(await code('monitor', config), 0)
    assert.equal(await code('stop', config), 0)
    assert.equal(await code('monitor', config), 5)
    assert.deepEqual(await lab.director.table(), [])
  })

  it('is not misled by another process that got the number of the one that was killed', async () => {
    const config = writeConfig(file)
    writeFileSync(`/run/ldirectord.${basename(config)}.pid`, `${process.pid}\n`)
    assert.equal(await code('monitor', config), 7)
    assert.equal(await code('stop', config), 0)
  })

  it('kills a director that does not end, so that the node is not fenced', async () => {
    const config = writeConfig(file)
    assert.equal(await code('start', config), 0)
    process.kill(pidOf(config), 'SIGSTOP')
    assert.equal(await code('stop', config), 0)
    assert.equal(await code('monitor', config), 7)
    await lab.director.must('ipvsadm', '-C')
  })

  it('answers for a node without the configuration or the program, and for a faulty configuration', async () => {
    const faulty = writeConfig(file.replace('checktype=on', 'checktype=perhaps'))
    const actions = ['start', 'monitor', 'stop', 'validate-all'] as const
    const codes = async (...words: readonly [string, string?]): Promise<readonly number[]> => {
      const all: number[] = []
      for (const action of actions) all.push(await code(action, ...words))
      return all
    }
    assert.deepEqual(await codes('absent.cf'), [5, 5, 0, 5])
    assert.deepEqual(await codes(faulty, '/usr/sbin/absent'), [5, 5, 0, 5])
    const started = await act('start', faulty)
    assert.equal(started.code, 1)
    assert.match(started.stderr, /^ocf-exit-reason:start: .*checktype/s)
    assert.equal(await code('validate-all', faulty), 6)
    assert.match((await act('monitor', 'absent.cf')).stderr, /^ocf-exit-reason:configuration absent.cf not found$/m)
  })

  it('answers as the agent for Perl ldirectord does, but for a stop without configuration or program, which succeeds', async function () {
    const perls = '/usr/lib/ocf/resource.d/heartbeat/ldirectord'
    if (!existsSync(perls) || !existsSync('/usr/sbin/ldirectord')) skipBecause(this, 'there is no Perl ldirectord')
    const config = writeConfig(file)
    const situations = [
      { config: '/etc/absent.cf', missing: true },
      { config, binary: '/usr/sbin/absent', missing: true },
      { config, missing: false },
    ]
    for (const { config, binary, missing } of situations) {
      for (const action of missing
        ? ['start', 'stop', 'monitor', 'validate-all']
        : ['stop', 'monitor', 'validate-all']) {
        const theirs = (await act(action, config, binary ?? '/usr/sbin/ldirectord', perls)).code
        const same = missing && action === 'stop' ? 5 : await code(action, config, binary)
        assert.equal(theirs, same, `${action} ${config} ${binary}`)
      }
    }
  })

  it('tells what it is, and refuses an action that it does not know', async () => {
    const told = await act('meta-data', '')
    assert.equal(told.code, 0)
    assert.match(told.stdout, /<parameter name="configfile" unique="1">/)
    assert.match(told.stdout, /<content type="string" default="\/etc\/ha\.d\/ldirectord\.cf"\/>/)
    assert.match(told.stdout, /<action name="monitor" depth="0" timeout="10s" interval="20s"\/>/)
    assert.equal(await code('promote', ''), 3)
    assert.equal(await code('usage', ''), 0)
  })
})
