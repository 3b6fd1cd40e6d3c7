import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { Socket } from 'node:net'
import type { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { codeOf, messageOf } from './errors.ts'

/** A program and its arguments, handed over as they are: there is no shell between. */
export interface Command {
  /** A path, or a name to be looked for in PATH. */
  readonly file: string
  readonly args: readonly string[]
  /** What it reads from its standard input; /dev/null without one. */
  readonly input?: string | Uint8Array
  /** The whole environment; without it ours, less what is for the daemon alone. */
  readonly environment?: Readonly<Record<string, string>>
  /** Beside the environment. */
  readonly variables?: Readonly<Record<string, string>>
  /** Where it runs; without it where we do. */
  readonly directory?: string
  /** What it leaves in the background may write on after its end: that is read and thrown away until it is closed. */
  readonly mayLeaveBehind?: boolean
}

export type CommandEnd =
  | { readonly kind: 'exited'; readonly status: number }
  | { readonly kind: 'signalled'; readonly signal: string }
  /** The signal fired first: the whole process group was ended. */
  | { readonly kind: 'stopped' }
  | { readonly kind: 'not-started'; readonly code: string | undefined; readonly message: string }

export interface CommandResult {
  readonly end: CommandEnd
  /** The first 4 KiB each; what came after was read and thrown away. */
  readonly stdout: string
  readonly stderr: string
}

/** How long a process group has after TERM before KILL, and again after KILL before it is given up. */
const graceMs = 500
const capturedBytes = 4096
/** Output may still stand in the pipe when the command has ended; a background process may hold it open for ever. */
const lastOutputMs = 100
const pollMs = 10

/**
 * Runs a command in a process group of its own until it ends or the signal fires.
 * Then the group gets TERM, and KILL after a grace of half a second, so the result may come that much after the signal.
 * What a command that ended by itself left in the background stays, as with Perl ldirectord. Never throws.
 */
export async function runCommand(command: Command, signal: AbortSignal): Promise<CommandResult> {
  if (signal.aborted) return { end: { kind: 'stopped' }, stdout: '', stderr: '' }
  const child = start(command)
  if ('kind' in child) return { end: child, stdout: '', stderr: '' }
  const output = [capture(child.stdout), capture(child.stderr)]
  feed(child, command.input)
  const ended = endOf(child)
  const closed = once(child, 'close').catch(() => undefined)
  const abort = firing(signal)
  try {
    const end = (await Promise.race([ended, abort.fired])) ?? ({ kind: 'stopped' } as const)
    if (end.kind === 'stopped') await stopGroup(child.pid, ended)
    if (end.kind !== 'not-started') await within(lastOutputMs, closed)
    const [stdout = '', stderr = ''] = output.map((read) => read())
    return { end, stdout, stderr }
  } finally {
    abort.forget()
    child.stdin?.destroy()
    for (const stream of [child.stdout, child.stderr]) {
      if (command.mayLeaveBehind === true && !signal.aborted) drainQuietly(stream)
      else stream?.destroy()
    }
  }
}

/** Without it a service that a script has started would die of its next word. It keeps no process alive. */
function drainQuietly(stream: Readable | null): void {
  stream?.removeAllListeners('data')
  stream?.resume()
  if (stream instanceof Socket) stream.unref()
}

function start({ file, args, input, environment, variables, directory }: Command): ChildProcess | CommandEnd {
  const stdin = input === undefined ? 'ignore' : 'pipe'
  const env = { ...(environment ?? ownEnvironment()), ...variables }
  try {
    return spawn(file, args, { detached: true, stdio: [stdin, 'pipe', 'pipe'], env, cwd: directory })
  } catch (error) {
    return { kind: 'not-started', code: codeOf(error), message: messageOf(error) }
  }
}

/** What configures this daemon or speaks to its service manager is not for the children. */
function ownEnvironment(): NodeJS.ProcessEnv {
  const isOurs = (name: string): boolean => name.startsWith('LDIRECTORD_NG_') || name === 'NOTIFY_SOCKET'
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !isOurs(name)))
}

/** A command that ends without reading all of it closes the pipe: its exit status says what that means. */
function feed({ stdin }: ChildProcess, input: Command['input']): void {
  if (input === undefined) return
  stdin?.on('error', () => undefined)
  stdin?.end(input)
}

function endOf(child: ChildProcess): Promise<CommandEnd> {
  return new Promise((resolve) => {
    child.on('error', (error) => {
      if (child.pid === undefined) resolve({ kind: 'not-started', code: codeOf(error), message: messageOf(error) })
    })
    child.once('exit', (status, signal) => {
      resolve(signal === null ? { kind: 'exited', status: status ?? 0 } : { kind: 'signalled', signal })
    })
  })
}

/** Keeps the beginning and reads on, so that a talkative command is not held up by a full pipe. */
function capture(stream: Readable | null | undefined): () => string {
  let kept = Buffer.alloc(0)
  stream?.on('data', (chunk: Buffer) => {
    if (kept.length < capturedBytes) kept = Buffer.concat([kept, chunk.subarray(0, capturedBytes - kept.length)])
  })
  stream?.on('error', () => undefined)
  return () => kept.toString('utf8')
}

function firing(signal: AbortSignal): { fired: Promise<undefined>; forget: () => void } {
  let forget = (): void => undefined
  const fired = new Promise<undefined>((resolve) => {
    const listener = (): void => resolve(undefined)
    signal.addEventListener('abort', listener, { once: true })
    forget = () => signal.removeEventListener('abort', listener)
  })
  return { fired, forget }
}

/** A group of dead members only, which nobody reaps (a container without an init), cannot be told from a living one. */
async function stopGroup(pid: number | undefined, ended: Promise<unknown>): Promise<void> {
  if (pid === undefined || !signalGroup(pid, 'SIGTERM')) return
  const until = performance.now() + graceMs
  while (performance.now() < until) {
    await delay(pollMs)
    if (!signalGroup(pid, 0)) return
  }
  signalGroup(pid, 'SIGKILL')
  await within(graceMs, ended)
}

/** False when the group has no member left. */
function signalGroup(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-pid, name)
  } catch (error) {
    return codeOf(error) !== 'ESRCH'
  }
}

async function within(limitMs: number, event: Promise<unknown>): Promise<void> {
  const timer = new AbortController()
  await Promise.race([event, delay(limitMs, undefined, { signal: timer.signal }).catch(() => undefined)])
  timer.abort()
}
