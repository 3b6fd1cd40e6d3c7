import { describeServices } from '../table/describe.ts'
import type { DetailedTable } from '../table/details.ts'
import { formatSaved } from '../table/notation.ts'
import { askTable } from './ask-table.ts'
import { type CliContext, exitCode } from './context.ts'

/** `save`: every virtual service of the kernel as `ipvsadm -S -n` prints it, ours or not. Needs neither daemon nor file. */
export async function save(
  context: Pick<CliContext, 'clock' | 'openTable' | 'out' | 'err'>,
  { json }: { readonly json: boolean },
): Promise<number> {
  const table = await askTable(context, 'kernel', (asked, signal) => asked.details(signal))
  if (table === undefined) return exitCode.noTable
  if (json) {
    context.out(`${JSON.stringify({ services: describeServices(table.values()) }, null, 2)}\n`)
    return exitCode.ok
  }
  context.out(formatSaved(table.values()))
  if (hasThresholds(table))
    context.err('Thresholds are not among these lines: ipvsadm leaves them out, --json has them.\n')
  return exitCode.ok
}

function hasThresholds(table: DetailedTable): boolean {
  return [...table.values()].some(({ destinations }) => [...destinations.values()].some(({ upper }) => upper > 0))
}
