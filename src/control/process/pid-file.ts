import { linkSync, readFileSync, renameSync, unlinkSync, writeFileSync } from 'node:fs'
import { type Clock, systemClock } from '../../lib/clock.ts'
import { codeOf } from '../../lib/errors.ts'
import { isDirector } from './director-process.ts'

/** What a pid file says of its instance. `stale`: the file is there, its daemon is not. */
export type PidFileState =
  | { readonly kind: 'absent' }
  | { readonly kind: 'stale' }
  | { readonly kind: 'running'; readonly pid: number }

export interface PidFileOptions {
  readonly isAlive?: (pid: number) => boolean
  readonly pid?: number
  readonly clock?: Clock
}

/** Reads, and changes nothing: whoever asks is not the owner (defect D1). Throws when the file can not be read. */
export function readPidFile(path: string, isAlive: (pid: number) => boolean = isDirector): PidFileState {
  const text = readIfThere(path)
  if (text === undefined) return { kind: 'absent' }
  const pid = pidIn(text)
  return pid !== undefined && isAlive(pid) ? { kind: 'running', pid } : { kind: 'stale' }
}

/** The pid file is ours until `release`, which leaves it alone when it has become somebody else's. */
export interface HeldPidFile {
  readonly path: string
  release(): void
}

export type Acquired =
  | { readonly kind: 'held'; readonly held: HeldPidFile }
  | { readonly kind: 'running'; readonly pid: number }

const lockPauseMs = 20
const lockTries = 100

/**
 * Writes the pid file if no other daemon of the instance runs; a stale one is taken over. Of two that start at once
 * exactly one gets it: a lock beside the file puts them in a row. Rejects with the system's error when the
 * directory can not be written.
 */
export async function acquirePidFile(path: string, options: PidFileOptions = {}): Promise<Acquired> {
  const { isAlive = isDirector, pid = process.pid, clock = systemClock } = options
  const lock = `${path}.lock`
  const draft = `${path}.${pid}`
  unlinkIfThere(draft)
  writeFileSync(draft, `${pid}\n`, { mode: 0o644, flag: 'wx' })
  try {
    for (let n = 0; !takeLock(lock, draft); n++) {
      if (n === lockTries) throw new Error(`${lock} is held by another start`)
      await new Promise<void>((resolve) => void clock.setTimer('pid file lock', lockPauseMs, resolve))
    }
    try {
      const state = readPidFile(path, isAlive)
      if (state.kind === 'running' && state.pid !== pid) return state
      renameSync(draft, path)
      return { kind: 'held', held: { path, release: () => release(path, pid) } }
    } finally {
      unlinkIfThere(lock)
    }
  } finally {
    unlinkIfThere(draft)
  }
}

/** A link is made at once and whole, so a lock never stands there without its holder's pid in it. */
function takeLock(lock: string, draft: string): boolean {
  try {
    linkSync(draft, lock)
    return true
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
  }
  // A start that was killed on its way leaves its lock behind.
  const holder = pidIn(readIfThere(lock) ?? '')
  if (holder !== undefined && !isProcess(holder)) breakLock(lock, holder)
  return false
}

/** Moved away first: should another have broken it meanwhile and hold it anew, the lock in hand is his and goes back. */
function breakLock(lock: string, deadHolder: number): void {
  const aside = `${lock}.${process.pid}`
  try {
    renameSync(lock, aside)
    if (pidIn(readIfThere(aside) ?? '') !== deadHolder) linkSync(aside, lock)
  } catch (error) {
    if (codeOf(error) !== 'ENOENT' && codeOf(error) !== 'EEXIST') throw error
  } finally {
    unlinkIfThere(aside)
  }
}

function release(path: string, pid: number): void {
  try {
    if (pidIn(readIfThere(path) ?? '') === pid) unlinkIfThere(path)
  } catch {
    // The file stays behind and is stale: the next start takes it over.
  }
}

/** Never 0 or 1: a signal to those would hit the whole group, or init. */
function pidIn(text: string): number | undefined {
  const match = /^[ \t]*([1-9]\d{0,9})\s*(\n|$)/.exec(text)
  const pid = Number(match?.[1])
  return pid > 1 ? pid : undefined
}

function isProcess(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return codeOf(error) !== 'ESRCH'
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

function unlinkIfThere(path: string): void {
  try {
    unlinkSync(path)
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
  }
}
