import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, fstatSync, writeSync } from 'node:fs'
import type { Readable } from 'node:stream'
import { type Clock, systemClock } from '../../lib/clock.ts'
import { messageOf } from '../../lib/errors.ts'
import { printable } from '../../lib/printable.ts'

const mark = 'LDIRECTORD_NG_DAEMON'
const readyFd = 3
const maxReportLength = 4096

export interface DaemonizeOptions {
  /** The program's script: `process.argv[1]`, by whose name other tools know the process. */
  readonly script: string
  /** Its arguments as they were given, for the cluster's agent looks for `<path> <config> start` among the processes. */
  readonly args: readonly string[]
  /** `/` when absent, so that it holds no file system. */
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
  readonly clock?: Clock
  /** How long its first pass may take before the caller is let go with a remark. */
  readonly patienceMs?: number
}

export interface DaemonReport {
  readonly exitCode: number
  /** For standard error; empty when all is well. */
  readonly message: string
}

/**
 * Starts this program again in the background, in its own session, in `/`, on /dev/null, and waits until it says that
 * the table stands, or why not. Never rejects.
 */
export async function daemonize(options: DaemonizeOptions): Promise<DaemonReport> {
  const { script, args, cwd = '/', env = process.env, clock = systemClock, patienceMs = 60_000 } = options
  const child = spawn(process.execPath, [...process.execArgv, script, ...args], {
    detached: true,
    cwd,
    env: { ...env, [mark]: '1' },
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  })
  const pipe = child.stdio[readyFd] as Readable | undefined
  return new Promise((resolve) => {
    const settle = (report: DaemonReport): void => {
      patience.cancel()
      pipe?.destroy()
      child.unref()
      resolve(report)
    }
    const patience = clock.setTimer('daemonize', patienceMs, () => {
      settle({ exitCode: 0, message: `ldirectord-ng is still busy with its first pass, pid ${child.pid}` })
    })
    child.on('error', (error) => settle({ exitCode: 70, message: `can not start: ${messageOf(error)}` }))
    hear(child, pipe, settle)
  })
}

/** One line from the child, or its end without one; the line counts when both are there. */
function hear(child: ChildProcess, pipe: Readable | undefined, settle: (report: DaemonReport) => void): void {
  let heard = ''
  let ended: DaemonReport | undefined
  let closed = pipe === undefined
  const endIfBoth = (): void => {
    if (ended !== undefined && closed) settle(ended)
  }
  pipe?.setEncoding('utf8')
  pipe?.on('data', (chunk: string) => {
    heard += chunk
    const end = heard.indexOf('\n')
    if (end !== -1) settle(readReport(heard.slice(0, end)))
    else if (heard.length > maxReportLength) settle(readReport(heard))
  })
  pipe?.on('error', () => undefined)
  pipe?.on('close', () => {
    closed = true
    endIfBoth()
  })
  child.on('exit', (code, signal) => {
    ended = {
      exitCode: code ?? 70,
      message: code === 0 ? '' : `the daemon ended before it was ready (${signal ?? `exit ${code}`})`,
    }
    endIfBoth()
  })
}

function readReport(line: string): DaemonReport {
  if (line === 'ready') return { exitCode: 0, message: '' }
  const failed = /^failed (\d{1,3})(?: (.*))?$/.exec(line)
  if (failed === null) return { exitCode: 70, message: `the daemon said ${printable(line, 100)}` }
  return { exitCode: Number(failed[1]), message: printable(failed[2] ?? '', maxReportLength) }
}

/** How the daemon answers the one who started it. Only the first call says anything. */
export interface ReadySignal {
  ready(): void
  /** The code becomes the exit code of `start`, the message its line on standard error. */
  failed(code: number, message: string): void
}

/** True in the process that `daemonize` started. */
export function isDaemonChild(env: NodeJS.ProcessEnv = process.env): boolean {
  return env[mark] === '1'
}

/** For the daemon; says nothing when nobody waits. Takes the mark out of `env`, so that no child inherits it. */
export function readySignal(env: NodeJS.ProcessEnv = process.env): ReadySignal {
  let open = isDaemonChild(env) && isPipe(readyFd)
  delete env[mark]
  const say = (line: string): void => {
    if (!open) return
    open = false
    try {
      writeSync(readyFd, `${line}\n`)
      closeSync(readyFd)
    } catch {
      // The one who waited is gone.
    }
  }
  return {
    ready: () => say('ready'),
    failed: (code, message) =>
      say(`failed ${code} ${printable(message.replace(/\s*\n\s*/g, '; '), maxReportLength / 8)}`),
  }
}

/** A mark that came by inheritance must not close a descriptor that Node opened for itself. */
function isPipe(fd: number): boolean {
  try {
    const stat = fstatSync(fd)
    return stat.isSocket() || stat.isFIFO()
  } catch {
    return false
  }
}
