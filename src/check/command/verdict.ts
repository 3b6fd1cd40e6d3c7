import { printable } from '../../lib/printable.ts'
import type { CommandResult } from '../../lib/run-command.ts'
import { type CheckResult, down, type UnknownReason, unknown, up } from '../../model/verdict.ts'
import { failureOf } from '../failure.ts'

/** Errors of fork and exec that tell of this machine, not of the command. */
const localFaults: Readonly<Record<string, UnknownReason>> = {
  EAGAIN: 'local-resource',
  EMFILE: 'local-resource',
  ENFILE: 'local-resource',
  ENOMEM: 'local-resource',
  EPERM: 'not-permitted',
}

/**
 * What the end of a check command says of the server: up for exit status 0 and for nothing else. A command that cannot
 * be executed counts as status 127, as in Perl ldirectord (behaviour reference 3.3); one that a signal killed is down (D32).
 */
export function commandVerdict(name: string, result: CommandResult, signal: AbortSignal): CheckResult {
  const { end } = result
  const command = printable(name)
  switch (end.kind) {
    case 'exited':
      return end.status === 0
        ? up(withOutput('exit status 0', result))
        : down('exit-status', withOutput(`exit status ${end.status}`, result))
    case 'signalled':
      return down('exit-status', withOutput(`${command} was killed by ${end.signal}`, result))
    case 'stopped':
      return failureOf(signal.reason, signal, `running ${command}, now killed`)
    case 'not-started':
      return notStarted(command, end)
  }
}

function notStarted(command: string, end: { code: string | undefined; message: string }): CheckResult {
  const reason = end.code === undefined ? undefined : localFaults[end.code]
  const why = printable(end.message)
  if (reason !== undefined) return unknown(reason, `could not start ${command}: ${why}`)
  return down('exit-status', `exit status 127: could not execute ${command}: ${why}`)
}

/** The first line it printed, be it an answer or a complaint. */
function withOutput(text: string, { stdout, stderr }: CommandResult): string {
  const line = `${stdout}\n${stderr}`
    .split('\n')
    .map((each) => each.trim())
    .find((each) => each !== '')
  return line === undefined ? text : `${text}: ${printable(line, 200)}`
}
