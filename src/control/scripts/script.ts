import type { Clock } from '../../lib/clock.ts'
import { withDeadline } from '../../lib/deadline.ts'
import { printable } from '../../lib/printable.ts'
import { type Command, type CommandResult, runCommand } from '../../lib/run-command.ts'

/** A shell command, by definition of the directive it comes from. */
export interface Script {
  readonly text: string
  readonly args?: readonly string[]
  readonly variables?: Readonly<Record<string, string>>
}

/** How a script ended, worded for the log. */
export interface ScriptEnd {
  readonly ok: boolean
  readonly detail: string
}

/** Runs one script until it ends or the signal fires. Never rejects. */
export type RunScript = (script: Script, signal: AbortSignal) => Promise<ScriptEnd>

/** A longer one is ended: TERM to its process group, KILL half a second later. */
export const scriptLimitMs = 60_000

/** `/bin/sh -c`, in `/`, under the time limit. */
export function shellRunner(clock: Clock): RunScript {
  return async ({ text, args = [], variables = {} }, signal) => {
    const command: Command = {
      file: '/bin/sh',
      args: ['-c', text, ...args],
      variables,
      directory: '/',
      mayLeaveBehind: true,
    }
    return await runWithin({ clock, command, limitMs: scriptLimitMs }, signal)
  }
}

export interface Limited {
  readonly clock: Clock
  readonly command: Command
  readonly limitMs: number
}

/** Any command of a configuration, under a time limit. Never rejects. */
export async function runWithin({ clock, command, limitMs }: Limited, signal: AbortSignal): Promise<ScriptEnd> {
  if (signal.aborted) return { ok: false, detail: 'the daemon ends' }
  const result = await withDeadline({ clock, ms: limitMs, parent: signal }, (own) => runCommand(command, own))
  const why = signal.aborted ? 'ended with the daemon' : `ended after ${limitMs / 1000} s`
  return { ok: result.end.kind === 'exited' && result.end.status === 0, detail: wordEnd(result, why) }
}

function wordEnd(result: CommandResult, stopped: string): string {
  const { end } = result
  switch (end.kind) {
    case 'exited':
      return end.status === 0 ? 'exit status 0' : withOutput(`exit status ${end.status}`, result)
    case 'signalled':
      return withOutput(`killed by ${end.signal}`, result)
    case 'stopped':
      return withOutput(stopped, result)
    case 'not-started':
      return `could not be started: ${printable(end.message)}`
  }
}

/** The first line it printed, complaints first. */
function withOutput(text: string, { stdout, stderr }: CommandResult): string {
  const line = `${stderr}\n${stdout}`
    .split('\n')
    .map((each) => each.trim())
    .find((each) => each !== '')
  return line === undefined ? text : `${text}: ${printable(line, 200)}`
}
