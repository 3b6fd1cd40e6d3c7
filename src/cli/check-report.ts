import { type Config, type Real, type RealKey, realKeyOf, type Virtual } from '../config/model.ts'
import type { Observation } from '../health/machine.ts'
import { printable } from '../lib/printable.ts'
import { formatService, hostPort, protocolOf } from '../model/service.ts'
import type { Forwarding } from '../model/table.ts'
import type { DownReason, Verdict } from '../model/verdict.ts'
import { formatColumns } from './columns.ts'
import { exitCode } from './context.ts'

/** What `check --json` prints. Stable: fields are only ever added. */
export interface CheckReport {
  readonly virtuals: readonly VirtualReport[]
}

interface VirtualReport {
  /** As in ipvsadm: `192.0.2.10:80`, `[2001:db8::1]:80`, `5` for a mark. */
  readonly virtual: string
  readonly protocol: string
  readonly checktype: string
  readonly service: string
  readonly up: number
  readonly down: number
  /** The fallback's address and port, null without one. */
  readonly fallback: string | null
  readonly reals: readonly RealReport[]
}

interface RealReport {
  readonly real: string
  readonly forwarding: Forwarding
  readonly weight: number
  readonly verdict: Verdict
  readonly reason: DownReason | null
  readonly detail: string
  readonly durationMs: number
}

export function reportOf(config: Config, observations: ReadonlyMap<RealKey, Observation>): CheckReport {
  return { virtuals: config.virtuals.map((virtual) => reportVirtual(virtual, observations)) }
}

function reportVirtual(virtual: Virtual, observations: ReadonlyMap<RealKey, Observation>): VirtualReport {
  const reals = virtual.reals.map((real) => reportReal(real, observations.get(realKeyOf(virtual, real))))
  const fallback = virtual.fallback?.destination
  return {
    virtual: formatService(virtual.id),
    protocol: protocolOf(virtual.id),
    checktype: virtual.checkType,
    service: virtual.service,
    up: reals.filter((real) => real.verdict === 'up').length,
    down: reals.filter((real) => real.verdict === 'down').length,
    fallback: fallback === undefined ? null : hostPort(fallback.address, fallback.port),
    reals,
  }
}

function reportReal(real: Real, observation: Observation | undefined): RealReport {
  const { forwarding, weight } = real
  const name = hostPort(real.address ?? real.host, real.port)
  if (observation === undefined) {
    const detail = real.checking.kind === 'off' ? 'not checked (checktype=off)' : 'not checked'
    return { real: name, forwarding, weight, verdict: 'unknown', reason: null, detail, durationMs: 0 }
  }
  const { result, durationMs } = observation
  return {
    real: name,
    forwarding,
    weight,
    verdict: result.verdict,
    reason: result.verdict === 'down' ? result.reason : null,
    detail: printable(result.verdict === 'unknown' ? `${result.reason}: ${result.detail}` : result.detail),
    durationMs: Math.round(durationMs),
  }
}

/** 0 all up, 1 some down, 3 none down but some could not be determined. A real with checktype=off is no news. */
export function exitCodeOf(report: CheckReport): number {
  const reals = report.virtuals.flatMap((virtual) =>
    virtual.reals.map((real) => (virtual.checktype === 'off' ? 'off' : real.verdict)),
  )
  if (reals.includes('down')) return exitCode.someDown
  return reals.includes('unknown') ? exitCode.undetermined : exitCode.ok
}

export function formatReport(report: CheckReport): string {
  const rows = report.virtuals.flatMap((virtual) =>
    virtual.reals.map((real) => [
      `${virtual.protocol} ${virtual.virtual}`,
      real.real,
      real.verdict,
      real.reason ?? '',
      `${real.durationMs} ms`,
      real.detail,
    ]),
  )
  const table = formatColumns([['VIRTUAL', 'REAL', 'VERDICT', 'REASON', 'TIME', 'DETAIL'], ...rows])
  const count = (verdict: Verdict): number => rows.filter((row) => row[2] === verdict).length
  const undetermined = count('unknown') === 0 ? '' : `, ${count('unknown')} not determined`
  return `${table}\n${count('up')} up, ${count('down')} down${undetermined}\n`
}
