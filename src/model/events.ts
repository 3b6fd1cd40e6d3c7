import type { Span } from '../lib/diagnostics.ts'
import type { CheckResult } from './verdict.ts'

/** When it happened, for Perl ldirectord's `(start)` and `(stop)` in purge lines and for alerts. */
export type Phase = 'starting' | 'running' | 'reloading' | 'stopping'

/** Names as the log writes them: `virtual` `192.0.2.10:80` or a mark, `identity` `tcp:192.0.2.10:80`, `real` `192.0.2.20:80`. */
interface Of {
  readonly virtual: string
  readonly identity: string
}
interface OfReal extends Of {
  readonly real: string
}

/**
 * What a change of the table did to a real server's traffic: it got some where it had none, or none any more. `none`: a
 * weight was mended, or an entry came or went that got no traffic anyway.
 */
export type Turn = 'in' | 'out' | 'none'

/** How an alert is told: by mail through a server or the local program, by a command, by a POST. */
export type AlertChannel = 'smtp' | 'sendmail' | 'command' | 'webhook'

interface Turned extends OfReal {
  readonly turn: Turn
}

interface Ordered extends OfReal {
  readonly by: string
  /** Empty when none was given. */
  readonly reason: string
  readonly until: number | undefined
}

/** Everything the daemon tells. `log` words them; status and alerts will read them too. */
export type Event =
  | ({ readonly kind: 'virtual-added' | 'virtual-changed' } & Of)
  | ({ readonly kind: 'virtual-purged'; readonly phase: Phase } & Of)
  | ({ readonly kind: 'real-added' | 'real-restored'; readonly weight: number } & Turned)
  /** `mappedFrom` is the configured address:port where the table's entry has another port. */
  | ({
      readonly kind: 'real-quiesced' | 'real-readded-quiescent'
      readonly mappedFrom?: string | undefined
      readonly reason: string
    } & Turned)
  | ({ readonly kind: 'real-deleted'; readonly mappedFrom: string | undefined; readonly reason: string } & Turned)
  | ({ readonly kind: 'real-purged'; readonly phase: Phase } & Turned)
  | ({ readonly kind: 'fallback-added' } & Turned)
  | ({ readonly kind: 'fallback-deleted'; readonly mappedFrom: string | undefined } & Turned)
  | ({
      readonly kind: 'soft-failure'
      readonly failures: number
      readonly failureCount: number
      readonly result: CheckResult
    } & OfReal)
  | ({ readonly kind: 'failures-reset' } & OfReal)
  /** A verdict changed: what the check saw. */
  | ({ readonly kind: 'real-state'; readonly state: 'up' | 'down'; readonly detail: string } & OfReal)
  /** A check could not tell; said once per episode. */
  | ({ readonly kind: 'check-unknown'; readonly detail: string } & OfReal)
  | ({ readonly kind: 'check-warning'; readonly text: string } & OfReal)
  /** The operator holds it out. `until` is wall clock: when a disable ends, when a drain waits no longer. */
  | ({ readonly kind: 'real-draining' | 'real-disabled' } & Ordered)
  /** The drain has ended; `left` connections were active then, undefined when nobody counted. */
  | ({ readonly kind: 'real-drained'; readonly why: 'idle' | 'time'; readonly left: number | undefined } & OfReal)
  /** Without `by` its time was up. */
  | ({ readonly kind: 'real-enabled'; readonly by: string | undefined } & OfReal)
  | ({ readonly kind: 'maintenance-begun'; readonly file: string; readonly reason: string } & OfReal)
  | ({ readonly kind: 'maintenance-ended'; readonly file: string } & OfReal)
  /** The state file of the operator's orders: something is wrong with it. */
  | { readonly kind: 'state-file'; readonly text: string }
  | { readonly kind: 'drift'; readonly text: string }
  | { readonly kind: 'table-refused'; readonly operation: string; readonly text: string }
  | { readonly kind: 'table-unreadable'; readonly text: string }
  | { readonly kind: 'table-readable' }
  | { readonly kind: 'starting'; readonly pid: number; readonly daemon: boolean }
  | { readonly kind: 'invoked'; readonly commandLine: string }
  | { readonly kind: 'terminated'; readonly signal: string }
  /** The end of a daemon that another one follows: nothing was removed. */
  | { readonly kind: 'table-left' }
  | { readonly kind: 'reload-signal' }
  | { readonly kind: 'config-changed'; readonly file: string; readonly reread: boolean }
  | { readonly kind: 'config-loaded'; readonly virtuals: number; readonly reals: number }
  /** One diagnostic of a file that was read while running; without a place it concerns no line. */
  | {
      readonly kind: 'config-diagnostic'
      readonly severity: 'error' | 'warning'
      readonly text: string
      readonly at?: Pick<Span, 'file' | 'line'>
    }
  | { readonly kind: 'config-kept'; readonly file: string }
  /** A file that was not taken has been put back to what is in force. */
  | { readonly kind: 'config-current'; readonly file: string }
  /** A new file without errors that would cut off what serves: why, and in ipvsadm's notation what would go. */
  | {
      readonly kind: 'reload-refused'
      readonly file: string
      readonly reasons: readonly string[]
      readonly plan: readonly string[]
    }
  /** Its lines are lost from now on; once until it works again. */
  | { readonly kind: 'monitor-failed'; readonly file: string; readonly text: string }
  | { readonly kind: 'monitor-works'; readonly file: string; readonly lost: number }
  | { readonly kind: 'alert-sent'; readonly channel: AlertChannel; readonly subject: string }
  /** An alert could not be delivered now; told once until one gets through. `target`: server or program. */
  | { readonly kind: 'alert-failed'; readonly channel: AlertChannel; readonly target: string; readonly text: string }
  /** So many were given up, the last of them for this reason. */
  | {
      readonly kind: 'alerts-lost'
      readonly channel: AlertChannel
      readonly target: string
      readonly count: number
      readonly text: string
    }
  /** A command of the configuration came to its end, or did not start. `subject`: for what it ran. */
  | {
      readonly kind: 'script-ended' | 'script-failed'
      readonly script: 'fallbackcommand' | 'callback' | 'execute'
      readonly subject: string
      readonly detail: string
    }
  | { readonly kind: 'note'; readonly text: string }
  | { readonly kind: 'fault'; readonly text: string }

/** Where events go. Never throws, never waits. */
export type Tell = (event: Event) => void
