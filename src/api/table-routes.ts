import type { Clock } from '../lib/clock.ts'
import type { TableDetails } from '../table/details.ts'
import { ok, RequestError, type Route } from './http.ts'
import { askTable } from './table-question.ts'

/** What the kernel tells beside the virtual services. */
export function tableRoutes({
  clock,
  table,
}: {
  readonly clock: Clock
  readonly table: TableDetails
}): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/v1/timeouts',
      summary: "the kernel's time-outs of idle connections, in seconds",
      answer: async ({ signal }) => ok(await askTable(clock, signal, (inTime) => table.timeouts(inTime))),
    },
    {
      method: 'GET',
      path: '/v1/connections',
      summary: "?limit=N: connections in the kernel's table",
      answer: async ({ query, signal }) => {
        const limit = limitOf(query.get('limit'))
        return ok(await askTable(clock, signal, (inTime) => table.connections({ limit }, inTime)))
      },
    },
  ]
}

const mostConnections = 100_000

function limitOf(text: string | undefined): number {
  const limit = text === undefined ? mostConnections : Number(text)
  if (Number.isInteger(limit) && limit > 0 && limit <= mostConnections) return limit
  throw new RequestError(`limit must be a whole number from 1 to ${mostConnections}`)
}
