import type { Clock } from '../lib/clock.ts'
import { withDeadline } from '../lib/deadline.ts'
import { TableError } from '../table/operation.ts'
import { RequestError } from './http.ts'

const withinMs = 10_000

/** A question to the kernel, bounded; that it cannot be asked is told as 503. */
export async function askTable<T>(
  clock: Clock,
  parent: AbortSignal,
  question: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  try {
    return await withDeadline({ clock, ms: withinMs, parent }, question)
  } catch (error) {
    if (!(error instanceof TableError)) throw error
    throw new RequestError(`the IPVS table cannot be read: ${error.message}`, { status: 503, cause: error })
  }
}
