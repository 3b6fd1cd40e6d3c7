import type { Probe } from '../check/probe.ts'
import type { Diagnostic, Span } from '../lib/diagnostics.ts'
import type { Secret } from '../lib/secret.ts'
import type { Family, ServiceId, ServiceKey } from '../model/service.ts'
import type { Destination, Forwarding, ServiceSettings } from '../model/table.ts'
import type { ConnectionTimeouts } from '../model/timeouts.ts'
import type { MonitorText } from './monitor-text.ts'

/** The whole file, typed, every name resolved or marked as not. A value: a reload makes a new one. */
export interface Config {
  /** Absolute path. */
  readonly file: string
  /** SHA-256 in hex of the bytes that were parsed (defect D39 of the behaviour reference). */
  readonly digest: string
  readonly globals: Globals
  /** In file order, keys unique. */
  readonly virtuals: readonly Virtual[]
  /** Names that have no address now; to be asked for again later. */
  readonly unresolved: readonly string[]
  /** The addresses in force of the names that have one, by `nameKey`. */
  readonly addresses?: ReadonlyMap<string, string>
}

export interface Globals {
  readonly autoreload: boolean
  /** Starts with `/`: a file; else a syslog facility. */
  readonly logfile: string
  readonly supervised: boolean
  readonly fork: boolean
  readonly readdQuiescent: boolean
  /** What is done about a weight or destination that somebody else changed (design 5). */
  readonly drift: 'report' | 'repair'
  readonly callback: string | undefined
  readonly execute: readonly string[]
  readonly emailAlertFrom: string | undefined
  readonly maintenanceDir: string | undefined
  readonly logFormat: 'text' | 'json'
  /** A reload that would leave a virtual service with none of its real servers that are up is refused. */
  readonly reloadGuard: boolean
  /** Set at start and reload; 0 leaves one as it is. Undefined: the kernel's are left alone. */
  readonly timeouts: ConnectionTimeouts | undefined
}

export interface Virtual {
  readonly id: ServiceId
  readonly key: ServiceKey
  /** The `virtual =` line. */
  readonly at: Span
  readonly settings: ServiceSettings
  /** In file order, ranges expanded. */
  readonly reals: readonly Real[]
  /** Its own fallback or the global one of its family, made ready for this virtual. */
  readonly fallback: Fallback | undefined
  readonly quiescent: boolean
  readonly cleanstop: boolean
  readonly failureCount: number
  /** Consecutive successes that bring a real server back. */
  readonly successCount: number
  /** Each check is moved by at most this. */
  readonly checkJitterMs: number
  /** What a real server is before its first check. */
  readonly initState: 'keep' | 'up' | 'down'
  readonly checkIntervalMs: number
  /** `connect`, `negotiate`, `ping`, `3` … as configured, for display. */
  readonly checkType: string
  /** `http`, `none` … for display. */
  readonly service: string
  readonly fallbackCommand: string | undefined
  /** The fallback command runs with `stop` also at the end of the daemon. */
  readonly fallbackOnStop: boolean
  readonly monitorFile: string | undefined
  /** With a monitor file only. */
  readonly monitorText?: MonitorText | undefined
  readonly alert: Alert
  /** What the section says of its checks, as lines of a configuration without secrets; for printing it. */
  readonly checkText?: readonly string[]
}

export interface Real {
  /** Unique within its virtual and stable over reloads while address, port and checking stay the same. */
  readonly id: string
  readonly at: Span
  /** As configured: a literal or a name. */
  readonly host: string
  /** Undefined while the name does not resolve: then `checking` is `unresolved`. */
  readonly address: string | undefined
  readonly family: Family
  /** As configured, 0 when absent. */
  readonly port: number
  /** The port of its entry in the table: the virtual's for gate and ipip, except for marks (defect D4). */
  readonly effectivePort: number
  readonly forwarding: Forwarding
  readonly weight: number
  readonly upper: number
  readonly lower: number
  readonly checking: Checking
  /** Its own request and receive, as the file has them; for printing. */
  readonly pair?: { readonly request: string; readonly receive: string }
}

/** How its state is found. `on`, `off`, `none` and the number form are scheduling, not probes. */
export type Checking =
  | { readonly kind: 'probe'; readonly probe: Probe }
  /** After a successful negotiate, `connects` connect probes, then the next negotiate (behaviour reference 3.3). */
  | { readonly kind: 'combined'; readonly connects: number; readonly negotiate: Probe; readonly connect: Probe }
  /** checktype=on, or negotiate with service none: up without a probe. */
  | { readonly kind: 'on' }
  /** checktype=off: state never changed; at start as the table has it, absent is down. */
  | { readonly kind: 'off' }
  /** The name has no address: down, with this reason, until it has one. */
  | { readonly kind: 'unresolved'; readonly detail: string }

export interface Fallback {
  readonly at: Span
  readonly host: string
  /** Undefined while its name does not resolve. Weight 1, no thresholds; the port is the effective one. */
  readonly destination: Destination | undefined
}

export interface Alert {
  readonly to: string | undefined
  readonly everySeconds: number
  readonly status: readonly ('starting' | 'running' | 'stopping' | 'reloading')[]
  /** Undefined: the local sendmail program. */
  readonly smtp: MailServer | undefined
  /** Program and arguments, run without a shell with the event as JSON on standard input. */
  readonly command: readonly string[] | undefined
  /** Gets the event as a POST of JSON. */
  readonly webhook: string | undefined
  readonly serviceName: string | undefined
  readonly comment: string | undefined
}

export interface MailServer {
  readonly host: string
  readonly port: number
  /** try: where it is offered, certificate not verified. yes: required and verified. */
  readonly starttls: 'yes' | 'no' | 'try'
  readonly login: string | undefined
  readonly password: Secret | undefined
}

/** What reading a file gives: a config unless there is an error; the diagnostics in file order either way. */
export interface LoadResult {
  readonly config: Config | undefined
  readonly diagnostics: readonly Diagnostic[]
  /** The text, for showing source lines under diagnostics. */
  readonly text: string
}

/** A real server within its virtual service, as a map key: health, maintenance and events are kept by it. */
declare const realKey: unique symbol
export type RealKey = string & { readonly [realKey]: true }

export function realKeyOf(virtual: Pick<Virtual, 'key'>, real: Pick<Real, 'id'>): RealKey {
  return `${virtual.key} ${real.id}` as RealKey
}

/** The destination a real server stands for in the table; undefined while it has no address. */
export function destinationOf(real: Real): Destination | undefined {
  if (real.address === undefined) return undefined
  const { address, effectivePort: port, forwarding, weight, upper, lower } = real
  return { address, port, forwarding, weight, upper, lower }
}
