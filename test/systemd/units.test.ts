import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { temporaryFolder } from '../log/temporary.ts'
import { skipBecause } from '../tools/skip.ts'

const names = ['ldirectord-ng.service', 'ldirectord-ng@.service'] as const
const textOf = (name: string): string => readFileSync(`systemd/${name}`, 'utf8')
const program = '/usr/sbin/ldirectord-ng'

describe('The systemd units', function () {
  this.timeout(20_000)
  const folder = temporaryFolder()

  before(function () {
    if (!existsSync('/usr/bin/systemd-analyze')) skipBecause(this, 'no systemd-analyze (package systemd)')
  })

  /** Runs on a copy whose program exists on this machine. */
  const analyze = (name: string, ...words: readonly string[]): string => {
    const copy = folder.path(name)
    writeFileSync(copy, textOf(name).replaceAll(program, resolve('bin/ldirectord-ng')))
    const { stdout, stderr } = spawnSync('systemd-analyze', [...words, copy], { encoding: 'utf8' })
    return stdout + stderr
  }

  for (const name of names) {
    it(`${name} is understood without a remark`, () => {
      assert.equal(analyze(name, 'verify', '--recursive-errors=no', '--man=no'), '')
    })

    it(`${name} is exposed by at most 2.2 as root`, () => {
      const said = analyze(name, 'security', '--offline=true', '--no-pager')
      const exposure = /Overall exposure level for \S+: (\d+\.\d)/.exec(said)?.[1]
      assert.ok(Number(exposure) <= 2.2, said)
    })
  }

  it('differ in nothing but the instance', () => {
    const [one = '', template = ''] = names.map(textOf)
    const settings = (text: string): string =>
      text
        .replace(/^#.*$/gm, '')
        .replace(/^Description=.*$/m, '')
        .trim()
    assert.equal(settings(template).replaceAll(' %i', ''), settings(one))
    assert.equal(template.match(/ %i/g)?.length, 2)
  })
})
