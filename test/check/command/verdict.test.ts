import assert from 'node:assert/strict'
import { commandVerdict } from '../../../src/check/command/verdict.ts'
import { DeadlineError } from '../../../src/lib/deadline-error.ts'
import type { CommandEnd } from '../../../src/lib/run-command.ts'
import { verdictOf } from '../../checks/probing.ts'

const failed = (code: string | undefined): CommandEnd => ({ kind: 'not-started', code, message: `spawn ${code}` })
const never = new AbortController().signal

describe('the verdict on a check command', () => {
  const cases: readonly [title: string, end: CommandEnd, signal: AbortSignal, verdict: string][] = [
    ['status 0', { kind: 'exited', status: 0 }, never, 'up'],
    ['status 1', { kind: 'exited', status: 1 }, never, 'down exit-status'],
    ['status 127', { kind: 'exited', status: 127 }, never, 'down exit-status'],
    ['killed', { kind: 'signalled', signal: 'SIGKILL' }, never, 'down exit-status'],
    ['over its time', { kind: 'stopped' }, AbortSignal.abort(new DeadlineError(5)), 'down timeout'],
    ['called off', { kind: 'stopped' }, AbortSignal.abort(), 'unknown cancelled'],
    ['no such file', failed('ENOENT'), never, 'down exit-status'],
    ['not executable', failed('EACCES'), never, 'down exit-status'],
    ['being written', failed('ETXTBSY'), never, 'down exit-status'],
    ['arguments too long', failed('E2BIG'), never, 'down exit-status'],
    ['an error without a code', failed(undefined), never, 'down exit-status'],
    ['no process to be had', failed('EAGAIN'), never, 'unknown local-resource'],
    ['no file descriptor to be had', failed('EMFILE'), never, 'unknown local-resource'],
    ['no file descriptor in the machine', failed('ENFILE'), never, 'unknown local-resource'],
    ['no memory', failed('ENOMEM'), never, 'unknown local-resource'],
    ['a capability it needs is out of reach', failed('EPERM'), never, 'unknown not-permitted'],
  ]
  for (const [title, end, signal, verdict] of cases) {
    it(`${verdict}: ${title}`, () => {
      const result = commandVerdict('/bin/check', { end, stdout: '', stderr: '' }, signal)
      assert.equal(verdictOf(result), verdict)
      assert.notEqual(result.detail, '')
    })
  }

  it('escapes whatever the name, the output and the error hold', () => {
    const dirty = 'a\x1b[2J\nb'
    const ends: CommandEnd[] = [
      { kind: 'exited', status: 1 },
      { kind: 'signalled', signal: 'SIGHUP' },
      { kind: 'not-started', code: 'EAGAIN', message: dirty },
      { kind: 'not-started', code: 'ENOENT', message: dirty },
      { kind: 'stopped' },
    ]
    for (const end of ends) {
      const { detail } = commandVerdict(dirty, { end, stdout: dirty, stderr: '' }, AbortSignal.abort())
      // biome-ignore lint/suspicious/noControlCharactersInRegex: none of them may be left
      assert.doesNotMatch(detail, /[\x00-\x1f]/, end.kind)
    }
  })
})
