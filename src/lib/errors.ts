/** The command line was wrong: one line and the usage, exit 64 (EX_USAGE of sysexits.h). */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** Something of this machine is in the way, and whoever called must see to it: one line, exit 1. */
export class OperatorError extends Error {
  override readonly name = 'OperatorError'
}

/** What to tell of anything that was thrown; never throws itself. */
export function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(messageOf).join('; ')
  if (error instanceof Error) return error.message
  return String(error)
}

/** The `code` of a system or library error (`ECONNREFUSED` …), if it has one. */
export function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}
