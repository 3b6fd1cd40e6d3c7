import type { Load } from '../config/load.ts'
import { isDaemonChild, readySignal } from '../control/process/daemonize.ts'
import { instanceOf, pidFileOf } from '../control/process/instance.ts'
import { printable } from '../lib/printable.ts'
import { versionText } from '../lib/version.ts'
import { type Command, isProcessVerb, type ProcessVerb } from './arguments.ts'
import type { CliContext } from './context.ts'
import { exitCode } from './context.ts'
import { type ProcessPorts, processPorts } from './process-ports.ts'
import { locate, perlExit, readConfig } from './read-config.ts'
import { reload } from './reload.ts'
import { restart } from './restart.ts'
import type { DaemonOptions } from './run.ts'
import { catchSignals, type Signals } from './signals.ts'
import { type Foreground, start } from './start.ts'
import { status } from './status.ts'
import { stop } from './stop.ts'
import { usageText } from './usage.ts'
import { validate } from './validate.ts'
import type { VerbCommand } from './verb-arguments.ts'

/** How this process was called. */
export interface Invocation {
  /** `process.argv[1]`. */
  readonly script: string
  readonly args: readonly string[]
}

/** Does what the command line says and gives the exit code. */
export async function dispatch(context: CliContext, command: Command, called: Invocation): Promise<number> {
  switch (command.verb) {
    case 'usage':
      if (command.complaint !== undefined) context.err(`${printable(command.complaint)}\n`)
      context.out(usageText)
      return perlExit.usage
    case 'help':
      context.out(command.text ?? usageText)
      return exitCode.ok
    case 'version':
      context.out(versionText)
      return exitCode.ok
    case 'run':
    case 'check':
    case 'plan':
    case 'validate':
    case 'doctor':
    case 'save':
    case 'demo':
    case 'show':
    case 'why':
    case 'drain':
    case 'disable':
    case 'enable':
      return await oneOfOurs(context, command, called)
    default:
      return isProcessVerb(command.verb) ? await processVerb(context, { ...command, verb: command.verb }, called) : 70
  }
}

/** The daemon's parts are loaded when it runs, so that `status` and its like answer quickly. */
async function serve(context: CliContext, options: DaemonOptions): Promise<number> {
  const { runDaemon } = await import('./run.ts')
  return await runDaemon(context, options)
}

async function oneOfOurs(context: CliContext, command: VerbCommand, called: Invocation): Promise<number> {
  switch (command.verb) {
    case 'run':
      return await run(context, command, called)
    case 'check':
      return await (await import('./check.ts')).check(context, command)
    case 'plan':
      return await (await import('./plan.ts')).plan(context, command)
    case 'validate':
      return await validate(context, command)
    case 'doctor':
      return await (await import('./doctor.ts')).doctor(context, command)
    case 'save':
      return await (await import('./save.ts')).save(context, command)
    case 'demo':
      return await (await import('./demo.ts')).demo(context, command)
    case 'show':
      return await (await import('./show.ts')).show(context, command)
    case 'why':
      return await (await import('./why.ts')).why(context, command)
    case 'drain':
    case 'disable':
    case 'enable':
      return await (await import('./order.ts')).order(context, command)
    case 'help':
      context.out(command.text)
      return exitCode.ok
  }
}

/** `run [config]`: the daemon in the foreground, with the pid file, so that `status`, `stop` and `reload` see it. */
async function run(
  context: CliContext,
  command: Extract<VerbCommand, { verb: 'run' }>,
  called: Invocation,
): Promise<number> {
  const signals = catchSignals()
  const file = locate(context, command.config)
  if (file === undefined) return perlExit.failed
  const loaded = await readConfig<Load>(context, file)
  if (typeof loaded === 'number') return loaded
  const instance = instanceOf(command.config)
  return await serve(context, {
    loaded,
    table: command.table,
    instance,
    pidFile: pidFileOf(instance),
    log: { toFile: command.log !== 'stdout', toStdout: true },
    inBackground: false,
    ready: readySignal(),
    commandLine: commandLineOf(called),
    signals,
  })
}

interface ProcessCommand {
  readonly verb: ProcessVerb
  readonly config: string | undefined
  readonly debug: boolean
  readonly keepTable?: boolean
}

/** Perl ldirectord's verbs. */
async function processVerb(context: CliContext, command: ProcessCommand, called: Invocation): Promise<number> {
  const ports: ProcessPorts<Load> = processPorts(context, called.script)
  switch (command.verb) {
    case 'start': {
      const isChild = isDaemonChild()
      const signals = isChild ? catchSignals() : undefined
      return await foreground(context, { begun: await start(ports, command, isChild), called, signals })
    }
    case 'restart':
    case 'try-restart': {
      const onlyIfRunning = command.verb === 'try-restart'
      return await foreground(context, { begun: await restart(ports, { ...command, onlyIfRunning }), called })
    }
    case 'stop':
      return await stop(ports, command)
    case 'reload':
    case 'force-reload':
      return await reload(ports, command)
    case 'status':
      return await status(ports, command)
  }
}

interface Begun {
  readonly begun: number | Foreground<Load>
  readonly called: Invocation
  readonly signals?: Signals | undefined
}

async function foreground(context: CliContext, { begun, called, signals }: Begun): Promise<number> {
  const ready = readySignal()
  if (typeof begun === 'number') {
    // In the background nobody sees standard error: the one who waits for us says it.
    if (begun !== exitCode.ok) ready.failed(begun, 'the configuration can not be used any more')
    return begun
  }
  return await serve(context, { ...begun, table: 'kernel', ready, commandLine: commandLineOf(called), signals })
}

function commandLineOf({ script, args }: Invocation): string {
  return [script, ...args].join(' ')
}
