import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { catchesSignal, isDirector } from '../../../src/control/process/director-process.ts'
import { temporaryFolder } from '../../log/temporary.ts'

describe('Which signals a process catches', () => {
  const folder = temporaryFolder()

  it('is read from its SigCgt, and unknown is no', () => {
    mkdirSync(folder.path('4711'))
    // Bits 0 and 11: HUP and USR2.
    writeFileSync(folder.path('4711/status'), 'Name:\tnode\nSigBlk:\tffffffffffffffff\nSigCgt:\t0000000000000801\n')
    const catches = (pid: number, signal: NodeJS.Signals): boolean => catchesSignal(pid, signal, folder.path('.'))
    assert.deepEqual(
      (['SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGTERM'] as const).filter((signal) => catches(4711, signal)),
      ['SIGHUP', 'SIGUSR2'],
    )
    assert.equal(catches(4712, 'SIGHUP'), false)
    writeFileSync(folder.path('4711/status'), 'Name:\tnode\n')
    assert.equal(catches(4711, 'SIGHUP'), false)
  })

  it('is so of this very process', () => {
    const listener = (): void => undefined
    assert.equal(catchesSignal(process.pid, 'SIGIO'), false)
    process.on('SIGIO', listener)
    assert.equal(catchesSignal(process.pid, 'SIGIO'), true)
    process.removeListener('SIGIO', listener)
  })
})

describe('Whether a process is a director', () => {
  const folder = temporaryFolder()

  it('is told by the program it runs, and the one that asks is none', () => {
    for (const pid of [4711, process.pid]) {
      mkdirSync(folder.path(String(pid)))
      writeFileSync(folder.path(`${pid}/cmdline`), 'node\0/usr/sbin/ldirectord-ng\0a.cf\0start\0')
    }
    assert.equal(isDirector(4711, folder.path('.')), true)
    assert.equal(isDirector(4712, folder.path('.')), false)
    assert.equal(isDirector(process.pid, folder.path('.')), false)
  })
})
