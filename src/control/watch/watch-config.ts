import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import type { Clock, Timer } from '../../lib/clock.ts'
import { messageOf } from '../../lib/errors.ts'
import { watchPath } from './watch-path.ts'

export interface WatchConfigOptions {
  /** Absolute path. */
  readonly file: string
  readonly clock: Clock
  /** SHA-256 in hex of the bytes that were read last into force (defect D39). */
  readonly digest: () => string
  /** The file's bytes are others than those in force; called once for each content, good or bad. */
  onChange(digest: string): void
  /** The file's bytes are those in force; called at each look. */
  onCurrent?(): void
  /** The file can not be read; once until it can be again. */
  onMissing?(reason: string): void
  /** How long it must be quiet, so that a file that is being written is read once. */
  readonly settleMs?: number
  /** The net under inotify, which is silent on some file systems. */
  readonly everyMs?: number
}

export interface ConfigWatch {
  close(): Promise<void>
}

const maxFileBytes = 64 << 20

/**
 * Sees a config that is written in place, renamed over, removed and made again, or reached by a symlink that is swapped,
 * of the file itself or of a directory on its way. Only a change of content counts.
 */
export function watchConfig(options: WatchConfigOptions): ConfigWatch {
  const { clock, settleMs = 250, everyMs = 10_000 } = options
  const look = makeLook(options)
  let settling: Timer | undefined
  let periodic: Timer | undefined
  let closed = false

  const lookNow = async (): Promise<void> => {
    if (closed) return
    events.follow()
    await look(() => !closed)
  }
  const soon = (): void => {
    settling?.cancel()
    if (!closed) settling = clock.setTimer('config settles', settleMs, () => void lookNow())
  }
  const again = (): void => {
    periodic = clock.setTimer('config compare', everyMs, () => {
      void lookNow().finally(() => {
        if (!closed) again()
      })
    })
  }
  const events = watchPath({ path: options.file, contents: false, onEvent: soon })
  again()
  return {
    close: async () => {
      closed = true
      settling?.cancel()
      periodic?.cancel()
      await events.close()
    },
  }
}

/** Compares, one at a time; a wish during a comparison is followed by one more. */
function makeLook({
  file,
  digest,
  onChange,
  onCurrent,
  onMissing,
}: WatchConfigOptions): (open: () => boolean) => Promise<void> {
  let told = ''
  let missing = false
  let running: Promise<void> | undefined
  let wanted = false

  const compare = async (isOpen: () => boolean): Promise<void> => {
    let found: string
    try {
      found = await digestOf(file)
    } catch (error) {
      if (!isOpen()) return
      if (!missing) onMissing?.(messageOf(error))
      missing = true
      return
    }
    if (!isOpen()) return
    missing = false
    if (found === digest()) {
      told = ''
      onCurrent?.()
    } else if (found !== told) {
      told = found
      onChange(found)
    }
  }
  const loop = async (isOpen: () => boolean): Promise<void> => {
    do {
      wanted = false
      await compare(isOpen)
    } while (wanted && isOpen())
  }
  return (isOpen) => {
    wanted = true
    running ??= loop(isOpen).finally(() => {
      running = undefined
    })
    return running
  }
}

async function digestOf(file: string): Promise<string> {
  // Non-blocking, or a FIFO in its place would hold a thread for ever.
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const stat = await handle.stat()
    if (!stat.isFile()) throw new Error(`${file} is not a regular file`)
    if (stat.size > maxFileBytes) throw new Error(`${file} is too large`)
    return createHash('sha256')
      .update(await handle.readFile())
      .digest('hex')
  } finally {
    await handle.close()
  }
}
