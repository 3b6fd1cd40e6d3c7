import { existsSync } from 'node:fs'
import type { RefusedReport, ReloadReport } from '../api/reload-routes.ts'
import { socketPathOf } from '../api/socket-path.ts'
import type { LoadResult } from '../config/model.ts'
import { type DaemonReport, daemonize } from '../control/process/daemonize.ts'
import { catchesSignal, isDirector } from '../control/process/director-process.ts'
import { instanceOf, pidFileOf, runDirectoryOf } from '../control/process/instance.ts'
import { type PidFileState, readPidFile } from '../control/process/pid-file.ts'
import type { Clock } from '../lib/clock.ts'
import { codeOf, messageOf, OperatorError } from '../lib/errors.ts'
import type { LogTarget } from '../log/log.ts'
import type { CliContext } from './context.ts'
import type { keepTableSignal } from './signals.ts'

/** What the verbs of Perl ldirectord need: they act on a process and seldom on a configuration. */
export interface ProcessPorts<Result extends LoadResult = LoadResult> {
  readonly out: (text: string) => void
  readonly err: (text: string) => void
  readonly clock: Clock
  readonly load: (file: string) => Promise<Result>
  readonly runDirectory: string
  readonly isAlive: (pid: number) => boolean
  /** False when there is no such process any more; throws when it may not be signalled. */
  readonly kill: (pid: number, signal: VerbSignal) => boolean
  /** Whether a signal does something else to the process than to kill it. */
  readonly catches: (pid: number, signal: VerbSignal) => boolean
  /** Starts this program with these arguments in the background. */
  readonly background: (args: readonly string[], cwd: string) => Promise<DaemonReport>
  /** Reloads over the control socket; undefined when nobody listens there. */
  readonly askReload: (instance: string, confirm: boolean) => Promise<ReloadReport | undefined>
  /** Why the daemon did not take the file that lies there now; empty when it did, or does not answer at once. */
  readonly askRefused: (instance: string) => Promise<readonly string[]>
  /** One line for the log, from a process that is not the daemon. */
  readonly note: (to: LogTarget & { instance: string; debug: boolean }, text: string) => Promise<void>
}

export type VerbSignal = 'SIGTERM' | 'SIGHUP' | typeof keepTableSignal

export interface ProcessOptions {
  /** The configuration as given; undefined for the default. */
  readonly config: string | undefined
  readonly debug: boolean
}

type Base = Pick<CliContext, 'out' | 'err' | 'clock' | 'load'>

/** The real world. `script` is `process.argv[1]`. */
export function processPorts(context: Base, script: string): ProcessPorts<Awaited<ReturnType<Base['load']>>> {
  const { out, err, clock, load } = context
  return {
    out,
    err,
    clock,
    load: (file) => load(file),
    runDirectory: runDirectoryOf(),
    isAlive: isDirector,
    kill,
    catches: catchesSignal,
    background: (args, cwd) => daemonize({ script, args, cwd, clock }),
    askReload: async (instance, confirm) => {
      const { askDaemon, NoDaemonError } = await import('../api/client.ts')
      const { refusalText } = await import('./instance-socket.ts')
      try {
        const socket = socketPathOf(instance)
        const answer = await askDaemon({ clock, socket }, { method: 'POST', path: '/v1/reload', body: { confirm } })
        if (answer.status !== 200) throw new OperatorError(refusalText(answer))
        return answer.body as ReloadReport
      } catch (error) {
        if (error instanceof NoDaemonError) return undefined
        throw error
      }
    },
    askRefused: async (instance) => {
      const socket = socketPathOf(instance)
      // A cluster manager asks for the status every few seconds: without a socket nothing is loaded.
      if (!existsSync(socket)) return []
      const { askDaemon } = await import('../api/client.ts')
      const ask = { method: 'GET', path: '/v1/refused' } as const
      const answer = await askDaemon({ clock, socket, withinMs: 1000 }, ask).catch(() => undefined)
      const { refused } = (answer?.body ?? {}) as { readonly refused?: RefusedReport | null }
      return refused?.reasons ?? []
    },
    note: async ({ debug, ...to }, text) => {
      const { createLog } = await import('../log/log.ts')
      const log = createLog({ ...to, toFile: !debug, toStdout: false, toStderr: debug, clock })
      log.tell({ kind: 'note', text })
      await log.close()
    },
  }
}

function kill(pid: number, signal: VerbSignal): boolean {
  try {
    return process.kill(pid, signal)
  } catch (error) {
    if (codeOf(error) === 'ESRCH') return false
    throw error
  }
}

export interface Instance {
  readonly name: string
  readonly pidFile: string
  readonly state: PidFileState
}

/** The instance that a configuration argument names, and whether it runs. Throws OperatorError when that cannot be read. */
export function lookUp(ports: Pick<ProcessPorts, 'runDirectory' | 'isAlive'>, config: string | undefined): Instance {
  const name = instanceOf(config)
  const pidFile = pidFileOf(name, ports.runDirectory)
  try {
    return { name, pidFile, state: readPidFile(pidFile, ports.isAlive) }
  } catch (error) {
    throw new OperatorError(`the pid file ${pidFile} cannot be read: ${messageOf(error)}`, { cause: error })
  }
}
