let skips = 0

/** Whether something was skipped in this process so far. */
export const hasSkipped = (): boolean => skips > 0

/**
 * Skips the running test (from `it`) or all tests of the suite (from `before`), with a reason that the run prints.
 * Only for what the machine lacks; in CI a skip is a failure.
 */
export function skipBecause(context: Mocha.Context, reason: string): never {
  skips++
  const runnable = context.test as (Mocha.Runnable & { type?: string }) | undefined
  const holder = runnable?.type === 'hook' ? runnable.parent : runnable
  if (holder !== undefined) Object.assign(holder, { skipReason: reason })
  return context.skip()
}
