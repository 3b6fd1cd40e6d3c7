import { setMaxListeners } from 'node:events'

/** Gives its place back; calling it twice does nothing more. */
export type Release = () => void

/** At most so many at once; the others wait in the order they came. */
export interface Semaphore {
  /** Resolves when there is a place. Rejects with the signal's reason, and leaves the queue, when that fires first. */
  acquire(signal?: AbortSignal): Promise<Release>
  /** Places that are taken. */
  readonly held: number
  readonly waiting: number
}

export function createSemaphore(limit: number): Semaphore {
  if (!Number.isInteger(limit) || limit < 1)
    throw new RangeError(`a semaphore needs a whole number of places: ${limit}`)
  // A set keeps the order of arrival, and one who gives up leaves from the middle at no cost.
  const queue = new Set<() => void>()
  let held = 0

  const take = (): Release => {
    held += 1
    let mine = true
    return () => {
      if (!mine) return
      mine = false
      held -= 1
      const [next] = queue
      next?.()
    }
  }

  const wait = (signal: AbortSignal | undefined): Promise<Release> =>
    new Promise((resolve, reject) => {
      const leave = (): void => {
        queue.delete(enter)
        signal?.removeEventListener('abort', giveUp)
      }
      const enter = (): void => {
        leave()
        resolve(take())
      }
      const giveUp = (): void => {
        leave()
        reject(signal?.reason)
      }
      queue.add(enter)
      // Many may wait under one signal; each takes its listener away when it leaves.
      if (signal !== undefined) setMaxListeners(0, signal)
      signal?.addEventListener('abort', giveUp, { once: true })
    })

  return {
    async acquire(signal) {
      signal?.throwIfAborted()
      return held < limit ? take() : wait(signal)
    },
    get held() {
      return held
    },
    get waiting() {
      return queue.size
    },
  }
}
