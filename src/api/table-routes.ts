import type { Virtual } from '../config/model.ts'
import type { Clock } from '../lib/clock.ts'
import { formatService } from '../model/service.ts'
import type { Connection, TableDetails } from '../table/details.ts'
import { ok, RequestError, type Route } from './http.ts'
import { askTable } from './table-question.ts'

export interface TableParts {
  readonly clock: Clock
  readonly table: TableDetails
  /** Of the config in force. */
  readonly virtuals: () => readonly Virtual[]
}

/** What the kernel tells beside the virtual services. */
export function tableRoutes({ clock, table, virtuals }: TableParts): readonly Route[] {
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
      summary: "?virtual=VIRTUAL&limit=N: connections in the kernel's table",
      answer: async ({ query, signal }) => {
        const limit = limitOf(query.get('limit'))
        const accepts = filterOf(query.get('virtual'), virtuals())
        return ok(await askTable(clock, signal, (inTime) => table.connections({ limit, accepts }, inTime)))
      },
    },
  ]
}

/** Connections of one virtual service. The kernel's list has no marks: which one a connection came by is not told. */
function filterOf(text: string | undefined, virtuals: readonly Virtual[]): (connection: Connection) => boolean {
  if (text === undefined) return () => true
  const found = virtuals.find(({ id, key }) => key === text || formatService(id) === text)
  if (found === undefined) {
    const choices = virtuals.map(({ id }) => formatService(id))
    throw new RequestError('there is no virtual service of that name', { status: 404, detail: { choices } })
  }
  const { id } = found
  if (id.kind === 'fwmark') throw new RequestError("the kernel's list of connections does not tell their marks")
  return ({ protocol, virtual: { address, port } }) =>
    protocol === id.protocol && address === id.address && (id.port === 0 || port === id.port)
}

const mostConnections = 100_000

function limitOf(text: string | undefined): number {
  const limit = text === undefined ? mostConnections : Number(text)
  if (Number.isInteger(limit) && limit > 0 && limit <= mostConnections) return limit
  throw new RequestError(`limit must be a whole number from 1 to ${mostConnections}`)
}
