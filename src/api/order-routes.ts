import type { RealKey } from '../config/model.ts'
import type { Operator, Ordered } from '../control/operator/operator.ts'
import { ok, type Question, type Reply, RequestError, type Route, readFields } from './http.ts'
import { type IntentReport, intentReport } from './intent-report.ts'
import { select } from './select.ts'

/** What an order answers. */
export interface OrderReport {
  /** What holds the named real servers now. */
  readonly intents: readonly IntentReport[]
  readonly reals: number
  /** False: in force, and lost with the process. */
  readonly saved: boolean
}

/** The operator's orders. Each answers when the table has been passed over. */
export function orderRoutes(operator: Operator): readonly Route[] {
  const post = (path: string, summary: string, answer: (question: Question) => Promise<Reply>): Route => {
    return { method: 'POST', path, summary, answer }
  }
  return [
    post('/v1/drain', 'real, [all], [maxMs], [reason], [by]: no new connections', async ({ body }) => {
      const fields = readFields(body, { ...common, reason: 'text', maxMs: 'number' })
      const keys = select(operator, fields.real, fields.all === true)
      const { maxMs, reason } = fields
      return done(keys, await operator.drain(keys, { maxMs: checked('maxMs', maxMs), reason, by: nameOf(fields.by) }))
    }),
    post('/v1/disable', 'real, [all], [forMs], [reason], [by]: out at once', async ({ body }) => {
      const fields = readFields(body, { ...common, reason: 'text', forMs: 'number' })
      const keys = select(operator, fields.real, fields.all === true)
      const { forMs, reason } = fields
      return done(keys, await operator.disable(keys, { forMs: checked('forMs', forMs), reason, by: nameOf(fields.by) }))
    }),
    post('/v1/enable', 'real, [all], [by]: drain and disable taken back', async ({ body }) => {
      const fields = readFields(body, common)
      const keys = select(operator, fields.real, fields.all === true)
      return done(keys, await operator.enable(keys, { by: nameOf(fields.by) }))
    }),
  ]
}

const common = { real: 'text', all: 'flag', by: 'text' } as const

function nameOf(by: string | undefined): string {
  return by === undefined || by === '' ? 'control socket' : by
}

/** A year: what is meant to last longer is meant for ever. */
const longestMs = 366 * 86_400_000

function checked(name: string, ms: number | undefined): number | undefined {
  if (ms === undefined || (ms > 0 && ms <= longestMs)) return ms
  throw new RequestError(`${name} must be a number of milliseconds from 1 to ${longestMs}`)
}

function done(keys: readonly RealKey[], { intents, saved }: Ordered): Reply {
  const report: OrderReport = { intents: intents.map(intentReport), reals: keys.length, saved }
  return ok(report)
}
