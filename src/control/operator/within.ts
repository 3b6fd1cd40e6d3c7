import type { Clock, Timer } from '../../lib/clock.ts'

/** The value, or undefined when it has not come in `ms` milliseconds; the work itself goes on. */
export async function within<T>(
  { clock, name, ms }: { readonly clock: Clock; readonly name: string; readonly ms: number },
  work: Promise<T>,
): Promise<T | undefined> {
  let timer: Timer | undefined
  const limit = new Promise<undefined>((resolve) => {
    timer = clock.setTimer(name, ms, () => resolve(undefined))
  })
  try {
    return await Promise.race([work, limit])
  } finally {
    timer?.cancel()
  }
}
