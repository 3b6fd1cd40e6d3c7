import type { Daemon } from '../control/daemon.ts'
import type { Director } from '../control/director.ts'
import type { Operator } from '../control/operator/operator.ts'
import type { History } from '../health/history.ts'
import type { Clock } from '../lib/clock.ts'
import type { TableDetails } from '../table/details.ts'
import { decisionOn } from './decision.ts'
import { ok, RequestError, type Route } from './http.ts'
import { intentReport } from './intent-report.ts'
import { orderRoutes } from './order-routes.ts'
import { refusedReport, reloadRoutes } from './reload-routes.ts'
import { select } from './select.ts'
import { type Identity, type Known, statusReport } from './status-report.ts'
import { askTable } from './table-question.ts'
import { tableRoutes } from './table-routes.ts'
import { type Looking, whyReports } from './why-report.ts'

/** What the routes look at and steer. */
export interface RouteParts {
  readonly clock: Clock
  readonly director: Director
  readonly table: TableDetails
  readonly history: Pick<History, 'of'>
  readonly operator: Operator
  readonly daemon: Daemon
  readonly identity: () => Identity
}

/** Everything the control socket can do; `/` lists it. */
export function makeRoutes(parts: RouteParts): readonly Route[] {
  const { clock, daemon, director, operator, table } = parts
  const reloads = reloadRoutes(clock, daemon, () => director.config.file)
  const routes = [
    ...lookingRoutes(parts),
    ...tableRoutes({ clock, table, virtuals: () => director.config.virtuals }),
    ...orderRoutes(operator),
    ...reloads,
  ]
  const list = routes.map(({ method, path, summary }) => ({ method, path, summary }))
  return [{ method: 'GET', path: '/', summary: 'this list', answer: () => ok({ routes: list }) }, ...routes]
}

function lookingRoutes(parts: RouteParts): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/v1/status',
      summary: 'every virtual service and real server; ?traffic=yes: with counters, read from the kernel now',
      answer: async ({ query, signal }) => {
        if (query.get('traffic') !== 'yes') return ok(statusReport(known(parts), parts.identity()))
        const services = await askTable(parts.clock, signal, (inTime) => parts.table.details(inTime))
        return ok(statusReport({ ...known(parts), observed: { services } }, parts.identity()))
      },
    },
    {
      method: 'GET',
      path: '/v1/why',
      summary: '?real=REAL[&all=yes]: the last checks of a real server with their steps, and what holds it',
      answer: async ({ query, signal }) => {
        const keys = select(parts.operator, query.get('real'), query.get('all') === 'yes')
        const observed = await observedNow(parts, signal)
        return ok({ reals: whyReports(keys, { ...lookingAt(parts), observed }) })
      },
    },
  ]
}

/** Weights as the kernel has them now; while it does not answer, as the last pass over the table saw them. */
async function observedNow({ clock, director, table }: RouteParts, signal: AbortSignal): Promise<Known['observed']> {
  try {
    return { services: await askTable(clock, signal, (inTime) => table.details(inTime)) }
  } catch (error) {
    if (error instanceof RequestError) return director.observed
    throw error
  }
}

/** The director's getters are read once: the report is of one moment. */
function known({ daemon, director, operator }: RouteParts): Known {
  const { config, phase, health, holds, observed, drift } = director
  const refused = refusedReport(daemon.refused)
  return { config, phase, health, holds, observed, drift, refused, intents: operator.intents().map(intentReport) }
}

function lookingAt(parts: RouteParts): Looking {
  const { director, history, operator } = parts
  const wanted = director.desired
  const intents = operator.intents()
  return {
    ...known(parts),
    history: (key) => history.of(key),
    dueInMs: (key) => director.dueInMs(key),
    decision: (key) => decisionOn(key, wanted),
    intentsOf: (key) => intents.filter((intent) => intent.key === key).map(intentReport),
  }
}
