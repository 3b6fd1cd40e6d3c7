import type { Daemon, RefusedConfig } from '../control/daemon.ts'
import type { Clock } from '../lib/clock.ts'
import type { Diagnostic } from '../lib/diagnostics.ts'
import { formatService } from '../model/service.ts'
import { formatOperation } from '../table/notation.ts'
import type { Step } from '../table/plan.ts'
import { ok, type Route, readFields } from './http.ts'
import { isoTime } from './iso-time.ts'
import { askTable } from './table-question.ts'

/** Why the file that lies there now is not in force. */
export interface RefusedReport {
  readonly at: string
  readonly why: RefusedConfig['why']
  readonly reasons: readonly string[]
  /** What would go from the table, in ipvsadm's notation. */
  readonly plan: readonly string[]
}

/** What `POST /v1/reload` answers. */
export interface ReloadReport {
  readonly reloaded: boolean
  readonly refused: RefusedReport | null
}

export interface StepReport {
  readonly virtual: string
  readonly operation: string
  readonly ipvsadm: string
  readonly reason: string
}

/** What `GET /v1/plan` answers. */
export interface PlanReport {
  readonly file: string
  readonly diagnostics: readonly string[]
  /** Null when the file has errors. */
  readonly steps: readonly StepReport[] | null
  /** Why `reload` would ask for a confirmation. */
  readonly refusal: readonly string[] | null
}

export function reloadRoutes(clock: Clock, daemon: Daemon, file: () => string): readonly Route[] {
  return [
    {
      method: 'POST',
      path: '/v1/reload',
      summary: '[confirm]: reads the configuration again; answers when it is in force, or why it is not',
      answer: async ({ body }) => {
        const { confirm = false } = readFields(body, { confirm: 'flag' })
        const reloaded = await daemon.reload({ confirm })
        const report: ReloadReport = { reloaded, refused: refusedReport(daemon.refused) }
        return ok(report)
      },
    },
    {
      method: 'GET',
      path: '/v1/refused',
      summary: 'why the file that lies there now is not in force; null when it is, or was not read yet',
      answer: () => ok({ refused: refusedReport(daemon.refused) }),
    },
    {
      method: 'GET',
      path: '/v1/plan',
      summary: 'what a reload would change in the table now',
      answer: async ({ signal }) => {
        const { diagnostics, refusal, plan } = await askTable(clock, signal, () => daemon.preview())
        const report: PlanReport = {
          file: file(),
          diagnostics: diagnostics.map(lineOf),
          steps: plan?.steps.map(stepReport) ?? null,
          refusal: refusal?.reasons ?? null,
        }
        return ok(report)
      },
    },
  ]
}

export function refusedReport(refused: RefusedConfig | undefined): RefusedReport | null {
  if (refused === undefined) return null
  const { at, why, reasons, plan } = refused
  return { at: isoTime(at), why, reasons, plan }
}

export function stepReport({ operation, reason }: Step): StepReport {
  const ipvsadm = formatOperation(operation)
  return { virtual: formatService(operation.id), operation: operation.kind, ipvsadm, reason }
}

function lineOf({ at, severity, code, message }: Diagnostic): string {
  return `${at.file}:${at.line}:${at.column}: ${severity}[${code}]: ${message}`
}
