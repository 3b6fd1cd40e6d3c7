import type { Fields, OptionsOf } from '../lib/fields.ts'
import type { Family } from '../model/service.ts'
import type { CheckResult } from '../model/verdict.ts'

/** Where to knock. Everything in it can change the result, so all of it is part of the probe's identity. */
export interface Target {
  /** A literal address without brackets, never a name. */
  readonly address: string
  readonly family: Family
  /** checkport, else the real server's port, else the service's own; 0 when there is none. */
  readonly port: number
  readonly transport: 'tcp' | 'udp'
  /** Given only to checks that ask for it with `seesVirtual`; such probes are not shared between virtuals. */
  readonly virtual?: VirtualSeen
}

/** The four arguments of an external check (behaviour reference 3.3), IPv6 in brackets. */
export interface VirtualSeen {
  /** Address, or the firewall mark. */
  readonly address: string
  /** 0 for a mark. */
  readonly port: number
  readonly realAddress: string
  /** The configured port, also where checkport differs. */
  readonly realPort: number
}

/** What the pool lends a running probe. The signal is the one deadline: it must reach the socket or the child. */
export interface CheckContext {
  readonly signal: AbortSignal
  /** Milliseconds the whole probe may take; the signal fires then. For libraries that take no signal. */
  readonly timeoutMs: number
  /** One step of the trace: how far it got. Never a password. */
  step(note: string): void
  /**
   * The verdict is known and what follows is good manners: a server that is slow to say good-bye is not down for it.
   * When the deadline comes after this, `result` stands.
   */
  decided(result: CheckResult): void
  /** Something an operator should know of once, beside the verdict. Said again only when the text changes. */
  warn(text: string): void
  /** True for an address that is one of our own virtual services'. */
  isVirtualAddress(address: string): boolean
}

/** A check is data plus one function: no class, no timers, no thresholds, no log. */
export interface Check<F extends Fields = Fields> {
  /** As `service =` names it for negotiate, as `checktype =` names it for the others. */
  readonly name: string
  readonly kind: 'connect' | 'ping' | 'external' | 'negotiate'
  /** One line for the manual. */
  readonly summary: string
  /** Virtual service ports that select this service when `service` is absent; the first is its own port. */
  readonly defaultForPorts: readonly number[]
  /** Which of the two time-outs of behaviour reference 3.2 bounds it. */
  readonly timeout: 'checktimeout' | 'negotiatetimeout'
  readonly seesVirtual?: boolean
  /** What `target.transport` is where the virtual is a firewall mark, which has no protocol of its own; tcp if absent. */
  readonly transportForMark?: 'udp'
  /** The directives that can change its result: decoded by the config, given to `run` as options. */
  readonly fields: F
  run(target: Target, options: OptionsOf<F>, context: CheckContext): Promise<CheckResult>
}

// biome-ignore lint/suspicious/noExplicitAny: a list of checks with unlike options has no other common supertype
export type AnyCheck = Check<any>
