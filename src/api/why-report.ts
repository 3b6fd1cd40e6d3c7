import { type RealKey, realKeyOf } from '../config/model.ts'
import type { Observation } from '../health/machine.ts'
import { formatService } from '../model/service.ts'
import type { IntentReport } from './intent-report.ts'
import { isoTime } from './iso-time.ts'
import { type Known, type RealStatus, realStatus } from './status-report.ts'

/** What `GET /v1/why` answers for each real server that was meant. Stable: fields are only ever added. */
export interface WhyReport {
  readonly virtual: string
  readonly key: string
  readonly checktype: string
  readonly service: string
  readonly checkIntervalSeconds: number
  readonly status: RealStatus
  /** What the desired table does with it, in a sentence. */
  readonly decision: string
  /** Who holds it out, and why; empty when nobody does. */
  readonly intents: readonly IntentReport[]
  /** Null: nothing is due. */
  readonly nextCheckInMs: number | null
  /** Newest first. */
  readonly probes: readonly ProbeReport[]
}

export interface ProbeReport {
  readonly at: string
  readonly durationMs: number
  readonly verdict: string
  readonly reason: string | null
  readonly detail: string
  readonly steps: readonly { readonly atMs: number; readonly note: string }[]
}

export interface Looking extends Known {
  history(key: RealKey): readonly Observation[]
  dueInMs(key: RealKey): number | undefined
  intentsOf(key: RealKey): readonly IntentReport[]
  /** Of the desired table: how its entry stands and why. */
  decision(key: RealKey): string
}

export function whyReports(keys: readonly RealKey[], looking: Looking): readonly WhyReport[] {
  const wanted = new Set(keys)
  return looking.config.virtuals.flatMap((virtual) =>
    virtual.reals
      .map((real) => ({ real, key: realKeyOf(virtual, real) }))
      .filter(({ key }) => wanted.has(key))
      .map(({ real, key }) => ({
        virtual: formatService(virtual.id),
        key: virtual.key,
        checktype: virtual.checkType,
        service: virtual.service,
        checkIntervalSeconds: virtual.checkIntervalMs / 1000,
        status: realStatus(virtual, real, looking),
        decision: looking.decision(key),
        intents: looking.intentsOf(key),
        nextCheckInMs: roundOrNull(looking.dueInMs(key)),
        probes: looking.history(key).map(probeReport),
      })),
  )
}

function roundOrNull(ms: number | undefined): number | null {
  return ms === undefined ? null : Math.round(ms)
}

function probeReport({ result, at, durationMs, steps = [] }: Observation): ProbeReport {
  const reason = result.verdict === 'up' ? null : result.reason
  return { at: isoTime(at), durationMs, verdict: result.verdict, reason, detail: result.detail, steps }
}
