import type { Load } from '../config/load.ts'
import type { Config } from '../config/model.ts'
import { type Companions, createCompanions } from '../control/companion.ts'
import type { ReadySignal } from '../control/process/daemonize.ts'
import { type NotifyAddress, takeNotifyAddress } from '../control/process/notify.ts'
import { acquirePidFile, type HeldPidFile } from '../control/process/pid-file.ts'
import { askForRestart } from '../control/process/restart-job.ts'
import { messageOf } from '../lib/errors.ts'
import { printable } from '../lib/printable.ts'
import { createLog, type Log } from '../log/log.ts'
import type { IpvsTable } from '../table/details.ts'
import { TableError } from '../table/operation.ts'
import { assemble } from './assemble.ts'
import { type CliContext, exitCode } from './context.ts'
import { catchSignals, type Signals } from './signals.ts'

export interface DaemonOptions {
  /** Read and without errors. */
  readonly loaded: Load & { readonly config: Config }
  readonly table: 'kernel' | 'memory'
  readonly instance: string
  /** Undefined: none is written (`-d`, `supervised=yes`). */
  readonly pidFile: string | undefined
  readonly log: { readonly toFile: boolean; readonly toStdout: boolean; readonly toStderr?: boolean }
  /** Started in the background: only words it in the log. */
  readonly inBackground: boolean
  readonly ready: ReadySignal
  readonly commandLine: string
  /** Caught before the file was read: a reload right after a start must not find the default action of HUP. */
  readonly signals?: Signals | undefined
}

/** The daemon, until a signal ends it. Gives the exit code. */
export async function runDaemon(context: CliContext, options: DaemonOptions): Promise<number> {
  const { loaded, instance, ready } = options
  const fail = (code: number, message: string): number => {
    ready.failed(code, message)
    context.err(`${printable(message)}\n`)
    return code
  }
  const signals = options.signals ?? catchSignals()
  const notify = takeNotifyAddress()
  const held = await takePidFile(options)
  if (typeof held === 'string') return fail(1, held)
  const log = createLog({ ...loaded.config.globals, instance, ...options.log })
  log.tell({ kind: 'invoked', commandLine: options.commandLine })
  log.tell({ kind: 'starting', pid: process.pid, daemon: options.inBackground })
  endOnBug(log)
  let backend: IpvsTable | undefined
  const companions = createCompanions()
  try {
    backend = await context.openTable(options.table)
    companions.add({ name: 'log', tell: log.tell, onConfig: (config) => log.retarget(config.globals) })
    await serve(context, { backend, log, companions, options, signals, notify })
    return exitCode.ok
  } catch (error) {
    if (!(error instanceof TableError)) throw error
    log.tell({ kind: 'table-unreadable', text: error.message })
    return fail(exitCode.noTable, `The IPVS table cannot be kept: ${error.message}`)
  } finally {
    await companions.stop()
    await backend?.close()
    held?.release()
    await log.close()
  }
}

/** What nobody caught is our bug: told, and the end, with the table left as it is for the next start to adopt. */
function endOnBug(log: Log): void {
  process.on('uncaughtException', (error) => {
    log.tell({ kind: 'fault', text: error.stack ?? messageOf(error) })
    void log.close().finally(() => process.exit(exitCode.bug))
  })
}

/** The held file, undefined when none is wanted, or why it cannot be had. */
async function takePidFile({ pidFile }: DaemonOptions): Promise<HeldPidFile | string | undefined> {
  if (pidFile === undefined) return undefined
  try {
    const acquired = await acquirePidFile(pidFile)
    return acquired.kind === 'held' ? acquired.held : `already running with pid ${acquired.pid} (${pidFile})`
  } catch (error) {
    return `the pid file ${pidFile} cannot be written: ${messageOf(error)}`
  }
}

interface Service {
  readonly backend: IpvsTable
  readonly log: Log
  readonly companions: Companions
  readonly options: DaemonOptions
  readonly signals: Signals
  readonly notify: NotifyAddress | undefined
}

async function serve(context: CliContext, service: Service): Promise<void> {
  const { log, options, signals } = service
  const { daemon, operator, control, ownership, addresses, systemd } = assemble(context, {
    ...service,
    instance: options.instance,
    keepsState: keepsState(options),
  })
  const first = (await addresses?.complete(options.loaded)) ?? options.loaded
  await operator.prepare(first.config ?? options.loaded.config)
  await daemon.start(first)
  // Before anybody is told that it is ready: the next command may come through it.
  await control.open()
  options.ready.ready()
  systemd?.ready()
  signals.attach({
    reload: () => {
      log.tell({ kind: 'reload-signal' })
      log.reopen()
      void daemon.reload()
    },
    reopen: () => log.reopen(),
  })
  const { signal, keepTable: isAsked } = await signals.ended
  systemd?.stopping()
  const keepTable = isAsked || (signal === 'TERM' && (await isRestart(context, service)))
  await daemon.stop({ keepTable })
  if (keepTable) log.tell({ kind: 'table-left' })
  else ownership?.forget()
  log.tell({ kind: 'terminated', signal })
}

/** With a table in memory nothing of this machine is changed, unless it was said where. */
function keepsState({ table }: DaemonOptions): boolean {
  return table === 'kernel' || process.env['LDIRECTORD_NG_STATE_DIR'] !== undefined
}

/** systemd ends us with the same signal for a stop and for a restart; its list of jobs tells them apart. */
async function isRestart({ clock }: CliContext, { notify, log }: Service): Promise<boolean> {
  if (notify?.unit === undefined) return false
  const answer = await askForRestart(notify.unit, { clock })
  if (typeof answer === 'boolean') return answer
  log.tell({ kind: 'note', text: `systemd does not say whether this is a restart, so cleanstop counts: ${answer}` })
  return false
}
