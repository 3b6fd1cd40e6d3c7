import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import type { Clock } from '../../lib/clock.ts'
import { messageOf } from '../../lib/errors.ts'

export interface LineFilesPorts {
  readonly clock: Clock
  /** The first line since things were well is lost, and why. */
  readonly onTrouble: (file: string, reason: string) => void
  /** It can be written again; so many lines were lost. */
  readonly onWorks: (file: string, lost: number) => void
}

/** Files that lines are appended to, and the disk is never waited for. */
export interface LineFiles {
  /** Without the newline. */
  append(file: string, line: string): void
  /** Resolves when all is written, or after a second. */
  flush(): Promise<void>
}

const maxWaitingChars = 1 << 20
const flushLimitMs = 1_000

interface Waiting {
  readonly lines: string[]
  lost: number
  /** The disk filled up in the middle of a line. */
  torn: boolean
}

/**
 * The file is opened anew for what has gathered, so it follows a rename without a signal, and one write at a time is
 * under way: a disk that hangs holds one thread and a megabyte, no more.
 */
export function createLineFiles({ clock, onTrouble, onWorks }: LineFilesPorts): LineFiles {
  const files = new Map<string, Waiting>()
  let waitingChars = 0
  let writing: Promise<void> | undefined

  const lose = (file: string, reason: string, count: number): void => {
    const state = stateOf(file)
    if (state.lost === 0) onTrouble(file, reason)
    state.lost += count
  }
  const stateOf = (file: string): Waiting => {
    const known = files.get(file)
    if (known !== undefined) return known
    const fresh: Waiting = { lines: [], lost: 0, torn: false }
    files.set(file, fresh)
    return fresh
  }
  const writeOut = async (file: string, state: Waiting): Promise<void> => {
    const lines = state.lines.splice(0)
    const { whole, reason, torn } = await appendTo(file, lines, state.torn)
    waitingChars -= lines.reduce((sum, line) => sum + line.length, 0)
    state.torn = torn
    if (reason !== undefined) {
      lose(file, reason, lines.length - whole)
    } else if (state.lost > 0) {
      onWorks(file, state.lost)
      state.lost = 0
    }
    if (state.lines.length === 0 && state.lost === 0 && !torn) files.delete(file)
  }
  const loop = async (): Promise<void> => {
    for (;;) {
      const next = [...files].find(([, { lines }]) => lines.length > 0)
      if (next === undefined) return
      await writeOut(...next)
    }
  }
  return {
    append: (file, line) => {
      if (waitingChars + line.length > maxWaitingChars) {
        lose(file, 'the disk does not keep up', 1)
        return
      }
      waitingChars += line.length
      stateOf(file).lines.push(line)
      writing ??= loop().finally(() => {
        writing = undefined
      })
    },
    flush: async () => {
      if (writing === undefined) return
      await new Promise<void>((resolve) => {
        const timer = clock.setTimer('monitor files: flush', flushLimitMs, resolve)
        void writing?.then(() => {
          timer.cancel()
          resolve()
        })
      })
    },
  }
}

interface Appended {
  /** Lines that are in the file to their end. */
  readonly whole: number
  /** Why the others are not. */
  readonly reason: string | undefined
  /** The file ends with a part of a line. */
  readonly torn: boolean
}

/** Opens, appends, closes. Never rejects. */
async function appendTo(file: string, lines: readonly string[], torn: boolean): Promise<Appended> {
  const head = torn ? '\n' : ''
  const bytes = Buffer.from(head + lines.map((line) => `${line}\n`).join(''))
  let done = 0
  let reason: string | undefined
  let handle: FileHandle | undefined
  try {
    handle = await openForAppend(file)
    while (done < bytes.length) done += (await handle.write(bytes, done)).bytesWritten
  } catch (error) {
    reason = messageOf(error)
  } finally {
    await handle?.close().catch(() => undefined)
  }
  const ends = bytes.subarray(head.length, Math.max(head.length, done)).filter((byte) => byte === newline).length
  return { whole: ends, reason, torn: done === 0 ? torn : bytes[done - 1] !== newline }
}

const newline = 0x0a

/** Non-blocking: a FIFO without a reader is an error, not a thread that waits for one. */
function openForAppend(file: string): Promise<FileHandle> {
  const { O_APPEND, O_CREAT, O_NOCTTY, O_NONBLOCK, O_WRONLY } = constants
  return open(file, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_NOCTTY, 0o644)
}
