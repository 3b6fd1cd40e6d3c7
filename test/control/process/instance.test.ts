import assert from 'node:assert/strict'
import { runsDirector } from '../../../src/control/process/director-process.ts'
import { instanceOf, pidFileOf, runDirectoryOf } from '../../../src/control/process/instance.ts'

describe('instance', () => {
  const names: readonly [string | undefined, string][] = [
    [undefined, 'ldirectord'],
    ['ldirectord.cf', 'ldirectord.cf'],
    ['/etc/ha.d/ldirectord.cf', 'ldirectord.cf'],
    ['www', 'www'],
    ['../a b.cf', 'a b.cf'],
    ['', 'ldirectord'],
  ]
  for (const [argument, name] of names) {
    it(`is ${name} for the argument ${argument ?? '(none)'}`, () => {
      assert.equal(instanceOf(argument), name)
    })
  }

  it('has its pid file in /var/run, or where the environment says', () => {
    assert.equal(pidFileOf('ldirectord.cf', runDirectoryOf({})), '/var/run/ldirectord.ldirectord.cf.pid')
    const elsewhere = runDirectoryOf({ LDIRECTORD_NG_RUN_DIR: '/tmp/x' })
    assert.equal(pidFileOf('www', elsewhere), '/tmp/x/ldirectord.www.pid')
  })
})

describe('runsDirector', () => {
  const commandLines: readonly [string, boolean][] = [
    ['/usr/bin/perl -w /usr/sbin/ldirectord /etc/ha.d/ldirectord.cf start', true],
    ['/usr/bin/perl /usr/sbin/ldirectord start', true],
    ['/usr/bin/node /usr/sbin/ldirectord-ng /etc/ldirectord.cf start', true],
    ['node --enable-source-maps --import tsx /opt/ldirectord-ng/bin/ldirectord-ng run', true],
    ['/usr/sbin/ldirectord-ng start', true],
    ['ldirectord tcp:192.0.2.10:80 checking 192.0.2.20', true],
    ['vim /etc/ha.d/ldirectord.cf', false],
    ['tail -f /var/log/ldirectord.log', false],
    ['/usr/bin/perl /usr/local/bin/monitor /etc/ldirectord.cf', false],
    ['/usr/bin/node /opt/ldirectord-ng/node_modules/.bin/mocha', false],
    ['node', false],
    ['', false],
  ]
  for (const [commandLine, expected] of commandLines) {
    it(`${expected ? 'counts' : 'does not count'} ${commandLine === '' ? 'a kernel thread' : commandLine}`, () => {
      assert.equal(runsDirector(commandLine.split(' ')), expected)
    })
  }
})
