import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { askForRestart, hasRestartJob } from '../../../src/control/process/restart-job.ts'
import { systemClock } from '../../../src/lib/clock.ts'
import { createVirtualClock } from '../../lib/virtual-clock.ts'
import { temporaryFolder } from '../../log/temporary.ts'

const unit = 'ldirectord-ng@www.cf.service'

describe("systemd's list of jobs", () => {
  const folder = temporaryFolder()
  /** In place of systemctl. */
  const says = (script: string): string => {
    const path = folder.path('systemctl')
    writeFileSync(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 })
    return path
  }

  it('has a restart of the unit itself, or not', () => {
    assert.equal(hasRestartJob(`  12 ${unit} restart running\n`, unit), true)
    assert.equal(hasRestartJob(`11 other.service start waiting\n12 ${unit} restart running\n`, unit), true)
    assert.equal(hasRestartJob(`12 ${unit} stop running\n`, unit), false)
    assert.equal(hasRestartJob('12 other.service restart running\n', unit), false)
    assert.equal(hasRestartJob('12 restart stop running\n', 'restart'), false)
    assert.equal(hasRestartJob('', unit), false)
  })

  it('is asked for', async () => {
    const program = says(`echo "7 ${unit} restart running"; echo "$*" >${folder.path('words')}`)
    assert.equal(await askForRestart(unit, { clock: systemClock, program }), true)
    assert.equal(await askForRestart('other.service', { clock: systemClock, program }), false)
  })

  it('is not known when systemctl fails, is not there, or does not answer in three seconds', async () => {
    const clock = systemClock
    const fails = says('echo "Failed to connect to bus" >&2; exit 1')
    assert.equal(await askForRestart(unit, { clock, program: fails }), 'Failed to connect to bus\\n')
    assert.match(String(await askForRestart(unit, { clock, program: folder.path('gone') })), /ENOENT/)
    const virtual = createVirtualClock()
    const program = says('exec sleep 60')
    const asked = askForRestart(unit, { clock: virtual, program })
    await virtual.advance(3_000)
    assert.equal(await asked, `${program} ended with SIGKILL`)
    assert.deepEqual(virtual.openTimers(), [])
  })
})
