import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { chmodSync, writeFileSync } from 'node:fs'
import { doctor } from '../../src/cli/doctor.ts'
import { type DoctorReport, formatReport, reportJson } from '../../src/cli/doctor-report.ts'
import { loadConfig } from '../../src/config/load.ts'
import type { Machine } from '../../src/doctor/machine.ts'
import { goldenDeps, stubLookup } from '../config/golden-world.ts'
import { temporaryFolder } from '../log/temporary.ts'

const report: DoctorReport = {
  file: '/etc/ha.d/ldirectord.cf',
  remarks: 2,
  findings: [
    {
      kind: 'finding',
      severity: 'error',
      code: 'forwarding',
      at: { file: '/etc/ha.d/ldirectord.cf', line: 3, column: 1, length: 4 },
      message: 'net.ipv4.ip_forward is 0 \u001b[2J',
      why: `${'replies are thrown away '.repeat(8)}here.`,
      mend: { on: 'this machine', commands: ['sysctl -w net.ipv4.ip_forward=1'] },
    },
    {
      kind: 'finding',
      severity: 'info',
      code: 'real-servers',
      at: { file: '/etc/ha.d/ldirectord.cf', line: 4, column: 1, length: 4 },
      message: 'they need it',
      why: 'because',
      mend: { on: 'each real server', commands: ['one', 'two'] },
    },
  ],
  unseen: [{ kind: 'unseen', what: 'the rules', reason: 'must be root\u202e' }],
}

describe('The report of the doctor', () => {
  it('shows findings with place, reason and command, what was not seen, and a sum; nothing unescaped', () => {
    assert.equal(
      formatReport(report),
      `/etc/ha.d/ldirectord.cf:3: error[forwarding]: net.ipv4.ip_forward is 0 \\x1b[2J
  why: replies are thrown away replies are thrown away replies are thrown away replies are thrown
       away replies are thrown away replies are thrown away replies are thrown away replies are
       thrown away here.
  mend: sysctl -w net.ipv4.ip_forward=1

/etc/ha.d/ldirectord.cf:4: info[real-servers]: they need it
  why: because
  on each real server: one
                       two

Could not look at:
  the rules: must be root\\u{202e}

/etc/ha.d/ldirectord.cf: 1 error, 1 remark; 1 not looked at; validate has 2 warnings
What sysctl and ip set is gone after the next boot: keep it in /etc/sysctl.d and the network settings.
`,
    )
  })

  it('is one line when all is well', () => {
    const well = { ...report, findings: [], unseen: [], remarks: 0 }
    assert.equal(formatReport(well), '/etc/ha.d/ldirectord.cf: nothing found\n')
  })

  it('is complete as JSON', () => {
    assert.deepEqual(JSON.parse(reportJson({ ...report, findings: report.findings.slice(0, 1) })), {
      file: '/etc/ha.d/ldirectord.cf',
      errors: 1,
      warnings: 0,
      infos: 0,
      findings: [
        {
          severity: 'error',
          code: 'forwarding',
          message: report.findings[0]?.message,
          file: '/etc/ha.d/ldirectord.cf',
          line: 3,
          why: report.findings[0]?.why,
          mend: { on: 'this machine', commands: ['sysctl -w net.ipv4.ip_forward=1'] },
        },
      ],
      unseen: [{ what: 'the rules', reason: 'must be root\u202e' }],
    })
  })
})

describe('doctor', () => {
  const folder = temporaryFolder()
  /** A machine of which nothing is known: every rule that needs it says so. */
  const mute: Machine = {
    root: '/nowhere',
    path: '',
    isRoot: false,
    interfaces: () => ({}),
    run: () => Promise.resolve({ kind: 'absent' }),
    nowMs: () => 0,
  }
  const run = async (text: string, json = false): Promise<{ code: number; out: string; err: string }> => {
    const file = folder.path('a.cf')
    writeFileSync(file, text)
    let out = ''
    let err = ''
    const ports = {
      out: (words: string) => {
        out += words
      },
      err: (words: string) => {
        err += words
      },
      load: (path: string) => loadConfig(path, { ...goldenDeps, lookup: stubLookup }),
    }
    const code = await doctor(ports, { config: file, json }, mute)
    return { code, out, err }
  }

  it('gives no error for what it could not look at, and ends with 0', async () => {
    const { code, out, err } = await run(
      'virtual = 192.0.2.10:80\n    real = 10.0.0.2:80 masq\n    quiescent = yes\n    persistent = 60\nvirtual = 5\n    real = 10.0.0.2 gate\n    checktype = on\n',
    )
    assert.deepEqual([code, err], [0, ''])
    assert.doesNotMatch(out, /error\[|warning\[/)
    assert.match(out, /Could not look at:/)
    assert.match(out, /whether a rule sets the IPv4 mark 5: neither iptables-save nor nft is installed/)
  })

  it('ends with 1 when there is an error', async () => {
    const { code, out } = await run('virtual = 192.0.2.10:80\n    real = 127.0.0.1:8080 masq\n    checktype = on\n')
    assert.equal(code, 1)
    assert.match(out, /a\.cf:2: error\[loopback-masq\]/)
  })

  it('tells the faults of a configuration as validate does, and ends with 2', async () => {
    const { code, out } = await run('checktimout = 5\n')
    assert.equal(code, 2)
    assert.match(out, /a\.cf:1:1: error\[unknown-directive\].*\n {2}\| checktimout = 5\n/)
    const asJson = await run('checktimout = 5\n', true)
    assert.deepEqual([asJson.code, JSON.parse(asJson.out).errors], [2, 1])
  })

  it('ends with 2 when there is no such file', async () => {
    let out = ''
    const said = (text: string): void => {
      out += text
    }
    const ports = { out: said, err: () => undefined, load: () => assert.fail('read') }
    assert.equal(await doctor(ports, { config: folder.path('none.cf'), json: false }, mute), 2)
    assert.match(out, /none\.cf not found/)
  })

  it('looks at the real machine, also without any right on it', async function () {
    this.timeout(30_000)
    const file = folder.path('real.cf')
    writeFileSync(
      file,
      'virtual = 192.0.2.10:80\n    real = 127.0.0.2:80 masq\n    real = 10.0.0.3:80 ipip\nvirtual = 77\n    real = 10.0.0.3 gate\n    checktype = ping\n',
    )
    chmodSync(file, 0o644)
    const program = [process.execPath, 'bin/ldirectord-ng', 'doctor', file, '--json']
    // Root without capabilities is as good as anybody, and may still read the checkout.
    const powerless = ['setpriv', '--bounding-set=-all', '--inh-caps=-all', ...program]
    for (const [command = '', ...args] of process.geteuid?.() === 0 ? [program, powerless] : [program]) {
      const { code, stdout, stderr } = await new Promise<{ code: unknown; stdout: string; stderr: string }>(
        (resolve) => {
          execFile(command, args, (error, out, err) => resolve({ code: error?.code ?? 0, stdout: out, stderr: err }))
        },
      )
      assert.deepEqual([code, stderr], [1, ''])
      const { errors, findings } = JSON.parse(stdout)
      assert.ok(errors >= 1)
      assert.ok(
        findings.some((each: { code: string; line: number }) => each.code === 'loopback-masq' && each.line === 2),
      )
    }
  })
})
