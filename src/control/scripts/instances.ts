import { readFileSync, statSync } from 'node:fs'
import { findConfig } from '../../config/find.ts'
import { lex } from '../../config/lexer.ts'
import type { Clock } from '../../lib/clock.ts'
import { collectDiagnostics } from '../../lib/diagnostics.ts'
import { codeOf } from '../../lib/errors.ts'
import { catchesSignal } from '../process/director-process.ts'
import { instanceOf, pidFileOf } from '../process/instance.ts'
import { readPidFile } from '../process/pid-file.ts'
import { runWithin, type ScriptEnd } from './script.ts'

/** Directors of other configurations on this machine, each with its own process and pid file. */
export interface OtherInstances {
  /** Undefined while none runs. */
  pidOf(name: string): number | undefined
  /** Undefined: it is gone. `unheard`: it would die of it, so it was not sent; TERM always is. Throws when it may not be. */
  signal(pid: number, signal: NodeJS.Signals): 'sent' | 'unheard' | undefined
  /** Resolves when it stands in the background, or can not. */
  start(name: string, ended: AbortSignal): Promise<ScriptEnd>
  /** What the configuration of that name executes itself; nothing when it cannot be read. */
  executedBy(name: string): readonly string[]
}

/** In the environment of a director: the instances that have begun it, the first one first. */
const lineageVariable = 'LDIRECTORD_NG_EXECUTED_BY'
/** `start` answers within a minute by itself. */
const startLimitMs = 70_000
const mostConfigBytes = 8 << 20
/** What systemd gave to this process and to no other. */
const ownVariables = ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID', 'LISTEN_FDS', 'LISTEN_PID']

export function lineageOf(env: NodeJS.ProcessEnv = process.env): readonly string[] {
  return (env[lineageVariable] ?? '').split('/').filter((name) => name !== '')
}

/** The name as a shell would have understood it: Perl ldirectord has one between (behaviour reference 1.8). */
export function executedName(value: string): string {
  const bare = value.trim()
  return /^"(.*)"$/.exec(bare)?.[1] ?? /^'(.*)'$/.exec(bare)?.[1] ?? bare
}

export interface OwnProgram {
  readonly clock: Clock
  readonly instance: string
  /** `process.argv[1]`. */
  readonly script?: string
}

export function otherInstances({ clock, instance, script = process.argv[1] ?? '' }: OwnProgram): OtherInstances {
  return {
    pidOf: (name) => {
      const state = readPidFile(pidFileOf(instanceOf(name)))
      return state.kind === 'running' ? state.pid : undefined
    },
    signal: (pid, signal) => {
      if (signal !== 'SIGTERM' && !catchesSignal(pid, signal)) return 'unheard'
      try {
        process.kill(pid, signal)
        return 'sent'
      } catch (error) {
        if (codeOf(error) === 'ESRCH') return undefined
        throw error
      }
    },
    start: async (name, ended) => {
      const words = name.startsWith('-') ? ['--', name] : [name]
      const args = [...process.execArgv, script, ...words, 'start']
      const environment = environmentFor([...lineageOf(), instance])
      const command = { file: process.execPath, args, environment, mayLeaveBehind: true }
      return await runWithin({ clock, command, limitMs: startLimitMs }, ended)
    },
    executedBy,
  }
}

function environmentFor(lineage: readonly string[]): Readonly<Record<string, string>> {
  const environment: Record<string, string> = { [lineageVariable]: lineage.join('/') }
  for (const [name, value] of Object.entries(process.env)) {
    if (value === undefined || ownVariables.includes(name) || name === lineageVariable) continue
    environment[name] = value
  }
  return environment
}

/** Also for a file with faults elsewhere. */
export function executedBy(name: string): readonly string[] {
  try {
    const file = findConfig(name)
    if (file === undefined || statSync(file).size > mostConfigBytes) return []
    const { globals } = lex(readFileSync(file, 'utf8'), file, collectDiagnostics())
    return globals.filter((directive) => directive.name === 'execute').map(({ value }) => executedName(value))
  } catch {
    // Its own start will tell.
    return []
  }
}

/** Whether one comes from `name` to the instance `goal` by going from file to file. */
export function leadsTo(goal: string, name: string, instances: Pick<OtherInstances, 'executedBy'>): boolean {
  const seen = new Set<string>()
  const waiting = [name]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (instanceOf(next) === goal) return true
    if (seen.has(next)) continue
    seen.add(next)
    waiting.push(...instances.executedBy(next))
  }
  return false
}
