import { withDeadline } from '../lib/deadline.ts'
import type { IpvsTable } from '../table/details.ts'
import { TableError } from '../table/operation.ts'
import type { CliContext } from './context.ts'

const withinMs = 10_000

/** Asks a table once, opened for that and closed after. Undefined when it cannot be asked, which is said. */
export async function askTable<T>(
  context: Pick<CliContext, 'clock' | 'openTable' | 'err'>,
  kind: 'kernel' | 'memory',
  ask: (table: IpvsTable, signal: AbortSignal) => Promise<T>,
): Promise<T | undefined> {
  try {
    const table = await context.openTable(kind)
    try {
      return await withDeadline({ clock: context.clock, ms: withinMs }, (signal) => ask(table, signal))
    } finally {
      await table.close()
    }
  } catch (error) {
    if (!(error instanceof TableError)) throw error
    context.err(`The IPVS table cannot be read: ${error.message}\n`)
    return undefined
  }
}
