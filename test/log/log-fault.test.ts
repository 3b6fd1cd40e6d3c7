import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { logFault } from '../../src/log/log-fault.ts'
import { temporaryFolder } from './temporary.ts'

describe('The fault of a log', () => {
  const folder = temporaryFolder()

  it('is none for a file, for one that can be made, and for a syslog facility', () => {
    writeFileSync(folder.path('there.log'), '')
    const logs = [folder.path('there.log'), folder.path('new.log'), '/dev/null', 'local0']
    assert.deepEqual(logs.map(logFault), [undefined, undefined, undefined, undefined])
  })

  it('says what is in the way, fit for a terminal', () => {
    mkdirSync(folder.path('folder'))
    writeFileSync(folder.path('file'), '')
    assert.equal(logFault(folder.path('folder')), `the log ${folder.path('folder')} is a directory`)
    assert.match(logFault(folder.path('gone/x.log')) ?? '', /^the log cannot be written: ENOENT: /)
    assert.match(logFault(folder.path('file/x.log')) ?? '', /^the log cannot be written: ENOTDIR: /)
    assert.equal(logFault('local9\u001b[31m'), 'no syslog facility local9\\x1b[31m')
  })
})
