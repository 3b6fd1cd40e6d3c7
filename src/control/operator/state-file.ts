import { constants } from 'node:fs'
import { mkdir, open, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Clock, Timer } from '../../lib/clock.ts'
import { codeOf, messageOf } from '../../lib/errors.ts'
import type { Tell } from '../../model/events.ts'
import { createSayOnce } from '../say-once.ts'
import type { Order } from './order.ts'
import type { OrderStore } from './orders.ts'
import { readState, writeState } from './state-text.ts'
import { within } from './within.ts'

export interface StateFileOptions {
  readonly path: string
  readonly clock: Clock
  readonly tell: Tell
}

const maxFileBytes = 16 << 20
const retryMs = 30_000
/** A caller that waits for a disk learns after this that nothing is sure; the writing goes on. */
const answerWithinMs = 5_000

/**
 * Orders in a file of JSON, replaced as a whole: a reader, and the next start after a kill, finds the old one or the new
 * one. A file that cannot be understood is kept as `….broken`; one that cannot be written is told once and tried again.
 */
export function createStateFile({ path, clock, tell }: StateFileOptions): OrderStore {
  const answer = { clock, name: 'state file answers', ms: answerWithinMs }
  const troubles = createSayOnce()
  let latest: readonly Order[] = []
  let wanted = 0
  let done = 0
  /** What the file has now; undefined: it is not there. */
  let text: string | undefined
  let works = true
  let retry: Timer | undefined
  let work: Promise<unknown> = Promise.resolve()

  const say = (what: string): void => {
    for (const fresh of troubles.fresh([what])) tell({ kind: 'state-file', text: fresh })
  }
  const load = async (): Promise<readonly Order[]> => {
    try {
      text = await readBounded(path)
      return text === undefined ? [] : readState(text)
    } catch (error) {
      const kept = await rename(path, `${path}.broken`).then(
        () => `; it is kept as ${path}.broken`,
        () => '',
      )
      text = undefined
      say(
        `The state file ${path} cannot be used: ${messageOf(error)}${kept}; what the operator ordered before is forgotten`,
      )
      return []
    }
  }
  const writeLatest = async (): Promise<void> => {
    retry?.cancel()
    const [orders, number] = [latest, wanted]
    const next = writeState(orders)
    try {
      if (next !== text && (text !== undefined || orders.length > 0)) {
        await replaceFile(path, next)
        text = next
      }
      works = true
      if (troubles.clear()) tell({ kind: 'state-file', text: `The state file ${path} can be written again` })
    } catch (error) {
      works = false
      say(`The state file ${path} cannot be written: ${messageOf(error)}; the operator's orders end with this process`)
      retry = clock.setTimer('state file', retryMs, () => void queue())
    }
    done = number
  }
  const queue = (): Promise<boolean> => {
    wanted += 1
    const mine = wanted
    const written = work.then(async () => {
      // One write has everything that was ordered before it began.
      if (done < mine) await writeLatest()
      return works
    })
    work = written
    return written
  }
  return {
    load: () => {
      const loaded = load()
      work = loaded
      return loaded
    },
    save: (orders) => {
      latest = orders
      return within(answer, queue()).then((saved) => saved === true)
    },
    stop: async () => {
      await within(answer, work)
      retry?.cancel()
    },
  }
}

/** Undefined when there is no such file. */
export async function readBounded(path: string): Promise<string | undefined> {
  try {
    // Non-blocking, or a FIFO in its place would hold a thread for ever.
    const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
    try {
      const stat = await handle.stat()
      if (!stat.isFile()) throw new Error('it is not a regular file')
      if (stat.size > maxFileBytes) throw new Error('it is too large')
      return await handle.readFile('utf8')
    } finally {
      await handle.close()
    }
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

/** Written beside it, on the disk, then renamed over it. */
export async function replaceFile(path: string, text: string): Promise<void> {
  const folder = dirname(path)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const fresh = `${path}.new`
  const { O_CREAT, O_TRUNC, O_WRONLY, O_NOFOLLOW } = constants
  const handle = await open(fresh, O_CREAT | O_TRUNC | O_WRONLY | O_NOFOLLOW, 0o600)
  try {
    await handle.chmod(0o600)
    await handle.writeFile(text)
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(fresh, path)
  await syncFolder(folder)
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, constants.O_RDONLY)
  try {
    // Some file systems cannot; then the rename is as sure as they make it.
    await handle.sync().catch(() => undefined)
  } finally {
    await handle.close()
  }
}
