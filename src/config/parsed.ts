import type { AnyCheck } from '../check/contract.ts'
import type { Span } from '../lib/diagnostics.ts'
import type { Family, Protocol } from '../model/service.ts'
import type { Forwarding, ServiceSettings } from '../model/table.ts'
import type { Alert, Globals } from './model.ts'
import type { MonitorText } from './monitor-text.ts'

/** A host as a file names it. `literal` is its address in normal form; undefined for a name, which DNS must tell. */
export interface HostRef {
  readonly text: string
  readonly family: Family
  readonly literal: string | undefined
}

/** The whole file, checked and typed; all that is open is what its names resolve to. */
export interface ParsedFile {
  readonly file: string
  readonly digest: string
  readonly globals: Globals
  readonly virtuals: readonly ParsedVirtual[]
}

export type VirtualAddress =
  | { readonly kind: 'fwmark'; readonly family: Family; readonly mark: number }
  | {
      readonly kind: 'address'
      readonly family: Family
      readonly protocol: Protocol
      readonly host: HostRef
      readonly port: number
    }

export interface ParsedVirtual {
  readonly at: Span
  readonly address: VirtualAddress
  readonly settings: ServiceSettings
  readonly quiescent: boolean
  readonly cleanstop: boolean
  readonly failureCount: number
  readonly successCount: number
  readonly checkJitterMs: number
  readonly initState: 'keep' | 'up' | 'down'
  readonly checkIntervalMs: number
  readonly checkType: string
  readonly service: string
  readonly fallbackCommand: string | undefined
  readonly fallbackOnStop: boolean
  readonly monitorFile: string | undefined
  readonly monitorText: MonitorText | undefined
  readonly alert: Alert
  readonly checkText: readonly string[]
  readonly reals: readonly ParsedReal[]
  readonly fallback: ParsedFallback | undefined
}

/** One `real =` line. */
export interface RealLine {
  readonly at: Span
  readonly host: HostRef
  /** Of a range: its last host, included. */
  readonly end: HostRef | undefined
  readonly port: number
  readonly forwarding: Forwarding
  readonly weight: number
  readonly upper: number
  readonly lower: number
  readonly pair: RequestPair | undefined
}

/** A real server's own request and receive. */
export interface RequestPair {
  readonly request: string
  readonly receive: string
  /** The place of a part of `receive`, by its offset in the text. */
  readonly receivePlace: (offset: number, length: number) => Span
}

export interface ParsedReal extends RealLine {
  readonly effectivePort: number
  readonly plan: CheckPlan
}

/** `Checking` before the address is known. */
export type CheckPlan =
  | { readonly kind: 'probe'; readonly spec: ProbeSpec }
  | {
      readonly kind: 'combined'
      readonly connects: number
      readonly negotiate: ProbeSpec
      readonly connect: ProbeSpec
    }
  | { readonly kind: 'on' }
  | { readonly kind: 'off' }

export interface ProbeSpec {
  readonly check: AnyCheck
  readonly port: number
  readonly transport: 'tcp' | 'udp'
  readonly options: Readonly<Record<string, unknown>>
  readonly timeoutMs: number
}

export interface ParsedFallback {
  readonly at: Span
  readonly host: HostRef
  /** Undefined: the port of the virtual service. A name of the services database may differ by protocol. */
  readonly port: { readonly tcp: number; readonly udp: number } | undefined
  readonly forwarding: Forwarding
}
