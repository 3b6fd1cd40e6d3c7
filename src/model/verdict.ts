/** Why a server is bad. Stable: `check --json` prints these words. */
export type DownReason =
  | 'refused'
  | 'unreachable'
  | 'timeout'
  | 'closed'
  | 'tls'
  | 'auth'
  | 'protocol'
  | 'mismatch'
  | 'exit-status'

/** Why nothing can be said of the server: the fault is on this machine or in this program. */
export type UnknownReason = 'local-resource' | 'not-permitted' | 'missing-tool' | 'cancelled' | 'bug'

/** What one probe found. `detail` is one line that says how far it got and what it saw. */
export type CheckResult =
  | { readonly verdict: 'up'; readonly detail: string }
  | { readonly verdict: 'down'; readonly reason: DownReason; readonly detail: string }
  | { readonly verdict: 'unknown'; readonly reason: UnknownReason; readonly detail: string }

export type Verdict = CheckResult['verdict']

export const up = (detail: string): CheckResult => ({ verdict: 'up', detail })
export const down = (reason: DownReason, detail: string): CheckResult => ({ verdict: 'down', reason, detail })
export const unknown = (reason: UnknownReason, detail: string): CheckResult => ({ verdict: 'unknown', reason, detail })
