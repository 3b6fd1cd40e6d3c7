import { spawn } from 'node:child_process'
import type { Clock, Timer } from '../../lib/clock.ts'
import { messageOf } from '../../lib/errors.ts'
import { printable } from '../../lib/printable.ts'

/** What systemd gave us to tell it by (sd_notify(3), sd_watchdog_enabled(3)). */
export interface NotifyAddress {
  readonly socket: string
  /** Undefined: no watchdog. */
  readonly watchdogMs: number | undefined
  /** Our unit as systemd calls it; undefined when the unit file does not say. */
  readonly unit: string | undefined
}

/**
 * Takes systemd's words out of the environment, so that no check, script or mail program can speak for us. Undefined: nobody
 * wants to hear.
 */
export function takeNotifyAddress(env: NodeJS.ProcessEnv = process.env, pid = process.pid): NotifyAddress | undefined {
  const { NOTIFY_SOCKET: socket, WATCHDOG_USEC: usec, WATCHDOG_PID: of, LDIRECTORD_NG_UNIT: unit } = env
  delete env['NOTIFY_SOCKET']
  delete env['WATCHDOG_USEC']
  delete env['WATCHDOG_PID']
  delete env['LDIRECTORD_NG_UNIT']
  if (socket === undefined || socket === '') return undefined
  const isOurs = of === undefined || of === String(pid)
  const watchdogMs = isOurs && usec !== undefined && /^[1-9]\d{0,15}$/.test(usec) ? Number(usec) / 1000 : undefined
  return { socket, watchdogMs, unit }
}

/** Assignments of sd_notify(3). */
export type Words = Readonly<
  Partial<Record<'READY' | 'RELOADING' | 'MONOTONIC_USEC' | 'STOPPING' | 'STATUS' | 'WATCHDOG', string>>
>

export interface Notifier {
  /** Never waits: what cannot go out now is merged with what comes after it. */
  send(words: Words): void
  /** Resolves when everything is out, or after two seconds. */
  close(): Promise<void>
}

export interface NotifierOptions {
  readonly socket: string
  readonly clock: Clock
  /** The manager cannot be told: once, until it can be again. */
  readonly onDead: (reason: string) => void
  readonly program?: string
}

const childMs = 10_000
const retryMs = 5_000
const closeMs = 2_000

/**
 * Tells systemd by its own program, one child at a time: Node has no Unix datagram socket. What was not taken is tried again
 * every five seconds, save a sign of life, which is worth nothing later.
 */
export function createNotifier(options: NotifierOptions): Notifier {
  const { clock, onDead } = options
  let pending: Words = {}
  let running: Promise<void> | undefined
  let retry: Timer | undefined
  let isDead = false
  let isClosed = false

  const failed = (words: Words, reason: string): void => {
    if (!isDead) onDead(reason)
    isDead = true
    const { WATCHDOG: _, ...again } = words
    pending = merge(again, pending)
    if (!isClosed && Object.keys(pending).length > 0) retry = clock.setTimer('notify: retry', retryMs, next)
  }
  const next = (): void => {
    if (running !== undefined || Object.keys(pending).length === 0) return
    const words = pending
    pending = {}
    retry?.cancel()
    running = tell(words, options).then((reason) => {
      running = undefined
      if (reason !== undefined) return failed(words, reason)
      isDead = false
      next()
    })
  }
  const drain = async (): Promise<void> => {
    while (running !== undefined) await running
  }
  return {
    send: (words) => {
      if (isClosed) return
      pending = merge(pending, words)
      next()
    },
    close: async () => {
      isClosed = true
      retry?.cancel()
      let limit: Timer | undefined
      const late = new Promise<void>((resolve) => {
        limit = clock.setTimer('notify: close', closeMs, resolve)
      })
      await Promise.race([drain(), late])
      limit?.cancel()
    },
  }
}

/** Of what waits together, systemd heeds one: a reload before or after READY is none, and who stops is nothing else. */
function merge(older: Words, newer: Words): Words {
  if (newer.STOPPING !== undefined) return newer
  if (newer.READY !== undefined) return { ...withoutReload(older), ...newer }
  if (older.READY !== undefined) return { ...older, ...withoutReload(newer) }
  return { ...older, ...newer }
}

function withoutReload({ RELOADING: _, MONOTONIC_USEC: __, ...rest }: Words): Words {
  return rest
}

/** Why it did not get there, or undefined. Never rejects. */
function tell(
  words: Words,
  { socket, clock, program = 'systemd-notify' }: NotifierOptions,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const args = Object.entries(words).map(([name, value]) => `${name}=${printable(value, 500)}`)
    const env = { PATH: process.env['PATH'], NOTIFY_SOCKET: socket }
    const child = spawn(program, args, { env, cwd: '/', stdio: 'ignore' })
    const limit = clock.setTimer('notify: child', childMs, () => child.kill('SIGKILL'))
    const end = (reason: string | undefined): void => {
      limit.cancel()
      resolve(reason)
    }
    child.once('error', (error) => end(messageOf(error)))
    child.once('exit', (code, signal) => end(code === 0 ? undefined : `${program} ended with ${code ?? signal}`))
  })
}
