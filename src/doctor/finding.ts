import type { Span } from '../lib/diagnostics.ts'
import type { Fact } from './facts.ts'

export type Severity = 'error' | 'warning' | 'info'

/**
 * One thing that is wrong between a configuration and a machine. error: clients are not served as the file says.
 * warning: it works, and will not in a fault, or not in every case. info: what only the operator can see to.
 */
export interface Finding {
  readonly kind: 'finding'
  readonly severity: Severity
  /** Stable: `doctor --json` prints it. */
  readonly code: string
  /** The line of the configuration that makes it matter. */
  readonly at: Span
  readonly message: string
  readonly why: string
  readonly mend?: Mend
}

/** Commands for a shell of root, in this order. */
export interface Mend {
  readonly on: 'this machine' | 'each real server'
  readonly commands: readonly string[]
}

/** A rule wanted to know something that this machine did not tell. */
export interface Unseen {
  readonly kind: 'unseen'
  readonly what: string
  readonly reason: string
}

export type Remark = Finding | Unseen

/** What `see` says of a fact that is known; of one that is not, that it could not be looked at. */
export function look<T>(fact: Fact<T>, see: (value: T) => readonly Remark[]): readonly Remark[] {
  if (fact.known) return see(fact.value)
  return [{ kind: 'unseen', what: fact.what, reason: fact.reason }]
}

export function finding(severity: Severity, code: string, parts: Omit<Finding, 'kind' | 'severity' | 'code'>): Finding {
  return { kind: 'finding', severity, code, ...parts }
}

export function mendHere(...commands: readonly string[]): Mend {
  return { on: 'this machine', commands }
}

/** A word for a shell, in quotes where it needs them. */
export function quoteShell(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}
