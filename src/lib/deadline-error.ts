/** The reason an AbortSignal carries when time ran out. Any other reason means that somebody called the work off. */
export class DeadlineError extends Error {
  override readonly name = 'DeadlineError'
  readonly timeoutMs: number

  constructor(timeoutMs: number) {
    super(`no answer within ${timeoutMs} ms`)
    this.timeoutMs = timeoutMs
  }
}
